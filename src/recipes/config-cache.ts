import { joinPath, parentOf } from '../base/path.ts';
import type { Client, PersistentWatch, Stat, WatchEvent } from '../client/api.ts';
import { shared } from '../client/shared-signal.ts';
import { isCode, isEnded, read, untilAnswered } from './certain.ts';
import { addWatch } from './repeated-watch.ts';
import { endOf, orAborted, tell } from './waiting.ts';

export interface CachedNode {
  readonly path: string;
  readonly data: Buffer | null;
  readonly stat: Stat;
}

/** A node is new or has new data, or it is gone. */
export type CacheChange =
  | { readonly type: 'set'; readonly node: CachedNode }
  | { readonly type: 'removed'; readonly path: string };

export interface ConfigCacheOptions {
  /**
   * Called for changes after the first filling; several of one node may be told as one. What it throws is an uncaught exception of
   * the program, and changes nothing here.
   */
  readonly onChange?: (change: CacheChange) => void;
  /** Called when {@link ConfigCache.isCurrent} changes. */
  readonly onCurrent?: (isCurrent: boolean) => void;
  /** Gives up opening; later it has no effect. */
  readonly signal?: AbortSignal;
}

/** Where a server has no recursive watches each node gets one of its own: a mirror of a part would be none. */
const EVERY_NODE = { recursive: true, most: Number.POSITIVE_INFINITY, warn: () => {} };

/** Reads in flight. */
const INFLIGHT = 64;

/**
 * A local mirror of a node and all below it, kept by one watch; on servers before 3.6 by one for each node, which tell a
 * change a round trip later. Reading it costs no request. After a
 * reconnect the watch may have missed changes: the whole is read again then, and the differences are told like any change.
 * While the connection is down the mirror is what was last known, and `isCurrent` is false. Nodes below that may not be read are
 * left out.
 */
export class ConfigCache implements AsyncDisposable {
  readonly path: string;
  readonly #client: Client;
  readonly #options: ConfigCacheOptions;
  readonly #nodes = new Map<string, CachedNode>();
  /** Paths to be read again. */
  readonly #dirty = new Set<string>();
  readonly #off: (() => void)[] = [];
  /** Gives up reads that wait for a connection. */
  readonly #stop = new AbortController();
  #watch: PersistentWatch | undefined;
  #working: Promise<void> | undefined;
  /** The whole has to be read again. */
  #isGapped = true;
  /** What is read is not in the mirror yet. */
  #isReading = false;
  #isConnected = true;
  #isFilled = false;
  #wasCurrent = false;
  #isClosed = false;

  private constructor(client: Client, path: string, options: ConfigCacheOptions) {
    this.#client = client;
    this.path = path;
    this.#options = options;
    shared(this.#stop.signal);
  }

  /**
   * Resolves when the mirror is filled. The node need not exist.
   * @throws KeeperError NoAuth (on the node itself), when the session ends; the signal's reason
   */
  static async open(client: Client, path: string, options: ConfigCacheOptions = {}): Promise<ConfigCache> {
    options.signal?.throwIfAborted();
    const cache = new ConfigCache(client, path, options);
    cache.#off.push(
      client.on('gap', ({ paths }) => {
        if (paths.includes(path)) cache.#isGapped = true;
        cache.#work();
      }),
      client.on('state', ({ state }) => {
        if (endOf(state) !== undefined) cache.#isClosed = true;
        cache.#isConnected = false;
        cache.#tellCurrent();
        if (state === 'connected' || state === 'connectedReadOnly') cache.#resume();
      }),
    );
    try {
      await orAborted(cache.#begin(), options.signal);
      return cache;
    } catch (error) {
      await cache.close();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    const { signal } = this.#stop;
    const watch = await untilAnswered(
      this.#client,
      () => addWatch(this.#client, this.path, (event) => this.#heard(event), { ...EVERY_NODE, signal }),
      signal,
    );
    this.#watch = watch;
    if (this.#isClosed) return this.#unwatch();
    await this.#fill();
  }

  /** What is known is what the connected server has told last, with nothing missed and nothing left to read. */
  get isCurrent(): boolean {
    const isBehind = this.#isGapped || this.#isReading || this.#dirty.size > 0;
    return !this.#isClosed && this.#isConnected && this.#isFilled && !isBehind;
  }
  get size(): number {
    return this.#nodes.size;
  }
  get(path: string): CachedNode | undefined {
    return this.#nodes.get(path);
  }
  /** Paths, sorted by code unit. */
  paths(): string[] {
    return [...this.#nodes.keys()].sort();
  }
  /** Names of the children, sorted by code unit. */
  children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.#nodes.keys()]
      .filter((each) => each !== path && parentOf(each) === path)
      .map((each) => each.slice(prefix.length))
      .sort();
  }

  /** Ends the watch; what was read stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const off of this.#off.splice(0)) off();
    this.#tellCurrent();
    this.#stop.abort();
    await this.#unwatch();
    await this.#working;
  }
  async #unwatch(): Promise<void> {
    const watch = this.#watch;
    this.#watch = undefined;
    await watch?.remove();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #heard({ path }: WatchEvent): void {
    this.#dirty.add(path);
    this.#tellCurrent();
    this.#work();
  }

  /** The gap, if there was one, is told before this request is answered. */
  #resume(): void {
    this.#client.exists(this.path).then(
      () => {
        this.#isConnected = true;
        this.#tellCurrent();
        this.#work();
      },
      () => {}, // lost again; the next connection asks anew
    );
  }

  #tellCurrent(): void {
    const now = this.isCurrent;
    if (now === this.#wasCurrent) return;
    this.#wasCurrent = now;
    if (this.#options.onCurrent !== undefined) tell(this.#options.onCurrent, now);
  }

  #work(): void {
    if (this.#working !== undefined || this.#isClosed || !this.#isFilled) return;
    this.#working = this.#fill().then(
      () => {
        this.#working = undefined;
        if (this.#isGapped || this.#dirty.size > 0) this.#work(); // heard just now
      },
      (error) => {
        this.#working = undefined;
        // a session that ended has told so; anything else is met again by the next change
        if (isEnded(error) || this.#isClosed) return;
        this.#isGapped = true;
        this.#tellCurrent();
      },
    );
  }

  /** Reads until nothing is left to read. */
  async #fill(): Promise<void> {
    this.#isReading = true;
    try {
      while (!this.#isClosed && (this.#isGapped || this.#dirty.size > 0)) {
        if (this.#isGapped) {
          this.#isGapped = false;
          await this.#readAll();
        }
        const paths = [...this.#dirty].sort();
        await inParts(paths, async (path) => {
          this.#dirty.delete(path);
          await this.#readOne(path);
        });
      }
    } finally {
      this.#isReading = false;
    }
    this.#isFilled = true;
    this.#tellCurrent();
  }

  /** Every node there is, from the top; what is known and was not met has to be looked at as well. */
  async #readAll(): Promise<void> {
    const met = new Set<string>();
    let level = [this.path];
    while (level.length > 0) {
      const next: string[] = [];
      await inParts(level, async (path) => {
        met.add(path);
        if (!(await this.#readOne(path))) return;
        const { signal } = this.#stop;
        try {
          const { children } = await read(this.#client, () => this.#client.getChildren(path, { signal }), signal);
          for (const name of children) next.push(joinPath(path, name));
        } catch (error) {
          if (!this.#isAbsent(path, error)) throw error;
        }
      });
      level = next.sort();
    }
    for (const path of this.#nodes.keys()) if (!met.has(path)) this.#dirty.add(path);
  }

  /** It is not there, or not for us to see. */
  #isAbsent(path: string, error: unknown): boolean {
    return isCode(error, 'NoNode') || (path !== this.path && isCode(error, 'NoAuth'));
  }

  /** Whether it is there. A change during the read is told by the watch, and read once more. */
  async #readOne(path: string): Promise<boolean> {
    const before = this.#nodes.get(path);
    const { signal } = this.#stop;
    let found: Omit<CachedNode, 'path'>;
    try {
      found = await read(this.#client, () => this.#client.get(path, { signal }), signal);
    } catch (error) {
      if (!this.#isAbsent(path, error)) throw error;
      if (this.#nodes.delete(path)) this.#tellChange({ type: 'removed', path });
      return false;
    }
    const { data, stat } = found;
    if (before !== undefined && before.stat.mzxid === stat.mzxid && before.stat.czxid === stat.czxid) return true;
    const node = { path, data, stat };
    this.#nodes.set(path, node);
    this.#tellChange({ type: 'set', node });
    return true;
  }

  #tellChange(change: CacheChange): void {
    const { onChange } = this.#options;
    if (this.#isFilled && !this.#isClosed && onChange !== undefined) tell(onChange, change);
  }
}

async function inParts(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  for (let at = 0; at < paths.length; at += INFLIGHT) await Promise.all(paths.slice(at, at + INFLIGHT).map(work));
}
