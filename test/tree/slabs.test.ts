/** Values that change their sizes leave no pages behind that are nearly empty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { KIND, OPEN_ACL } from '../../src/records/txns.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { digest, SnapshotCursor, SnapshotLoader } from '../../src/tree/snapshot.ts';

const NODES = 30_000;
const SETS = 200_000;

test('memory follows the live bytes through sets of random sizes; snapshots taken meanwhile are exact', () => {
  const random = seededRandom(7);
  const tree = new DataTree(1);
  const versions = new Int32Array(NODES);
  let zxid = 0;
  for (let i = 0; i < NODES; i++)
    apply(
      tree,
      1,
      ++zxid,
      1,
      { kind: KIND.create, path: `/n${i}`, data: Buffer.alloc(100, i), acl: OPEN_ACL, owner: 0n, creates: i + 1 },
      NO_SINK,
    );
  const loaded = tree.slabs.bytes;
  let cursor: SnapshotCursor | undefined;
  let loader = new SnapshotLoader(2);
  let expected = '';
  let snapshots = 0;
  for (let i = 0; i < SETS; i++) {
    if (i % 50_000 === 0) {
      cursor = new SnapshotCursor(tree);
      loader = new SnapshotLoader(2);
      expected = digest(tree);
    }
    const n = random.below(NODES);
    versions[n] = (versions[n] as number) + 1;
    const data = Buffer.alloc(1 + random.below(199), i);
    apply(tree, 1, ++zxid, 1, { kind: KIND.setData, path: `/n${n}`, data, version: versions[n] as number }, NO_SINK);
    if (cursor === undefined || i % 100 !== 0) continue;
    const chunk = cursor.next(16384);
    if (chunk !== undefined) loader.push(Buffer.from(chunk));
    else {
      assert.equal(digest(loader.finish()), expected);
      cursor = undefined;
      snapshots++;
    }
  }
  assert.equal(snapshots, 4);
  console.log(`slabs: ${loaded} bytes loaded, ${tree.slabs.bytes} after ${SETS} sets, ${tree.dataBytes} live`);
  assert.ok(tree.slabs.bytes < loaded * 1.35, `${tree.slabs.bytes} bytes for ${tree.dataBytes}`);
});
