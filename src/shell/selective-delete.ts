/** Nodes deleted while a walk meets them: some of a subtree, those below first. */
import { KeeperError } from '../base/errors.ts';
import { type Client, MultiError } from '../client/api.ts';

/** Why a node stays. */
export type KeptFor = 'NotEmpty' | 'NoAuth';

export interface SelectiveDeleteOptions {
  readonly signal: AbortSignal;
  /** Told what is gone, in the order it went. */
  readonly deleted: (paths: readonly string[]) => Promise<void>;
  readonly kept: (path: string, why: KeptFor) => void;
}

const BATCH = 1000;
/** Transactions on their way. */
const BATCHES = 4;

/**
 * Takes the nodes of a walk, and deletes those that are wanted once the walk has left what is below them. They go in
 * transactions; one that is refused is done again node by node, so that one node that cannot go keeps only those above it.
 * Memory holds the way to one node. @throws KeeperError what else a server refuses
 */
export class SelectiveDelete {
  readonly #client: Client;
  readonly #options: SelectiveDeleteOptions;
  /** The way to the node the walk is at; `stays`: something below does. */
  readonly #above: { readonly path: string; readonly isWanted: boolean; stays: boolean }[] = [];
  #batch: string[] = [];
  readonly #sent: { readonly paths: readonly string[]; readonly done: Promise<unknown> }[] = [];

  constructor(client: Client, options: SelectiveDeleteOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** `depth` below the root of the walk. */
  async node(path: string, depth: number, isWanted: boolean): Promise<void> {
    while (this.#above.length > depth) await this.#leave();
    this.#above.push({ path, isWanted, stays: false });
  }

  async end(): Promise<void> {
    while (this.#above.length > 0) await this.#leave();
    await this.#send();
    while (this.#sent.length > 0) await this.#take();
  }

  async #leave(): Promise<void> {
    const { path, isWanted, stays } = this.#above.pop() as { path: string; isWanted: boolean; stays: boolean };
    if (isWanted && !stays) {
      this.#batch.push(path);
      if (this.#batch.length >= BATCH) await this.#send();
      return;
    }
    const parent = this.#above.at(-1);
    if (parent !== undefined) parent.stays = true;
    if (isWanted) this.#options.kept(path, 'NotEmpty');
  }

  async #send(): Promise<void> {
    const paths = this.#batch;
    if (paths.length === 0) return;
    this.#batch = [];
    const ops = paths.map((path) => ({ op: 'delete' as const, path, version: -1 }));
    const done = this.#client.multi(ops, { signal: this.#options.signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    this.#sent.push({ paths, done });
    if (this.#sent.length >= BATCHES) await this.#take();
  }

  async #take(): Promise<void> {
    const first = this.#sent.shift();
    if (first === undefined) return;
    const error = await first.done;
    if (error === undefined) return this.#options.deleted(first.paths);
    const code = error instanceof MultiError ? error.code : undefined;
    if (code !== 'NotEmpty' && code !== 'NoNode' && code !== 'NoAuth') throw error;
    await this.#singly(first.paths);
  }

  /** Each for itself, all at once: the server takes them in order. */
  async #singly(paths: readonly string[]): Promise<void> {
    const { signal, deleted, kept } = this.#options;
    const answers = paths.map((path) =>
      this.#client.delete(path, -1, { signal }).then(
        () => undefined,
        (error: unknown) => error as Error,
      ),
    );
    const gone: string[] = [];
    for (const [at, path] of paths.entries()) {
      const error = await answers[at];
      const code = error instanceof KeeperError ? error.code : undefined;
      if (error === undefined) gone.push(path);
      else if (code === 'NotEmpty' || code === 'NoAuth') kept(path, code);
      else if (code !== 'NoNode') {
        await deleted(gone);
        throw error;
      }
    }
    await deleted(gone);
  }
}
