import type { SessionId, Zxid } from '../base/ids.ts';
import { joinPath } from '../base/path.ts';
import type { Client, WatchListener } from '../client/api.ts';
import { shared } from '../client/shared-signal.ts';
import { codeOf, read } from './certain.ts';
import { inOrder } from './contest.ts';
import { Lock, type RecipeOptions } from './lock.ts';
import { contenders, ELECTION_PARTS } from './styles.ts';
import type { Hold } from './tenure.ts';
import { bell, orAborted, type WaitOptions } from './waiting.ts';

/** Who leads. */
export interface Leader {
  /** What it says about itself. */
  readonly id: string;
  readonly node: string;
  /** Grows from leader to leader. */
  readonly token: Zxid;
  readonly session: SessionId;
}

/** One of all candidates leads: the one that came first. `id` of the options is what observers see. */
export class Election {
  readonly path: string;
  readonly #client: Client;
  readonly #lock: Lock;
  constructor(client: Client, path: string, options: RecipeOptions = {}) {
    this.#client = client;
    this.path = path;
    this.#lock = new Lock(client, path, options, ELECTION_PARTS, 'elect');
  }

  /** Waits until this candidate leads; it leads while the hold is `held`. @throws as {@link Lock.acquire} */
  campaign(options: WaitOptions = {}): Promise<Hold> {
    return this.#lock.acquire(options);
  }

  /** Who leads now; undefined when nobody does. */
  leader(): Promise<Leader | undefined> {
    return look(this.#client, this.path);
  }

  /** Who leads, and every change of it that is seen, until `signal` aborts, which ends it in silence. */
  async *observe(signal: AbortSignal = new AbortController().signal): AsyncGenerator<Leader | undefined, void> {
    let last: Leader | undefined;
    shared(signal);
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      using heard = bell(this.#client);
      try {
        const found = await look(this.#client, this.path, heard.at(this.path), signal);
        if (isFirst || found?.node !== last?.node) yield found;
        last = found;
        await orAborted(heard.heard, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
    }
  }
}

async function look(
  client: Client,
  path: string,
  watch?: WatchListener,
  signal?: AbortSignal,
): Promise<Leader | undefined> {
  const options = watch === undefined ? { signal } : { signal, watch };
  for (;;)
    try {
      const { children } = await read(client, () => client.getChildren(path, options), signal);
      const [first] = await inOrder(client, path, contenders(children), signal);
      if (first === undefined) return undefined;
      const node = joinPath(path, first.name);
      const { data, stat } = await read(client, () => client.get(node, { signal }), signal);
      return { id: data?.toString() ?? '', node, token: stat.czxid, session: stat.ephemeralOwner };
    } catch (error) {
      if (codeOf(error) !== 'NoNode') throw error;
      // the path, or the one who led, is not there
      if ((await read(client, () => client.exists(path, options), signal)) === undefined) return undefined;
    }
}
