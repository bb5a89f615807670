/** A few bytes may ask for very much, and a bug may hide in any answer: neither is the end of the server, or of other clients. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../src/base/assert.ts';
import { KEEPER_CODES } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS, type OperationName } from '../../src/protocol/operations.ts';
import type { ClientConnection } from '../../src/server/connection.ts';
import { rig } from './rig.ts';

const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const MOST_READ = 16 * 1024 * 1024;
const { MarshallingError, NoNode, RuntimeInconsistency } = KEEPER_CODES;

interface Reply {
  readonly bytes: Buffer;
  readonly xid: number;
  readonly err: number;
}

/** A server, and the replies that a connection got since it was asked last. */
function scene(around: Parameters<typeof rig>[1] = {}) {
  const sent = new Map<ClientConnection, Buffer[]>();
  const all = rig(seededRandom(1), {
    ...around,
    sent: (connection, bytes) => void sent.set(connection, [...(sent.get(connection) ?? []), Buffer.from(bytes)]),
  });
  const ask = (connection: ClientConnection, xid: number, name: OperationName, value: unknown): void => {
    const writer = new Writer();
    const { code, request } = OPERATIONS[name] as {
      code: number;
      request: { write(to: Writer, value: unknown): void };
    };
    writer.int32(xid);
    writer.int32(code);
    request.write(writer, value);
    const bytes = writer.take();
    all.server.receive(connection, bytes, 0, bytes.length);
  };
  const replies = (connection: ClientConnection): Reply[] => {
    all.settle();
    const bytes = Buffer.concat(sent.get(connection) ?? []);
    sent.delete(connection);
    const found: Reply[] = [];
    for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at))
      found.push({
        bytes: bytes.subarray(at + 4, at + 4 + bytes.readInt32BE(at)),
        xid: bytes.readInt32BE(at + 4),
        err: bytes.readInt32BE(at + 16),
      });
    return found;
  };
  const connection = all.attach();
  replies(connection);
  return { ...all, connection, ask, replies };
}
type Scene = ReturnType<typeof scene>;
const create = ({ ask, connection }: Scene, path: string, data: Buffer | null = null, flags = 0): void =>
  ask(connection, 1, 'create', { path, data, acl, flags });
/** `/wide` has very many children, so it seems, and they are ephemerals of `connection`. */
function widen(at: Scene): void {
  create(at, '/wide');
  create(at, `/wide/${'x'.repeat(1000)}`, null, 1);
  assert.ok(at.replies(at.connection).every(({ err }) => err === 0));
  const { tree } = at.server;
  let left = 0;
  const { children, firstEphemeral } = tree;
  tree.children = (row) => {
    left = 150_000;
    return children.call(tree, row);
  };
  tree.firstEphemeral = (session) => {
    left = 150_000;
    return firstEphemeral.call(tree, session);
  };
  const again = (row: number): number => (left-- > 0 ? row : 0);
  tree.nextSibling = again;
  tree.nextEphemeral = again;
}

test('a multiRead that asks for more than a reply may hold gets what fits, and errors from there on', () => {
  const at = scene();
  create(at, '/big', Buffer.alloc(1_000_000, 'x'));
  create(at, '/small', Buffer.from('x'));
  at.replies(at.connection);
  const part = (path: string) => ({ type: OPERATIONS.getData.code, request: { path, watch: false } });
  const COUNT = 300;
  const parts = [part('/none'), ...Array.from({ length: COUNT }, () => part('/big')), part('/small'), part('/none')];
  at.ask(at.connection, 7, 'multiRead', parts);
  const [reply, ...more] = at.replies(at.connection);
  assert.ok(reply !== undefined && more.length === 0);
  assert.equal(reply.xid, 7);
  assert.equal(reply.err, 0);
  assert.ok(reply.bytes.length <= MOST_READ + 1_100_000 && reply.bytes.length > MOST_READ, `${reply.bytes.length}`);
  const results = OPERATIONS.multiRead.answer.read(new Reader(reply.bytes, 16)) as readonly {
    readonly type: number;
    readonly err: number;
  }[];
  assert.equal(results.length, COUNT + 3);
  const done = results.filter(({ type }) => type === OPERATIONS.getData.code).length;
  assert.ok(done >= 16 && done < COUNT, `${done}`);
  const codes = results.map(({ err }) => err);
  assert.equal(codes[0], NoNode);
  // once it is full nothing is done any more, however small
  assert.deepEqual(new Set(codes.slice(1, 1 + done)), new Set([0]));
  assert.deepEqual(new Set(codes.slice(1 + done)), new Set([RuntimeInconsistency]));
  // of children it is their number, too: a short name takes as long as others
  create(at, '/many');
  create(at, '/many/x');
  at.replies(at.connection);
  const { tree } = at.server;
  const { children } = tree;
  tree.children = (row) => (row === tree.find('/many') ? 300_000 : children.call(tree, row));
  const many = { type: OPERATIONS.getChildren.code, request: { path: '/many', watch: false } };
  at.ask(at.connection, 9, 'multiRead', [many, many, many]);
  tree.children = children;
  const heads = [0, 1, 2].map((n) => n * (9 + 4 + 5)).map((n) => n + 16);
  const [counted] = at.replies(at.connection);
  assert.deepEqual(
    heads.map((n) => counted?.bytes.readInt32BE(n)),
    [8, 8, -1],
  );
  widen(at);
  const list = { type: OPERATIONS.getChildren.code, request: { path: '/wide', watch: false } };
  at.ask(at.connection, 8, 'multiRead', [part('/small'), list, part('/small')]);
  const [lists] = at.replies(at.connection);
  assert.ok(lists !== undefined && lists.bytes.length < 1000);
});

test('a single reply that would be too long is an error, leaves no watch, and the client goes on', () => {
  const at = scene();
  widen(at);
  at.ask(at.connection, 2, 'getChildren', { path: '/wide', watch: true });
  at.ask(at.connection, 3, 'getChildren2', { path: '/wide', watch: true });
  at.ask(at.connection, 4, 'getEphemerals', { prefixPath: '/wide' });
  at.ask(at.connection, 5, 'exists', { path: '/wide', watch: false });
  assert.deepEqual(
    at.replies(at.connection).map(({ xid, err }) => [xid, err]),
    [
      [2, MarshallingError],
      [3, MarshallingError],
      [4, MarshallingError],
      [5, 0],
    ],
  );
  assert.equal(at.server.watches.size, 0);
  assert.equal(at.closed.size, 0);
});

test('who asks for very much behind a write of its own is cut off, and no other', () => {
  const at = scene();
  create(at, '/big', Buffer.alloc(1_000_000, 'x'));
  at.replies(at.connection);
  const other = at.attach();
  create(at, '/next');
  for (let i = 0; i < 400; i++) at.ask(at.connection, 2 + i, 'getData', { path: '/big', watch: false });
  at.ask(other, 1, 'create', { path: '/other', data: null, acl, flags: 0 });
  const got = at.replies(at.connection);
  assert.ok(got.length > 60 && got.length < 80, `${got.length} replies`);
  assert.deepEqual([...at.closed], [at.connection]);
  assert.equal(at.server.outstanding, 0);
  at.ask(other, 2, 'exists', { path: '/other', watch: false });
  assert.equal(at.replies(other).at(-1)?.err, 0);
});

test('a bug in reading, logging in or writing a reply costs its client the connection, and nobody else anything', () => {
  const failed: string[] = [];
  const at = scene({ around: { failed: (_connection, fault) => void failed.push((fault as Error).message) } });
  const other = at.attach();
  const { tree } = at.server;
  const plant = <O extends object, K extends keyof O>(on: O, name: K, fault: Error, run: () => void): void => {
    const kept = on[name];
    on[name] = (() => {
      throw fault;
    }) as O[K];
    run();
    on[name] = kept;
  };
  plant(tree, 'descendants', new TypeError('read'), () => {
    at.ask(at.connection, 2, 'exists', { path: '/', watch: false });
    at.ask(at.connection, 3, 'getAllChildrenNumber', { path: '/' });
    at.ask(at.connection, 4, 'exists', { path: '/', watch: false });
  });
  // what was answered before goes out, of the one that failed nothing, and nothing is taken behind it
  assert.deepEqual(
    at.replies(at.connection).map(({ xid }) => xid),
    [2],
  );
  assert.deepEqual([...at.closed], [at.connection]);
  const second = at.attach();
  at.replies(second);
  plant(tree, 'writeStat', new TypeError('answer'), () => {
    at.ask(second, 2, 'setData', { path: '/', data: null, version: -1 });
    at.ask(second, 3, 'exists', { path: '/', watch: false });
    assert.deepEqual(at.replies(second), []);
  });
  assert.deepEqual([...at.closed], [at.connection, second]);
  assert.equal(tree.version(tree.find('/')), 1, 'the write itself is done');
  assert.deepEqual(failed, ['read', 'answer']);
  at.ask(other, 2, 'create', { path: '/on', data: null, acl, flags: 0 });
  assert.equal(at.replies(other).at(-1)?.err, 0);
  assert.equal(at.server.outstanding, 0);
});

test('what may have left the state half changed is thrown on, and so is a broken invariant', () => {
  const at = scene({ around: { failed: () => assert.fail('swallowed') } });
  const { tree, pending } = at.server;
  tree.descendants = () => {
    throw new InvariantError('a row of nobody');
  };
  assert.throws(() => at.ask(at.connection, 2, 'getAllChildrenNumber', { path: '/' }), /a row of nobody/);
  pending.get = () => {
    throw new TypeError('decided');
  };
  assert.throws(() => create(at, '/x'), /decided/);
});
