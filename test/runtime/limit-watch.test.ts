/** What comes near to a limit is told, once for each step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPEN_ACL } from '../../src/records/txns.ts';
import { LimitJudge } from '../../src/runtime/limit-judge.ts';
import { LimitWatch } from '../../src/runtime/limit-watch.ts';
import { MOST_PATHS } from '../../src/server/watches.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { LargeNodes } from '../../src/tree/large-nodes.ts';
import { MOST_TAKEN } from '../../src/tree/slabs.ts';

test('each step is told once, and again only after a tenth of the limit less', () => {
  const judge = new LimitJudge();
  const told = (...all: number[]) => all.map((have) => judge.judge('x', have, 1000));
  const no = undefined;
  assert.deepEqual(told(499, 500, 799, 499, 401, 500, 800, 999, 1000, 5000), [no, 50, no, no, no, no, 80, no, 100, no]);
  assert.deepEqual(told(901, 1000, 899, 1000), [no, no, no, 100]);
  assert.deepEqual(told(399, 500), [no, 50]);
  // from nothing to beyond it in one look: the last step alone
  assert.deepEqual(told(0, 1200, 0, 850), [no, 100, no, 80]);
});

test('what has no limit comes near to none, and one thing does not speak for another', () => {
  const judge = new LimitJudge();
  assert.equal(judge.judge('x', 1e9, Number.POSITIVE_INFINITY), undefined);
  assert.equal(judge.judge('y', 50, 100), 50);
  assert.equal(judge.judge('z', 50, 100), 50);
});

test('things that are no more are forgotten, and no more than 256 are told of', () => {
  const judge = new LimitJudge();
  const keys = Array.from({ length: 300 }, (_, i) => `node ${i}`);
  const told = (): number => keys.filter((key) => judge.judge(key, 60, 100) !== undefined).length;
  assert.equal(told(), 256);
  assert.equal(told(), 0);
  judge.keepOnly('other', new Set());
  assert.equal(told(), 0);
  judge.keepOnly('node ', new Set(keys.slice(1, 256)));
  assert.equal(told(), 1);
});

/** A tree, and a function that adds a node. */
function grove() {
  const tree = new DataTree();
  const add = (path: string, bytes = 0): number => {
    const at = Buffer.from(path);
    const parent = tree.find(path.slice(0, path.lastIndexOf('/')));
    return tree.addRow(at, at.length, parent, Buffer.alloc(bytes), OPEN_ACL, 0, 0);
  };
  return { tree, add };
}

test('a round over a tree finds what is large to read and to list, a slice at a time', () => {
  const { tree, add } = grove();
  const wide = add('/wide');
  for (let i = 0; i < 10_000; i++) add(`/wide/n${String(i).padStart(7, '0')}`);
  const big = add('/big', 90_000);
  const rounds = new LargeNodes();
  const first = rounds.look(tree, 90_000);
  // 10,000 names of eight letters, each behind its length, behind header, Stat and number
  assert.deepEqual(first, {
    found: [{ row: wide, bytes: 120_088, kind: 'children', children: 10_000 }],
    isRound: false,
  });
  const second = rounds.look(tree, 90_000);
  assert.deepEqual(second, { found: [{ row: big, bytes: 90_088, kind: 'data', children: 0 }], isRound: true });
  assert.deepEqual(rounds.look(tree, 90_000), first);
  // another tree is looked at from its beginning
  const other = grove();
  const there = other.add('/big', 90_000);
  assert.deepEqual(
    rounds.look(other.tree, 90_000).found.map(({ row }) => row),
    [there],
  );
});

test('of many children the 64 youngest tell how long names are; few with long names are not looked at', () => {
  const { tree, add } = grove();
  add('/mixed');
  for (let i = 0; i < 100; i++) add(`/mixed/${'x'.repeat(900)}${i}`);
  for (let i = 0; i < 64; i++) add(`/mixed/${String(i).padStart(6, '0')}`);
  add('/few');
  for (let i = 0; i < 9; i++) add(`/few/${'x'.repeat(2000)}${i}`);
  const found = (least: number): unknown[] => new LargeNodes().look(tree, least).found.map(({ bytes }) => bytes);
  assert.deepEqual(found(1700), [164 * 10 + 88, 9 * 2005 + 88]);
  assert.deepEqual(found(10_000), []);
});

test('nodes that are gone are not looked at', () => {
  const { tree, add } = grove();
  const big = add('/big', 90_000);
  const rounds = new LargeNodes();
  assert.equal(rounds.look(tree, 90_000).found.length, 1);
  tree.removeRow(big);
  assert.deepEqual(rounds.look(tree, 90_000), { found: [], isRound: true });
});

/** A watch over figures that a test sets. */
function scene(maxCnxns: number, descriptors?: number) {
  const { tree, add } = grove();
  const said: string[] = [];
  const now = { clients: 0, pages: 0, paths: 0, reply: -1 };
  Object.defineProperty(tree.slabs, 'size', { get: () => now.pages });
  const watch = new LimitWatch({
    config: { maxCnxns, maxBufferBytes: 100_000 },
    logger: { warn: (text: string) => void said.push(text) } as never,
    descriptors,
    clients: () => now.clients,
    server: () => ({ tree, watches: { paths: now.paths }, outbox: { sizes: { max: now.reply } } }) as never,
  });
  const look = (): string[] => {
    watch.look();
    return said.splice(0);
  };
  return { now, look, tree, add };
}

test('connections: of maxCnxns, of the open files that there may be, of none', () => {
  for (const [most, descriptors, limit, remedy] of [
    [10, undefined, 10, 'Raise maxCnxns'],
    [0, 1024, 736, 'Raise the limit of open files (LimitNOFILE= of systemd, ulimit -n)'],
  ] as const) {
    const { now, look } = scene(most, descriptors);
    now.clients = limit * 0.5 - 1;
    assert.deepEqual(look(), []);
    now.clients = limit * 0.5;
    assert.deepEqual(look(), [
      `limit: ${now.clients} of ${limit} connections of clients, 50 % or more: beyond them clients are not let in. ${remedy}`,
    ]);
    assert.deepEqual(look(), []);
  }
  const { now, look } = scene(0);
  now.clients = 1e6;
  assert.deepEqual(look(), []);
});

test('pages, watches and replies', () => {
  const { now, look } = scene(0);
  now.pages = Math.ceil(MOST_TAKEN * 0.8);
  now.paths = MOST_PATHS / 2;
  now.reply = 100_000;
  const said = look();
  assert.equal(said.length, 3, said.join('\n'));
  assert.match(said[0] ?? '', /^limit: 406,324 of 507,904 pages of paths and data, 80 % or more: .*THROTTLEDOP/);
  assert.match(said[1] ?? '', /^limit: 8,388,608 of 16,777,216 paths that are watched, 50 % or more: /);
  assert.match(said[2] ?? '', /^limit: 100,000 of 100,000 bytes of a reply, 100 % or more: .*jute\.maxbuffer/);
  assert.deepEqual(look(), []);
});

test('a node that is large is told by its name, as one line; again only when it was gone or smaller', () => {
  const { look, tree, add } = scene(0);
  const row = add('/big\u202e', 50_000);
  assert.deepEqual(look(), [
    'limit: znode /big\\u202e: its data 50,088 of 100,000 bytes of a packet, 50 % or more: beyond them (jute.maxbuffer) a client with the same setting cannot read or set it',
  ]);
  assert.deepEqual(look(), []);
  tree.putData(row, Buffer.alloc(45_000));
  assert.deepEqual(look(), []);
  tree.putData(row, Buffer.alloc(50_000));
  assert.deepEqual(look(), []);
  tree.putData(row, Buffer.alloc(30_000));
  assert.deepEqual(look(), []);
  tree.putData(row, Buffer.alloc(99_950));
  assert.match(look().join(), /^limit: znode \/big.* 100,038 of 100,000 bytes of a packet, 100 % or more: /);
});

test('what a round did not meet is forgotten at its end, and not before', () => {
  const { look, tree, add } = scene(0);
  add('/n');
  const big = add('/n/big', 60_000);
  for (let i = 0; i < 10_000; i++) add(`/n/${i}`); // two slices
  const said = (looks: number): number => Array.from({ length: looks }, look).flat().length;
  // the names come to 4,000 + 10,000 times 4 bytes and more: a second line
  assert.equal(said(2), 2);
  assert.equal(said(6), 0);
  tree.removeRow(big);
  assert.equal(said(4), 0);
  add('/n/big', 60_000);
  assert.equal(said(2), 1);
});
