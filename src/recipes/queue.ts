import { joinPath } from '../base/path.ts';
import { type Client, MultiError, type MultiOp, type Stat, type WatchListener } from '../client/api.ts';
import { codeOf, ensurePath, isCode, once, read, unique } from './certain.ts';
import { childrenOf } from './children-of.ts';
import { RecipeError } from './errors.ts';
import type { RecipeOptions } from './lock.ts';
import { checkStyle, type Style } from './styles.ts';
import { bell, orAborted, type WaitOptions, within } from './waiting.ts';

/** How items are called. `priority`: names begin with three digits of it, so that they sort by it. */
interface Layout {
  readonly style: Style;
  readonly prefix: string;
  readonly priority: boolean;
  readonly pattern: RegExp;
}
const LAYOUTS: readonly Layout[] = [
  { style: 'zoosh', prefix: 'item-', priority: true, pattern: /^item-\d{3}-\d{10}$/ },
  { style: 'kazoo', prefix: 'entry-', priority: true, pattern: /^entry-\d{3}-\d{10}$/ },
  // Curator's SimpleDistributedQueue, and the queue of ZooKeeper's own recipes
  { style: 'curator', prefix: 'qn-', priority: false, pattern: /^qn-\d{10}$/ },
];
const DEFAULT_PRIORITY = 100;

export interface PutOptions {
  /** 0 to 999, smaller is sooner; default 100. Not in style curator. */
  readonly priority?: number | undefined;
}

export interface Item {
  readonly data: Buffer | null;
  readonly stat: Stat;
  /** Its node while it was in the queue. */
  readonly path: string;
}

/**
 * Items in order of priority, then of coming. An item is put exactly once and taken by one taker, also when replies are lost;
 * when the taker dies right after, it is gone: see {@link LockingQueue}.
 */
export class Queue {
  readonly path: string;
  readonly #client: Client;
  readonly #options: Omit<RecipeOptions, 'id'>;
  constructor(client: Client, path: string, options: Omit<RecipeOptions, 'id'> = {}) {
    checkStyle(options.style);
    this.#client = client;
    this.path = path;
    this.#options = options;
  }

  /**
   * Adds an item. @throws RecipeError StyleConflict, Conflict (a priority where there are none); KeeperError: ConnectionLoss
   * when the session ended before the outcome was known, what the server refuses
   */
  async put(data: Uint8Array | string | null, { priority }: PutOptions = {}): Promise<void> {
    const client = this.#client;
    const { layout } = await this.#look();
    if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 999))
      throw new RangeError(`a priority is from 0 to 999, not ${priority}`);
    if (priority !== undefined && !layout.priority)
      throw new RecipeError('Conflict', this.path, `a queue of style ${layout.style} has no priorities`);
    const rank = layout.priority ? `${String(priority ?? DEFAULT_PRIORITY).padStart(3, '0')}-` : '';
    const { acl } = this.#options;
    const create: MultiOp = {
      op: 'create',
      path: joinPath(this.path, layout.prefix + rank),
      data: typeof data === 'string' ? Buffer.from(data) : data,
      options: { mode: 'persistentSequential', ...(acl === undefined ? {} : { acl }) },
    };
    for (;;)
      try {
        await once(client, this.#marker(layout), [create]);
        return;
      } catch (error) {
        if (codeOf(error) !== 'NoNode') throw error;
        await ensurePath(client, this.path, acl);
      }
  }

  /** Waits for an item and takes it out. @throws as {@link put}; RecipeError TimedOut; the signal's reason */
  take(options: WaitOptions = {}): Promise<Item> {
    return within(this.#client, this.path, options, async (signal) => {
      for (;;) {
        using heard = bell(this.#client);
        const item = await this.#takeFirst(signal, heard.at(this.path));
        if (item !== undefined) return item;
        await orAborted(heard.heard, signal);
      }
    });
  }

  /** Takes the first item out; undefined when there is none. @throws as {@link put} */
  tryTake(): Promise<Item | undefined> {
    return this.#takeFirst();
  }

  /** The first item, which stays; undefined when there is none. */
  async peek(): Promise<Item | undefined> {
    const { names } = await this.#look();
    for (const name of names) {
      const item = await this.#get(joinPath(this.path, name));
      if (item !== undefined) return item;
    }
    return undefined;
  }

  async length(): Promise<number> {
    return (await this.#look()).names.length;
  }

  async #takeFirst(signal?: AbortSignal, watch?: WatchListener): Promise<Item | undefined> {
    for (;;) {
      const { names, layout } = await this.#look(signal, watch);
      if (names.length === 0) return undefined;
      for (const name of names) {
        signal?.throwIfAborted();
        const item = await this.#get(joinPath(this.path, name), signal);
        if (item === undefined) continue; // somebody else was faster
        try {
          await once(this.#client, this.#marker(layout), [{ op: 'delete', path: item.path, version: -1 }]);
          return item;
        } catch (error) {
          if (!(error instanceof MultiError) || error.code !== 'NoNode' || error.index !== 1) throw error;
        }
      }
    }
  }

  async #get(path: string, signal?: AbortSignal): Promise<Item | undefined> {
    try {
      return { ...(await read(this.#client, () => this.#client.get(path, { signal }), signal)), path };
    } catch (error) {
      if (isCode(error, 'NoNode')) return undefined;
      throw error;
    }
  }

  /** kazoo and Curator take every child for an item, so the marker is no child of theirs. */
  #marker({ style }: Layout): string {
    const name = `op-${unique(this.#client, 8)}`;
    return style === 'zoosh' || this.path === '/' ? joinPath(this.path, name) : `${this.path}-${name}`;
  }

  /** The items in order, and what they say about the style. @throws RecipeError StyleConflict */
  async #look(signal?: AbortSignal, watch?: WatchListener): Promise<{ names: string[]; layout: Layout }> {
    const { style } = this.#options;
    const { acl } = this.#options;
    const children = await childrenOf(this.#client, this.path, { acl, watch, signal });
    if (children.includes('entries') && children.includes('taken'))
      throw new RecipeError('StyleConflict', this.path, "a locking queue (kazoo's LockingQueue) is there");
    const there = LAYOUTS.find(({ pattern }) => children.some((name) => pattern.test(name)));
    if (there !== undefined && style !== undefined && there.style !== style)
      throw new RecipeError('StyleConflict', this.path, `a queue of style ${there.style} is there`);
    const wanted = style ?? there?.style ?? 'zoosh';
    const layout = LAYOUTS.find((each) => each.style === wanted) as Layout;
    return { names: children.filter((name) => layout.pattern.test(name)), layout };
  }
}
