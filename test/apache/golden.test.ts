/** Files that Debian's ZooKeeper 3.8 wrote are read as it reads them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadApache } from '../../src/apache/load.ts';
import { readLogFile } from '../../src/apache/read-log.ts';
import { readSnapshot } from '../../src/apache/read-snapshot.ts';
import { ReplayedTree } from '../../src/apache/replayed-tree.ts';
import { settled } from '../../src/apache/settle.ts';
import { decodeTxn } from '../../src/apache/txn.ts';
import type { DumpedNode } from './dump.ts';
import { goldenFiles, memoryDisk } from './memory-disk.ts';
import { dumpTree } from './tree-dump.ts';

const FOLDERS = { data: '/v2', log: '/v2' };
const golden = goldenFiles();
const seen = JSON.parse((golden.get('dump.json') as Buffer).toString()) as DumpedNode[];
const strict = { acceptLoss: false };
const without = (...parts: string[]): Map<string, Buffer> =>
  new Map([...golden].filter(([name]) => !parts.some((part) => name.startsWith(part))));

test('from every snapshot, plain, by gzip, by snappy and none, the logs lead to the tree that the server served', async () => {
  const variants: [string, Map<string, Buffer>][] = [
    ['snapshot.3c.snappy', golden],
    ['snapshot.34.gz', without('snapshot.3c')],
    ['snapshot.0', without('snapshot.3c', 'snapshot.34')],
    ['none', without('snapshot')],
  ];
  for (const [name, files] of variants) {
    const loaded = await loadApache(memoryDisk('/v2', files), FOLDERS, strict);
    assert.equal(loaded.snapshot ?? 'none', name);
    assert.deepEqual(dumpTree(settled(loaded.state)), seen, name);
    assert.equal(loaded.digestIsRight, true, name);
    assert.deepEqual([loaded.notes, loaded.lost], [[], []], name);
    assert.equal(loaded.state.ephemerals, 6, name);
  }
});

test('the golden files hold every kind of transaction that a scene of ours can cause', async () => {
  const kinds = new Map<string, number>();
  const disk = memoryDisk('/v2', golden);
  for (const name of ['log.1', 'log.35', 'log.3d']) {
    const end = await readLogFile(disk, `/v2/${name}`, ({ bytes, isWhole }) => {
      assert.ok(isWhole);
      const { txn } = decodeTxn(bytes);
      for (const each of [txn, ...(txn.op === 'multi' ? txn.parts : [])]) {
        const key = `${each.op} ${each.type}`;
        kinds.set(key, (kinds.get(key) ?? 0) + 1);
      }
    });
    assert.equal(end.isTorn, false);
  }
  const found = [...kinds.keys()].sort();
  for (const kind of [
    'create 1',
    'create 15',
    'create 19',
    'create 21',
    'delete 2',
    'setData 5',
    'setAcl 7',
    'check 13',
  ])
    assert.ok(
      found.some((each) => each.startsWith(kind)),
      `${kind} is not among ${found}`,
    );
  for (const kind of ['createSession -10', 'closeSession -11', 'multi 14', 'error -1'])
    assert.ok(kinds.has(kind), `${kind} is not among ${found}`);
});

test('a snapshot is verified to its end, and its digest and sessions are read', async () => {
  const disk = memoryDisk('/v2', golden);
  for (const [name, compression] of [
    ['snapshot.0', 'none'],
    ['snapshot.34.gz', 'gzip'],
    ['snapshot.3c.snappy', 'snappy'],
  ] as const) {
    const state = new ReplayedTree(0n);
    const read = await readSnapshot(disk, `/v2/${name}`, state);
    assert.equal(read.compression, compression);
    assert.equal(read.parser.sessions, state.sessions.size);
    assert.equal(read.parser.nodes, state.tree.rows.count);
    assert.notEqual(read.parser.digest, undefined, name);
  }
});
