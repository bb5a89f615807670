/** The watches of a shell: their numbers, what they told, and who is told. */
import type { Client, PersistentWatch, WatchEvent, WatchInfo, WatchKind, WatchListener } from '../client/api.ts';
import { addWatch, RepeatedWatch } from '../recipes/repeated-watch.ts';

/** A watch as `watches` lists it. */
export interface ListedWatch {
  /** Stays with the watch as long as it stands, also in the next session. */
  readonly id: number;
  readonly path: string;
  readonly kind: WatchInfo['kind'];
  /** When it was set, ms since 1970. */
  readonly since: number;
  /** So many it has told. */
  readonly events: number;
}
type Entry = { -readonly [K in keyof ListedWatch]: ListedWatch[K] };

/** One that is set again in the next session. */
interface Kept {
  readonly path: string;
  readonly recursive: boolean;
  listener: WatchListener;
  watch: PersistentWatch | undefined;
}

const kindOf = (recursive: boolean): 'persistentRecursive' | 'persistent' =>
  recursive ? 'persistentRecursive' : 'persistent';
/** A read of a node that is there and of one that is not set the same for whoever waits. */
const keyOf = (path: string, kind: WatchInfo['kind']): string => `${kind === 'exists' ? 'data' : kind} ${path}`;
const isBelow = (path: string, top: string): boolean => path.startsWith(top === '/' ? '/' : `${top}/`);

/** Watches of commands that are remembered, at most. */
const MOST_PASSING = 10_000;

export class KeptWatches {
  readonly #now: () => number;
  readonly #warn: (line: string) => void;
  readonly #entries = new Map<string, Entry>();
  /** Those of commands. */
  readonly #passing = new Set<string>();
  #kept: Kept[] = [];
  #last = 0;

  /** `now`: ms since 1970. `warn`: takes a line for people. */
  constructor(now: () => number, warn: (line: string) => void) {
    this.#now = now;
    this.#warn = warn;
  }

  /** How many are set again in the next session. */
  get size(): number {
    return this.#kept.length;
  }

  /** Sets one, or hands the one that stands there to another listener. Its number. */
  async add(client: Client, path: string, recursive: boolean, listener: WatchListener): Promise<number> {
    const standing = this.#kept.find((each) => each.path === path && each.recursive === recursive);
    // one for each place: a second one would tell every event twice
    if (standing !== undefined) standing.listener = listener;
    else {
      const kept: Kept = { path, recursive, listener, watch: undefined };
      await this.#set(client, kept);
      this.#kept.push(kept);
    }
    return this.#note(path, kindOf(recursive)).id;
  }

  async #set(client: Client, kept: Kept): Promise<void> {
    const { path, recursive } = kept;
    kept.watch = await addWatch(client, path, (event) => kept.listener(event), { recursive, warn: this.#warn });
  }

  /** A read has set a watch that tells once: the user, or else a command, which the list of the user's is without. */
  note(path: string, kind: 'data' | 'children', isUsers: boolean): void {
    const key = keyOf(path, kind);
    if (isUsers) {
      this.#passing.delete(key);
      this.#note(path, kind);
    } else if (!this.#entries.has(key)) {
      this.#passing.add(key);
      // locks taken again and again watch ever other nodes, and nobody may ever ask for the list
      for (const [oldest] of this.#passing.entries()) {
        if (this.#passing.size <= MOST_PASSING) break;
        this.#passing.delete(oldest);
      }
    }
  }
  /** How many watches of commands are remembered. */
  get passing(): number {
    return this.#passing.size;
  }
  #note(path: string, kind: WatchInfo['kind']): Entry {
    const key = keyOf(path, kind);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = {
      id: ++this.#last,
      path,
      kind: kind === 'exists' ? 'data' : kind,
      since: this.#now(),
      events: 0,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** An event was told. */
  heard({ type, path }: WatchEvent): void {
    for (const [key, entry] of this.#entries) {
      const isOwn = entry.path === path;
      if (entry.kind === 'data' || entry.kind === 'children') {
        const isChildren = type === 'NodeChildrenChanged';
        if (!isOwn || (type !== 'NodeDeleted' && isChildren !== (entry.kind === 'children'))) continue;
        this.#entries.delete(key); // it has told
      } else if (isOwn || (entry.kind === 'persistentRecursive' && isBelow(path, entry.path))) entry.events++;
    }
  }

  /** Those that stand, by number. */
  list(client: Client): readonly ListedWatch[] {
    const repeated = this.#kept.filter(({ watch }) => watch instanceof RepeatedWatch);
    const isPart = ({ path, kind }: WatchInfo): boolean =>
      !kind.startsWith('persistent') &&
      repeated.some((each) => each.path === path || (each.recursive && isBelow(path, each.path)));
    const standing = new Set(repeated.map(({ path, recursive }) => keyOf(path, kindOf(recursive))));
    const passed = new Set(this.#passing);
    for (const info of client.watches()) {
      const key = keyOf(info.path, info.kind);
      passed.delete(key);
      if (this.#passing.has(key)) continue;
      // those that a watch is made of on an old server are not the user's own
      if (!this.#entries.has(key) && isPart(info)) continue;
      standing.add(key);
      this.#note(info.path, info.kind);
    }
    for (const key of this.#entries.keys()) if (!standing.has(key)) this.#entries.delete(key);
    for (const key of passed) this.#passing.delete(key); // they have told
    return [...this.#entries.values()].sort((a, b) => a.id - b.id);
  }

  /** Takes one away that the shell keeps, if it still tells `listener`. False: it keeps none of that number. */
  async end(id: number, listener?: WatchListener): Promise<boolean> {
    const entry = [...this.#entries.values()].find((each) => each.id === id);
    if (entry === undefined) return false;
    const kept = this.#kept.find(({ path, recursive }) => path === entry.path && kindOf(recursive) === entry.kind);
    if (kept === undefined || (listener !== undefined && kept.listener !== listener)) return false;
    this.#drop((each) => each === kept);
    await kept.watch?.remove();
    return true;
  }

  /** The server was asked to forget those of a kind on a path. */
  forget(path: string, kind: WatchKind): void {
    this.#drop((each) => each.path === path && (kind === 'any' || kind === kindOf(each.recursive)));
  }
  #drop(which: (kept: Kept) => boolean): void {
    for (const each of this.#kept.filter(which)) {
      if (each.watch instanceof RepeatedWatch) void each.watch.remove();
      this.#entries.delete(keyOf(each.path, kindOf(each.recursive)));
    }
    this.#kept = this.#kept.filter((each) => !which(each));
  }

  /** Sets all of them again in a new session. What could not be set is told and forgotten. */
  async again(client: Client): Promise<void> {
    const wanted = this.#kept;
    this.#kept = [];
    for (const kept of wanted)
      try {
        await this.#set(client, kept);
        this.#kept.push(kept);
      } catch (error) {
        this.#warn(`the watch on ${kept.path} could not be set again: ${(error as Error).message}`);
      }
  }

  /** Forgets those of the user's that tell once and have not: their paths. They went with the session. */
  dropOnce(): readonly string[] {
    const once = [...this.#entries].filter(([, { kind }]) => kind === 'data' || kind === 'children');
    for (const [key] of once) this.#entries.delete(key);
    return once.map(([, { path }]) => path);
  }

  /** Where the watch stands that tells of a path: the nearest recursive one above, or the path itself. */
  over(path: string): string {
    const above = this.#kept.filter((each) => each.recursive && (each.path === path || isBelow(path, each.path)));
    return above.reduce((best, each) => (each.path.length > best.length ? each.path : best), above[0]?.path ?? path);
  }

  /** Tells nobody any more. */
  clear(): void {
    for (const each of this.#kept) each.listener = () => {};
    this.#kept = [];
    this.#entries.clear();
    this.#passing.clear();
  }
}
