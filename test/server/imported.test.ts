/** Sessions that were imported from Apache ZooKeeper: taken up once with the password that everybody can work out, then with ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { seededRandom } from '../../src/base/random.ts';
import { apachePassword } from '../../src/protocol/apache-password.ts';
import { Reader } from '../../src/protocol/bytes.ts';
import { ConnectResponse } from '../../src/protocol/handshake.ts';
import { PEER_LEVEL } from '../../src/records/peer-frame.ts';
import type { PeerMessage } from '../../src/records/peer-messages.ts';
import { type Envelope, KIND, OPEN_ACL } from '../../src/records/txns.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import { birthBody } from '../../src/server/forwarded.ts';
import { LearnerDesk } from '../../src/server/learner-desk.ts';
import { sessionSecret } from '../../src/tree/sessions.ts';
import { hello } from '../e2e/raw.ts';
import { rig } from './rig.ts';

const ID = 0x1000_1234_5678_0000n as SessionId;
const APACHES = apachePassword(ID);

/** A server with one imported session, which owns /held; `come` is a client that comes back to it. */
function scene() {
  const logged: Envelope[] = [];
  const answers = new Map<ClientConnection, Buffer>();
  const made = rig(seededRandom(1), {
    logged: (envelope) => void logged.push(envelope),
    sent: (connection, bytes) => void answers.set(connection, Buffer.from(bytes)),
  });
  const { server, replica, settle } = made;
  for (const tree of [server.tree, replica]) tree.sessions.add(ID, 6000, sessionSecret(APACHES));
  const create = { kind: KIND.create, path: '/held', data: null, acl: OPEN_ACL, owner: ID, creates: 1 } as const;
  server.propose(undefined, ID, 0, 1, create, [], undefined);
  server.resumeSessions();
  settle();
  let count = 100;
  const come = (password: Uint8Array): ClientConnection => {
    const connection = new ClientConnection(++count, '127.0.0.1', 1, 0);
    const bytes = hello(ID, password);
    server.handshake(connection, bytes, 4, bytes.length);
    return connection;
  };
  const answerTo = (connection: ClientConnection) => {
    const bytes = answers.get(connection) ?? assert.fail('it was not answered');
    return ConnectResponse.read(new Reader(bytes).reset(bytes, 4, bytes.length));
  };
  return { ...made, logged, come, answerTo };
}

test("Apache's password is a function of the id; three that Debian's server gave", () => {
  for (const [id, password] of [
    [72058657530314752n, 'e88b94085533671306056cab26d0ab74'],
    [72058657530314753n, 'fbac8e08f57e4658fb47d3d6fa58c041'],
    [72058657530314754n, 'c249a008159ca8891c7f9d547fbe82da'],
  ] as const)
    assert.equal(apachePassword(id).toString('hex'), password);
  assert.equal(apachePassword(-1n).length, 16);
});

test("who comes back with Apache's password gets one of ours, and keeps its nodes; Apache's opens nothing afterwards", () => {
  const { server, replica, come, answerTo, settle, logged } = scene();
  const client = come(APACHES);
  assert.equal(client.state, 'connecting', 'it is answered before the log has its password');
  settle();
  const answer = answerTo(client);
  assert.deepEqual([answer.sessionId, answer.timeoutMs, client.state], [ID, 10_000, 'open']);
  const ours = Buffer.from(answer.password ?? '');
  assert.notDeepEqual(ours, APACHES);
  assert.equal(logged.at(-1)?.txn.kind, KIND.createSession);
  for (const tree of [server.tree, replica]) {
    assert.deepEqual(tree.ephemeralsOf(ID), ['/held']);
    const { secret, timeoutMs, ephemeralCount } = tree.sessions.get(ID) ?? assert.fail();
    assert.deepEqual([Buffer.from(secret), timeoutMs, ephemeralCount], [sessionSecret(ours), 10_000, 1]);
    assert.equal(tree.sessions.size, 1);
  }
  const thief = come(APACHES);
  settle();
  assert.deepEqual([answerTo(thief).sessionId, thief.state], [0n, 'closing']);
  const again = come(ours);
  settle();
  assert.deepEqual([answerTo(again).sessionId, again.state], [ID, 'open']);
  assert.deepEqual(Buffer.from(answerTo(again).password ?? ''), ours);
});

test('it lives for its timeout and no longer when its client does not come back', () => {
  const { server, settle, come, answerTo } = scene();
  const { deadline } = server.tracker.get(ID) ?? assert.fail();
  assert.ok(deadline >= server.now + 6000 && deadline <= server.now + 8000);
  server.now = deadline;
  assert.equal(server.expire(), 1);
  const late = come(APACHES);
  settle();
  assert.equal(late.state, 'closing');
  assert.equal(answerTo(late).sessionId, 0n);
  assert.equal(server.tree.find('/held'), 0);
});

test('two that come at once are both answered, and the earlier connection has lost the session', () => {
  const { come, settle, answerTo } = scene();
  const first = come(APACHES);
  const second = come(APACHES);
  settle();
  assert.deepEqual([answerTo(first).sessionId, answerTo(second).sessionId], [ID, ID]);
  assert.deepEqual([first.moved, second.moved], [true, false]);
  const newest = Buffer.from(answerTo(second).password ?? '');
  const third = come(newest);
  settle();
  assert.equal(answerTo(third).sessionId, ID);
});

test('whoever has our password already is not turned away by a server that does not know it yet', () => {
  const { come, settle, answerTo, server } = scene();
  const password = Buffer.alloc(16, 7);
  const txn = { kind: KIND.createSession, id: ID, timeoutMs: 10_000, secret: sessionSecret(password) } as const;
  // another member answered it; here it waits to be applied
  server.propose(undefined, ID, 0, -10, txn, [], undefined);
  const client = come(password);
  assert.equal(client.state, 'connecting');
  settle();
  assert.deepEqual([answerTo(client).sessionId, client.state], [ID, 'open']);
});

test('a leader gives a password to a session at a learner, if it is an imported one and attached there', () => {
  const { server, settle } = scene();
  const secret = sessionSecret(Buffer.alloc(16, 7));
  const body = birthBody({ kind: KIND.createSession, id: ID, timeoutMs: 10_000, secret });
  const ask = (link: number): void =>
    server.received(link, { type: 'REQUEST', epoch: 1, session: ID, xid: 0, op: -10, identities: [], body });
  const { lastProposed } = server.peer.leader ?? assert.fail();
  ask(7);
  assert.equal(server.peer.leader?.lastProposed, lastProposed, 'it is attached nowhere');
  server.received(7, { type: 'REVALIDATE', epoch: 1, session: ID, timeoutMs: 10_000 });
  ask(8);
  assert.equal(server.peer.leader?.lastProposed, lastProposed, 'it is attached elsewhere');
  ask(7);
  assert.equal(server.peer.leader?.lastProposed, lastProposed + 1);
  settle();
  assert.deepEqual(Buffer.from(server.tree.sessions.get(ID)?.secret ?? []), secret);
  ask(7);
  assert.equal(server.peer.leader?.lastProposed, lastProposed + 1, 'it has one of ours');
});

test('a learner asks for a password of ours once the leader says that the session lives', () => {
  const { server } = scene();
  const told: PeerMessage[] = [];
  const surface = Object.create(server) as typeof server;
  surface.toLeader = (message) => void told.push(message);
  const desk = new LearnerDesk(surface, 1, PEER_LEVEL);
  const client = new ClientConnection(9, '127.0.0.1', 1, 0);
  client.state = 'connecting';
  client.timeoutMs = 10_000;
  desk.resume(client, ID, APACHES);
  assert.deepEqual(
    told.map(({ type }) => type),
    ['REVALIDATE'],
  );
  desk.received(0, { type: 'REVALIDATED', epoch: 1, session: ID, valid: true });
  const [, asked] = told;
  assert.ok(asked?.type === 'REQUEST' && asked.op === -10 && asked.session === ID);
  assert.equal(client.state, 'connecting');
});
