/** Which entries of an ACL keep somebody of this session in. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import type { Client } from '../../src/client/api.ts';
import { isSomebody } from '../../src/shell/lock-out.ts';
import { rig } from './rig.ts';

const digest = (user: string, password: string): string =>
  `${user}:${createHash('sha1').update(`${user}:${password}`).digest('base64')}`;
const BOB = { scheme: 'digest', id: 'bob' };
const known = [{ scheme: 'digest', auth: 'bob:secret' }];

test('an entry is mine when the server would take me for it', () => {
  for (const [scheme, id, me, credentials, mine] of [
    ['ip', '127.0.0.1', { scheme: 'ip', id: '127.0.0.1' }, [], true],
    ['ip', '10.0.0.1', { scheme: 'ip', id: '127.0.0.1' }, [], false],
    ['ip', '10.0.0.0/8', { scheme: 'ip', id: '10.3.4.5' }, [], true],
    ['ip', '10.0.0.0/16', { scheme: 'ip', id: '10.3.4.5' }, [], false],
    ['ip', '0.0.0.0/0', { scheme: 'ip', id: '10.3.4.5' }, [], true],
    ['ip', '::1', { scheme: 'ip', id: '0:0:0:0:0:0:0:1' }, [], true],
    ['ip', '::1', { scheme: 'ip', id: '127.0.0.1' }, [], false],
    ['ip', 'nonsense', { scheme: 'ip', id: '127.0.0.1' }, [], false],
    ['ip', '10.0.0.0/99', { scheme: 'ip', id: '10.0.0.1' }, [], false],
    ['digest', digest('bob', 'secret'), BOB, known, true],
    ['digest', digest('bob', 'other'), BOB, known, false],
    ['digest', 'bob:secret', BOB, known, false],
    ['digest', 'bob:x', BOB, known, false],
    ['digest', 'bob', BOB, known, false],
    ['digest', digest('eve', 'secret'), BOB, known, false],
    ['digest', digest('bob', 'other'), BOB, [], true], // nobody here knows the password
    ['digest', `bob:${createHash('sha256').update('bob:secret').digest('base64')}`, BOB, known, true], // another algorithm
    ['sasl', 'bob', { scheme: 'sasl', id: 'bob' }, [], true],
    ['sasl', 'eve', { scheme: 'sasl', id: 'bob' }, [], false],
    ['x509', 'CN=a', { scheme: 'x509', id: 'CN=b' }, [], false],
    ['ip', '10.0.0.1', { scheme: 'super', id: '' }, [], true],
  ] as const)
    assert.equal(isSomebody({ scheme, id, perms: 31 }, me, credentials), mine, `${scheme}:${id} for ${me.id}`);
});

test('auth: is refused before anything is asked of who has proved nothing, and of nobody whom a server would take', async () => {
  const IP = { scheme: 'ip', id: '127.0.0.1' };
  for (const [mine, isRefused] of [
    [[IP], true],
    [[IP, { scheme: 'ip', id: '::1' }], true],
    [[IP, BOB], false],
    [[IP, { scheme: 'x509', id: 'CN=a' }], false],
    [[{ scheme: 'sasl', id: 'bob' }, IP], false],
    [[], false],
    [undefined, false],
  ] as const)
    for (const line of [
      'setAcl /a auth::cdrwa',
      'setAcl -R /a world:anyone:r,auth::cdrwa',
      'setAcl -R --force /a auth::cdrwa',
      'acl add /a auth::cdrwa',
      'create /b x auth::cdrwa',
    ]) {
      const sent: string[] = [];
      const asked = (what: string, answer: unknown) => async (path: string) => {
        sent.push(`${what} ${path}`);
        return answer;
      };
      const stat = { aversion: 0, numChildren: 0, ephemeralOwner: 0n };
      const client = {
        whoAmI: async () => mine ?? Promise.reject(new KeeperError('Unimplemented')),
        getAllChildrenNumber: async () => 0,
        exists: async () => stat,
        getChildren: async () => ({ children: [], stat }),
        getAcl: async () => ({ acl: [{ scheme: 'world', id: 'anyone', perms: 31 }], stat }),
        setAcl: asked('setAcl', stat),
        create: asked('create', { path: '/b', stat }),
        ...{ on: () => () => {}, watches: () => [], chroot: '', sessionId: 1n },
      } as unknown as Client;
      const it = rig(client);
      const isSent = !isRefused || line.includes('--force');
      const about = `${line} as ${JSON.stringify(mine)}`;
      assert.equal(await it.shell.run(line), isSent ? 0 : 15, `${about}: ${it.told[0]?.failure.message}`);
      assert.equal(sent.length, isSent ? 1 : 0, about);
      if (isSent) continue;
      assert.match(it.told[0]?.failure.message ?? '', /^the ACL is not valid: \/[ab]$/, 'as the server would');
      assert.match(it.told[0]?.failure.hint ?? '', /^auth: means who presented a password, which addauth does/);
      assert.deepEqual(it.plans, [], 'nobody was asked');
    }
});
