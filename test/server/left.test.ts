/** What a client that has gone had asked for behind a sync, at a learner whose leader is spoken for by the test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { ConnectRequest, ConnectResponse } from '../../src/protocol/handshake.ts';
import { OPERATIONS, type OperationName, type RequestOf } from '../../src/protocol/operations.ts';
import { PEER_LEVEL } from '../../src/records/peer-frame.ts';
import type { PeerMessage } from '../../src/records/peer-messages.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import type { ServerOptions, Surroundings } from '../../src/server/office.ts';
import { Server } from '../../src/server/server.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import type { Peer } from '../../src/zab/peer.ts';

const ANYONE = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const EPHEMERAL = 1;

function learner() {
  const told: PeerMessage[] = [];
  const options = {
    ...{ sid: 1, tickMs: 2000, minSessionTimeoutMs: 4000, maxSessionTimeoutMs: 40_000, leaderServes: true },
    ...{ localSessions: { upgrading: true }, auth: {} },
  } as unknown as ServerOptions;
  const around = {
    ...{ random: { bytes: (count: number) => Buffer.alloc(count, 7) }, leaderLevel: () => PEER_LEVEL, log: {} },
    ...{ close() {}, effect() {}, hand() {}, later() {}, configured() {}, toLearner() {} },
    toLeader: (message: PeerMessage) => void told.push(message),
  } as unknown as Surroundings;
  const peer = { isMember: true, leader: undefined, currentEpoch: 1 } as unknown as Peer;
  const server = new Server(new DataTree(), peer, options, around);
  server.now = 1000;
  server.wall = 1e12;
  server.serve();
  let connections = 0;
  const frame = (write: (to: Writer) => void): Buffer => {
    const to = new Writer();
    write(to);
    return to.take();
  };
  const connect = (session: { sessionId: bigint; password: Uint8Array | null }): ClientConnection => {
    const connection = new ClientConnection(++connections, '127.0.0.1', 1, 0);
    const bytes = frame((to) =>
      ConnectRequest.write(to, {
        ...{ protocolVersion: 0, lastZxidSeen: 0n, timeoutMs: 10_000, readOnly: false },
        ...session,
      } as ConnectRequest),
    );
    server.handshake(connection, bytes, 0, bytes.length);
    return connection;
  };
  return {
    server,
    /** Ids of the syncs that the leader was asked for. */
    syncs: () => told.flatMap((each) => (each.type === 'SYNC' ? [each.id] : [])),
    confirm: (id: number) => server.received(0, { type: 'SYNCED', epoch: 1, id, upTo: { epoch: 0, counter: 0 } }),
    /** Requests that went to the leader, by xid. */
    forwarded: () =>
      told.flatMap((each) => (each.type === 'REQUEST' || each.type === 'LOCALREQUEST' ? [each.xid] : [])),
    connect,
    begin() {
      const connection = connect({ sessionId: 0n, password: Buffer.alloc(16) });
      const out = (connection.out as Writer).take();
      const { sessionId, password } = ConnectResponse.read(new Reader(out, 4, out.length));
      return { connection, session: { sessionId, password } };
    },
    ask<N extends OperationName>(connection: ClientConnection, xid: number, name: N, request: RequestOf<N>): void {
      const bytes = frame((to) => {
        to.int32(xid);
        to.int32(OPERATIONS[name].code);
        OPERATIONS[name].request.write(to, request as never);
      });
      server.receive(connection, bytes, 0, bytes.length);
    },
  };
}
const create = (path: string, flags = 0, data = Buffer.from('x')) => ({ path, data, acl: ANYONE, flags });
type Learner = ReturnType<typeof learner>;
const sync = ({ ask }: Learner, on: ClientConnection, xid: number): void => ask(on, xid, 'sync', { path: '/' });
const end = ({ ask }: Learner, on: ClientConnection, xid: number): void => ask(on, xid, 'closeSession', {});

test('nothing is done that stands behind the end of a local session, and the session is over', () => {
  for (const flags of [0, EPHEMERAL])
    for (const late of [false, true]) {
      const at = learner();
      const { connection } = at.begin();
      sync(at, connection, 1);
      at.ask(connection, 2, 'create', create('/kept'));
      end(at, connection, 3);
      sync(at, connection, 4);
      at.ask(connection, 5, 'create', create('/late', flags));
      const [first = 0, second = 0] = at.syncs();
      if (!late) at.confirm(first);
      at.server.disconnected(connection);
      at.confirm(late ? first : second);
      at.confirm(second);
      assert.deepEqual(at.forwarded(), [2], `${flags}, ${late}`);
      assert.equal(at.server.locals.get(connection.session), undefined);
      assert.equal(at.server.tracker.get(connection.session), undefined);
    }
});

test('whoever knows a session and not its password does not undo what its client asked for', () => {
  for (const [known, done] of [
    [false, [2]],
    [true, []],
  ] as const) {
    const at = learner();
    const { connection, session } = at.begin();
    sync(at, connection, 1);
    at.ask(connection, 2, 'create', create('/kept'));
    at.server.disconnected(connection);
    const again = at.connect(known ? session : { ...session, password: Buffer.alloc(16, 1) });
    assert.equal(again.state, known ? 'open' : 'closing');
    at.server.disconnected(again);
    at.confirm(at.syncs()[0] as number);
    assert.deepEqual(at.forwarded(), done);
  }
  // nor of a session that is everybody's
  const at = learner();
  const { connection } = at.begin();
  at.server.locals.remove(connection.session);
  connection.tracked = at.server.tracker.add(connection.session, 10_000, 0);
  connection.tracked.connection = connection;
  sync(at, connection, 1);
  at.ask(connection, 2, 'create', create('/kept'));
  at.server.disconnected(connection);
  at.connect({ sessionId: connection.session, password: Buffer.alloc(16, 1) });
  at.confirm(at.syncs()[0] as number);
  assert.deepEqual(at.forwarded(), [2]);
});

test('of clients that have gone 16 MiB are kept, until the term ends at the latest', () => {
  const at = learner();
  const go = (): ClientConnection => {
    const { connection } = at.begin();
    sync(at, connection, 1);
    for (let xid = 2; xid < 7; xid++) at.ask(connection, xid, 'create', create(`/n${xid}`, 0, Buffer.alloc(1 << 20)));
    at.server.disconnected(connection);
    return connection;
  };
  const all = Array.from({ length: 5 }, go);
  assert.deepEqual(
    all.map(({ left }) => left),
    [true, true, true, false, false],
  );
  at.confirm(at.syncs()[0] as number);
  assert.equal(at.forwarded().length, 5);
  assert.equal(go().left, true, 'there is room again');
  at.server.look();
  assert.ok(all.every(({ left, waiting }) => !left && waiting.length === 0));
  at.server.serve();
  for (const id of at.syncs()) at.confirm(id);
  assert.equal(at.forwarded().length, 5, 'nothing is left of them');
  assert.equal(go().left, true);
});

test('what stands behind a write that is under way when its client goes is done as soon as no sync holds it back', () => {
  const at = learner();
  const { connection } = at.begin();
  sync(at, connection, 1);
  at.ask(connection, 2, 'create', create('/a'));
  sync(at, connection, 3);
  at.ask(connection, 4, 'create', create('/b'));
  const [first = 0, second = 0] = at.syncs();
  at.confirm(first);
  at.confirm(second);
  assert.deepEqual(at.forwarded(), [2]);
  at.server.disconnected(connection);
  assert.deepEqual(at.forwarded(), [2, 4]);
  assert.equal(connection.left, false);
});
