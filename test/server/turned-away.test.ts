/** Who has seen more than is applied here is turned away, and his session lives while that is on its way here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { ClientConnection } from '../../src/server/connection.ts';
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
