/** Many nodes made anew, as fast as a server takes them. */
import { KeeperError } from '../base/errors.ts';
import { type Client, MultiError, type MultiOp } from '../client/api.ts';
import { modeOf, type NodeRecord } from './node-record.ts';

/** What is left of a request's million bytes for what stands around data. */
const BATCH_BYTES = 400_000;
const BATCH_NODES = 500;

export interface BulkCreateOptions {
  readonly signal: AbortSignal;
  /** Transactions on their way. Servers answer one session in order, so that parents are there before their children. */
  readonly batches: number;
  /** A node that is there already: what becomes of it. */
  readonly existing: (record: NodeRecord) => Promise<void>;
  /** Takes a node that the ACL above it, or its own, keeps from being written; absent: the first ends it. */
  readonly denied?: ((record: NodeRecord) => void) | undefined;
  /** Told for each that was made. */
  readonly created: (record: NodeRecord) => void;
  /** Makes what is missing above a node. */
  readonly makeParents: (path: string) => Promise<void>;
}

/**
 * Creates nodes in the order they are given. They go in transactions; one that fails, since a node of it is there already,
 * is done again node by node. @throws KeeperError what else a server refuses, with the path
 */
export class BulkCreator {
  readonly #client: Client;
  readonly #options: BulkCreateOptions;
  readonly #sent: { readonly records: readonly NodeRecord[]; readonly done: Promise<unknown> }[] = [];
  #batch: NodeRecord[] = [];
  #bytes = 0;
  /** The last transaction met nodes that were there: the next ones will, too, and are looked at first. */
  #meetsExisting = false;

  constructor(client: Client, options: BulkCreateOptions) {
    this.#client = client;
    this.#options = options;
  }

  async add(record: NodeRecord): Promise<void> {
    const bytes = 2 * record.path.length + (record.data?.length ?? 0) + 100;
    if (this.#batch.length > 0 && (this.#batch.length >= BATCH_NODES || this.#bytes + bytes > BATCH_BYTES))
      await this.#send();
    this.#batch.push(record);
    this.#bytes += bytes;
  }

  async end(): Promise<void> {
    await this.#send();
    while (this.#sent.length > 0) await this.#take();
  }

  /** After something ended it: what was answered all the same is told, so that it is in the number of what was made. */
  async settle(): Promise<void> {
    for (const { records, done } of this.#sent.splice(0))
      if ((await done) === undefined) for (const record of records) this.#options.created(record);
  }

  async #send(): Promise<void> {
    const records = this.#batch;
    if (records.length === 0) return;
    this.#batch = [];
    this.#bytes = 0;
    this.#options.signal.throwIfAborted();
    if (this.#meetsExisting) {
      while (this.#sent.length > 0) await this.#take();
      return this.#singly(records, false);
    }
    const { signal } = this.#options;
    const done = this.#client.multi(records.map(creation), { signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    this.#sent.push({ records, done });
    if (this.#sent.length >= this.#options.batches) await this.#take();
  }

  async #take(): Promise<void> {
    const first = this.#sent.shift();
    if (first === undefined) return;
    const error = await first.done;
    if (error === undefined) {
      for (const record of first.records) this.#options.created(record);
      return;
    }
    const code = error instanceof MultiError ? error.code : undefined;
    const goesOn = code === 'NoAuth' && this.#options.denied !== undefined;
    if (code !== 'NodeExists' && code !== 'NoNode' && !goesOn) throw error;
    await this.#singly(first.records, true);
  }

  /** Each for itself, all at once: the server takes them in order. */
  async #singly(records: readonly NodeRecord[], creates: boolean): Promise<void> {
    const { signal, existing, created, makeParents, denied } = this.#options;
    const refused = (record: NodeRecord, error: unknown): void => {
      if (denied === undefined || !(error instanceof KeeperError) || error.code !== 'NoAuth') throw error;
      denied(record);
    };
    let met = 0;
    let seen = 0;
    const answers = records.map((record) => {
      const { data, acl } = record;
      const options = { ...modeOf(record), ...(acl !== undefined && { acl }), signal };
      const answer = creates
        ? this.#client.create(record.path, data, options).then(() => true)
        : this.#client.exists(record.path, { signal }).then((stat) => (stat === undefined ? undefined : false));
      return answer.catch((error: unknown) => error as Error);
    });
    const settled = async (at: number, record: NodeRecord): Promise<void> => {
      let answer = await answers[at];
      if (answer === undefined || (answer instanceof KeeperError && answer.code === 'NoNode'))
        answer = await this.#once(record, makeParents).catch((error: unknown) => error as Error);
      if (answer === true) created(record);
      else if (answer === false || (answer instanceof KeeperError && answer.code === 'NodeExists')) {
        met++;
        await existing(record).catch((error: unknown) => refused(record, error));
      } else refused(record, answer);
    };
    try {
      for (const [at, record] of records.entries()) {
        seen = at + 1;
        await settled(at, record);
      }
    } catch (error) {
      // those behind it were on their way, too
      for (const [at, record] of records.entries()) if (at >= seen && (await answers[at]) === true) created(record);
      throw error;
    }
    this.#meetsExisting = met * 2 > records.length;
  }

  async #once(record: NodeRecord, makeParents: (path: string) => Promise<void>): Promise<true> {
    const { data, acl } = record;
    const { signal } = this.#options;
    const options = { ...modeOf(record), ...(acl !== undefined && { acl }), signal };
    try {
      await this.#client.create(record.path, data, options);
    } catch (error) {
      if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
      await makeParents(record.path);
      await this.#client.create(record.path, data, options);
    }
    return true;
  }
}

/** As a part of a transaction. */
export const creation = (record: NodeRecord): MultiOp => ({
  op: 'create',
  path: record.path,
  data: record.data,
  options: { ...modeOf(record), ...(record.acl !== undefined && { acl: record.acl }) },
});
