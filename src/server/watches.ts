import type { ClientConnection } from './connection.ts';

/** Modes of one connection's watch on one path in one table, side by side (semantics.md 7.1). */
export const MODE = { standard: 1, persistent: 2, recursive: 4 } as const;

/** Entries that a Map of V8 may have; the next one is refused with an exception. */
export const MOST_PATHS = 2 ** 24;

type Watchers = Map<ClientConnection, number>;
/** Told who gets an event; each connection once. */
export type Deliver = (connection: ClientConnection) => void;

/** Who asked about which path. Two tables: data (node itself) and children; recursive watches live in the data table. */
class Table {
  readonly paths = new Map<string, Watchers>();
  add(connection: ClientConnection, path: string, mode: number): boolean {
    let watchers = this.paths.get(path);
    if (watchers === undefined) {
      watchers = new Map();
      this.paths.set(path, watchers);
    }
    const had = watchers.get(connection) ?? 0;
    if ((had & mode) !== 0) return false;
    watchers.set(connection, had | mode);
    return true;
  }
  modes(connection: ClientConnection, path: string): number {
    return this.paths.get(path)?.get(connection) ?? 0;
  }
  /** Takes the given modes away; returns those that were there. */
  remove(connection: ClientConnection, path: string, modes: number): number {
    const watchers = this.paths.get(path);
    const had = watchers?.get(connection) ?? 0;
    const gone = had & modes;
    if (watchers === undefined || gone === 0) return 0;
    if (had === gone) {
      watchers.delete(connection);
      if (watchers.size === 0) this.paths.delete(path);
    } else watchers.set(connection, had & ~modes);
    return gone;
  }
}

export class WatchManager {
  private readonly data = new Table();
  private readonly child = new Table();
  /** How many recursive watches there are; none, and no ancestor is looked up. */
  private recursiveCount = 0;
  /** Registrations in each table; `data` includes recursive ones. */
  dataCount = 0;
  childCount = 0;

  get size(): number {
    return this.dataCount + this.childCount;
  }
  /** Paths in the table that has more of them. */
  get paths(): number {
    return Math.max(this.data.paths.size, this.child.paths.size);
  }
  addData(connection: ClientConnection, path: string): void {
    if (this.data.add(connection, path, MODE.standard)) this.dataCount++;
    connection.watched.add(path);
  }
  addChild(connection: ClientConnection, path: string): void {
    if (this.child.add(connection, path, MODE.standard)) this.childCount++;
    connection.watched.add(path);
  }
  addPersistent(connection: ClientConnection, path: string): void {
    if (this.data.add(connection, path, MODE.persistent)) this.dataCount++;
    if (this.child.add(connection, path, MODE.persistent)) this.childCount++;
    connection.watched.add(path);
  }
  addRecursive(connection: ClientConnection, path: string): void {
    if (this.data.add(connection, path, MODE.recursive)) {
      this.dataCount++;
      this.recursiveCount++;
    }
    connection.watched.add(path);
  }

  /** The data table is triggered for `path`: created, changed or deleted. */
  triggerData(path: string, deliver: Deliver): void {
    if (this.dataCount === 0) return;
    const watchers = this.data.paths.get(path);
    if (this.recursiveCount === 0) {
      if (watchers !== undefined) this.fire(this.data, path, watchers, deliver, undefined);
      return;
    }
    const told = new Set<ClientConnection>();
    const once: Deliver = (connection) => {
      if (told.has(connection)) return;
      told.add(connection);
      deliver(connection);
    };
    if (watchers !== undefined) this.fire(this.data, path, watchers, once, undefined);
    for (let at = path; at !== '/' && at !== ''; ) {
      const slash = at.lastIndexOf('/');
      at = slash <= 0 ? '/' : at.slice(0, slash);
      for (const [connection, modes] of this.data.paths.get(at) ?? [])
        if ((modes & MODE.recursive) !== 0) once(connection);
    }
  }
  /** The child table is triggered for `path`; connections in `except` were told already but lose their one-shot watch. */
  triggerChild(path: string, deliver: Deliver, except?: ReadonlySet<ClientConnection>): void {
    if (this.childCount === 0) return;
    const watchers = this.child.paths.get(path);
    if (watchers !== undefined) this.fire(this.child, path, watchers, deliver, except);
  }
  private fire(
    table: Table,
    path: string,
    watchers: Watchers,
    deliver: Deliver,
    except: ReadonlySet<ClientConnection> | undefined,
  ): void {
    for (const [connection, modes] of watchers) {
      if ((modes & MODE.standard) !== 0) {
        if (table === this.data) this.dataCount--;
        else this.childCount--;
        if (modes === MODE.standard) {
          watchers.delete(connection);
          this.forgetPath(connection, path);
        } else watchers.set(connection, modes & ~MODE.standard);
      }
      if (except?.has(connection) !== true) deliver(connection);
    }
    if (watchers.size === 0) table.paths.delete(path);
  }
  private forgetPath(connection: ClientConnection, path: string): void {
    if (this.data.modes(connection, path) === 0 && this.child.modes(connection, path) === 0)
      connection.watched.delete(path);
  }

  /** Has this connection such watches on exactly this path? */
  has(connection: ClientConnection, path: string, type: number): boolean {
    const [data, child] = masks(type);
    return (this.data.modes(connection, path) & data) !== 0 || (this.child.modes(connection, path) & child) !== 0;
  }
  /** Takes them away; false when there were none. `type` is a WATCHER_TYPE. */
  remove(connection: ClientConnection, path: string, type: number): boolean {
    const [data, child] = masks(type);
    const goneData = this.data.remove(connection, path, data);
    const goneChild = this.child.remove(connection, path, child);
    this.count(goneData, goneChild);
    if ((goneData | goneChild) === 0) return false;
    this.forgetPath(connection, path);
    return true;
  }
  private count(goneData: number, goneChild: number): void {
    this.dataCount -= bits(goneData);
    this.childCount -= bits(goneChild);
    if ((goneData & MODE.recursive) !== 0) this.recursiveCount--;
  }
  /** The connection ended; the server keeps nothing for it. */
  removeAll(connection: ClientConnection): void {
    for (const path of connection.watched)
      this.count(this.data.remove(connection, path, ANY), this.child.remove(connection, path, ANY));
    connection.watched.clear();
  }
  /** The data table, as `wchc` and `wchp` list it. */
  *dataWatches(): Iterable<readonly [string, Iterable<ClientConnection>]> {
    for (const [path, watchers] of this.data.paths) yield [path, watchers.keys()];
  }
  /** As `wchs` counts: data watches only. */
  summary(): { connections: number; paths: number; watches: number } {
    const connections = new Set<ClientConnection>();
    let watches = 0;
    for (const watchers of this.data.paths.values())
      for (const connection of watchers.keys()) {
        connections.add(connection);
        watches++;
      }
    return { connections: connections.size, paths: this.data.paths.size, watches };
  }
}

const ANY = MODE.standard | MODE.persistent | MODE.recursive;
const bits = (modes: number): number => (modes & 1) + ((modes >> 1) & 1) + ((modes >> 2) & 1);
/** Modes in the data and in the child table that a watcher type means. */
function masks(type: number): [number, number] {
  switch (type) {
    case 1:
      return [0, MODE.standard];
    case 2:
      return [MODE.standard, 0];
    case 3:
      return [ANY, ANY];
    case 4:
      return [MODE.persistent, MODE.persistent];
    default:
      return [MODE.recursive, 0];
  }
}
