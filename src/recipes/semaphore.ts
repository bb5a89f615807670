import { joinPath } from '../base/path.ts';
import type { Client, WatchListener } from '../client/api.ts';
import {
  codeOf,
  createUnique,
  ensurePath,
  isCode,
  type Made,
  read,
  removeLater,
  unique,
  untilAnswered,
} from './certain.ts';
import { contest, prove, type Rules } from './contest.ts';
import { RecipeError } from './errors.ts';
import type { RecipeOptions } from './lock.ts';
import {
  checkStyle,
  contenderOf,
  freshName,
  LEASE_PARTS,
  LOCK_PARTS,
  NAMINGS,
  type Naming,
  type Style,
} from './styles.ts';
import { type Hold, Share, Tenure } from './tenure.ts';
import { bell, orAborted, type WaitOptions, within } from './waiting.ts';

const CURATOR_LEASE = NAMINGS.find(({ style, role }) => style === 'curator' && role === 'lease') as Naming;
const KAZOO_LEASE = /^[0-9a-f]{32}$/;

/**
 * At most `limit` holders at a time, in the order in which they came. Every acquisition is one lease; it is not re-entrant.
 * In styles zoosh and kazoo the limit is the data of the path, and another one is refused; Curator's is written nowhere.
 */
export class Semaphore {
  readonly path: string;
  readonly limit: number;
  readonly #client: Client;
  readonly #options: RecipeOptions;

  constructor(client: Client, path: string, limit: number, options: RecipeOptions = {}) {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new RangeError(`a semaphore's limit is 1 or more, not ${limit}`);
    checkStyle(options.style);
    this.#client = client;
    this.path = path;
    this.limit = limit;
    this.#options = options;
  }

  /**
   * Waits for a lease. @throws RecipeError TimedOut, StyleConflict, Conflict (another limit); KeeperError when the session
   * ends; the signal's reason
   */
  acquire(options: WaitOptions = {}): Promise<Hold> {
    return within(this.#client, this.path, options, async (signal) => {
      const style = await orAborted(this.#style(), signal);
      if (style === 'zoosh') {
        await orAborted(this.#agree(signal), signal);
        const rules = { ...this.#rules(this.path, style), parts: LEASE_PARTS, places: this.limit };
        const place = await contest(this.#client, rules, signal);
        return new Share(this.path, new Tenure(this.#client, this.path, place));
      }
      for (;;) {
        if (style === 'kazoo') await orAborted(this.#agree(signal), signal);
        const hold = await this.#behindLock(style, signal);
        if (hold !== undefined) return hold;
      }
    });
  }

  #rules(path: string, style: Style): Rules {
    const { id = '', acl } = this.#options;
    return { path, parts: LOCK_PARTS, style, data: id, acl, places: 1, under: undefined, immediate: false };
  }

  /** What is on the path already decides. @throws RecipeError StyleConflict */
  async #style(): Promise<Style> {
    const { style } = this.#options;
    const client = this.#client;
    const found = await styleOfSemaphore(client, this.path);
    if (found === 'other') throw new RecipeError('StyleConflict', this.path, 'nodes of another recipe are there');
    if (found !== undefined && style !== undefined && found !== style)
      throw new RecipeError('StyleConflict', this.path, `a semaphore of style ${found} is there`);
    return style ?? found ?? 'zoosh';
  }

  /** The data of the path is the limit, so nothing else may be there. @throws RecipeError Conflict */
  async #agree(signal: AbortSignal): Promise<void> {
    const client = this.#client;
    const { acl } = this.#options;
    const wanted = String(this.limit);
    for (;;)
      try {
        const { data, stat } = await read(client, () => client.get(this.path));
        const text = data?.toString() ?? '';
        if (text !== '' && !/^\d+$/.test(text))
          throw new RecipeError('Conflict', this.path, 'its data is no limit, which all have to go by');
        if (text !== '' && Number(text) !== this.limit)
          throw new RecipeError('Conflict', this.path, `its limit is ${text}, not ${wanted}`);
        if (text !== '') return;
        signal.throwIfAborted();
        await untilAnswered(client, () => client.set(this.path, wanted, stat.version));
        return;
      } catch (error) {
        if (isCode(error, 'BadVersion')) continue;
        if (!isCode(error, 'NoNode')) throw error;
        await ensurePath(client, this.path, acl, wanted);
      }
  }

  /** kazoo and Curator let one at a time take a lease. Undefined: the lock was lost, or the lease went; begin anew. */
  async #behindLock(style: 'kazoo' | 'curator', signal: AbortSignal): Promise<Hold | undefined> {
    const client = this.#client;
    const lockPath = style === 'kazoo' ? `${this.path}-__lock__` : joinPath(this.path, 'locks');
    const place = await contest(client, this.#rules(lockPath, style), signal);
    const lock = new Tenure(client, lockPath, place);
    try {
      const either = AbortSignal.any([signal, lock.signal]);
      const made = await (style === 'kazoo' ? this.#takeKazoo(either) : this.#takeCurator(either));
      const provenAt = made?.czxid === undefined ? undefined : await prove(client, made, signal);
      if (made?.czxid === undefined || provenAt === undefined) return undefined;
      const lease = { node: made.path, token: made.czxid as never, provenAt, part: place.part };
      return new Share(this.path, new Tenure(client, this.path, lease));
    } catch (error) {
      if (lock.signal.aborted && !signal.aborted && error === lock.signal.reason) return undefined;
      throw error;
    } finally {
      lock.release().catch(() => {}); // it goes with the session at the latest
    }
  }

  /** A lease is any child of the path; it is made when there is room. */
  async #takeKazoo(signal: AbortSignal): Promise<Made | undefined> {
    const client = this.#client;
    const { id = '', acl } = this.#options;
    for (;;) {
      using heard = bell(client);
      const children = await this.#leases(this.path, heard.at(this.path), signal);
      if (children === undefined) return undefined;
      if (children.length < this.limit) break;
      await orAborted(heard.heard, signal);
    }
    const made = await this.#make(
      { parent: this.path, name: unique(client, 16), data: id, mode: 'ephemeral', acl },
      signal,
    );
    // the lock may have been another's by then
    const children = await this.#leases(this.path);
    if (children !== undefined && children.length <= this.limit) return made;
    removeLater(client, made.path);
    return undefined;
  }

  /** Names of leases; undefined when their folder is gone. */
  async #leases(path: string, watch?: WatchListener, signal?: AbortSignal): Promise<string[] | undefined> {
    const options = watch === undefined ? { signal } : { signal, watch };
    try {
      return (await read(this.#client, () => this.#client.getChildren(path, options), signal)).children;
    } catch (error) {
      if (codeOf(error) === 'NoNode') return undefined;
      throw error;
    }
  }

  /** Every lease is a node, made first and valid when there are no more than the limit. */
  async #takeCurator(signal: AbortSignal): Promise<Made | undefined> {
    const client = this.#client;
    const { id = '', acl } = this.#options;
    const leases = joinPath(this.path, 'leases');
    const made = await this.#make(
      { parent: leases, name: freshName(client, CURATOR_LEASE), data: id, mode: 'ephemeralSequential', acl },
      signal,
    );
    try {
      for (;;) {
        using heard = bell(client);
        const children = await this.#leases(leases, heard.at(leases), signal);
        if (children?.some((name) => joinPath(leases, name) === made.path) !== true) return undefined;
        if (children.length <= this.limit) return made;
        await orAborted(heard.heard, signal);
      }
    } catch (error) {
      removeLater(client, made.path);
      throw error;
    }
  }

  async #make(wanted: Parameters<typeof createUnique>[1], signal: AbortSignal): Promise<Made> {
    const making = createUnique(this.#client, wanted);
    try {
      return await orAborted(making, signal);
    } catch (error) {
      making.then(({ path }) => removeLater(this.#client, path)).catch(() => {});
      throw error;
    }
  }
}

/** Whose semaphore is there, by its nodes; undefined for none, `other` for another recipe's. */
export async function styleOfSemaphore(client: Client, path: string): Promise<Style | 'other' | undefined> {
  const names = async (of: string): Promise<string[] | undefined> => {
    try {
      return (await read(client, () => client.getChildren(of))).children;
    } catch (error) {
      if (codeOf(error) === 'NoNode') return undefined;
      throw error;
    }
  };
  const children = await names(path);
  for (const name of children ?? []) {
    if (name === 'leases' || name === 'locks') return 'curator';
    if (KAZOO_LEASE.test(name)) return 'kazoo';
    const contender = contenderOf(name);
    if (contender !== undefined) return contender.naming.family === 'zoosh semaphore' ? 'zoosh' : 'other';
  }
  const queue = path === '/' ? undefined : await names(`${path}-__lock__`);
  return (queue?.length ?? 0) > 0 ? 'kazoo' : undefined;
}
