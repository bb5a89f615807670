import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { PEER_LEVEL } from '../../src/records/peer-frame.ts';
import type { PeerMessage } from '../../src/records/peer-messages.ts';
import type { ClientConnection } from '../../src/server/connection.ts';
import { LearnerDesk } from '../../src/server/learner-desk.ts';
import type { Server } from '../../src/server/server.ts';

test('I9: the leader is told of who comes back while the beginning of the session waits to be applied', () => {
  for (const isRight of [true, false]) {
    const told: PeerMessage[] = [];
    const id = 5n as SessionId;
    const server = {
      ...{ wall: 1000, tree: { sessions: new Map() }, toLeader: (message: PeerMessage) => void told.push(message) },
      handshakes: { isKnown: () => false },
      unappliedBirth: () => (isRight ? { id, timeoutMs: 4000 } : undefined),
    } as unknown as Server;
    const desk = new LearnerDesk(server, 3, PEER_LEVEL);
    desk.resume({ state: 'connecting', timeoutMs: 6000 } as ClientConnection, id, Buffer.alloc(16));
    desk.report();
    const touched = told.flatMap((message) => (message.type === 'TOUCHED' ? message.sessions : []));
    assert.deepEqual(touched, isRight ? [{ session: id, timeoutMs: 6000 }] : []);
  }
});

test("I9: who comes back to a session that becomes everybody's meanwhile waits for its beginning, once more", () => {
  const told: PeerMessage[] = [];
  const id = 5n as SessionId;
  let isBegun = false;
  let isApplied = false;
  const server = {
    ...{ wall: 1000, tree: { sessions: new Map() }, toLeader: (message: PeerMessage) => void told.push(message) },
    handshakes: { isKnown: () => isApplied, opens: () => isApplied },
    unappliedBirth: () => (isBegun ? { id, timeoutMs: 4000 } : undefined),
    await: (_upTo: unknown, then: () => void) => then(),
  } as unknown as Server;
  const desk = new LearnerDesk(server, 3, PEER_LEVEL);
  const synced = (number: number): void =>
    desk.received(0, { type: 'SYNCED', epoch: 3, id: number, upTo: { epoch: 3, counter: 1 } });
  desk.resume({ state: 'connecting', timeoutMs: 6000 } as ClientConnection, id, Buffer.alloc(16));
  isBegun = true;
  synced(1);
  isBegun = false;
  isApplied = true;
  synced(2);
  assert.deepEqual(
    told.map(({ type }) => type),
    ['SYNC', 'SYNC', 'REVALIDATE'],
  );
});
