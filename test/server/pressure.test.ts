/** What a server does that has no memory left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import { hello } from '../e2e/raw.ts';
import { rig } from './rig.ts';

const random = { below: () => 0, bytes: (count: number) => Buffer.alloc(count, 7) };

function scene() {
  const answers: [xid: number, err: number][] = [];
  const made = rig(random, {
    sent: (_, bytes) => {
      for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at))
        if (bytes.readInt32BE(at) < 37) answers.push([bytes.readInt32BE(at + 4), bytes.readInt32BE(at + 16)]);
    },
  });
  const ask = (to: ClientConnection, xid: number, op: number, body: (to: Writer) => void): void => {
    const frame = new Writer();
    frame.int32(xid);
    frame.int32(op);
    body(frame);
    made.server.receive(to, frame.bytes, 0, frame.at);
  };
  const create = (to: ClientConnection, xid: number, path: string): void =>
    ask(to, xid, 1, (body) => {
      const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
      OPERATIONS.create.request.write(body, { path, data: null, acl, flags: 0 });
    });
  const exists = (to: ClientConnection, xid: number, path: string): void =>
    ask(to, xid, 3, (body) => OPERATIONS.exists.request.write(body, { path, watch: false }));
  return { ...made, answers, ask, create, exists };
}

test('without memory a write is refused in its turn, and never done', () => {
  const { server, attach, settle, answers, create, exists, ask } = scene();
  const client = attach();
  answers.length = 0;
  create(client, 1, '/a');
  server.pressure.full = true;
  create(client, 2, '/b');
  exists(client, 3, '/a');
  ask(client, 4, 2, (body) => OPERATIONS.delete.request.write(body, { path: '/a', version: -1 }));
  create(client, 5, '/c');
  assert.deepEqual(answers, [], 'the first is not on the disk');
  settle();
  assert.deepEqual(
    answers.map(String),
    ['1,0', '2,-127', '4,0', '5,-127'],
    'the Stat of the third is longer than what is looked at here',
  );
  assert.equal(server.tree.find('/b'), 0);
  assert.equal(server.tree.find('/a'), 0);
  create(client, 6, '/d');
  settle();
  assert.deepEqual(answers.at(-1), [6, -127]);
  server.pressure.full = false;
  create(client, 7, '/d');
  settle();
  assert.notEqual(server.tree.find('/d'), 0);
  assert.equal(server.pressure.refused, 3);
});

test('without memory a read leaves no watch, and is done when it wants none', () => {
  const { server, attach, settle, answers, ask, exists } = scene();
  const client = attach();
  answers.length = 0;
  server.pressure.full = true;
  ask(client, 1, 3, (body) => OPERATIONS.exists.request.write(body, { path: '/none', watch: true }));
  ask(client, 2, 8, (body) => OPERATIONS.getChildren.request.write(body, { path: '/', watch: true }));
  ask(client, 3, 106, (body) => OPERATIONS.addWatch.request.write(body, { path: '/', mode: 1 }));
  exists(client, 4, '/none');
  server.pressure.full = false;
  ask(client, 5, 3, (body) => OPERATIONS.exists.request.write(body, { path: '/none', watch: true }));
  settle();
  assert.deepEqual(answers.map(String), ['1,-127', '2,-127', '3,-127', '4,-101', '5,-101']);
  assert.equal(server.pressure.refused, 3);
  assert.equal(server.watches.size, 1);
});

test('without memory nobody gets a session, and whoever has one comes back', () => {
  const { server, attach, settle, closed } = scene();
  const client = attach();
  server.pressure.full = true;
  const fresh = new ClientConnection(90, '127.0.0.1', 1, 0);
  const again = new ClientConnection(91, '127.0.0.1', 1, 0);
  const knock = (connection: ClientConnection, bytes: Buffer): void => {
    server.handshake(connection, bytes, 4, bytes.length);
    settle();
  };
  knock(fresh, hello());
  assert.equal(closed.has(fresh), true);
  assert.equal(server.tracker.size, 1);
  knock(again, hello(client.session, Buffer.alloc(16, 7)));
  assert.equal(again.state, 'open');
});
