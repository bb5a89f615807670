import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { KIND, OPEN_ACL, READ_ACL, type Txn } from '../../src/records/txns.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { AT } from '../../src/tree/rows.ts';
import { digest, SnapshotCursor, SnapshotLoader } from '../../src/tree/snapshot.ts';
import { lateIf, timely } from '../patience.ts';

/** The tree as a plain Map, written from semantics alone. */
class Model {
  readonly nodes = new Map<string, { data: string | null; version: number; creates: number; owner: bigint }>([
    ['/', { data: '', version: 0, creates: 0, owner: 0n }],
  ]);
  children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.nodes.keys()].filter(
      (each) => each !== '/' && each.startsWith(prefix) && !each.slice(prefix.length).includes('/'),
    );
  }
}

/** A transaction that fits the model, and its effect on it. */
function randomTxn(model: Model, random: Random, sessions: Set<bigint>): Txn {
  const paths = [...model.nodes.keys()];
  const path = paths[random.below(paths.length)] as string;
  const node = model.nodes.get(path)!;
  const data =
    random.below(5) === 0
      ? null
      : Buffer.alloc(random.below(random.below(20) === 0 ? 40_000 : 200), 65 + random.below(26));
  const roll = random.below(10);
  if (roll < 5 && node.owner === 0n) {
    const name = `${path === '/' ? '' : path}/n${node.creates}${'é'.repeat(random.below(2))}`;
    const ids = [...sessions];
    const owner = ids.length > 0 && random.below(3) === 0 ? (ids[random.below(ids.length)] as bigint) : 0n;
    node.creates++;
    model.nodes.set(name, { data: data?.toString() ?? null, version: 0, creates: 0, owner });
    return {
      kind: KIND.create,
      path: name,
      data,
      acl: random.below(2) === 0 ? OPEN_ACL : READ_ACL,
      owner,
      creates: node.creates,
    };
  }
  if (roll < 7 && path !== '/' && model.children(path).length === 0) {
    model.nodes.delete(path);
    return { kind: KIND.delete, path };
  }
  if (roll === 7) {
    const id = BigInt(1000 + random.below(1_000_000));
    if (!sessions.has(id)) {
      sessions.add(id);
      return {
        kind: KIND.createSession,
        id: id as never,
        timeoutMs: 4000,
        secret: Buffer.alloc(16, random.below(255)),
      };
    }
  }
  if (roll === 8 && sessions.size > 3) {
    const id = [...sessions][random.below(sessions.size)] as bigint;
    sessions.delete(id);
    for (const [each, { owner }] of [...model.nodes]) if (owner === id) model.nodes.delete(each);
    return { kind: KIND.closeSession, id: id as never };
  }
  node.version++;
  node.data = data?.toString() ?? null;
  return { kind: KIND.setData, path, data, version: node.version };
}

function assertEqualsModel(tree: DataTree, model: Model): void {
  for (const [path, node] of model.nodes) {
    const row = tree.find(path);
    assert.notEqual(row, 0, path);
    assert.equal(tree.pathOf(row), path);
    assert.equal(tree.data(row)?.toString() ?? null, node.data, path);
    assert.equal(tree.version(row), node.version);
    const children: string[] = [];
    for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child))
      children.push(tree.pathOf(child));
    const expected = model.children(path).concat(path === '/' ? ['/zookeeper'] : []);
    assert.deepEqual(children.sort(), expected.sort());
    assert.equal(tree.children(row), expected.length);
    assert.equal(tree.rows.stat(row, AT.cversion), 2 * node.creates - expected.length + (path === '/' ? 0 : 0));
  }
  assert.equal(tree.rows.count, model.nodes.size + 3);
}

test('random transactions leave the tree a plain model has', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const tree = new DataTree(seed);
    const model = new Model();
    const sessions = new Set<bigint>();
    for (let z = 1; z <= 400; z++)
      apply(tree, 1, z, 1_700_000_000_000 + z, randomTxn(model, random, sessions), NO_SINK);
    assertEqualsModel(tree, model);
  }
});

test('a snapshot begun at any instant is the tree of that instant, whatever happens meanwhile', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const tree = new DataTree(seed);
    const model = new Model();
    const sessions = new Set<bigint>();
    let z = 0;
    const step = (): void => {
      z++;
      apply(tree, 1, z, 1_700_000_000_000 + z, randomTxn(model, random, sessions), NO_SINK);
    };
    for (let i = 0; i < 30 + seed * 3; i++) step();
    const expected = digest(tree);
    const cursor = new SnapshotCursor(tree);
    const loader = new SnapshotLoader(seed + 1);
    for (let chunk = cursor.next(300); chunk !== undefined; chunk = cursor.next(300)) {
      loader.push(chunk);
      for (let i = random.below(6); i > 0; i--) step();
    }
    const loaded = loader.finish();
    assert.equal(digest(loaded), expected, `seed ${seed}`);
    assert.equal(loaded.zxidLo, cursor.zxid.lo);
    assertEqualsModel(tree, model);
  }
});

test('growing to many nodes under one parent never waits for a table to be rebuilt', async () => {
  const COUNT = 300_000;
  // each apply by the least that it took: what a collection of garbage is in the way of, it is not at the same place again
  const least = new Float64Array(COUNT + 1).fill(Number.POSITIVE_INFINITY);
  await timely(() => {
    const longest = grow(COUNT, least);
    return lateIf(longest >= 50, `one apply took ${longest} ms`);
  });
});

/** Fills a tree; the CPU ms of the longest apply, each of them as short as it ever was. */
function grow(count: number, least: Float64Array): number {
  const tree = new DataTree(7);
  let longest = 0;
  for (let i = 1; i <= count; i++) {
    const began = process.cpuUsage();
    apply(
      tree,
      1,
      i,
      1,
      { kind: KIND.create, path: `/n${i}`, data: null, acl: OPEN_ACL, owner: 0n, creates: i },
      NO_SINK,
    );
    least[i] = Math.min(least[i] as number, process.cpuUsage(began).user / 1000); // other processes do not count
    longest = Math.max(longest, least[i] as number);
  }
  assert.equal(tree.children(tree.root), count + 1);
  return longest;
}
