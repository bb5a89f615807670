import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NewerFormatError, PackWriter, pack } from '../../src/records/pack.ts';
import { type Config, KIND, type Txn } from '../../src/records/txns.ts';
import { apply, type ChangeSink, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { MAX_SEEN } from '../../src/tree/members.ts';
import { digest, SnapshotCursor, SnapshotLoader } from '../../src/tree/snapshot.ts';

const CONFIG: Config = {
  members: [
    {
      sid: 1,
      role: 'participant',
      incarnation: 'aa',
      addresses: ['127.0.0.1:21034:21035'],
      client: '127.0.0.1:21030',
    },
  ],
  maxTxnBytes: 2 ** 31,
};
const LARGER: Config = {
  ...CONFIG,
  members: [
    ...CONFIG.members,
    { sid: 2, role: 'observer', incarnation: null, addresses: ['127.0.0.1:21091:21092'], client: '127.0.0.1:21093' },
  ],
};
const FOUND: Txn = { kind: KIND.found, ensembleId: 'ab', config: CONFIG };

/** The Stat of a node, field by field. */
function statOf(tree: DataTree, path: string) {
  const stat = Buffer.alloc(68);
  tree.writeStat(tree.find(path), stat, 0);
  return {
    czxid: stat.readBigInt64BE(0),
    mzxid: stat.readBigInt64BE(8),
    ctime: stat.readBigInt64BE(16),
    mtime: stat.readBigInt64BE(24),
    version: stat.readInt32BE(32),
    cversion: stat.readInt32BE(36),
    aversion: stat.readInt32BE(40),
    dataLength: stat.readInt32BE(52),
    pzxid: stat.readBigInt64BE(60),
  };
}
const textOf = (tree: DataTree): string => String(tree.data(tree.find('/zookeeper/config')));

test('/zookeeper/config shows the last config record, as the golden capture has it', () => {
  const tree = new DataTree(1);
  apply(tree, 1, 0, 1_795_433_425_807, FOUND, NO_SINK);
  assert.equal(textOf(tree), 'server.1=127.0.0.1:21034:21035:participant;127.0.0.1:21030\nversion=100000000');
  const stat = {
    ...{ czxid: 0n, mzxid: 4294967296n, ctime: 0n, mtime: 1_795_433_425_807n, version: -1, cversion: 0, aversion: -1 },
    ...{ dataLength: 76, pzxid: 0n },
  };
  assert.deepEqual(statOf(tree, '/zookeeper/config'), stat);
  const told: string[] = [];
  const sink: ChangeSink = { ...NO_SINK, changed: (path) => void told.push(path) };
  apply(tree, 1, 13, 1_795_433_426_836, { kind: KIND.config, config: LARGER }, sink);
  assert.equal(
    textOf(tree),
    'server.1=127.0.0.1:21034:21035:participant;127.0.0.1:21030\n' +
      'server.2=127.0.0.1:21091:21092:observer;127.0.0.1:21093\nversion=10000000d',
  );
  assert.deepEqual(statOf(tree, '/zookeeper/config'), {
    ...stat,
    mzxid: 4294967309n,
    mtime: 1_795_433_426_836n,
    dataLength: 132,
  });
  assert.deepEqual(told, ['/zookeeper/config']);
});

test('a server alone shows nothing there', () => {
  const tree = new DataTree(1);
  const fresh = statOf(tree, '/zookeeper/config');
  const alone = { ...CONFIG, members: CONFIG.members.map((each) => ({ ...each, addresses: [] })) };
  apply(tree, 1, 1, 5, { ...FOUND, config: alone }, NO_SINK);
  assert.equal(textOf(tree), '');
  assert.deepEqual(statOf(tree, '/zookeeper/config'), fresh);
});

/** A copy by way of a snapshot; `change` alters a chunk. */
function copied(tree: DataTree, change: (chunk: Uint8Array, at: number) => Uint8Array = (chunk) => chunk): DataTree {
  const cursor = new SnapshotCursor(tree);
  const loader = new SnapshotLoader(9);
  let at = 0;
  for (let chunk = cursor.next(200); chunk !== undefined; chunk = cursor.next(200)) loader.push(change(chunk, at++));
  return loader.finish();
}

test('where the config record stands and who was seen outlive the log', () => {
  const tree = new DataTree(1);
  assert.equal(tree.members.configAt, undefined);
  assert.equal(copied(tree).members.configAt, undefined);
  apply(tree, 1, 1, 5, FOUND, NO_SINK);
  tree.chained(-7, 8);
  const found = { epoch: 1, counter: 1, chainHi: -7, chainLo: 8 };
  assert.deepEqual(tree.members.configAt, found);
  const seen = (counter: number, sid: number, incarnation: string, tag: string): void => {
    apply(tree, 2, counter, 6, { kind: KIND.seen, sid, incarnation, tag }, NO_SINK);
    tree.chained(counter, counter);
  };
  seen(0xffff_fff0, 1, 'aa', 't1');
  seen(0xffff_fff1, 2, 'bb', 't2');
  seen(0xffff_fff2, 1, 'aa', 't3');
  seen(0xffff_fff3, 1, 'cc', 't4');
  const known = [
    { at: { epoch: 2, counter: 0xffff_fff1 }, sid: 2, incarnation: 'bb', tag: 't2' },
    { at: { epoch: 2, counter: 0xffff_fff2 }, sid: 1, incarnation: 'aa', tag: 't3' },
    { at: { epoch: 2, counter: 0xffff_fff3 }, sid: 1, incarnation: 'cc', tag: 't4' },
  ];
  assert.deepEqual(tree.members.seen(), known);
  assert.deepEqual(tree.members.configAt, found, 'later chains are not its');
  const copy = copied(tree);
  assert.deepEqual(copy.members.configAt, found);
  assert.deepEqual(copy.members.seen(), known);
  assert.deepEqual(copy.config, CONFIG);
  assert.equal(digest(copy), digest(tree));
  // they go on alike
  for (const each of [tree, copy]) apply(each, 3, 1, 7, { kind: KIND.config, config: LARGER }, NO_SINK);
  assert.notDeepEqual(tree.members.configAt, found);
  assert.equal(digest(copy), digest(tree));
  assert.equal(textOf(copy), textOf(tree));
});

test('what is kept of who was seen is bounded, and the same on everyone', () => {
  const tree = new DataTree(1);
  let copy = new DataTree(2);
  for (let i = 1; i <= MAX_SEEN + 50; i++) {
    const txn: Txn = { kind: KIND.seen, sid: 1 + (i % 3), incarnation: `i${i % 290}`, tag: `t${i}` };
    for (const each of [tree, copy]) {
      apply(each, 1, i, 1, txn, NO_SINK);
      each.chained(i, i);
    }
    if (i === 200) copy = copied(copy);
  }
  assert.equal(tree.members.seen().length, MAX_SEEN);
  assert.equal(tree.members.seen().at(-1)?.tag, `t${MAX_SEEN + 50}`);
  assert.deepEqual(copy.members.seen(), tree.members.seen());
  assert.equal(digest(copy), digest(tree));
});

test('the digest tells configs and marks apart, whatever order their fields came in', () => {
  const made = (config: Config, chain = 1): string => {
    const tree = new DataTree(1);
    apply(tree, 1, 1, 5, { ...FOUND, config }, NO_SINK);
    tree.chained(chain, 0);
    return digest(tree);
  };
  const [member] = CONFIG.members;
  assert.ok(member !== undefined);
  const { sid, ...others } = member;
  assert.equal(made({ maxTxnBytes: CONFIG.maxTxnBytes, members: [{ ...others, sid }] }), made(CONFIG));
  const other: readonly Config[] = [
    { ...CONFIG, maxTxnBytes: 1 },
    { ...CONFIG, members: [{ ...member, incarnation: 'zz' }] },
    { ...CONFIG, members: [{ ...member, group: 1, weight: 1 }] },
  ];
  for (const each of other) assert.notEqual(made(each), made(CONFIG));
  assert.notEqual(made(CONFIG, 2), made(CONFIG));
});

test('a snapshot of the format before is still read: its config is that of the first transaction', () => {
  const tree = new DataTree(1);
  const alone = { ...CONFIG, members: CONFIG.members.map((each) => ({ ...each, addresses: [] })) };
  apply(tree, 1, 1, 5, { ...FOUND, config: alone }, NO_SINK);
  tree.chained(3, 4);
  const oldHead = (format: number, fields: number): Uint8Array => {
    const to = new PackWriter();
    to.array(fields);
    for (const each of [1, format]) to.int(each);
    to.int64(1, 1);
    to.int64(3, 4);
    to.millis(5);
    to.text('ab');
    to.bin(pack(alone));
    to.array(0);
    to.int(4);
    return to.bytes.slice(0, to.at);
  };
  const copy = copied(tree, (chunk, at) => (at === 0 ? oldHead(1, 9) : chunk));
  assert.deepEqual(copy.members.configAt, { epoch: 1, counter: 1, chainHi: 0, chainLo: 0 });
  assert.deepEqual([copy.config, copy.chainHi, copy.chainLo, copy.rows.count], [alone, 3, 4, 4]);
  assert.throws(() => copied(tree, (chunk, at) => (at === 0 ? oldHead(2, 9) : chunk)), /a head of 9 fields/);
  assert.throws(() => copied(tree, (chunk, at) => (at === 0 ? oldHead(3, 9) : chunk)), /format 3.*reads 1 to 2/);
});

test('a snapshot of a later format is told from one that is damaged', () => {
  const head = Buffer.from(new SnapshotCursor(new DataTree(1)).next(65536) ?? []);
  assert.deepEqual([...head.subarray(0, 3)], [0x9b, 1, 2], 'a head of eleven fields, of format 2');
  const refusal = (format: number): unknown => {
    head[2] = format;
    try {
      new SnapshotLoader(1).push(head);
      return undefined;
    } catch (fault) {
      return fault;
    }
  };
  assert.ok(refusal(3) instanceof NewerFormatError);
  assert.ok(!(refusal(0) instanceof NewerFormatError));
  assert.equal(refusal(2), undefined);
});

test('a snapshot of many sessions is given in slices as well, and has them as they were', () => {
  const tree = new DataTree(1);
  const secret = Buffer.alloc(16, 7);
  for (let i = 1; i <= 20_000; i++) tree.sessions.add(BigInt(i), 4000, secret);
  const cursor = new SnapshotCursor(tree);
  const loader = new SnapshotLoader(1);
  let slices = 0;
  for (let part = cursor.next(16_384); part !== undefined; part = cursor.next(16_384)) {
    assert.ok(part.length < 32_768, `${part.length} bytes at once`);
    loader.push(Buffer.from(part));
    if (++slices === 2) {
      tree.sessions.remove(19_999n);
      tree.sessions.add(19_998n, 9000, secret);
      tree.sessions.add(77_777n, 4000, secret);
    }
  }
  const found = loader.finish();
  assert.equal(found.sessions.size, 20_000);
  assert.deepEqual([found.sessions.get(19_999n)?.timeoutMs, found.sessions.get(19_998n)?.timeoutMs], [4000, 4000]);
});
