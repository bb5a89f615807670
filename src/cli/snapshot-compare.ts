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

const HOW = `Enter: this depth, and on to the next. A number: that depth. A path (/a/b): the children of that node. q: the end.`;

/** Tells where two trees differ by more than the limits. */
class Comparison {
  alike = true;
  readonly depths: number;
  private readonly a: Weighed;
  private readonly b: Weighed;
  private readonly limits: CompareLimits;
  private readonly out: OfflineOutput;
  constructor(a: Weighed, b: Weighed, limits: CompareLimits, out: OfflineOutput) {
    this.a = a;
    this.b = b;
    this.limits = limits;
    this.out = out;
    this.depths = Math.max(a.levels.length, b.levels.length);
  }
  counts(): void {
    const { out } = this;
    for (const { view, levels, root } of [this.a, this.b]) {
      out.line(`Snapshot ${view.file}`);
      out.line(`Node count: ${view.tree.rows.count}`);
      out.line(`Total size: ${root.bytes}`);
      out.line(`Max depth: ${levels.length}`);
      for (const [depth, nodes] of levels.entries()) out.line(`Count of nodes at depth ${depth}: ${nodes.size}`);
      out.line('');
    }
  }
  analysis(): void {
    const { bytes, nodes } = this.limits;
    this.out.line(
      `Printing analysis for nodes difference larger than ${bytes} bytes or node count difference larger than ${nodes}.`,
    );
  }
  depth(depth: number): Promise<void> {
    this.out.line(`Analysis for depth ${depth}`);
    return this.tell(depth, () => true);
  }
  /** What is directly below a node; '' is the root. */
  async below(path: string): Promise<void> {
    this.out.line(`Analysis for node ${visibleLine(path === '' ? '/' : path)}`);
    const depth = path === '' ? 0 : path.split('/').length - 1;
    if (this.at(depth).every((level) => !level.has(path)))
      return this.out.line(`Path ${visibleLine(path)} is neither found in left tree nor right tree.`);
    await this.tell(depth + 1, (each) => each.startsWith(`${path}/`));
  }
  private at(depth: number): [Map<string, Weight>, Map<string, Weight>] {
    return [this.a.levels[depth] ?? new Map(), this.b.levels[depth] ?? new Map()];
  }
  private async tell(depth: number, which: (path: string) => boolean): Promise<void> {
    const [one, other] = this.at(depth);
    for (const path of [...new Set([...one.keys(), ...other.keys()])].filter(which).sort()) {
      this.node(visibleLine(path), one.get(path), other.get(path));
      await this.out.rest();
    }
  }
  private node(shown: string, l: Weight | undefined, r: Weight | undefined): void {
    const { bytes, nodes } = this.limits;
    const only = l === undefined ? r : r === undefined ? l : undefined;
    if (only !== undefined) {
      const side = l === undefined ? 'right' : 'left';
      return this.line(
        only.bytes > bytes || only.descendants > nodes,
        `Node ${shown} found only in ${side} tree. Descendant size: ${only.bytes}. Descendant count: ${only.descendants}`,
        `Filtered ${side} node ${shown} of size ${only.bytes}`,
      );
    }
    if (l === undefined || r === undefined) return;
    const byBytes = Math.abs(l.bytes - r.bytes);
    const byNodes = Math.abs(l.descendants - r.descendants);
    this.line(
      byBytes > bytes || byNodes > nodes,
      `Node ${shown} found in both trees. Delta: ${byBytes} bytes, ${byNodes} descendants`,
      `Filtered node ${shown} of left size ${l.bytes}, right size ${r.bytes}`,
    );
  }
  private line(isBig: boolean, text: string, filtered: string): void {
    if (isBig) {
      this.alike = false;
      this.out.line(text);
    } else if (this.limits.debug) this.out.line(filtered);
  }
}

/**
 * Prints what differs by more than the limits; true when nothing of what was printed does. With `lines` somebody says step by
 * step what is to be seen; it ends with them, and behind the last depth.
 */
export async function compareSnapshots(
  left: SnapshotView,
  right: SnapshotView,
  limits: CompareLimits,
  out: OfflineOutput,
  lines?: AsyncIterable<string>,
): Promise<boolean> {
  const all = new Comparison(weigh(left), weigh(right), limits, out);
  all.counts();
  if (lines === undefined) {
    all.analysis();
    for (let depth = 0; depth < all.depths; depth++) await all.depth(depth);
    out.line('All layers compared.');
  } else await stepwise(all, lines, out);
  return all.alike;
}
async function stepwise(all: Comparison, lines: AsyncIterable<string>, out: OfflineOutput): Promise<void> {
  let depth = 0;
  const ask = (): void => {
    out.line(`Current depth is ${depth}\n${HOW}`);
    out.end();
  };
  ask();
  for await (const line of lines) {
    const said = line.trim();
    if (said === 'q') return;
    if (said === '') {
      all.analysis();
      await all.depth(depth++);
      if (depth >= all.depths) return out.line('All layers compared.');
    } else if (said.startsWith('/')) await all.below(said.replace(/\/+$/, ''));
    else if (/^\d{1,9}$/.test(said) && Number(said) < all.depths) {
      depth = Number(said);
      await all.depth(depth);
    } else out.line(`${visibleLine(said)} is not a depth from 0 to ${all.depths - 1}, nor a path, which begins with /`);
    out.line('');
    ask();
  }
}
