/** Watches that stay, also on servers that know only those that tell once. */
import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Client, EventType, OpOptions, PersistentWatch, Stat, WatchEvent, WatchListener } from '../client/api.ts';

/** Nodes that are watched one by one, at most, unless more is asked for. */
const MOST_NODES = 1000;

/** Clients whose server has no addWatch; one before 3.6 hangs up on whoever asks, so it is asked once. */
const OLD = new WeakSet<Client>();

export interface AddOptions extends OpOptions {
  readonly recursive: boolean;
  /** Says what is not watched. */
  readonly warn: (line: string) => void;
  /** So many nodes are watched where each needs a watch of its own. Default 1,000. */
  readonly most?: number;
}

/** `client.addWatch`; where the server has none, one-shot watches that are set again each time. */
export async function addWatch(
  client: Client,
  path: string,
  listener: WatchListener,
  { recursive, warn, signal, most = MOST_NODES }: AddOptions,
): Promise<PersistentWatch> {
  if (!OLD.has(client))
    try {
      return await client.addWatch(path, listener, { recursive, signal });
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'Unimplemented') throw error;
      OLD.add(client);
    }
  const watch = new RepeatedWatch(client, path, listener, { recursive, warn, most });
  await watch.begin(signal);
  return watch;
}

interface Seen {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  names: readonly string[] | undefined;
}

/**
 * A persistent watch made of one-shot ones. What it tells comes from looking again and comparing, so that nothing is
 * missed while no watch stands; several changes in that time are told as one.
 */
export class RepeatedWatch implements PersistentWatch {
  readonly path: string;
  readonly recursive: boolean;
  readonly #client: Client;
  readonly #listener: WatchListener;
  readonly #warn: (line: string) => void;
  readonly #most: number;
  readonly #seen = new Map<string, Seen>();
  /** One function for a path: the client tells it an event once, however many watches it was given to. */
  readonly #hears = new Map<string, WatchListener>();
  #work: Promise<void> = Promise.resolve();
  #signal: AbortSignal | undefined;
  #isOver = false;
  #isBegun = false;
  #isFull = false;

  constructor(
    client: Client,
    path: string,
    listener: WatchListener,
    { recursive, warn, most = MOST_NODES }: Omit<AddOptions, 'signal'>,
  ) {
    this.#client = client;
    this.path = path;
    this.recursive = recursive;
    this.#listener = listener;
    this.#warn = warn;
    this.#most = most;
  }

  /** Looks at what there is. @throws KeeperError, the signal's reason */
  async begin(signal: AbortSignal | undefined): Promise<void> {
    this.#signal = signal;
    try {
      await this.#look(this.path);
      this.#isBegun = true;
    } catch (error) {
      this.#isOver = true;
      throw error;
    } finally {
      this.#signal = undefined;
    }
  }

  async remove(): Promise<void> {
    this.#isOver = true;
    this.#seen.clear();
    this.#hears.clear();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  #hear(path: string): WatchListener {
    const known = this.#hears.get(path);
    if (known !== undefined) return known;
    const hear = ({ type }: WatchEvent): void => {
      if (this.#isOver) return;
      // one after the other: each compares with what the one before has seen
      this.#work = this.#work
        .then(() => (type === 'NodeDeleted' && path !== this.path ? this.#gone(path) : this.#look(path)))
        .catch(() => {
          // the session is over, and who keeps the watch is told of that
          this.#isOver = true;
        });
    };
    this.#hears.set(path, hear);
    return hear;
  }

  #tell(type: EventType, path: string, zxid?: Stat['mzxid']): void {
    if (this.#isBegun && !this.#isOver) this.#listener({ type, path, zxid });
  }

  #gone(path: string): void {
    this.#hears.delete(path);
    if (this.#seen.delete(path)) this.#tell('NodeDeleted', path);
  }

  /** Sets the watches of a node again and tells how it differs from what was seen last. */
  async #look(path: string): Promise<void> {
    const before = this.#seen.get(path);
    if (before === undefined && !this.#hears.has(path) && this.#hears.size >= this.#most) {
      if (!this.#isFull) this.#warn(`an old server: ${this.#most} nodes below ${this.path} are watched, not all`);
      this.#isFull = true;
      return;
    }
    const watch = this.#hear(path);
    const stat = await this.#ask((options) => this.#client.exists(path, { ...options, watch }));
    if (stat === undefined) {
      if (this.#seen.delete(path)) this.#tell('NodeDeleted', path);
      if (path !== this.path) this.#hears.delete(path);
      return;
    }
    const isAnew = before !== undefined && before.czxid !== stat.czxid;
    if (isAnew) this.#tell('NodeDeleted', path);
    if (before === undefined || isAnew) this.#tell('NodeCreated', path, stat.czxid);
    else if (before.mzxid !== stat.mzxid) this.#tell('NodeDataChanged', path, stat.mzxid);
    const known = before === undefined || isAnew ? undefined : before.names;
    const seen: Seen = { czxid: stat.czxid, mzxid: stat.mzxid, names: known };
    this.#seen.set(path, seen);
    const names = await this.#children(path, watch);
    if (names === undefined) return;
    seen.names = names;
    if (!this.recursive) {
      if (known !== undefined && names.join('/') !== known.join('/')) this.#tell('NodeChildrenChanged', path);
      return;
    }
    const there = new Set(names);
    for (const name of known ?? []) if (!there.has(name)) this.#goneBelow(joinPath(path, name));
    const old = new Set(known);
    await Promise.all(names.filter((name) => !old.has(name)).map((name) => this.#look(joinPath(path, name))));
  }

  /** A node and all below it that is still known. */
  #goneBelow(path: string): void {
    for (const each of [...this.#seen.keys()].sort().reverse())
      if (each === path || each.startsWith(`${path}/`)) this.#gone(each);
  }

  /** Undefined: it went in the meantime, which its other watch tells, or may not be listed. */
  async #children(path: string, watch: WatchListener): Promise<readonly string[] | undefined> {
    try {
      return (await this.#ask((options) => this.#client.getChildren(path, { ...options, watch }))).children;
    } catch (error) {
      if (error instanceof KeeperError && (error.code === 'NoNode' || error.code === 'NoAuth')) return undefined;
      throw error;
    }
  }

  /** Asks again when the connection broke: the old server breaks it itself over the request it does not know. */
  async #ask<T>(work: (options: OpOptions) => Promise<T>): Promise<T> {
    for (;;)
      try {
        return await work({ signal: this.#signal });
      } catch (error) {
        const isLost =
          error instanceof KeeperError && (error.code === 'ConnectionLoss' || error.code === 'OperationTimeout');
        if (!isLost || this.#isOver) throw error;
      }
  }
}
