import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
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

/** A desk whose sessions are all known, what it told the leader, and which connections it ended. */
function known() {
  const told: PeerMessage[] = [];
  const ended: number[] = [];
  const server = {
    ...{
      now: 1,
      wall: 1000,
      tree: { sessions: new Map() },
      toLeader: (message: PeerMessage) => void told.push(message),
    },
    handshakes: { isKnown: () => true, opens: () => true, renewal: () => undefined, resume: () => true },
    moved: () => {},
    end: ({ id }: ClientConnection) => void ended.push(id),
  } as unknown as Server;
  const desk = new LearnerDesk(server, 3, PEER_LEVEL);
  const connection = (id: number, session: SessionId, fields: object = {}): ClientConnection =>
    ({
      id,
      session,
      state: 'open',
      moved: false,
      identities: [],
      timeoutMs: 6000,
      beginWrite() {},
      ...fields,
    }) as never;
  const write = (from: ClientConnection, xid: number): void =>
    desk.write(from, xid, OPERATIONS.setData.code, undefined as never, Buffer.alloc(20), 0, 20);
  return { desk, told, ended, connection, write };
}
const types = (told: readonly PeerMessage[]): string[] =>
  told.map((each) => (each.type === 'REQUEST' ? `${each.type} ${each.xid}` : each.type));

test('I7: what an old connection of a session held back is not sent behind its coming back', () => {
  const { desk, told, ended, connection, write } = known();
  const id = 5n as SessionId;
  const old = connection(1, id);
  const other = connection(2, 6n as SessionId);
  write(old, 134);
  // the client went to other members, and is here again before this one heard that it had left
  desk.resume(connection(3, 0n as SessionId, { state: 'connecting' }), id, Buffer.alloc(16));
  write(old, 135);
  write(other, 1);
  desk.received(0, { type: 'REVALIDATED', epoch: 3, session: id, valid: true });
  write(connection(3, id), 197);
  assert.deepEqual(types(told), ['REQUEST 134', 'REVALIDATE', 'REQUEST 1', 'REQUEST 197']);
  assert.deepEqual(ended, [1]);
});

test('I7: a connection that its session has left sends no write any more, whether the session is here again or not', () => {
  const { told, ended, connection, write } = known();
  write(connection(1, 5n as SessionId, { moved: true }), 135);
  write(connection(2, 5n as SessionId), 197);
  assert.deepEqual(types(told), ['REQUEST 197']);
  assert.deepEqual(ended, [1]);
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

test('a write behind the move of its session is refused by the leader of that term, and by nobody who could take it for new', () => {
  const { desk, told, ended, connection, write } = known();
  const id = 5n as SessionId;
  const old = connection(1, id);
  desk.received(0, { type: 'MOVED', epoch: 3, session: id });
  (old as { moved: boolean }).moved = true;
  write(old, 135);
  assert.deepEqual([types(told), ended], [['REQUEST 135'], []], 'the log is to remember it');
  desk.received(0, { type: 'TAKEN', epoch: 3, first: 0, count: 1 });
  assert.deepEqual(ended, [1]);
  // the client comes back here: until the leader has said so, and behind it, the old connection sends nothing
  desk.resume(connection(3, 0n as SessionId, { state: 'connecting' }), id, Buffer.alloc(16));
  write(old, 136);
  desk.received(0, { type: 'REVALIDATED', epoch: 3, session: id, valid: true });
  write(old, 137);
  write(connection(3, id), 1);
  assert.deepEqual(types(told), ['REQUEST 135', 'REVALIDATE', 'REQUEST 1']);
});
