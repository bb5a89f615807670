/** Sessions at a learner, of which its leader will or may not know: short of memory, or of an older version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { seededRandom } from '../../src/base/random.ts';
import { apachePassword } from '../../src/protocol/apache-password.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { GREETING_LEVEL, LOCAL_SESSIONS_LEVEL } from '../../src/records/peer-frame.ts';
import type { PeerMessage } from '../../src/records/peer-messages.ts';
import { KIND } from '../../src/records/txns.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import { birthBody } from '../../src/server/forwarded.ts';
import { LearnerDesk } from '../../src/server/learner-desk.ts';
import { sessionSecret } from '../../src/tree/sessions.ts';
import { hello } from '../e2e/raw.ts';
import { rig } from './rig.ts';

const LOCAL = { localSessions: { upgrading: true } };

test('a session whose upgrade the leader refuses stays its member’s own, and its client comes back to it', () => {
  const answers = new Map<ClientConnection, Buffer>();
  const told: PeerMessage[] = [];
  const { server, settle } = rig(seededRandom(1), {
    server: LOCAL,
    around: { toLeader: (message) => void told.push(message) },
    sent: (connection, bytes) => void answers.set(connection, Buffer.from(bytes)),
  });
  const desk = new LearnerDesk(server, 1, LOCAL_SESSIONS_LEVEL);
  Object.assign(server, { desk });
  let count = 0;
  const come = (session = 0n, password?: Buffer): ClientConnection => {
    const connection = new ClientConnection(++count, '127.0.0.1', 1, 0);
    const bytes = hello(session, password);
    server.handshake(connection, bytes, 4, bytes.length);
    settle();
    return connection;
  };
  const client = come();
  const password = Buffer.from((answers.get(client) ?? assert.fail()).subarray(24, 40));
  assert.equal(client.local, true);
  const frame = new Writer();
  frame.int32(1);
  frame.int32(OPERATIONS.create.code);
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  OPERATIONS.create.request.write(frame, { path: '/e', data: null, acl, flags: 1 });
  server.receive(client, frame.bytes, 0, frame.at);
  assert.deepEqual(
    told.map((message) => (message.type === 'REQUEST' ? message.op : message.type)),
    [-10, 1],
  );
  assert.deepEqual([server.locals.size, server.tracker.size], [0, 1]);

  desk.received(0, { type: 'TAKEN', epoch: 1, first: 0, count: 1 });
  assert.equal(client.state, 'closing');
  assert.deepEqual([server.locals.size, server.tracker.size], [1, 0]);
  const again = come(client.session, password);
  assert.deepEqual([again.state, again.session, again.local], ['open', client.session, true]);
});

test('under a leader that does not know local sessions they begin as everybody’s', () => {
  for (const knows of [false, true]) {
    const told: PeerMessage[] = [];
    const around = { toLeader: (message: PeerMessage) => void told.push(message) };
    const { server } = rig(seededRandom(1), { server: LOCAL, around });
    Object.assign(server, { desk: new LearnerDesk(server, 1, knows ? LOCAL_SESSIONS_LEVEL : GREETING_LEVEL) });
    const client = new ClientConnection(1, '127.0.0.1', 1, 0);
    const bytes = hello();
    server.handshake(client, bytes, 4, bytes.length);
    assert.deepEqual(
      told.map((message) => [message.type, message.type === 'REQUEST' && message.op]),
      knows ? [] : [['REQUEST', -10]],
    );
    assert.deepEqual([client.state, server.locals.size], knows ? ['open', 1] : ['connecting', 0]);
  }
});

test('without memory whoever comes back to an imported session at a learner is not turned away', () => {
  const id = 0x1000_1234_5678_0000n as SessionId;
  const { server, settle } = rig(seededRandom(1));
  server.tree.sessions.add(id, 6000, sessionSecret(apachePassword(id)));
  server.resumeSessions();
  server.pressure.full = true;
  server.received(7, { type: 'REVALIDATE', epoch: 1, session: id, timeoutMs: 10_000 });
  const secret = sessionSecret(Buffer.alloc(16, 7));
  const body = birthBody({ kind: KIND.createSession, id, timeoutMs: 10_000, secret });
  server.received(7, { type: 'REQUEST', epoch: 1, session: id, xid: 0, op: -10, identities: [], body });
  server.received(7, { type: 'REQUEST', epoch: 1, session: 9n, xid: 0, op: -10, identities: [], body });
  settle();
  assert.deepEqual(Buffer.from(server.tree.sessions.get(id)?.secret ?? []), secret);
  assert.equal(server.tree.sessions.get(9n), undefined, 'a new one is');
});
