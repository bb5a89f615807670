import type { DataTree } from '../tree/data-tree.ts';

/** Nodes looked at in one slice: below a millisecond or two. */
const SLICE = 5000;

/**
 * Finds containers that are empty and nodes past their time to live, a bounded slice at a time: one round goes over all such
 * nodes, in as many slices as that takes.
 */
export class Reaper {
  private readonly tree: DataTree;
  private readonly maxNeverUsedMs: number;
  /** Rows are found also when they come during a round; one that goes is not visited. */
  private at: Iterator<number> | undefined;

  constructor(tree: DataTree, maxNeverUsedMs: number) {
    this.tree = tree;
    this.maxNeverUsedMs = maxNeverUsedMs;
  }
  /** Paths that are due at `wall` ms among the next nodes, at most `limit`; `done` ends the round. */
  slice(wall: number, limit: number): { paths: string[]; done: boolean } {
    const { tree } = this;
    this.at ??= tree.timed.values();
    const paths: string[] = [];
    for (let looked = 0; looked < SLICE && paths.length < limit; looked++) {
      const next = this.at.next();
      if (next.done === true) {
        this.at = undefined;
        return { paths, done: true };
      }
      if (this.isDue(next.value, wall)) paths.push(tree.pathOf(next.value));
    }
    return { paths, done: false };
  }
  private isDue(row: number, wall: number): boolean {
    const { tree, maxNeverUsedMs: unused } = this;
    if (tree.children(row) > 0) return false;
    const age = wall - tree.mtime(row);
    const ttl = tree.ttlMs(row);
    return ttl > 0 ? age > ttl : tree.creates(row) > 0 || (unused > 0 && age > unused);
  }
}
