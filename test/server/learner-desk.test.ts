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
