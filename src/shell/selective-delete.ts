/** Nodes deleted while a walk meets them: some of a subtree, those below first. */
import { KeeperError } from '../base/errors.ts';
import { type Client, MultiError } from '../client/api.ts';

/** Why a node stays. */
export type KeptFor = 'NotEmpty' | 'NoAuth' | 'BadVersion';

interface Wanted {
  readonly path: string;
  readonly version: number;
}

export interface SelectiveDeleteOptions {
  readonly signal: AbortSignal;
  /** Transactions on their way. */
  readonly batches: number;
  /** Told what is gone, in the order it went. */
  readonly deleted: (paths: readonly string[]) => Promise<void>;
  readonly kept: (path: string, why: KeptFor) => void;
}

const BATCH = 1000;

/**
 * Takes the nodes of a walk, and deletes those that are wanted once the walk has left what is below them. They go in
 * transactions; one that is refused is done again node by node, so that one node that cannot go keeps only those above it.
 * Memory holds the way to one node. @throws KeeperError what else a server refuses
 */
export class SelectiveDelete {
  readonly #client: Client;
  readonly #options: SelectiveDeleteOptions;
  /** The way to the node the walk is at; `stays`: something below does. */
  readonly #above: (Wanted & { readonly isWanted: boolean; stays: boolean })[] = [];
  #batch: Wanted[] = [];
  readonly #sent: { readonly nodes: readonly Wanted[]; readonly done: Promise<unknown> }[] = [];

  constructor(client: Client, options: SelectiveDeleteOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** `depth` below the root of the walk; `version`: it goes only while it has that one, -1 for any. */
  async node(path: string, depth: number, isWanted: boolean, version = -1): Promise<void> {
    while (this.#above.length > depth) await this.#leave();
    this.#above.push({ path, version, isWanted, stays: false });
  }

  async end(): Promise<void> {
    while (this.#above.length > 0) await this.#leave();
    await this.#send();
    while (this.#sent.length > 0) await this.#take();
  }

  /** After something ended it: what was answered all the same is told. */
  async settle(): Promise<void> {
    for (const { nodes, done } of this.#sent.splice(0))
      if ((await done) === undefined) await this.#options.deleted(nodes.map(({ path }) => path));
  }

  async #leave(): Promise<void> {
    const node = this.#above.pop();
    if (node === undefined) return;
    const { path, version, isWanted, stays } = node;
    if (isWanted && !stays) {
      this.#batch.push({ path, version });
      if (this.#batch.length >= BATCH) await this.#send();
      return;
    }
    const parent = this.#above.at(-1);
    if (parent !== undefined) parent.stays = true;
    if (isWanted) this.#options.kept(path, 'NotEmpty');
  }

  async #send(): Promise<void> {
    const nodes = this.#batch;
    if (nodes.length === 0) return;
    this.#batch = [];
    const ops = nodes.map(({ path, version }) => ({ op: 'delete' as const, path, version }));
    const done = this.#client.multi(ops, { signal: this.#options.signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    this.#sent.push({ nodes, done });
    if (this.#sent.length >= this.#options.batches) await this.#take();
  }

  async #take(): Promise<void> {
    const first = this.#sent.shift();
    if (first === undefined) return;
    const error = await first.done;
    if (error === undefined) return this.#options.deleted(first.nodes.map(({ path }) => path));
    const code = error instanceof MultiError ? error.code : undefined;
    if (code !== 'NoNode' && !isKept(code)) throw error;
    await this.#singly(first.nodes);
  }

  /** Each for itself, all at once: the server takes them in order. */
  async #singly(nodes: readonly Wanted[]): Promise<void> {
    const { signal, deleted, kept } = this.#options;
    const answers = nodes.map(({ path, version }) =>
      this.#client.delete(path, version, { signal }).then(
        () => undefined,
        (error: unknown) => error as Error,
      ),
    );
    const gone: string[] = [];
    let failure: Error | undefined;
    for (const [at, { path }] of nodes.entries()) {
      const error = await answers[at];
      const code = error instanceof KeeperError ? error.code : undefined;
      if (error === undefined) gone.push(path);
      else if (isKept(code)) kept(path, code);
      else if (code !== 'NoNode') failure ??= error;
    }
    await deleted(gone);
    if (failure !== undefined) throw failure;
  }
}

const isKept = (code: string | undefined): code is KeptFor =>
  code === 'NotEmpty' || code === 'NoAuth' || code === 'BadVersion';
