/** Which events a connection must be told, after semantics.md 7. */
import type { Change, ModelState } from '../model/state.ts';
import { parent } from '../model/tree.ts';

/** An event as it goes over the wire. Types: 1 created, 2 deleted, 3 data changed, 4 children changed. */
export interface Told {
  readonly type: number;
  readonly path: string;
}
const CREATED = 1;
const DELETED = 2;
const CHANGED = 3;
const CHILDREN = 4;

/** The watches of one connection: one-shot ones per table, and those that stay. */
export class WatchModel {
  private readonly data = new Set<string>();
  private readonly child = new Set<string>();
  private readonly persistent = new Set<string>();
  private readonly recursive = new Set<string>();

  watchData(path: string): void {
    this.data.add(path);
  }
  watchChildren(path: string): void {
    this.child.add(path);
  }
  watchAlways(path: string, recursive: boolean): void {
    (recursive ? this.recursive : this.persistent).add(path);
  }
  /** Of exactly this path; `kind` as removeWatches numbers it. True when there was one. */
  remove(path: string, kind: number): boolean {
    const sets =
      kind === 1
        ? [this.child]
        : kind === 2
          ? [this.data]
          : kind === 4
            ? [this.persistent]
            : kind === 5
              ? [this.recursive]
              : [this.child, this.data, this.persistent, this.recursive];
    return sets.map((set) => set.delete(path)).includes(true);
  }
  private isAbove(path: string): boolean {
    if (this.recursive.size === 0) return false;
    for (let at = path; ; at = parent(at)) {
      if (this.recursive.has(at)) return true;
      if (at === '/') return false;
    }
  }
  /** The data table is triggered for a path. */
  private fireData(path: string): boolean {
    const once = this.data.delete(path);
    return once || this.persistent.has(path) || this.isAbove(path);
  }
  private fireChild(path: string): boolean {
    const once = this.child.delete(path);
    return once || this.persistent.has(path);
  }
  /** What one change tells, in order; one-shot watches that it fires are gone. */
  take({ type, path }: Change): Told[] {
    const told: Told[] = [];
    if (type === 'changed') {
      if (this.fireData(path)) told.push({ type: CHANGED, path });
      return told;
    }
    const own = type === 'created' ? CREATED : DELETED;
    const heard = this.fireData(path);
    if (heard) told.push({ type: own, path });
    // the watcher that just heard of the deletion is not told twice
    if (type === 'deleted' && this.fireChild(path) && !heard) told.push({ type: DELETED, path });
    const above = parent(path);
    if (this.fireChild(above)) told.push({ type: CHILDREN, path: above });
    return told;
  }
  /** What setWatches tells at once, and what it registers (semantics.md 7.5). */
  catchUp(
    state: ModelState,
    moment: number,
    since: bigint,
    lists: {
      readonly data: readonly string[];
      readonly exist: readonly string[];
      readonly child: readonly string[];
      readonly persistent: readonly string[];
      readonly recursive: readonly string[];
    },
  ): Told[] {
    const told: Told[] = [];
    for (const path of lists.data) {
      const node = state.tree.get(path, moment);
      if (node === undefined) told.push({ type: DELETED, path });
      else if (node.mzxid > since) told.push({ type: CHANGED, path });
      else this.watchData(path);
    }
    for (const path of lists.exist) {
      if (state.tree.get(path, moment) === undefined) this.watchData(path);
      else told.push({ type: CREATED, path });
    }
    for (const path of lists.child) {
      const node = state.tree.get(path, moment);
      if (node === undefined) told.push({ type: DELETED, path });
      else if (node.pzxid > since) told.push({ type: CHILDREN, path });
      else this.watchChildren(path);
    }
    for (const path of lists.persistent) this.watchAlways(path, false);
    for (const path of lists.recursive) this.watchAlways(path, true);
    return told;
  }
}
