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
