import { joinPath } from '../base/path.ts';
import type { Client, Stat, WatchListener } from '../client/api.ts';
import { createUnique, ensurePath, isCode, read, removeLater, removeOwn, unique, untilAnswered } from './certain.ts';
import { RecipeError } from './errors.ts';
import type { RecipeOptions } from './lock.ts';
import { bell, orAborted, type WaitOptions, within } from './waiting.ts';

/** A gate: whoever comes waits while its node is there. kazoo's Barrier and Curator's DistributedBarrier are the same. */
export class Barrier {
  readonly path: string;
  readonly #client: Client;
  constructor(client: Client, path: string) {
    this.#client = client;
    this.path = path;
  }

  /** Closes it; one that is closed already stays so. */
  set(): Promise<void> {
    return ensurePath(this.#client, this.path);
  }

  /** Opens it. Whether it had been closed; not known, and true, when the reply was lost. @throws KeeperError NotEmpty */
  async remove(): Promise<boolean> {
    return untilAnswered(this.#client, async (repeated) => {
      try {
        await this.#client.delete(this.path);
        return true;
      } catch (error) {
        if (!isCode(error, 'NoNode')) throw error;
        return repeated;
      }
    });
  }

  /** Waits until it is open. @throws RecipeError TimedOut; KeeperError when the session ends; the signal's reason */
  wait(options: WaitOptions = {}): Promise<void> {
    return within(this.#client, this.path, options, async (signal) => {
      for (;;) {
        using heard = bell(this.#client);
        const there = await read(
          this.#client,
          () => this.#client.exists(this.path, { signal, watch: heard.at(this.path) }),
          signal,
        );
        if (there === undefined) return;
        await orAborted(heard.heard, signal);
      }
    });
  }
}

const READY = 'ready';
const KAZOO = /^[0-9a-f]{32}$/;

/**
 * All wait for each other: `enter` until so many members are in, `leave` until all of them have left. The nodes are those of
 * kazoo's DoubleBarrier and Curator's DistributedDoubleBarrier: a child for each member, and `ready` once there are enough.
 * Two differences: who comes when a round is complete waits for the next, where the others let it in; and the last one to
 * leave takes `ready` away, so that one whose connection was lost meanwhile still finds it. Beside members of kazoo the first
 * one does, since they wait until it is gone.
 */
export class DoubleBarrier {
  readonly path: string;
  readonly members: number;
  readonly #client: Client;
  readonly #options: Omit<RecipeOptions, 'style'>;
  /** Our node while we are in. */
  #own: string | undefined;

  constructor(client: Client, path: string, members: number, options: Omit<RecipeOptions, 'style'> = {}) {
    if (!Number.isSafeInteger(members) || members < 1)
      throw new RangeError(`a barrier has 1 member or more, not ${members}`);
    this.#client = client;
    this.path = path;
    this.members = members;
    this.#options = options;
  }

  /**
   * Joins and waits until there are enough. @throws RecipeError TimedOut, Lost (the node of this member was deleted),
   * Conflict (it is in already); KeeperError when the session ends; the signal's reason
   */
  async enter(options: WaitOptions = {}): Promise<void> {
    const client = this.#client;
    if (this.#own !== undefined) throw new RecipeError('Conflict', this.path, 'this member is in already');
    const { id = '', acl } = this.#options;
    const own = joinPath(this.path, `${unique(client, 8)}-member`);
    this.#own = own;
    try {
      await within(client, this.path, options, async (signal) => {
        const made = createUnique(client, {
          parent: this.path,
          name: own.slice(own.lastIndexOf('/') + 1),
          data: id,
          mode: 'ephemeral',
          acl,
        });
        made.catch(() => {}); // heard by who waits for it
        const { czxid } = await orAborted(made, signal).catch((error) => {
          made.then(() => removeLater(client, own)).catch(() => {});
          throw error;
        });
        await this.#untilReady(own, czxid, signal);
      });
    } catch (error) {
      this.#own = undefined;
      removeLater(client, own);
      throw error;
    }
  }

  async #untilReady(own: string, joined: bigint | undefined, signal: AbortSignal): Promise<void> {
    const client = this.#client;
    const ready = joinPath(this.path, READY);
    let isReady = false;
    for (;;) {
      using heard = bell(client);
      const watch = heard.at(ready, ({ type }) => {
        // it may be gone again before we look
        if (type === 'NodeCreated') isReady = true;
      });
      const stat = await read(client, () => client.exists(ready, { signal, watch }), signal);
      if (isReady || (stat !== undefined && joined !== undefined && stat.czxid > joined)) return;
      const names = await this.#names(signal, heard.at(this.path));
      if (!names.some((name) => joinPath(this.path, name) === own)) {
        if (isReady) return;
        throw new RecipeError('Lost', this.path, 'the node of this member was deleted');
      }
      if (stat !== undefined) {
        // a round that was complete before we came; when all of it are gone, so is their sign
        if (!(await this.#isOld(stat, names, signal))) {
          await removeOwn(client, ready, stat.czxid);
          continue;
        }
      } else if (names.length >= this.members) {
        await this.#announce(ready);
        return;
      }
      if (!isReady) await orAborted(heard.heard, signal);
    }
  }

  /** The members' names; none when the path is gone. */
  async #names(signal?: AbortSignal, watch?: WatchListener): Promise<string[]> {
    const options = watch === undefined ? { signal } : { signal, watch };
    try {
      const { children } = await read(this.#client, () => this.#client.getChildren(this.path, options), signal);
      return children.filter((name) => name !== READY);
    } catch (error) {
      if (isCode(error, 'NoNode')) return [];
      throw error;
    }
  }

  /** Whether some of those who made `ready` are still in. */
  async #isOld(ready: Stat, names: readonly string[], signal?: AbortSignal): Promise<boolean> {
    const stats = await Promise.all(
      names.map((name) => read(this.#client, () => this.#client.exists(joinPath(this.path, name), { signal }), signal)),
    );
    return stats.some((stat) => stat !== undefined && stat.czxid < ready.czxid);
  }

  async #announce(ready: string): Promise<void> {
    const { acl } = this.#options;
    try {
      await untilAnswered(this.#client, () => this.#client.create(ready, null, acl === undefined ? {} : { acl }));
    } catch (error) {
      if (!isCode(error, 'NodeExists')) throw error;
    }
  }

  /** Leaves without waiting for the others. */
  async depart(): Promise<void> {
    const client = this.#client;
    const own = this.#own;
    if (own === undefined) return;
    this.#own = undefined;
    const ready = joinPath(this.path, READY);
    const isMixed = (await this.#names()).some((name) => KAZOO.test(name));
    if (isMixed) await removeOwn(client, ready, (await read(client, () => client.exists(ready)))?.czxid);
    await removeOwn(client, own);
    const stat = await read(client, () => client.exists(ready));
    if (isMixed || stat === undefined) return;
    if (!(await this.#isOld(stat, await this.#names()))) await removeOwn(client, ready, stat.czxid);
  }

  /**
   * Leaves, and waits until all have left.
   * @throws RecipeError TimedOut; KeeperError when the session ends; the signal's reason. It has left then all the same
   */
  async leave(options: WaitOptions = {}): Promise<void> {
    const client = this.#client;
    const leaving = this.#goOut();
    leaving.catch(() => {}); // heard by who waits for it
    await within(client, this.path, options, async (signal) => {
      const stat = await orAborted(leaving, signal);
      if (stat === undefined) return;
      for (;;) {
        using heard = bell(client);
        const names = await this.#names(signal, heard.at(this.path));
        if (names.length === 0 || !(await this.#isOld(stat, names, signal))) return;
        await orAborted(heard.heard, signal);
      }
    });
  }

  /** Leaves; the sign of the round that was left. */
  async #goOut(): Promise<Stat | undefined> {
    const stat = await read(this.#client, () => this.#client.exists(joinPath(this.path, READY)));
    await this.depart();
    return stat;
  }
}
