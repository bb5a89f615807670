/** A session id is given once, whichever server gives it (I9, foundations.md 10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Handshakes } from '../../src/server/handshakes.ts';
import { SessionTracker } from '../../src/server/sessions.ts';
import { DataTree } from '../../src/tree/data-tree.ts';

const WALL = 1_700_000_000_000;
const given = (tree: DataTree, sid: number, wall: number, count: number): bigint[] => {
  const handshakes = new Handshakes(tree, new SessionTracker(2000), undefined as never, seededRandom(1), sid);
  return Array.from({ length: count }, () => handshakes.create({ timeoutMs: 4000 } as never, wall).txn.id);
};

test('ids begin with the number of their server, and go on behind every one that was given', () => {
  const all = new Set<bigint>();
  for (const sid of [1, 127, 128, 200, 254]) {
    const tree = new DataTree(1);
    let last: bigint | undefined;
    // the clock stands, and goes back: a process that starts again goes on behind the log
    for (const wall of [WALL, WALL, WALL - 3_600_000])
      for (const id of given(tree, sid, wall, 3)) {
        assert.equal(BigInt.asUintN(64, id) >> 56n, BigInt(sid), `server ${sid} gives ${id}`);
        assert.ok(last === undefined || id > last, `server ${sid}: ${id} behind ${last}`);
        tree.sessions.add(id, 4000, Buffer.alloc(16));
        last = id;
        assert.ok(!all.has(id));
        all.add(id);
      }
  }
});
