import { crc32 } from 'node:zlib';
import type { DataTree } from '../tree/data-tree.ts';
import { AT, F } from '../tree/rows.ts';

const STAT_BYTES = 60;

/** The owner of a node as Apache stores it: a session, or what makes it a container or gives it a time to live. */
export function storedOwner(tree: DataTree, row: number): { hi: number; lo: number } {
  const { rows } = tree;
  const hi = rows.get(row, F.ownerHi);
  const lo = rows.get(row, F.ownerLo);
  // while logs are replayed ephemerals are nodes like others, but for their Stat
  return hi === 0 && lo === 0 ? { hi: rows.stat(row, AT.owner), lo: rows.stat(row, AT.owner + 4) } : { hi, lo };
}

/** Walks the tree and sums up what Apache's digest of it is (zab.md B.2): 64 bits, as a signed number. */
export function treeDigest(tree: DataTree): bigint {
  const { rows } = tree;
  const stat = Buffer.alloc(STAT_BYTES);
  let sum = 0n;
  for (let row = 1; row < rows.high; row++) {
    const length = rows.get(row, F.pathLength);
    if (length === 0) continue;
    const ref = rows.get(row, F.pathRef);
    const at = tree.slabs.offset(ref);
    const path = tree.slabs.page(ref).subarray(at, at + length);
    if (isBelowZookeeper(path)) continue;
    let sumOfNode = row === tree.root ? 0 : crc32(path);
    const data = tree.data(row);
    if (data !== null) sumOfNode = crc32(data, sumOfNode);
    const page = rows.page(row);
    const from = rows.offset(row);
    // czxid mzxid pzxid ctime mtime as longs, version creates aversion as ints, the owner
    page.copy(stat, 0, from + AT.czxid, from + AT.czxid + 16);
    page.copy(stat, 16, from + AT.pzxid, from + AT.pzxid + 8);
    page.copy(stat, 24, from + AT.ctime, from + AT.ctime + 16);
    page.copy(stat, 40, from + AT.version, from + AT.version + 4);
    const { hi, lo } = storedOwner(tree, row);
    stat.writeInt32BE(rows.get(row, F.creates) | 0, 44);
    page.copy(stat, 48, from + AT.aversion, from + AT.aversion + 4);
    stat.writeInt32BE(hi | 0, 52);
    stat.writeInt32BE(lo | 0, 56);
    sum += BigInt(crc32(stat, sumOfNode));
  }
  return BigInt.asIntN(64, sum);
}

const BELOW = Buffer.from('/zookeeper/');
const isBelowZookeeper = (path: Buffer): boolean =>
  path.length >= BELOW.length && path.compare(BELOW, 0, BELOW.length, 0, BELOW.length) === 0;
