/** Logins by digest at the whole pure server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
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
