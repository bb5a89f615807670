import type { Zxid } from '../base/ids.ts';
import { parentOf } from '../base/path.ts';
import type { EventType, WatchInfo, WatchKind } from './api.ts';

export type TableKind = WatchInfo['kind'];
/** Kinds that one event ends. */
export type OneShotKind = 'data' | 'exists' | 'children';

/** The tables each request of removal means. */
export const TABLES_OF: Readonly<Record<WatchKind, readonly TableKind[]>> = {
  data: ['data', 'exists'],
  children: ['children'],
  persistent: ['persistent'],
  persistentRecursive: ['persistentRecursive'],
  any: ['data', 'exists', 'children', 'persistent', 'persistentRecursive'],
};

/** The event that tells of a watch's removal. */
export const REMOVED: Readonly<Record<TableKind, EventType>> = {
  data: 'DataWatchRemoved',
  exists: 'DataWatchRemoved',
  children: 'ChildWatchRemoved',
  persistent: 'PersistentWatchRemoved',
  persistentRecursive: 'PersistentWatchRemoved',
};

/** One-shot tables that an event of a type ends. */
const ENDS: Readonly<Partial<Record<EventType, readonly OneShotKind[]>>> = {
  NodeCreated: ['data', 'exists'],
  NodeDataChanged: ['data', 'exists'],
  NodeDeleted: ['data', 'exists', 'children'],
  NodeChildrenChanged: ['children'],
};

/**
 * Who waits for what, by path as the server knows it. `W` is one watcher, opaque here; the same watcher registered twice
 * at one place is one.
 */
export class WatchTable<W> {
  readonly #tables: Readonly<Record<TableKind, Map<string, Set<W>>>> = {
    data: new Map(),
    exists: new Map(),
    children: new Map(),
    persistent: new Map(),
    persistentRecursive: new Map(),
  };

  add(kind: TableKind, path: string, watcher: W): void {
    const table = this.#tables[kind];
    const there = table.get(path);
    if (there === undefined) table.set(path, new Set([watcher]));
    else there.add(watcher);
  }
  /** Takes one watcher out; true when it was there and none of this kind and path is left. */
  remove(kind: TableKind, path: string, watcher: W): boolean {
    const table = this.#tables[kind];
    const there = table.get(path);
    if (there === undefined || !there.delete(watcher)) return false;
    if (there.size > 0) return false;
    table.delete(path);
    return true;
  }
  /** Takes all watchers of a path and kind out. */
  removeAll(kind: TableKind, path: string): W[] {
    const there = this.#tables[kind].get(path);
    this.#tables[kind].delete(path);
    return there === undefined ? [] : [...there];
  }
  has(kind: TableKind, path: string): boolean {
    return this.#tables[kind].has(path);
  }
  paths(kind: TableKind): string[] {
    return [...this.#tables[kind].keys()];
  }
  get size(): number {
    let size = 0;
    for (const table of Object.values(this.#tables)) size += table.size;
    return size;
  }
  list(): WatchInfo[] {
    const all: WatchInfo[] = [];
    for (const kind of TABLES_OF.any) for (const path of this.#tables[kind].keys()) all.push({ path, kind });
    return all;
  }
  clear(): void {
    for (const table of Object.values(this.#tables)) table.clear();
  }
  /**
   * True when a standing persistent watch on the very path reports all that a one-shot watch would. Servers before 3.9
   * keep one mode per path and would let the one-shot watch replace the persistent one, so it is then kept here only.
   */
  covered(kind: OneShotKind, path: string): boolean {
    return this.has('persistent', path) || (kind !== 'children' && this.has('persistentRecursive', path));
  }
  /**
   * Who must hear of an event, each once; one-shot watches among them are gone afterwards.
   * `oneShotOnly`: persistent watchers heard this one already.
   */
  take(type: EventType, path: string, oneShotOnly = false): W[] {
    const hear = new Set<W>();
    for (const kind of ENDS[type] ?? []) {
      const there = this.#tables[kind].get(path);
      if (there === undefined) continue;
      for (const watcher of there) hear.add(watcher);
      this.#tables[kind].delete(path);
    }
    if (oneShotOnly) return [...hear];
    for (const watcher of this.#tables.persistent.get(path) ?? []) hear.add(watcher);
    const recursive = this.#tables.persistentRecursive;
    if (recursive.size > 0 && type !== 'NodeChildrenChanged')
      for (let at = path; at !== ''; at = parentOf(at))
        for (const watcher of recursive.get(at) ?? []) hear.add(watcher);
    return [...hear];
  }
}

/** A setWatches request; the persistent lists make it a setWatches2. */
export interface SetWatchesBody {
  readonly relativeZxid: Zxid;
  readonly dataWatches: string[];
  readonly existWatches: string[];
  readonly childWatches: string[];
  readonly persistentWatches: string[];
  readonly persistentRecursiveWatches: string[];
}

/** Stays below the frame limit of every server, whatever its jute.maxbuffer within reason. */
export const MAX_SET_WATCHES_BYTES = 128 * 1024;

/**
 * The requests that set all watches of `table` again (only those on `only`, if given), each below
 * {@link MAX_SET_WATCHES_BYTES}. Child watches on a path with a recursive watch come last: servers before 3.9 let the
 * later registration win, and there the recursive one loses nothing by it.
 */
export function setWatchesBodies<W>(table: WatchTable<W>, relativeZxid: Zxid, only?: string): SetWatchesBody[] {
  const bodies: SetWatchesBody[] = [];
  let body: SetWatchesBody | undefined;
  let bytes = 0;
  const put = (
    list: Exclude<keyof SetWatchesBody, 'relativeZxid'>,
    kind: TableKind,
    wanted: (path: string) => boolean,
  ): void => {
    for (const path of table.paths(kind)) {
      if ((only !== undefined && path !== only) || !wanted(path)) continue;
      const size = 4 + Buffer.byteLength(path);
      if (body === undefined || bytes + size > MAX_SET_WATCHES_BYTES) {
        body = {
          relativeZxid,
          dataWatches: [],
          existWatches: [],
          childWatches: [],
          persistentWatches: [],
          persistentRecursiveWatches: [],
        };
        bodies.push(body);
        bytes = 64;
      }
      bytes += size;
      body[list].push(path);
    }
  };
  const all = (): boolean => true;
  const recursive = (path: string): boolean => table.has('persistentRecursive', path);
  put('dataWatches', 'data', all);
  put('existWatches', 'exists', all);
  put('childWatches', 'children', (path) => !recursive(path));
  put('persistentWatches', 'persistent', all);
  put('persistentRecursiveWatches', 'persistentRecursive', all);
  body = undefined;
  put('childWatches', 'children', recursive);
  return bodies;
}
