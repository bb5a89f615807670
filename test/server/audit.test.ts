/** What an audit log tells of an ACL that somebody asks for: whom it names, and nothing that opens anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { KIND, type Txn } from '../../src/records/txns.ts';
import type { Identity } from '../../src/server/acl.ts';
import { Auditor } from '../../src/server/audit.ts';

test('passwords and hashes that an ACL is written with are not told, whatever its scheme', () => {
  const { setAcl } = OPERATIONS;
  const told = (scheme: string, id: string): string | undefined => {
    const frame = new Writer();
    frame.int32(1);
    frame.int32(setAcl.code);
    setAcl.request.write(frame, { path: '/a', acl: [{ perms: 31, id: { scheme, id } }], version: -1 });
    return new Auditor(() => {}).asked(setAcl.code, frame.bytes, 0, frame.at)?.acl;
  };
  assert.equal(told('world', 'anyone'), 'world:anyone:cdrwa');
  assert.equal(told('ip', '0:0:0:0:0:0:0:1'), 'ip:0:0:0:0:0:0:0:1:cdrwa');
  assert.equal(told('sasl', 'bob'), 'sasl:bob:cdrwa');
  assert.equal(told('x509', 'CN=a:b'), 'x509:CN=a:b:cdrwa');
  assert.equal(told('digest', 'bob:HASH='), 'digest:bob:x:cdrwa');
  // ZooKeeper looks at no id of this scheme, so people write their login there; and a scheme may be misspelt
  assert.equal(told('auth', ''), 'auth::cdrwa');
  assert.equal(told('auth', 'bob:SECRET'), 'auth:bob:x:cdrwa');
  assert.equal(told('Digest', 'bob:SECRET'), 'Digest:bob:x:cdrwa');
  assert.equal(told('digest', 'SECRET'), 'digest::x:cdrwa');
});

test('a comma within a name parts no two identities; that of a subject is its own', () => {
  const users: (string | undefined)[] = [];
  const auditor = new Auditor(({ user }) => void users.push(user));
  const asked = { operation: 'setData', path: '/a', znodeType: undefined, acl: undefined, parts: undefined } as const;
  const by = (...identities: Identity[]) =>
    auditor.done({ session: 1n, ip: '127.0.0.1', identities } as never, asked, {
      kind: KIND.error,
      code: -101,
    } as unknown as Txn);
  const ip = { scheme: 'ip', id: '127.0.0.1' };
  by({ scheme: 'digest', id: 'bob,super:HASH=' }, { scheme: 'sasl', id: 'ann,root' }, ip);
  by({ scheme: 'x509', id: 'CN=ann,O=x' }, ip);
  auditor.refusedLogin({ door: 'sasl', ip: '127.0.0.1', session: 1n, scheme: 'sasl', user: 'bob,super' } as never);
  assert.deepEqual(users, ['bob\\u002csuper,ann\\u002croot,127.0.0.1', 'CN=ann,O=x,127.0.0.1', 'bob\\u002csuper']);
});
