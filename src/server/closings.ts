import { parentOf } from '../base/path.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { PendingChanges, PendingNode } from './pending.ts';

/**
 * Sessions whose end is decided and not applied. Their ephemerals are gone for everything decided after, without an entry for
 * each: a session may have 100000 of them.
 */
export class Closings {
  private readonly tree: DataTree;
  private readonly pending: PendingChanges;
  /** By session: how many children each row loses. */
  private readonly losses = new Map<bigint, Map<number, number>>();
  private readonly total = new Map<number, number>();

  constructor(tree: DataTree, pending: PendingChanges) {
    this.tree = tree;
    this.pending = pending;
  }
  get size(): number {
    return this.losses.size;
  }
  /** True when the node of `row`, owned by `owner`, goes with its session. */
  takes(owner: bigint): boolean {
    return owner !== 0n && this.losses.has(owner);
  }
  /** Children that `row` will lose. */
  lost(row: number): number {
    return this.total.get(row) ?? 0;
  }
  /**
   * Proposal `by` will end the session. What is applied is counted by parent; only nodes that were decided differently from how
   * they are applied get an entry. Returns the paths of those, to be settled with the proposal.
   */
  decide(by: number, session: bigint): string[] {
    if (this.losses.has(session)) return [];
    const { tree, pending } = this;
    const losses = tree.ephemeralParents(session);
    const gone: PendingNode[] = [];
    const early = new Map<string, number>();
    for (const node of pending.all()) {
      if (node.owner !== session || !node.exists) continue;
      gone.push(node);
      const row = tree.find(node.path);
      if (row !== 0 && tree.owner(row) === session) continue;
      const parentPath = parentOf(node.path);
      early.set(parentPath, (early.get(parentPath) ?? 0) + 1);
    }
    for (const node of this.decidedOf(session)) {
      if (node.exists && node.owner === session) continue;
      const parent = tree.parent(tree.find(node.path));
      losses.set(parent, (losses.get(parent) ?? 0) - 1);
    }
    const changed = gone.map((node) => ({ ...node, exists: false, by }));
    for (const node of this.decidedAbove(losses, early)) {
      if (!node.exists) continue;
      const lost = (losses.get(tree.find(node.path)) ?? 0) + (early.get(node.path) ?? 0);
      if (lost > 0) changed.push({ ...node, children: node.children - lost, by });
    }
    for (const node of changed) pending.put(node);
    this.losses.set(session, losses);
    for (const [row, lost] of losses) this.total.set(row, this.lost(row) + lost);
    return changed.map(({ path }) => path);
  }
  /** What is decided of nodes that are applied and the session's. Most sessions have few; of which there is less is looked at. */
  private *decidedOf(session: bigint): Iterable<PendingNode> {
    const { tree, pending } = this;
    if ((tree.sessions.get(session)?.ephemeralCount ?? 0) <= pending.size) {
      for (const path of tree.ephemeralsOf(session)) {
        const node = pending.entry(path);
        if (node !== undefined) yield node;
      }
      return;
    }
    for (const node of pending.all()) {
      const row = tree.find(node.path);
      if (row !== 0 && tree.owner(row) === session) yield node;
    }
  }
  /** What is decided of nodes that lose children; of others, too, where that is less to look at. */
  private *decidedAbove(losses: Map<number, number>, early: Map<string, number>): Iterable<PendingNode> {
    const { tree, pending } = this;
    if (losses.size + early.size > pending.size) return yield* pending.all();
    const paths = new Set(early.keys());
    for (const row of losses.keys()) paths.add(tree.pathOf(row));
    for (const path of paths) {
      const node = pending.entry(path);
      if (node !== undefined) yield node;
    }
  }
  /** Nothing is decided any more. */
  clear(): void {
    this.losses.clear();
    this.total.clear();
  }
  /** The end of the session is applied. */
  settle(session: bigint): void {
    for (const [row, lost] of this.losses.get(session) ?? []) {
      const left = this.lost(row) - lost;
      if (left === 0) this.total.delete(row);
      else this.total.set(row, left);
    }
    this.losses.delete(session);
  }
}
