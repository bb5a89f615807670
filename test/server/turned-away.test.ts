/** Who has seen more than is applied here is turned away, and his session lives while that is on its way here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '../../src/base/ids.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPCODE, OPERATIONS } from '../../src/protocol/operations.ts';
import { KIND } from '../../src/records/txns.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import { sessionSecret } from '../../src/tree/sessions.ts';
import { hello } from '../e2e/raw.ts';
import { rig } from './rig.ts';

const PASSWORD = Buffer.alloc(16, 7);

test('a client turned away by a leader whose disk is slow has been heard, if it knows the password and the leader what it saw', () => {
  const cases = [
    { seen: 3n, password: PASSWORD, isHeard: true },
    { seen: 4n, password: PASSWORD, isHeard: false },
    { seen: 3n, password: Buffer.alloc(16, 8), isHeard: false },
  ];
  for (const { seen, password, isHeard } of cases) {
    const { server, attach, closed } = rig({ below: () => 0, bytes: (count) => Buffer.alloc(count, 7) });
    const { session } = attach();
    const tracked = server.tracker.get(session) ?? assert.fail();
    const before = tracked.deadline;
    const frame = new Writer();
    frame.int32(1);
    frame.int32(OPERATIONS.create.code);
    const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
    OPERATIONS.create.request.write(frame, { path: '/a', data: null, acl, flags: 0 });
    server.receive(tracked.connection ?? assert.fail(), frame.bytes, 0, frame.at);
    assert.deepEqual([server.tree.zxidLo, server.last.counter], [2, 3], 'the create is proposed and not applied');
    server.now += 5000;
    const back = new ClientConnection(9, '127.0.0.1', 1, 0);
    const bytes = hello(session, password);
    bytes.writeBigInt64BE((1n << 32n) | seen, 8);
    server.handshake(back, bytes, 4, bytes.length);
    assert.equal(closed.has(back), true);
    assert.equal(tracked.deadline > before, isHeard, `${seen}`);
  }
});

test("whoever comes back to a session that becomes everybody's meanwhile waits for its beginning, once more", () => {
  for (const password of [PASSWORD, Buffer.alloc(16, 8)]) {
    const { server, attach, settle, closed } = rig({ below: () => 0, bytes: (count) => Buffer.alloc(count, 7) });
    const { session } = attach();
    const other = (session + 1n) as SessionId;
    const error = { kind: KIND.error, code: -101 } as const;
    server.propose(undefined, session, 1, OPERATIONS.delete.code, error, [], undefined);
    const back = new ClientConnection(9, '127.0.0.1', 1, 0);
    const bytes = hello(other, password);
    server.handshake(back, bytes, 4, bytes.length);
    assert.equal(back.state, 'connecting', 'until all is applied that is under way');
    const birth = { kind: KIND.createSession, id: other, timeoutMs: 6000, secret: sessionSecret(PASSWORD) } as const;
    server.propose(undefined, other, 0, OPCODE.createSession, birth, [], undefined);
    settle();
    const isOwn = password === PASSWORD;
    assert.deepEqual([back.session === other, closed.has(back)], [isOwn, !isOwn]);
  }
});
