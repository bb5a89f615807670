import type { DataTree } from './data-tree.ts';

/** Rows that one slice looks at: a fraction of a millisecond. */
const SLICE = 8192;
/** Children whose names tell how long those of the others are. */
const SAMPLE = 64;
/** Names longer than that in the middle are not looked for: whoever has few children needs no look at them. */
const LONG_NAME = 1024;
/** Of a reply: its header, and the Stat and the length of the data or the number of the children. */
const AROUND = 16 + 68 + 4;

/** A node of which a reply comes near to what a packet may have. */
export interface LargeNode {
  readonly row: number;
  /** Bytes of the reply, those of children as their names are in the middle. */
  readonly bytes: number;
  readonly kind: 'data' | 'children';
  readonly children: number;
}

/** Bytes of the names of the first children in the middle, and their length in front. */
function bytesOfName(tree: DataTree, row: number): number {
  let sum = 0;
  let count = 0;
  for (let child = tree.firstChild(row); child !== 0 && count < SAMPLE; child = tree.nextSibling(child), count++)
    sum += 4 + tree.pathLength(child) - tree.prefixLength(row);
  return count === 0 ? 0 : sum / count;
}

/** Goes round over the rows of a tree, a slice at a time, for nodes that a client might not be able to read or to list. */
export class LargeNodes {
  private at = 1;
  private tree: DataTree | undefined;

  /** Those of the next slice with replies of `least` bytes or more; `isRound` when it was the last one of a round. */
  look(tree: DataTree, least: number): { readonly found: readonly LargeNode[]; readonly isRound: boolean } {
    if (this.tree !== tree) this.at = 1;
    this.tree = tree;
    const found: LargeNode[] = [];
    const end = Math.min(tree.rows.high, this.at + SLICE);
    for (let row = this.at; row < end; row++) {
      if (tree.pathLength(row) === 0) continue; // a row that is free
      const data = AROUND + tree.dataLength(row);
      if (data >= least) found.push({ row, bytes: data, kind: 'data', children: 0 });
      const children = tree.children(row);
      if (children * LONG_NAME < least) continue;
      const bytes = AROUND + children * bytesOfName(tree, row);
      if (bytes >= least) found.push({ row, bytes: Math.round(bytes), kind: 'children', children });
    }
    const isRound = end >= tree.rows.high;
    this.at = isRound ? 1 : end;
    return { found, isRound };
  }
}
