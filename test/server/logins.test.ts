/** Logins by digest at the whole pure server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Secret } from '../../src/base/secret.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { respond } from '../../src/sasl/digest-md5.ts';
import type { AuditEvent } from '../../src/server/audit.ts';
import type { RefusedLogin } from '../../src/server/refused-login.ts';
import { rig } from './rig.ts';

test('a password that counts and came without TLS is told of, with its address; no other', () => {
  const seen: string[] = [];
  const auth = { superDigest: undefined, digestAlgorithm: 'sha1', digestEnabled: true };
  const world = rig(seededRandom(1), { server: { auth }, readInClear: (ip) => void seen.push(ip) });
  const login = (ip: string, secure: boolean, scheme: string): void => {
    const connection = world.attach(ip);
    connection.secure = secure;
    const to = new Writer();
    to.int32(-4);
    to.int32(OPERATIONS.auth.code);
    OPERATIONS.auth.request.write(to, { type: 0, scheme, auth: Buffer.from('ann:secret') });
    world.server.receive(connection, to.bytes, 0, to.at);
    world.settle();
  };
  login('10.0.0.1', true, 'digest');
  login('10.0.0.2', false, 'ip');
  login('10.0.0.3', false, 'nosuch');
  assert.deepEqual(seen, []);
  login('10.0.0.4', false, 'digest');
  assert.deepEqual(seen, ['10.0.0.4']);
});

test('a login that is refused is told of and audited: address, scheme, and the name where there is one; never the secret', () => {
  const told: RefusedLogin[] = [];
  const audited: AuditEvent[] = [];
  const users = new Map([['bob', new Secret('bobs-password')]]);
  const sasl = { users, superUsers: new Set<string>(), allowFailed: true };
  const auth = { superDigest: undefined, digestAlgorithm: 'sha1', digestEnabled: false, sasl };
  const world = rig(seededRandom(1), {
    server: { auth },
    refused: (login) => void told.push(login),
    around: { audit: (event) => void audited.push(event) },
  });
  const { server } = world;
  const addAuth = (scheme: string | null, credential: string | null, session = 0n): void => {
    const connection = world.attach('10.0.0.1');
    connection.session = session as typeof connection.session;
    const to = new Writer();
    to.int32(-4);
    to.int32(OPERATIONS.auth.code);
    const auth = credential === null ? null : Buffer.from(credential);
    OPERATIONS.auth.request.write(to, { type: 0, scheme, auth });
    server.receive(connection, to.bytes, 0, to.at);
    world.settle();
  };
  const last = (): unknown[] => {
    const { door, ip, session, scheme, user } = told.at(-1) as RefusedLogin;
    return [door, ip, session, scheme, user];
  };
  addAuth('digest', 'ann:SECRET', 0x10n); // digest is off
  assert.deepEqual(last(), ['client', '10.0.0.1', 0x10n, 'digest', 'ann']);
  addAuth('digest', 'SECRET'); // no colon: all of it may be the password
  assert.deepEqual(last(), ['client', '10.0.0.1', undefined, 'digest', undefined]);
  addAuth('nosuch', 'ann:SECRET');
  assert.deepEqual(last(), ['client', '10.0.0.1', undefined, 'an unknown scheme', undefined]);
  addAuth('ann:SECRET', null); // a slip: the login where its scheme belongs
  assert.deepEqual(last(), ['client', '10.0.0.1', undefined, 'an unknown scheme', undefined]);
  addAuth(null, null);
  assert.deepEqual(last(), ['client', '10.0.0.1', undefined, undefined, undefined]);
  addAuth('digest', `${'x'.repeat(5000)}:SECRET`);
  assert.equal(told.at(-1)?.user?.length, 131);

  const connection = world.attach('10.0.0.2');
  const answers: Buffer[] = [];
  const token = (bytes: Uint8Array): void => {
    const to = new Writer();
    to.int32(1);
    to.int32(OPERATIONS.sasl.code);
    OPERATIONS.sasl.request.write(to, { token: bytes });
    server.receive(connection, to.bytes, 0, to.at);
    answers.push(Buffer.from(connection.out?.view() ?? []));
    world.settle();
  };
  token(Buffer.alloc(0));
  const said = answers[0]?.toString('latin1') ?? '';
  const challenge = Buffer.from(said.slice(said.indexOf('realm=')), 'latin1');
  token(respond(challenge, 'bob', 'SECRET', 'nonce')?.token ?? assert.fail(said));
  assert.deepEqual(last(), ['client', '10.0.0.2', connection.session, 'sasl', 'bob']);

  assert.equal(server.outbox.counts.authFailed, told.length);
  assert.deepEqual(
    audited.map(({ operation, result, ip, user }) => [operation, result, ip, user]),
    told.map(({ ip, user }) => ['login', 'failure', ip, user ?? '']),
  );
  const all = JSON.stringify([told, audited], (_key, value) => (typeof value === 'bigint' ? String(value) : value));
  assert.ok(!/SECRET|password/.test(all), all);
});
