import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import { type Client, MultiError, type WatchListener } from '../client/api.ts';
import {
  codeOf,
  ensurePath,
  isCode,
  isEnded,
  isTransient,
  once,
  read,
  removeLater,
  unique,
  untilAnswered,
} from './certain.ts';
import { prove } from './contest.ts';
import { RecipeError } from './errors.ts';
import type { RecipeOptions } from './lock.ts';
import type { PutOptions } from './queue.ts';
import { LOCK_PARTS, type Part } from './styles.ts';
import { type Hold, Share, Tenure } from './tenure.ts';
import { type Bell, bell, orAborted, type WaitOptions, within } from './waiting.ts';

/** Its nodes are kazoo's, whoever made them. */
const KAZOO = LOCK_PARTS.find(({ naming }) => naming.style === 'kazoo') as Part;
const PATTERN = /^entry-\d{3}-\d{10}$/;

/** An item that this session works on. Nobody else gets it until it is released, or the hold is lost. */
export interface Taken {
  readonly data: Buffer | null;
  readonly path: string;
  readonly hold: Hold;
  /**
   * The work is done: takes the item out for good. @throws RecipeError Lost when somebody else may have it by now; KeeperError:
   * ConnectionLoss when the session ended before the outcome was known
   */
  consume(): Promise<void>;
  /** The work was not done: the next one gets it. */
  release(): Promise<void>;
}

/**
 * A queue whose items stay until the work is done: `take` locks an item with an ephemeral node, so that it comes back when the
 * worker dies. The nodes are those of kazoo's LockingQueue: `entries` and `taken`.
 */
export class LockingQueue {
  readonly path: string;
  readonly #client: Client;
  readonly #options: Omit<RecipeOptions, 'style'>;
  readonly #entries: string;
  readonly #taken: string;
  constructor(client: Client, path: string, options: Omit<RecipeOptions, 'style'> = {}) {
    this.#client = client;
    this.path = path;
    this.#options = options;
    this.#entries = joinPath(path, 'entries');
    this.#taken = joinPath(path, 'taken');
  }

  /** Adds an item exactly once. @throws KeeperError: ConnectionLoss when the session ended before the outcome was known */
  async put(data: Uint8Array | string | null, { priority = 100 }: PutOptions = {}): Promise<void> {
    if (!(Number.isInteger(priority) && priority >= 0 && priority <= 999))
      throw new RangeError(`a priority is from 0 to 999, not ${priority}`);
    const { acl } = this.#options;
    const client = this.#client;
    for (;;)
      try {
        // a name in `taken` that is no entry's locks nothing
        await once(client, joinPath(this.#taken, `op-${unique(client, 8)}`), [
          {
            op: 'create',
            path: joinPath(this.#entries, `entry-${String(priority).padStart(3, '0')}-`),
            data: typeof data === 'string' ? Buffer.from(data) : data,
            options: { mode: 'persistentSequential', ...(acl === undefined ? {} : { acl }) },
          },
        ]);
        return;
      } catch (error) {
        if (codeOf(error) !== 'NoNode') throw error;
        await this.#ensure();
      }
  }

  /** Items that are in it, those that are worked on included. */
  async length(): Promise<number> {
    await this.#ensure();
    return (await this.#names(this.#entries)).filter((name) => PATTERN.test(name)).length;
  }

  /** Waits for an item and locks it. @throws RecipeError TimedOut; KeeperError when the session ends; the signal's reason */
  take(options: WaitOptions = {}): Promise<Taken> {
    return within(this.#client, this.path, options, async (signal) => {
      for (;;) {
        using heard = bell(this.#client);
        const taken = await this.#takeFirst(signal, heard);
        if (taken !== undefined) return taken;
        await orAborted(heard.heard, signal);
      }
    });
  }

  /** Undefined when there is no item that nobody works on. */
  async tryTake(): Promise<Taken | undefined> {
    return this.#takeFirst(new AbortController().signal, undefined);
  }

  async #ensure(): Promise<void> {
    await ensurePath(this.#client, this.#entries, this.#options.acl);
    await ensurePath(this.#client, this.#taken, this.#options.acl);
  }

  async #names(of: string, watch?: WatchListener, signal?: AbortSignal): Promise<string[]> {
    const options = watch === undefined ? { signal } : { signal, watch };
    return (await read(this.#client, () => this.#client.getChildren(of, options), signal)).children;
  }

  /** Both folders are made when they are not there: before the first item, and when somebody took them away. */
  async #takeFirst(signal: AbortSignal, heard: Bell | undefined): Promise<Taken | undefined> {
    for (;;)
      try {
        return await this.#takeOne(signal, heard);
      } catch (error) {
        if (!isCode(error, 'NoNode')) throw error;
        await orAborted(this.#ensure(), signal);
      }
  }

  async #takeOne(signal: AbortSignal, heard: Bell | undefined): Promise<Taken | undefined> {
    const entries = await this.#names(this.#entries, heard?.at(this.#entries), signal);
    const locked = new Set(await this.#names(this.#taken, heard?.at(this.#taken), signal));
    for (const name of entries) {
      signal.throwIfAborted();
      if (!PATTERN.test(name) || locked.has(name)) continue;
      const taken = await this.#lock(name, signal);
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  /** Undefined when somebody else has it, or had it. */
  async #lock(name: string, signal: AbortSignal): Promise<Taken | undefined> {
    const client = this.#client;
    const { acl } = this.#options;
    const node = joinPath(this.#taken, name);
    const entry = joinPath(this.#entries, name);
    const who = unique(client, 16);
    let sentAt = 0;
    const locking = untilAnswered(client, async (repeated) => {
      sentAt = client.clock.monotonic();
      try {
        const { stat } = await client.create(node, who, { mode: 'ephemeral', ...(acl === undefined ? {} : { acl }) });
        return stat?.czxid ?? (await client.exists(node))?.czxid;
      } catch (error) {
        if (!isCode(error, 'NodeExists')) throw error;
        sentAt = Number.NEGATIVE_INFINITY; // what is found there proves nothing about the session
        return repeated ? await this.#ours(node, who) : undefined;
      }
    });
    let czxid: bigint | undefined;
    try {
      czxid = await orAborted(locking, signal);
    } catch (error) {
      locking.then((late) => late !== undefined && removeLater(client, node, late)).catch(() => {});
      throw error;
    }
    if (czxid === undefined) return undefined;
    try {
      const { data } = await read(client, () => client.get(entry, { signal }), signal);
      const provenAt = await prove(client, { path: node, czxid, sentAt }, signal, true);
      if (provenAt === undefined) return undefined;
      const place = { node, token: czxid as never, provenAt, part: KAZOO, hasCommonName: true };
      const tenure = new Tenure(client, this.path, place);
      return new Work({ client, data, entry, tenure, path: this.path });
    } catch (error) {
      removeLater(client, node, czxid);
      if (isCode(error, 'NoNode')) return undefined; // it was done before we locked it
      throw error;
    }
  }

  async #ours(node: string, who: string): Promise<bigint | undefined> {
    await this.#client.sync(node);
    try {
      const { data, stat } = await this.#client.get(node);
      return data?.toString() === who ? stat.czxid : undefined;
    } catch (error) {
      if (isCode(error, 'NoNode')) return undefined;
      throw error;
    }
  }
}

interface WorkOptions {
  readonly client: Client;
  readonly data: Buffer | null;
  readonly entry: string;
  readonly tenure: Tenure;
  readonly path: string;
}

class Work implements Taken {
  readonly data: Buffer | null;
  readonly path: string;
  readonly hold: Hold;
  readonly #options: WorkOptions;
  constructor(options: WorkOptions) {
    this.data = options.data;
    this.path = options.entry;
    this.hold = new Share(options.path, options.tenure);
    this.#options = options;
  }

  async consume(): Promise<void> {
    const { client, entry, tenure, path } = this.#options;
    const lost = (): RecipeError => new RecipeError('Lost', path, 'the lock on the item is lost');
    if (this.hold.state === 'lost' || this.hold.state === 'released') throw lost();
    tenure.settle();
    let isDoubtful = false;
    try {
      // both or none: who finds the entry gone on a second attempt has done it in the first
      await untilAnswered(client, (repeated) =>
        client
          .multi([
            { op: 'delete', path: tenure.node, version: -1 },
            { op: 'delete', path: entry, version: -1 },
          ])
          .catch((error) => {
            if (repeated && error instanceof MultiError && error.code === 'NoNode') return;
            isDoubtful ||= isTransient(error);
            throw error;
          }),
      );
    } catch (error) {
      if (isCode(error, 'NoNode')) throw lost();
      if (isDoubtful && isEnded(error)) throw new KeeperError('ConnectionLoss', entry, { cause: error });
      throw error;
    }
  }

  release(): Promise<void> {
    return this.hold.release();
  }
}
