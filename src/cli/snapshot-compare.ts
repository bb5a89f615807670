/** Two snapshots level by level, as Apache's SnapshotComparer says it. */

import { type SnapshotView, walkTree } from '../offline/snapshot-view.ts';
import { visibleLine } from '../out/data.ts';
import type { OfflineOutput } from './offline-output.ts';

/** A node with all below it. */
interface Weight {
  readonly path: string;
  bytes: number;
  descendants: number;
}
interface Weighed {
  readonly view: SnapshotView;
  readonly levels: Map<string, Weight>[];
  readonly root: Weight;
}

function weigh(view: SnapshotView): Weighed {
  const { tree } = view;
  const levels: Map<string, Weight>[] = [];
  const open: Weight[] = [];
  const walk = walkTree(tree, () => {
    const done = open.pop() as Weight;
    const above = open.at(-1);
    if (above === undefined) return;
    above.bytes += done.bytes;
    above.descendants += done.descendants + 1;
  });
  for (const { row, depth, path } of walk) {
    const weight = { path: depth === 0 ? '' : path, bytes: Math.max(0, tree.dataLength(row)), descendants: 0 };
    open.push(weight);
    levels[depth] ??= new Map();
    levels[depth].set(weight.path, weight);
  }
  return { view, levels, root: levels[0]?.get('') as Weight };
}

export interface CompareLimits {
  readonly bytes: number;
  readonly nodes: number;
  /** Tells also what is below the limits. */
  readonly debug: boolean;
}

/** Prints what differs by more than the limits; true when nothing does. */
export async function compareSnapshots(
  left: SnapshotView,
  right: SnapshotView,
  limits: CompareLimits,
  out: OfflineOutput,
): Promise<boolean> {
  const a = weigh(left);
  const b = weigh(right);
  for (const { view, levels, root } of [a, b]) {
    out.line(`Snapshot ${view.file}`);
    out.line(`Node count: ${view.tree.rows.count}`);
    out.line(`Total size: ${root.bytes}`);
    out.line(`Max depth: ${levels.length}`);
    for (const [depth, nodes] of levels.entries()) out.line(`Count of nodes at depth ${depth}: ${nodes.size}`);
    out.line('');
  }
  const { bytes, nodes, debug } = limits;
  out.line(
    `Printing analysis for nodes difference larger than ${bytes} bytes or node count difference larger than ${nodes}.`,
  );
  let alike = true;
  const tell = (isBig: boolean, text: string, filtered: string): void => {
    if (isBig) {
      alike = false;
      out.line(text);
    } else if (debug) out.line(filtered);
  };
  for (let depth = 0; depth < Math.max(a.levels.length, b.levels.length); depth++) {
    out.line(`Analysis for depth ${depth}`);
    const [one, other] = [a.levels[depth] ?? new Map<string, Weight>(), b.levels[depth] ?? new Map<string, Weight>()];
    for (const path of [...new Set([...one.keys(), ...other.keys()])].sort()) {
      const l = one.get(path);
      const r = other.get(path);
      const shown = visibleLine(path);
      const byBytes = Math.abs((l?.bytes ?? 0) - (r?.bytes ?? 0));
      if (l !== undefined && r !== undefined) {
        const byNodes = Math.abs(l.descendants - r.descendants);
        tell(
          byBytes > bytes || byNodes > nodes,
          `Node ${shown} found in both trees. Delta: ${byBytes} bytes, ${byNodes} descendants`,
          `Filtered node ${shown} of left size ${l.bytes}, right size ${r.bytes}`,
        );
      } else {
        const only = (l ?? r) as Weight;
        const side = l === undefined ? 'right' : 'left';
        tell(
          only.bytes > bytes || only.descendants > nodes,
          `Node ${shown} found only in ${side} tree. Descendant size: ${only.bytes}. Descendant count: ${only.descendants}`,
          `Filtered ${side} node ${shown} of size ${only.bytes}`,
        );
      }
      await out.rest();
    }
  }
  out.line('All layers compared.');
  return alike;
}
