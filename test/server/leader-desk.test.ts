import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import type { PeerMessage } from '../../src/records/peer-messages.ts';
import { KIND, type Txn } from '../../src/records/txns.ts';
import { birthBody } from '../../src/server/forwarded.ts';
import { LeaderDesk } from '../../src/server/leader-desk.ts';
import { Pressure } from '../../src/server/pressure.ts';
import type { Server } from '../../src/server/server.ts';

/** A desk over a server that numbers what it is given. */
function rig() {
  const told: { link: number; message: PeerMessage }[] = [];
  const sessions = new Set<bigint>();
  const proposals: Txn[] = [];
  let counter = 0;
  const server = {
    ...{ peer: { leader: { epoch: 3 }, phase: 'broadcast' }, tree: {}, pending: {}, options: {} },
    ...{ wall: 1_000_000, now: 1000, serving: true, applying: false, pressure: new Pressure() },
    tracker: {
      get: (id: bigint) => (sessions.has(id) ? { id } : undefined),
      add: (id: bigint) => void sessions.add(id),
      touch: () => {},
    },
    closings: { decide: () => [] },
    propose: (...[, , , , txn]: Parameters<Server['propose']>) => {
      proposals.push(txn);
      return ++counter;
    },
    toLearner: (link: number, message: PeerMessage) => void told.push({ link, message }),
  } as unknown as Server;
  return { desk: new LeaderDesk(server), server, told, proposals, proposed: () => counter };
}

test('a session that makes no sense, or that is there already, is refused, and nobody falls over it', () => {
  const { desk, told, proposed } = rig();
  const secret = Buffer.alloc(16, 1);
  const body = birthBody({ kind: KIND.createSession, id: 5n as SessionId, timeoutMs: 4000, secret });
  const ask = (bytes: Buffer): void => {
    const common = { epoch: 3, session: 5n, xid: 0, op: -10, identities: [] };
    desk.received(7, { type: 'REQUEST', ...common, body: bytes });
    desk.tell();
  };
  for (const bad of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(30, 255), body.subarray(0, 12)]) ask(bad);
  assert.equal(proposed(), 0);
  ask(body);
  ask(body);
  assert.equal(proposed(), 1, 'the second would take its place');
  const firsts = told.map(({ message }) => (message.type === 'TAKEN' ? message.first : undefined));
  assert.deepEqual(firsts, [0, 0, 0, 0, 1, 0]);
});

test('a late request of a session that is over is answered so, and nothing is kept of it', () => {
  const { desk, told, proposed } = rig();
  for (const link of [7, 8]) {
    desk.received(link, {
      type: 'REQUEST',
      epoch: 3,
      session: 5n,
      xid: 9,
      op: 1,
      identities: [],
      body: Buffer.alloc(4),
    });
    desk.tell();
  }
  assert.equal(proposed(), 2);
  const firsts = told.map(({ link, message }) => [link, message.type === 'TAKEN' ? message.first : undefined]);
  assert.deepEqual(firsts, [
    [7, 1],
    [8, 2],
  ]);
});

test('a leader without memory refuses the writes and sessions of learners, too, as transactions that change nothing', () => {
  const { desk, server, told, proposals } = rig();
  const begin = (id: bigint): void => {
    const secret = Buffer.alloc(16, 1);
    const body = birthBody({ kind: KIND.createSession, id: id as SessionId, timeoutMs: 4000, secret });
    desk.received(7, { type: 'REQUEST', epoch: 3, session: id, xid: 0, op: -10, identities: [], body });
    desk.tell();
  };
  const ask = (op: number): void => {
    desk.received(7, { type: 'REQUEST', epoch: 3, session: 5n, xid: 9, op, identities: [], body: Buffer.alloc(0) });
    desk.tell();
  };
  begin(5n);
  server.pressure.full = true;
  begin(6n);
  for (const op of [1, 5, 14, -11]) ask(op);
  const firsts = told.map(({ message }) => (message.type === 'TAKEN' ? message.first : undefined));
  assert.deepEqual(firsts, [1, 0, 2, 3, 4, 5]);
  const refused = { kind: KIND.error, code: -127 };
  assert.deepEqual(proposals.slice(1), [refused, refused, refused, { kind: KIND.closeSession, id: 5n }]);
  assert.equal(server.pressure.refused, 4);
});

test('what came while a leader was about to go is decided in its order when it stays', () => {
  const { desk, told, proposed } = rig();
  const ask = (link: number): void => {
    const common = { epoch: 3, session: 5n, xid: 9, op: 1, identities: [] };
    desk.received(link, { type: 'REQUEST', ...common, body: Buffer.alloc(4) });
  };
  desk.drain();
  for (const link of [7, 8]) ask(link);
  assert.deepEqual([desk.holds, desk.waiting, proposed()], [true, 2, 0]);
  desk.undrain();
  assert.deepEqual([desk.holds, desk.waiting, proposed()], [false, 0, 2]);
  ask(7);
  desk.tell();
  const links = told.map(({ link, message }) => [link, message.type === 'TAKEN' ? message.first : undefined]);
  assert.deepEqual(links, [
    [7, 1],
    [8, 2],
    [7, 3],
  ]);
});

test('nodes with a time to live go only while the clocks of a quorum of the voters agree', () => {
  const { desk, server } = rig();
  let slices = 0;
  const voice = (sid: number) => ({ sid, incarnation: `i${sid}` });
  const members = [1, 2, 3, 4, 5].map((sid) => ({ ...voice(sid), role: 'participant' }));
  const peer = {
    ...{ leader: { epoch: 3 }, phase: 'broadcast', isMember: true },
    membership: { last: { config: { members } }, synced: [3, 1, 2, 4].map(voice) },
    // the last is an observer
    audience: { each: [7, 8, 9, 10].map((link, at) => ({ link, sid: [1, 2, 4, 6][at] })) },
  };
  Object.assign(server, { holds: false, peer, options: { sid: 3 } });
  Object.assign(desk, {
    reaper: {
      slice: () => {
        slices++;
        return { paths: [], done: true };
      },
    },
  });
  const says = (link: number, ahead: number): void =>
    desk.received(link, { type: 'TOUCHED', epoch: 3, wallMs: server.wall + ahead, sessions: [] });
  const reaps = (): boolean => {
    slices = 0;
    desk.reap(10);
    return slices > 0;
  };
  assert.equal(reaps(), false, 'nobody has said what time it is');
  says(10, 0);
  says(7, 0);
  assert.equal(reaps(), false, 'one voter of five agrees, and an observer');
  says(8, 3_600_000);
  assert.equal(reaps(), false, 'another disagrees by an hour');
  says(9, 1000);
  assert.equal(reaps(), true);
  desk.gone(9);
  assert.equal(reaps(), false, 'a clock that is not heard any more says nothing');
  Object.assign(server, { peer: { ...peer, isMember: false } });
  assert.equal(reaps(), true, 'a server alone has nobody to ask');
});

test('a sync that is confirmed in the step that ends the term is dropped with it', () => {
  const told: unknown[] = [];
  const peer: { leader: { epoch: number } | undefined; phase: string } = { leader: { epoch: 3 }, phase: 'broadcast' };
  const server = {
    ...{ peer, tree: {}, pending: {}, options: {}, wall: 0, now: 0, serving: true, applying: false },
    ...{ committedEpoch: 3, committedCounter: 9 },
    toLearner: (link: number, message: unknown) => void told.push([link, message]),
  } as unknown as Server;
  const desk = new LeaderDesk(server);
  const ask = (id: number): number => {
    desk.received(7, { type: 'SYNC', epoch: 3, id });
    return desk.nextSync() as number;
  };
  desk.synced(ask(1));
  assert.deepEqual(told, [[7, { type: 'SYNCED', epoch: 3, id: 1, upTo: { epoch: 3, counter: 9 } }]]);
  const second = ask(2);
  peer.leader = undefined;
  desk.synced(second);
  assert.equal(told.length, 1);
});

test('the timeout of a session is what the member says where it is, not one where it was', () => {
  const { desk, server, told } = rig();
  const session = { id: 5n as SessionId, timeoutMs: 4000, closing: false };
  const calls: [string, number][] = [];
  Object.assign(server, {
    tracker: {
      get: () => session,
      touch: () => void calls.push(['touch', session.timeoutMs]),
      retime: (_session: unknown, timeoutMs: number) => {
        session.timeoutMs = timeoutMs;
        calls.push(['retime', timeoutMs]);
      },
    },
  });
  const touched = (link: number, timeoutMs: number): void =>
    desk.received(link, { type: 'TOUCHED', epoch: 3, wallMs: 0, sessions: [{ session: 5n, timeoutMs }] });
  touched(7, 6000); // nobody has claimed it in this term
  desk.received(8, { type: 'REVALIDATE', epoch: 3, session: 5n, timeoutMs: 40_000 });
  touched(7, 6000); // of before it came to 8
  touched(8, 40_000);
  assert.deepEqual(calls, [
    ['retime', 6000],
    ['retime', 40_000],
    ['touch', 40_000],
    ['touch', 40_000],
  ]);
  assert.equal(told.length, 1);
});
