/** What subtrees with a quota use, whatever becomes of the quota: counted once, kept from there on, the same for whoever begins from a snapshot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { KIND, OPEN_ACL, type Txn } from '../../src/records/txns.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { digest, SnapshotCursor, SnapshotLoader } from '../../src/tree/snapshot.ts';

const QUOTA = '/zookeeper/quota';
const LIMITS = 'count=10,bytes=-1';

/** A tree, transactions applied to it in order, and what its stats nodes show. */
class Scene {
  readonly tree: DataTree;
  private counter: number;
  constructor(tree = new DataTree(1), counter = 0) {
    this.tree = tree;
    this.counter = counter;
  }
  apply(txn: Txn): void {
    const { tree } = this;
    this.counter++;
    apply(tree, 1, this.counter, 1_700_000_000_000 + this.counter, txn, NO_SINK);
  }
  create(path: string, data: string | null = null, owner = 0n): void {
    const { tree } = this;
    const creates = tree.creates(tree.find(path.slice(0, path.lastIndexOf('/')))) + 1;
    const bytes = data === null ? null : Buffer.from(data);
    this.apply({ kind: KIND.create, path, data: bytes, acl: OPEN_ACL, owner, creates });
  }
  set(path: string, data: string): void {
    const version = this.tree.version(this.tree.find(path)) + 1;
    this.apply({ kind: KIND.setData, path, data: Buffer.from(data), version });
  }
  delete(path: string): void {
    this.apply({ kind: KIND.delete, path });
  }
  has(path: string): boolean {
    return this.tree.find(path) !== 0;
  }
  limit(path: string): void {
    for (const at of parents(`${QUOTA}${path}`)) if (!this.has(at)) this.create(at);
    this.create(`${QUOTA}${path}/zookeeper_limits`, LIMITS);
    this.create(`${QUOTA}${path}/zookeeper_stats`, '');
  }
  stats(path: string): string | undefined {
    return this.tree.data(this.tree.find(`${QUOTA}${path}/zookeeper_stats`))?.toString();
  }
  /** What is there, counted node by node. */
  truth(path: string): string {
    const { tree } = this;
    let count = 0;
    let bytes = 0;
    const stack = this.has(path) ? [tree.find(path)] : [];
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      count++;
      bytes += Math.max(0, tree.dataLength(row));
      for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child)) stack.push(child);
    }
    return `count=${count},bytes=${bytes}`;
  }
  /** Another, from a snapshot of this one. */
  reloaded(seed: number): Scene {
    const cursor = new SnapshotCursor(this.tree);
    const loader = new SnapshotLoader(seed);
    for (let chunk = cursor.next(300); chunk !== undefined; chunk = cursor.next(300)) loader.push(chunk);
    return new Scene(loader.finish(), this.counter);
  }
}
/** Of a path and what is above it, the highest first; without the first two levels. */
const parents = (path: string): string[] => {
  const names = path.split('/');
  return names.slice(3).map((_, i) => names.slice(0, i + 4).join('/'));
};

test('neither a write to the stats of a quota nor one to its limits has the subtree counted again, nor taking it away and back', () => {
  const scene = new Scene();
  const { tree } = scene;
  scene.create('/w', 'xy');
  for (let i = 0; i < 1000; i++) scene.create(`/w/${i}`, 'z');
  scene.limit('/w');
  assert.equal(scene.stats('/w'), 'count=1001,bytes=1002');
  let looked = 0;
  const { dataLength } = tree;
  tree.dataLength = (row) => {
    looked++;
    return dataLength.call(tree, row);
  };
  const [limits, stats] = [`${QUOTA}/w/zookeeper_limits`, `${QUOTA}/w/zookeeper_stats`];
  for (let i = 0; i < 10; i++) {
    scene.set(stats, `count=${i},bytes=0`);
    assert.equal(scene.stats('/w'), 'count=1001,bytes=1002');
    scene.set(limits, 'count=20,bytes=-1');
    scene.delete(stats);
    scene.create(stats, '');
    assert.equal(scene.stats('/w'), 'count=1001,bytes=1002');
    scene.delete(limits);
    scene.create(limits, 'count=5,bytes=-1');
  }
  assert.ok(looked < 200, `${looked} nodes were looked at`);
  // and what happened while there was none is not lost
  scene.delete(limits);
  scene.create('/w/late', 'four');
  assert.equal(scene.stats('/w'), 'count=1001,bytes=1002');
  scene.create(limits, LIMITS);
  scene.set('/w/late', 'eighteen');
  assert.equal(scene.stats('/w'), 'count=1002,bytes=1010');
  assert.equal(scene.truth('/w'), 'count=1002,bytes=1010');
});

test('limits that are set anew are in force, and those of a quota that was taken away are not', () => {
  const scene = new Scene();
  const { quotas } = scene.tree;
  const limits = `${QUOTA}/a/b/zookeeper_limits`;
  scene.create('/a');
  scene.create('/a/b');
  scene.limit('/a');
  scene.limit('/a/b');
  scene.set(`${QUOTA}/a/zookeeper_limits`, 'count=-1,bytes=-1=;countHardLimit=2');
  assert.equal(quotas.exceeds('/a/b/c', 1, 0), false, 'the nearest one counts');
  assert.equal(quotas.exceeds('/a/c', 1, 0), true);
  scene.set(limits, 'count=-1,bytes=-1=;countHardLimit=1;byteHardLimit=10');
  assert.equal(quotas.exceeds('/a/b/c', 1, 0), true);
  assert.equal(quotas.exceeds('/a/b', 0, 11), true);
  assert.equal(quotas.exceeds('/a/b', 0, 10), false);
  scene.set(limits, 'count=-1,bytes=-1');
  assert.equal(quotas.exceeds('/a/b/c', 1, 0), false);
  scene.delete(limits);
  assert.equal(quotas.exceeds('/a/b/c', 1, 0), true, 'the next above counts now');
});

test('of very many subtrees that had a quota some are forgotten, and counted again when they have one once more', () => {
  const scene = new Scene();
  scene.create('/a');
  for (let i = 0; i < 1500; i++) {
    scene.create(`/a/${i}`, 'x');
    scene.limit(`/a/${i}`);
    scene.delete(`${QUOTA}/a/${i}/zookeeper_limits`);
  }
  assert.equal(scene.tree.quotas.size, 1000);
  for (const i of [0, 700, 1499]) {
    scene.create(`/a/${i}/late`, 'yz');
    scene.create(`${QUOTA}/a/${i}/zookeeper_limits`, LIMITS);
    scene.set(`/a/${i}/late`, 'xyz');
    assert.equal(scene.stats(`/a/${i}`), 'count=2,bytes=4');
  }
});

/** Something happens below `/t` or to a quota of it; the same to all, who are alike. */
function happen(random: Random, scenes: readonly Scene[]): void {
  const [scene] = scenes as readonly [Scene];
  const all = (run: (each: Scene) => void): void => scenes.forEach(run);
  const { tree } = scene;
  const paths: string[] = [];
  const stack = [tree.find('/t')];
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    paths.push(tree.pathOf(row));
    for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child)) stack.push(child);
  }
  const path = paths[random.below(paths.length)] as string;
  const row = tree.find(path);
  const data = 'x'.repeat(random.below(30));
  const limits = `${QUOTA}${path}/zookeeper_limits`;
  const stats = `${QUOTA}${path}/zookeeper_stats`;
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2: {
      if (tree.isEphemeral(row)) return;
      const owner = random.below(4) === 0 ? 77n : 0n;
      const name = `${path}/${tree.creates(row)}`;
      const content = random.below(5) > 0 ? data : null;
      return all((each) => each.create(name, content, owner));
    }
    case 3:
    case 4:
      return all((each) => each.set(path, data));
    case 5:
      if (path === '/t' || tree.children(row) > 0) return;
      return all((each) => each.delete(path));
    case 6:
      if (scene.has(limits)) return all((each) => each.set(limits, LIMITS));
      if (scene.has(stats)) return all((each) => each.create(limits, LIMITS));
      return all((each) => each.limit(path));
    case 7:
      if (scene.has(limits)) all((each) => each.delete(limits));
      return;
    case 8:
      if (!scene.has(stats)) return;
      return all((each) => each.set(stats, data));
    default:
      if (random.below(5) > 0) return;
      all((each) => each.apply({ kind: KIND.closeSession, id: 77n as never }));
      all((each) => each.apply(session));
  }
}
const session: Txn = { kind: KIND.createSession, id: 77n as never, timeoutMs: 4000, secret: Buffer.alloc(16) };

test('quotas within quotas, changed and taken away at random: what is shown is what is there, also from a snapshot on', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const scene = new Scene(new DataTree(seed));
    scene.apply(session);
    scene.create('/t');
    let scenes = [scene];
    for (let step = 0; step < 300; step++) {
      if (step % 50 === 25) scenes = [scene, scene.reloaded(seed + step), ...scenes.slice(1, 3)];
      happen(random, scenes);
      const wanted = digest(scene.tree);
      for (const each of scenes) assert.equal(digest(each.tree), wanted, `seed ${seed}, step ${step}`);
    }
    // every quota that is there shows what is there, once anything makes it
    const stack = [scene.tree.find(QUOTA)];
    let checked = 0;
    for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
      const { tree } = scene;
      const path = tree.pathOf(row);
      for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child)) stack.push(child);
      if (!path.endsWith('/zookeeper_limits')) continue;
      const subject = path.slice(QUOTA.length, path.lastIndexOf('/'));
      if (!scene.has(`${QUOTA}${subject}/zookeeper_stats`)) continue;
      scene.set(`${QUOTA}${subject}/zookeeper_stats`, '');
      assert.equal(scene.stats(subject), scene.truth(subject), `seed ${seed}, ${subject}`);
      checked++;
    }
    assert.ok(checked > 0, `seed ${seed}`);
  }
});
