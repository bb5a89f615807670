import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { seededRandom } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { KIND } from '../../src/records/txns.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import { birthBody } from '../../src/server/forwarded.ts';
import type { LeaderDesk } from '../../src/server/leader-desk.ts';
import type { TrackedSession } from '../../src/server/sessions.ts';
import { sessionSecret } from '../../src/tree/sessions.ts';
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

test('I9: who comes back while the beginning of the session waits to be applied lives, if the password is right', () => {
  for (const isRight of [true, false]) {
    const { server } = rig(seededRandom(1));
    server.now = 1000;
    const id = 5n as SessionId;
    const password = Buffer.alloc(16, 7);
    const body = birthBody({ kind: KIND.createSession, id, timeoutMs: 10_000, secret: sessionSecret(password) });
    server.received(7, { type: 'REQUEST', epoch: 1, session: id, xid: 0, op: -10, identities: [], body });
    const before = server.tracker.get(id)?.deadline ?? 0;
    assert.equal(server.unapplied, 1);
    server.now = before - 1;
    server.handshake(new ClientConnection(9, '127.0.0.1', 1, 0), ...hello(id, isRight ? password : Buffer.alloc(16)));
    assert.equal((server.tracker.get(id)?.deadline ?? 0) > before, isRight);
  }
});

/** A learner's client wants a session: server 7 passes it on at `now`. */
function forwardBirth(server: ReturnType<typeof rig>['server'], id: SessionId, now: number): TrackedSession {
  server.now = now;
  const secret = sessionSecret(Buffer.alloc(16, 7));
  const body = birthBody({ kind: KIND.createSession, id, timeoutMs: 10_000, secret });
  server.received(7, { type: 'REQUEST', epoch: 1, session: id, xid: 0, op: -10, identities: [], body });
  return server.tracker.get(id) ?? assert.fail();
}

test('I9: the time of a session does not end before its beginning is applied, and begins anew then', () => {
  const { server, settle } = rig(seededRandom(1));
  const tracked = forwardBirth(server, 5n as SessionId, 1000);
  // a disk that is slow
  server.now = tracked.deadline + 4000;
  assert.equal(server.expire(), 0);
  assert.equal(server.unapplied, 1);
  server.now = tracked.deadline - 1;
  settle();
  assert.ok(tracked.deadline >= server.now + 10_000);
  server.now = tracked.deadline + 4000;
  assert.equal(server.expire(), 1);
});

test('I9: whoever was not heard by a leader that was about to go, and stays, gets their time again', () => {
  const { server, settle } = rig(seededRandom(1));
  const tracked = forwardBirth(server, 5n as SessionId, 1000);
  settle();
  server.drainDesk();
  server.now = tracked.deadline + 4000;
  assert.equal(server.expire(), 0);
  server.undrainDesk();
  assert.equal(server.expire(), 0);
  server.now = tracked.deadline + 4000;
  assert.equal(server.expire(), 1);
});

test('I9: whoever is welcomed counts as heard, by the leader as by who tells it', () => {
  const { server, attach } = rig(seededRandom(1));
  const heard: SessionId[] = [];
  const { desk } = server as unknown as { desk: LeaderDesk };
  const kept = desk.heard.bind(desk);
  desk.heard = (tracked) => {
    heard.push(tracked.id);
    kept(tracked);
  };
  const { session } = attach();
  assert.deepEqual(heard, [session]);
});

function hello(session: bigint, password: Uint8Array): [Buffer, number, number] {
  const to = new Writer();
  to.int32(0);
  to.int64(0n);
  to.int32(10_000);
  to.int64(session);
  to.buffer(password);
  to.bool(false);
  return [to.bytes, 0, to.at];
}
