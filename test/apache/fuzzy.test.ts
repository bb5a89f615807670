/** A snapshot that was written while transactions went on, and the log from before it: the tree is what the server had. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { storedOwner } from '../../src/apache/digest.ts';
import { loadApache } from '../../src/apache/load.ts';
import type { ReplayedTree } from '../../src/apache/replayed-tree.ts';
import { seededRandom } from '../../src/base/random.ts';
import { bigOf } from '../../src/records/log-record.ts';
import { AT, F } from '../../src/tree/rows.ts';
import { amount } from '../amount.ts';
import { logFile } from './log-writer.ts';
import { memoryDisk } from './memory-disk.ts';
import { type ModelNode, ModelServer } from './model-server.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const FOLDERS = { data: '/v2', log: '/v2' };

/**
 * Before 3.6 a session that ended while the snapshot was written does not say which nodes it took along: where the parent
 * was written before and the child was gone after, nothing tells that the parent changed. `exact` false leaves out pzxid.
 */
function rowsOf({ tree }: ReplayedTree, exact: boolean): Record<string, unknown> {
  const found: [string, unknown][] = [];
  const { rows } = tree;
  for (let row = 1; row < rows.high; row++) {
    if (rows.get(row, F.pathLength) === 0) continue;
    const long = (at: number): bigint => bigOf({ hi: rows.stat(row, at), lo: rows.stat(row, at + 4) });
    found.push([
      tree.pathOf(row),
      {
        data: tree.data(row)?.toString('hex') ?? null,
        acl: JSON.stringify(tree.acl(row)),
        zxids: [long(AT.czxid), long(AT.mzxid), exact ? long(AT.pzxid) : ''].join(),
        times: [long(AT.ctime), long(AT.mtime)].join(),
        counts: [tree.version(row), rows.get(row, F.creates), tree.aversion(row), tree.children(row)].join(),
        owner: bigOf(storedOwner(tree, row)),
      },
    ]);
  }
  return Object.fromEntries(found.sort());
}
function modelOf({ nodes }: ModelServer, exact: boolean): Record<string, unknown> {
  const row = (n: ModelNode): unknown => ({
    data: n.data?.toString('hex') ?? null,
    acl: JSON.stringify(n.acl),
    zxids: [n.czxid, n.mzxid, exact ? n.pzxid : ''].join(),
    times: [n.ctime, n.mtime].join(),
    counts: [n.version, n.creates, n.aversion, n.children.size].join(),
    owner: n.owner,
  });
  return Object.fromEntries([...nodes].map(([path, node]): [string, unknown] => [path, row(node)]).sort());
}

test('random histories: whatever was under way while the snapshot was written, replay leads to the same tree', async () => {
  let passed = 0;
  for (let round = 0; round < amount(3000, 250); round++) {
    const random = seededRandom(seed + round);
    const exact = round % 4 !== 0;
    const server = new ModelServer(random, 0x3_0000_0000n, exact);
    for (let i = random.below(120); i > 0; i--) server.step();
    const began = server.zxid;
    const snapshot = server.fuzzy(
      () => {
        for (let i = random.below(5); i > 0; i--) server.step();
      },
      round % 2 === 0,
    );
    for (let i = random.below(60); i > 0; i--) server.step();
    // the log that the snapshot falls into, cut at random places into files
    const files = new Map([[`snapshot.${began.toString(16)}`, snapshot]]);
    for (let from = 0; from < server.log.length; ) {
      const count = 1 + random.below(100);
      const part = server.log.slice(from, from + count);
      files.set(`log.${part[0]?.zxid.toString(16)}`, logFile(part, random.below(3) * 500));
      from += count;
    }
    const { state } = await loadApache(memoryDisk('/v2', files), FOLDERS, { acceptLoss: false });
    assert.equal(state.zxid, server.zxid, `seed ${seed + round}`);
    assert.deepEqual(rowsOf(state, exact), modelOf(server, exact), `seed ${seed + round}`);
    assert.deepEqual(new Map([...state.sessions].sort()), new Map([...server.sessions].sort()), `seed ${seed + round}`);
    if (server.zxid > began) passed++;
  }
  assert.ok(passed > 100);
});
