/** Children and data below each node of a snapshot, as Apache's SnapshotRecursiveSummary says it. */
import { type SnapshotView, walkTree } from '../offline/snapshot-view.ts';
import { visibleLine } from '../out/data.ts';
import { Failure } from '../shell/failure.ts';
import type { OfflineOutput } from './offline-output.ts';

/** A node with all below it. */
interface Sum {
  readonly row: number;
  descendants: number;
  bytes: number;
}

/**
 * Each node below `start` that has children, `start` first, down to `depth` levels below it; 0: all levels. What is deeper
 * counts, and is not shown. @throws Failure (10)
 */
export async function summarizeSnapshot(
  { file, tree }: SnapshotView,
  start: string,
  depth: number,
  out: OfflineOutput,
): Promise<void> {
  const row = tree.find(start);
  if (row === 0) throw new Failure(10, 'NoNode', `node does not exist in ${file}: ${start}`, { path: start });
  const top = { row, depth: 0, path: start };
  const isShown = (node: { readonly row: number; readonly depth: number }): boolean =>
    (depth === 0 || node.depth <= depth) && tree.firstChild(node.row) !== 0;
  const shown = new Map<number, Sum>();
  const open: Sum[] = [];
  const sums = walkTree(
    tree,
    (node) => {
      const done = open.pop() as Sum;
      if (isShown(node)) shown.set(done.row, done);
      const above = open.at(-1);
      if (above === undefined) return;
      above.descendants += done.descendants + 1;
      above.bytes += done.bytes;
    },
    top,
  );
  for (const node of sums) open.push({ row: node.row, descendants: 0, bytes: Math.max(0, tree.dataLength(node.row)) });
  for (const node of walkTree(tree, undefined, top)) {
    const sum = shown.get(node.row);
    if (sum === undefined) continue;
    const indent = '--'.repeat(node.depth);
    out.line(`${indent} ${visibleLine(node.path)}`);
    out.line(`${indent}   children: ${sum.descendants}`);
    out.line(`${indent}   data: ${sum.bytes}`);
    await out.rest();
  }
  out.line('');
}
