/** Logins by SASL at the whole pure server, and what may be asked without one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEEPER_CODES } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { Secret } from '../../src/base/secret.ts';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS, type OperationName, XID } from '../../src/protocol/operations.ts';
import { respond } from '../../src/sasl/digest-md5.ts';
import { expandAcl, isAllowed } from '../../src/server/acl.ts';
import type { AuthOptions } from '../../src/server/auth.ts';
import type { ClientConnection } from '../../src/server/connection.ts';
import { rig } from './rig.ts';

const SASL = {
  users: new Map([
    ['bob', new Secret('bobsecret')],
    ['admin', new Secret('adminsecret')],
  ]),
  superUsers: new Set(['admin']),
  allowFailed: false,
};
const PROVIDERS = new Set(['ip', 'digest', 'sasl']);
const { AuthFailed, SessionClosedRequireAuth, InvalidAcl } = KEEPER_CODES;

let seed = 1;

interface Answer {
  readonly xid: number;
  readonly err: number;
  readonly rest: Reader;
}

/** A server with these ways to log in, and a client of it that has just connected. */
function scene(auth: Partial<AuthOptions>) {
  const answers: Answer[] = [];
  const all: AuthOptions = { superDigest: undefined, digestAlgorithm: 'sha1', digestEnabled: true, ...auth };
  const world = rig(seededRandom(seed++), {
    server: { auth: all },
    sent: (_connection, bytes) => {
      for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
        const from = new Reader(Buffer.from(bytes.subarray(at + 4, at + 4 + bytes.readInt32BE(at))));
        const xid = from.int32();
        from.int64();
        answers.push({ xid, err: from.int32(), rest: from });
      }
    },
  });
  const connection = world.attach();
  const ask = (name: OperationName, body: unknown, xid = 7): Answer => {
    const to = new Writer();
    to.int32(xid);
    to.int32(OPERATIONS[name].code);
    (OPERATIONS[name].request as { write(to: Writer, body: unknown): void }).write(to, body);
    answers.length = 0;
    world.server.receive(connection, to.bytes, 0, to.at);
    world.settle();
    return answers[0] ?? assert.fail(`${name} got no answer`);
  };
  const say = (token: Uint8Array | null): { err: number; token: Buffer | null } => {
    const { err, rest } = ask('sasl', { token });
    return { err, token: rest.buffer() };
  };
  const login = (user: string, password: string): { err: number; token: Buffer | null } => {
    const challenge = say(Buffer.alloc(0)).token ?? assert.fail('no challenge');
    return say((respond(challenge, user, password, 'c') ?? assert.fail()).token);
  };
  return { ...world, connection, ask, say, login, ended: () => world.closed.has(connection) };
}
const ids = ({ identities }: ClientConnection): string[] => identities.map(({ scheme, id }) => `${scheme}:${id}`);

test('who knows a password gets the identity, and a super user all that there is', () => {
  const bob = scene({ sasl: SASL, providers: PROVIDERS });
  assert.match(String(bob.login('bob', 'bobsecret').token), /^rspauth=/);
  assert.deepEqual(ids(bob.connection), ['ip:127.0.0.1', 'sasl:bob']);
  const admin = scene({ sasl: SASL, providers: PROVIDERS });
  admin.login('admin', 'adminsecret');
  assert.deepEqual(ids(admin.connection), ['ip:127.0.0.1', 'sasl:admin', 'super:']);
  assert.equal(bob.ended() || admin.ended(), false);
});

test('a login that proves nothing ends the connection, whatever is wrong with it', () => {
  for (const [user, password] of [
    ['bob', 'wrong'],
    ['bob', ''],
    ['eve', 'bobsecret'],
    ['', ''],
  ] as const) {
    const one = scene({ sasl: SASL });
    assert.deepEqual(one.login(user, password), { err: AuthFailed, token: null });
    assert.deepEqual([ids(one.connection), one.ended()], [['ip:127.0.0.1'], true]);
  }
  const early = scene({ sasl: SASL });
  assert.deepEqual(early.say(Buffer.from('username="bob"')), { err: AuthFailed, token: null });
  assert.equal(early.ended(), true);
});

test('one login a connection: neither a second, nor the same answer again, nor another try', () => {
  const twice = scene({ sasl: SASL });
  twice.login('bob', 'bobsecret');
  assert.equal(twice.say(Buffer.alloc(0)).err, AuthFailed);
  assert.equal(twice.ended(), true);
  const kept = scene({ sasl: { ...SASL, allowFailed: true } });
  assert.deepEqual(kept.login('bob', 'wrong'), { err: 0, token: null });
  assert.deepEqual(kept.say(Buffer.alloc(0)), { err: 0, token: null });
  assert.deepEqual([ids(kept.connection), kept.ended()], [['ip:127.0.0.1'], false]);
  assert.equal(kept.ask('exists', { path: '/', watch: false }).err, 0);
});

test('an answer to the challenge of another connection proves nothing', () => {
  const one = scene({ sasl: SASL });
  const other = scene({ sasl: SASL });
  const challenge = one.say(Buffer.alloc(0)).token ?? assert.fail();
  const own = other.say(Buffer.alloc(0)).token ?? assert.fail();
  const { token } = respond(challenge, 'bob', 'bobsecret', 'c') ?? assert.fail();
  assert.notDeepEqual(own, challenge);
  assert.equal(other.say(token).err, AuthFailed);
  assert.equal(one.say(token).err, 0);
});

test('without users nothing is said and nobody is anybody; a token of null is passed over', () => {
  const none = scene({});
  assert.deepEqual(none.say(Buffer.alloc(0)), { err: 0, token: null });
  const some = scene({ sasl: SASL });
  assert.deepEqual(some.say(null), { err: 0, token: null });
  assert.deepEqual(ids(some.connection), ['ip:127.0.0.1']);
  some.login('bob', 'bobsecret');
  assert.equal(ids(some.connection).length, 2);
});

test('compulsory SASL: without it every request is refused and ends the connection, pings and closeSession too', () => {
  const enforced = new Set(['sasl']);
  for (const [name, body, xid] of [
    ['exists', { path: '/', watch: false }, 3],
    ['create', { path: '/x', data: null, acl: [], flags: 0 }, 4],
    ['closeSession', undefined, 5],
    ['ping', undefined, XID.ping],
    ['whoAmI', undefined, 6],
    ['setWatches', { relativeZxid: 0n, dataWatches: ['/'], existWatches: [], childWatches: [] }, XID.setWatches],
  ] as const) {
    const one = scene({ sasl: SASL, enforced });
    const { xid: answered, err } = one.ask(name, body, xid);
    assert.deepEqual([answered, err, one.ended()], [xid, SessionClosedRequireAuth, true], name);
    assert.equal(one.replica.find('/x'), one.replica.find('/y'));
  }
  const wrong = scene({ sasl: { ...SASL, allowFailed: true }, enforced });
  assert.deepEqual(wrong.login('bob', 'wrong'), { err: SessionClosedRequireAuth, token: null });
  assert.equal(wrong.ended(), true);
  const right = scene({ sasl: SASL, enforced });
  right.login('bob', 'bobsecret');
  assert.equal(right.ask('exists', { path: '/', watch: false }).err, 0);
  // another scheme than the one that is compulsory
  const digest = scene({ sasl: SASL, enforced });
  assert.equal(digest.ask('auth', { type: 0, scheme: 'digest', auth: Buffer.from('a:b') }, XID.auth).err, 0);
  assert.equal(digest.ask('exists', { path: '/', watch: false }).err, SessionClosedRequireAuth);
  const either = scene({ sasl: SASL, enforced: new Set(['sasl', 'digest']) });
  assert.equal(either.ask('auth', { type: 0, scheme: 'digest', auth: Buffer.from('a:b') }, XID.auth).err, 0);
  assert.equal(either.ask('exists', { path: '/', watch: false }).err, 0);
});

test('nobody says by an auth packet to be a SASL user or the owner of a certificate', () => {
  for (const scheme of ['sasl', 'x509', 'super', 'world', '']) {
    const one = scene({ sasl: SASL, providers: new Set([...PROVIDERS, 'x509']), enforced: new Set(['sasl']) });
    assert.equal(one.ask('auth', { type: 0, scheme, auth: Buffer.from('bob') }, XID.auth).err, AuthFailed);
    assert.deepEqual([ids(one.connection), one.ended()], [['ip:127.0.0.1'], true]);
  }
});

test('ACLs name SASL users where there is a provider, and by names as Kerberos has them', () => {
  const acl = (id: string, scheme = 'sasl') => [{ perms: 31, id: { scheme, id } }];
  const bob = [{ scheme: 'sasl', id: 'bob' }];
  for (const id of ['bob', 'bob@REALM', 'bob/host@REALM', '', 'a/b/c'])
    assert.deepEqual(expandAcl(acl(id), [], PROVIDERS), [{ perms: 31, scheme: 'sasl', id }], id);
  for (const id of ['a@b@c', 'a/b/c@R', 'a@b/c']) assert.equal(expandAcl(acl(id), [], PROVIDERS), undefined, id);
  assert.deepEqual(expandAcl(acl('', 'auth'), bob, PROVIDERS), [{ perms: 31, scheme: 'sasl', id: 'bob' }]);
  assert.equal(expandAcl(acl('', 'auth'), bob), undefined);
  assert.equal(expandAcl(acl('bob'), bob), undefined);
  const list = expandAcl(acl('bob'), [], PROVIDERS) ?? assert.fail();
  const may = (scheme: string, id: string): boolean => isAllowed(list, 1, [{ scheme, id }]);
  assert.deepEqual(
    [may('sasl', 'bob'), may('sasl', 'eve'), may('digest', 'bob'), may('sasl', 'super'), may('sasl', '')],
    [true, false, false, true, false],
  );
  const refused = scene({ sasl: SASL });
  refused.login('bob', 'bobsecret');
  assert.equal(refused.ask('create', { path: '/x', data: null, acl: acl('bob'), flags: 0 }).err, InvalidAcl);
});
