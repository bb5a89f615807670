/** What a quota counts: the same on every member, measured once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KIND, OPEN_ACL, type Txn } from '../../src/records/txns.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { SnapshotCursor, SnapshotLoader } from '../../src/tree/snapshot.ts';

function world() {
  const tree = new DataTree(1);
  let counter = 0;
  const does = (on: DataTree, txn: Txn): void => apply(on, 1, counter, 0, txn, NO_SINK);
  const all = [tree];
  const run = (txn: Txn): void => {
    counter++;
    for (const each of all) does(each, txn);
  };
  const make = (path: string, data = ''): void =>
    run({ kind: KIND.create, path, data: Buffer.from(data), acl: OPEN_ACL, owner: 0n, creates: 1 });
  const put = (path: string, data: string): void =>
    run({ kind: KIND.setData, path, data: Buffer.from(data), version: 1 });
  /** A member that starts from a snapshot of the first. */
  const join = (): DataTree => {
    const cursor = new SnapshotCursor(tree);
    const loader = new SnapshotLoader(1);
    for (let part = cursor.next(65536); part !== undefined; part = cursor.next(65536)) loader.push(Buffer.from(part));
    const joined = loader.finish();
    all.push(joined);
    return joined;
  };
  const limit = (path: string): void => {
    for (let at = 1; at > 0; at = path.indexOf('/', at) + 1) {
      const above = path.indexOf('/', at);
      const folder = `/zookeeper/quota${above < 0 ? path : path.slice(0, above)}`;
      if (tree.find(folder) === 0) make(folder);
    }
    make(`/zookeeper/quota${path}/zookeeper_limits`, 'count=-1,bytes=-1');
    make(`/zookeeper/quota${path}/zookeeper_stats`, '');
  };
  const shown = (on: DataTree, path: string): string =>
    on.data(on.find(`/zookeeper/quota${path}/zookeeper_stats`))?.toString() ?? '';
  return { tree, run, make, put, join, limit, shown };
}

test('a member that starts from a snapshot counts as those that went on, with a quota within another, too', () => {
  const it = world();
  for (const path of ['/a', '/a/b', '/a/b/c']) it.make(path, 'four');
  it.limit('/a');
  it.limit('/a/b');
  it.make('/a/b/d', 'xx');
  const joined = it.join();
  it.make('/a/e', 'y');
  it.put('/a/b/c', 'longer');
  it.run({ kind: KIND.delete, path: '/a/b/d' });
  for (const path of ['/a', '/a/b']) assert.equal(it.shown(joined, path), it.shown(it.tree, path), path);
  assert.deepEqual([it.shown(it.tree, '/a'), it.shown(it.tree, '/a/b')], ['count=4,bytes=15', 'count=2,bytes=10']);
});

test('whoever writes limits and statistics again makes nobody measure the subtree again', () => {
  const it = world();
  it.make('/a');
  for (let i = 0; i < 100; i++) it.make(`/a/${i}`, 'xy');
  it.limit('/a');
  let steps = 0;
  const { nextSibling } = it.tree;
  it.tree.nextSibling = (row: number) => {
    steps++;
    return nextSibling.call(it.tree, row);
  };
  for (let i = 0; i < 10; i++) {
    it.put('/zookeeper/quota/a/zookeeper_stats', 'count=7,bytes=7');
    it.put('/zookeeper/quota/a/zookeeper_limits', `count=${i},bytes=-1;countHardLimit=102`);
  }
  assert.equal(steps, 0);
  assert.equal(it.shown(it.tree, '/a'), 'count=101,bytes=200', 'what a client wrote there is not believed');
  assert.deepEqual([it.tree.quotas.exceeds('/a/new', 1, 0), it.tree.quotas.exceeds('/a/new', 2, 0)], [false, true]);
});

test('what the ensemble keeps for itself has no quotas', () => {
  const it = world();
  it.limit('/zookeeper/quota');
  assert.equal(it.tree.quotas.size, 0);
});

test('nodes below another are counted once for each state', () => {
  const it = world();
  it.make('/a');
  for (let i = 0; i < 100; i++) it.make(`/a/${i}`);
  let steps = 0;
  const { rows } = it.tree;
  const get = rows.get.bind(rows);
  rows.get = (row: number, field: number) => {
    steps++;
    return get(row, field);
  };
  const below = (): number => it.tree.descendants(it.tree.find('/a'));
  assert.equal(below(), 100);
  const first = steps;
  assert.equal(below(), 100);
  assert.ok(steps - first < 50, `${steps - first} looks`);
  it.make('/a/more');
  assert.equal(below(), 101);
});
