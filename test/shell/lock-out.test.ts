/** Which entries of an ACL keep somebody of this session in. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isSomebody } from '../../src/shell/lock-out.ts';

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
