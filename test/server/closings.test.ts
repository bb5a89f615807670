/** Sessions that end: what is decided of their ephemerals, and that many at once keep nobody waiting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parentOf } from '../../src/base/path.ts';
import { seededRandom } from '../../src/base/random.ts';
import { KIND, OPEN_ACL, type Txn } from '../../src/records/txns.ts';
import { Closings } from '../../src/server/closings.ts';
import { MOST_EXPIRED } from '../../src/server/office.ts';
import { PendingChanges, type PendingNode } from '../../src/server/pending.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { rig } from './rig.ts';

const SESSIONS = [1n, 2n, 3n, 4n];

/** A tree of a few parents and ephemerals, and what is decided beside it. */
function scene(seed: number) {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  const tree = new DataTree(1);
  let counter = 0;
  const take = (txn: Txn): void => apply(tree, 1, ++counter, counter, txn, NO_SINK);
  const make = (path: string, owner: bigint): void =>
    take({ kind: KIND.create, path, data: null, acl: OPEN_ACL, owner, creates: counter });
  for (const id of SESSIONS)
    take({ kind: KIND.createSession, id: id as never, timeoutMs: 4000, secret: Buffer.alloc(16) });
  const parents = ['/a', '/b', '/b/c', '/d'];
  for (const path of parents) make(path, 0n);
  const paths = Array.from({ length: random.below(30) }, (_, i) => `${pick(parents)}/e${i}`);
  for (const path of paths) make(path, pick([0n, ...SESSIONS]));
  const load = (path: string): PendingNode | undefined => {
    const row = tree.find(path);
    if (row === 0) return undefined;
    const children = [...parents, ...paths].filter((each) => parentOf(each) === path).length;
    const fresh = { version: 0, aversion: 0, creates: 0, acl: OPEN_ACL, dataBytes: 0, by: 0 };
    return { path, exists: true, children, owner: tree.owner(row), ...fresh };
  };
  const pending = new PendingChanges({ load });
  const change = (path: string, by: number, to: Partial<PendingNode>): void => {
    const node = pending.entry(path) ?? load(path) ?? (load('/a') as PendingNode);
    pending.put({ ...node, path, by, ...to });
  };
  for (let by = 1; by < random.below(40); by++) {
    const path = random.below(3) === 0 ? `${pick(parents)}/new${random.below(9)}` : pick([...parents, ...paths]);
    const isThere = pending.get(path) !== undefined;
    const above = pending.get(parentOf(path)) as PendingNode;
    if (isThere && (parents.includes(path) || random.below(2) === 0)) change(path, by, { version: by });
    else {
      change(path, by, { exists: !isThere, owner: pick([0n, ...SESSIONS]), children: 0 });
      change(parentOf(path), by, { children: above.children + (isThere ? -1 : 1) });
    }
  }
  return { tree, pending };
}

/** What the end of a session changes, looked for everywhere. */
function everywhere({ tree, pending }: ReturnType<typeof scene>, session: bigint) {
  const losses = tree.ephemeralParents(session);
  const lost = new Map<string, number>();
  const gone: string[] = [];
  const add = (path: string, by: number): void => void lost.set(path, (lost.get(path) ?? 0) + by);
  for (const [row, count] of losses) add(tree.pathOf(row), count);
  for (const { path, exists, owner } of pending.all()) {
    const row = tree.find(path);
    const isApplied = row !== 0 && tree.owner(row) === session;
    const isDecided = exists && owner === session;
    if (isApplied && !isDecided) add(parentOf(path), -1);
    if (isDecided && !isApplied) add(parentOf(path), 1);
    if (isDecided) gone.push(path);
  }
  const after = new Map([...pending.all()].map(({ path, exists, children }) => [path, { exists, children }]));
  for (const path of gone) after.set(path, { ...(after.get(path) as PendingNode), exists: false });
  for (const [path, count] of lost) {
    const node = after.get(path);
    if (node?.exists && count > 0) after.set(path, { ...node, children: node.children - count });
  }
  return after;
}

test('the end of a session is decided as if everything under way had been looked at', () => {
  let ends = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const it = scene(seed);
    for (const session of SESSIONS) {
      const expected = everywhere(it, session);
      const closings = new Closings(it.tree, it.pending);
      const before = new Map([...it.pending.all()].map((node) => [node.path, node]));
      const touched = closings.decide(1000, session);
      const found = new Map([...it.pending.all()].map(({ path, exists, children }) => [path, { exists, children }]));
      assert.deepEqual(found, expected, `seed ${seed}, session ${session}`);
      const changed = [...it.pending.all()].filter((node) => before.get(node.path) !== node);
      assert.deepEqual(new Set(touched), new Set(changed.map(({ path }) => path)));
      ends += touched.length;
    }
  }
  assert.ok(ends > 1000, `${ends} nodes`);
});

test('a session without ephemerals ends without a look at the tree, whatever is under way', () => {
  const { tree, pending } = scene(1);
  for (let i = 0; i < 1000; i++) pending.put({ ...(pending.get('/a') as PendingNode), path: `/set${i}`, owner: 0n });
  let finds = 0;
  const { find } = tree;
  tree.find = (path) => {
    finds++;
    return find.call(tree, path);
  };
  assert.deepEqual(new Closings(tree, pending).decide(1000, 99n), []);
  assert.equal(finds, 0);
});

test('sessions that go all at once end some at a time; who is heard before his turn lives on', () => {
  const { server, attach, settle } = rig({ below: () => 0, bytes: (count) => Buffer.alloc(count, 7) });
  const ids = Array.from({ length: MOST_EXPIRED + 10 }, () => attach().session);
  server.now += 60_000;
  assert.equal(server.expire(), MOST_EXPIRED);
  assert.equal(server.expiresMore, true);
  const heard = server.tracker.get(ids.at(-1) as never) ?? assert.fail();
  server.tracker.touch(heard, server.now);
  assert.equal(server.expire(), 9);
  assert.equal(server.expiresMore, false);
  settle();
  assert.deepEqual(
    [...server.tree.sessions.all()].map(({ id }) => id),
    [ids.at(-1)],
  );
});
