import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { rig } from './rig.ts';

test('I9: who leads gives every session its full time, also one whose beginning was applied while nobody led', () => {
  const { server, attach } = rig(seededRandom(1));
  server.now = 1000;
  const { session } = attach();
  const timeoutMs = server.tree.sessions.get(session)?.timeoutMs ?? 0;
  assert.ok(timeoutMs > 0);
  server.look();
  server.tracker.add(session, timeoutMs, 1000);
  server.now = 9000;
  server.lead();
  assert.ok((server.tracker.get(session)?.deadline ?? 0) >= 9000 + timeoutMs);
});

test('I9: a session lives by what comes on a connection that it was taken from', () => {
  const { server, attach } = rig(seededRandom(1));
  server.now = 1000;
  const client = attach();
  const { session } = client;
  const before = server.tracker.get(session)?.deadline ?? 0;
  // a connection that the client gave up long ago was welcomed elsewhere just now
  server.moved(session);
  server.now = before - 1;
  const ping = Buffer.alloc(8);
  ping.writeInt32BE(-2, 0);
  ping.writeInt32BE(11, 4);
  server.receive(client, ping, 0, 8);
  const after = server.tracker.get(session)?.deadline ?? 0;
  assert.ok(after > before);
  // beside a transaction that is applied in parts, too
  server.now = after - 1;
  server.pinged(client);
  assert.ok((server.tracker.get(session)?.deadline ?? 0) > after);
});
