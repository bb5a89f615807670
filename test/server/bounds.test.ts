/** What one client may make a server store, and members send each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEEPER_CODES } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { CREATE_FLAG, OPERATIONS } from '../../src/protocol/operations.ts';
import { MAX_ID, MAX_REQUEST, MAX_TXN_BYTES } from '../../src/records/limits.ts';
import { GROUP_HEADER, LENGTH_BYTES, MAX_GROUP_BYTES } from '../../src/records/log-record.ts';
import { PackReader, PackWriter } from '../../src/records/pack.ts';
import { MAX_PEER_FRAME } from '../../src/records/peer-frame.ts';
import { readMessages, writeMessage } from '../../src/records/peer-messages.ts';
import { type Envelope, KIND } from '../../src/records/txns.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';
import { ClientConnection } from '../../src/server/connection.ts';
import { Gathering } from '../../src/storage/log-group.ts';
import { rig } from './rig.ts';

const AUTH = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const digest = (id: string) => [{ scheme: 'digest', id }];

function world() {
  const logged: Envelope[] = [];
  const codes: number[] = [];
  const it = rig(seededRandom(1), {
    logged: (envelope) => void logged.push(envelope),
    sent: (_connection, bytes) => void codes.push(bytes.readInt32BE(16)),
  });
  const ask = (connection: ClientConnection, op: number, write: (to: Writer) => void): number => {
    const to = new Writer();
    to.int32(1);
    to.int32(op);
    write(to);
    codes.length = 0;
    it.server.receive(connection, to.bytes, 0, to.at);
    it.settle();
    return codes.at(-1) as number;
  };
  return { ...it, logged, ask };
}
type World = ReturnType<typeof world>;
type Part = Parameters<typeof OPERATIONS.multi.request.write>[1][number];

const logIn = (it: World, connection: ClientConnection, user: string): number =>
  it.ask(connection, OPERATIONS.auth.code, (to) =>
    OPERATIONS.auth.request.write(to, { type: 0, scheme: 'digest', auth: Buffer.from(`${user}:pw`) }),
  );
const creates = (count: number, acl: typeof AUTH, data: Buffer | null = null): Part[] =>
  Array.from({ length: count }, (_, i) => ({ type: 1, request: { path: `/n${i}`, data, acl, flags: 0 } }) as Part);
const multi = (it: World, connection: ClientConnection, parts: Part[]): number =>
  it.ask(connection, OPERATIONS.multi.code, (to) => OPERATIONS.multi.request.write(to, parts));

test('a connection has as many identities as a request can carry to the leader, and no more', () => {
  const connection = new ClientConnection(1, '127.0.0.1', 1, 0);
  assert.equal(connection.prove(digest('x'.repeat(MAX_ID + 1))), false);
  assert.equal(connection.prove(digest('é'.repeat(MAX_ID / 2 + 1))), false, 'bytes count, not letters');
  assert.equal(connection.prove(digest('x'.repeat(MAX_ID))), true);
  for (let i = 0; i < 300; i++) connection.prove(digest(`${i}`));
  assert.equal(connection.identities.length, 256);
  const heavy = new ClientConnection(2, '127.0.0.1', 1, 0);
  for (let i = 0; i < 40; i++) heavy.prove(digest(`${i}`.padEnd(4000, 'x')));
  assert.ok(heavy.identities.reduce((sum, { id }) => sum + id.length, 0) <= 65_536);
  for (const { identities } of [connection, heavy]) {
    const to = new PackWriter();
    const message = {
      type: 'REQUEST',
      epoch: 1,
      session: 1n,
      xid: 1,
      op: 1,
      body: Buffer.alloc(0),
      identities,
    } as const;
    writeMessage(to, message);
    assert.equal(readMessages(new PackReader(to.bytes, 0, to.at)).length, 1);
  }
});

test('a login beyond that fails as any other does', () => {
  const it = world();
  const connection = it.attach();
  assert.equal(logIn(it, connection, 'ann'), 0);
  assert.equal(logIn(it, connection, 'x'.repeat(5000)), KEEPER_CODES.AuthFailed);
  assert.ok(it.closed.has(connection));
  assert.deepEqual(
    connection.identities.map(({ scheme }) => scheme),
    ['ip', 'digest'],
  );
});

test('a small request that becomes a large transaction by what auth stands for is refused, and nothing of it stays', () => {
  const it = world();
  const connection = it.attach();
  for (let i = 0; i < 15; i++) assert.equal(logIn(it, connection, `${i}`.padEnd(4000, 'x')), 0);
  assert.equal(multi(it, connection, creates(100, AUTH)), 0, 'six megabytes');
  const before = it.logged.length;
  assert.equal(multi(it, connection, creates(300, AUTH).slice(100)), KEEPER_CODES.MarshallingError, 'twelve');
  assert.deepEqual(
    it.logged.slice(before).map(({ txn }) => txn.kind),
    [KIND.error],
  );
  const other = creates(151, OPEN).slice(150);
  assert.equal(multi(it, connection, other), 0, 'what was refused is not there, and not under way');
});

test('a request of many parts that would be larger in the log than a transaction may be is refused', () => {
  const it = world();
  const connection = it.attach();
  const data = Buffer.alloc(1024 * 1024);
  assert.equal(multi(it, connection, creates(45, OPEN, data)), KEEPER_CODES.MarshallingError);
  assert.equal(it.server.tree.find('/n0'), 0);
  assert.equal(multi(it, connection, creates(40, OPEN, data)), 0);
});

test('the largest transaction fits behind what a group may hold, and into a frame between members', () => {
  const gathering = new Gathering();
  const put = (bytes: number): void => {
    const to = gathering.writer();
    const start = to.at;
    to.room(bytes);
    to.at += bytes;
    gathering.commit(start, { hi: 1, lo: 1 }, { hi: 0, lo: 0 });
  };
  assert.throws(() => put(MAX_TXN_BYTES + 1), /larger than a group may be/);
  const fullest = 16 * 1024 * 1024;
  assert.ok(fullest + MAX_TXN_BYTES + GROUP_HEADER + 2 * LENGTH_BYTES + 512 <= MAX_GROUP_BYTES);
  assert.ok(MAX_TXN_BYTES + 64 <= MAX_PEER_FRAME);
  // one request as large as may be, and what auth stands for beside it
  assert.ok(MAX_REQUEST + 8 * 1024 * 1024 + 1024 <= MAX_TXN_BYTES);
});

test('jute.maxbuffer is at most what members send each other', () => {
  const read = (value: string) =>
    checkConfig(parseProperties(`dataDir=/d\nclientPort=1\njute.maxbuffer=${value}`, 'f'));
  const { maxBufferBytes, notes } = read('50000000');
  assert.equal(maxBufferBytes, MAX_REQUEST);
  assert.match(notes.join(), /^jute\.maxbuffer=50000000 is lowered to 33554432, /);
  assert.equal(read('0x400000').maxBufferBytes, 4 * 1024 * 1024);
  assert.equal(read('12').maxBufferBytes, 1024);
});

test('a sequential create at / makes a node below the root, as by ZooKeeper', () => {
  const it = world();
  const connection = it.attach();
  const create = (flags: number): number =>
    it.ask(connection, OPERATIONS.create.code, (to) =>
      OPERATIONS.create.request.write(to, { path: '/', data: null, acl: OPEN, flags }),
    );
  assert.equal(create(0), KEEPER_CODES.NodeExists);
  assert.equal(create(CREATE_FLAG.ephemeral), KEEPER_CODES.NodeExists);
  assert.equal(create(CREATE_FLAG.persistentSequential), 0);
  assert.equal(create(CREATE_FLAG.ephemeralSequential), 0);
  const made = it.logged.flatMap(({ txn }) => (txn.kind === KIND.create ? [txn.path] : []));
  assert.deepEqual(made, ['/0000000000', '/0000000001']);
  for (const path of made) assert.notEqual(it.server.tree.find(path), 0);
});

test('a tree that has no more places takes nothing that needs one, and lets go what it has', () => {
  const it = world();
  const connection = it.attach();
  assert.equal(multi(it, connection, creates(2, OPEN)), 0);
  Object.defineProperty(it.server.tree.slabs, 'isNearlyFull', { value: true });
  const { ThrottledOp } = KEEPER_CODES;
  assert.equal(multi(it, connection, creates(1, OPEN)), ThrottledOp);
  const gone = it.ask(connection, OPERATIONS.delete.code, (to) =>
    OPERATIONS.delete.request.write(to, { path: '/n0', version: -1 }),
  );
  assert.equal(gone, 0);
});

test('an answer of many reads is bounded, and what is behind the bound says so', () => {
  const it = world();
  const connection = it.attach();
  const data = Buffer.alloc(1024 * 1024);
  assert.equal(multi(it, connection, creates(1, OPEN, data)), 0);
  const parts = Array.from({ length: 4500 }, () => ({ type: 4, request: { path: '/n0', watch: false } }) as Part);
  const request = new Writer();
  request.int32(1);
  request.int32(OPERATIONS.multiRead.code);
  OPERATIONS.multiRead.request.write(request, parts as never);
  it.server.receive(connection, request.bytes, 0, request.at);
  const { out } = connection;
  const bytes = out?.at ?? 0;
  assert.ok(bytes > 16_000_000 && bytes < 18_500_000, `${bytes} bytes`);
  // the last part, and the end behind it
  const tail = out?.bytes.subarray(bytes - 22, bytes) ?? Buffer.alloc(0);
  assert.deepEqual([tail.readInt32BE(0), tail.readInt32BE(5), tail.readInt32BE(9)], [-1, -2, -2]);
});

test('an answer for which there is no memory is an error for who asked, and ends nobody', () => {
  const it = world();
  const connection = it.attach();
  const { tree } = it.server;
  const writeStat = tree.writeStat.bind(tree);
  tree.writeStat = () => {
    throw new RangeError('The value of "size" is out of range');
  };
  const code = it.ask(connection, OPERATIONS.getData.code, (to) =>
    OPERATIONS.getData.request.write(to, { path: '/', watch: false }),
  );
  assert.equal(code, KEEPER_CODES.MarshallingError);
  tree.writeStat = writeStat;
  assert.equal(
    it.ask(connection, OPERATIONS.getData.code, (to) =>
      OPERATIONS.getData.request.write(to, { path: '/', watch: false }),
    ),
    0,
  );
});
