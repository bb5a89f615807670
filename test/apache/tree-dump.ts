/** A tree in memory in the form of what a client dumps. */
import { Reader } from '../../src/protocol/bytes.ts';
import { Stat } from '../../src/protocol/data.ts';
import type { DataTree } from '../../src/tree/data-tree.ts';
import { F } from '../../src/tree/rows.ts';
import type { DumpedNode } from './dump.ts';

const hex = (id: bigint): string => BigInt.asUintN(64, id).toString(16);

export function dumpTree(tree: DataTree): DumpedNode[] {
  const found: DumpedNode[] = [];
  for (let row = 1; row < tree.rows.high; row++) {
    if (tree.rows.get(row, F.pathLength) === 0) continue;
    const bytes = Buffer.alloc(68);
    tree.writeStat(row, bytes, 0);
    const stat = Stat.read(new Reader(bytes));
    const { ctime, mtime, version, cversion, aversion, ephemeralOwner, dataLength, numChildren } = stat;
    const ids = [stat.czxid, stat.mzxid, stat.pzxid].map(hex);
    const rest = [ctime, mtime, version, cversion, aversion, hex(ephemeralOwner), dataLength, numChildren];
    found.push({
      path: tree.pathOf(row),
      data: tree.data(row)?.toString('base64') ?? null,
      acl: tree.acl(row).map(({ perms, scheme, id }) => `${scheme}:${id}:${perms}`),
      stat: [...ids, ...rest].join(' '),
    });
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
