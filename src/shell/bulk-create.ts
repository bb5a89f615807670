/** Many nodes made anew, as fast as a server takes them. */
import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
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
  /** Makes what is missing above these nodes, but for what is itself among them. */
  readonly makeParents: (paths: readonly string[]) => Promise<void>;
}

/** Of a creation: it was made now, it was there, or why not; undefined: it is not there, and was not made yet. */
type Answer = boolean | undefined | Error;
/** It is not there, or what it would stand on is not. */
const isLacking = (answer: Answer): boolean =>
  answer === undefined || (answer instanceof KeeperError && answer.code === 'NoNode');
/** It stays away for a reason of its own, which no level above it mends. */
const isRefused = (answer: Answer): answer is Error =>
  answer instanceof Error && !isLacking(answer) && !(answer instanceof KeeperError && answer.code === 'NodeExists');

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
    const { existing, created, denied } = this.#options;
    const refused = (record: NodeRecord, error: unknown): void => {
      if (!this.#goesOn(error)) throw error;
      denied?.(record);
    };
    let met = 0;
    let seen = 0;
    const asked = records.map((record): Promise<Answer> => (creates ? this.#create(record) : this.#look(record)));
    /** Those before it that lacked something were made again. */
    let again = 0;
    const refusals = new Map<string, Error>();
    const settled = async (at: number, record: NodeRecord): Promise<void> => {
      if (at >= again && isLacking(await asked[at]))
        again = await this.#again(records, asked, at, { creates, refusals });
      const answer = await asked[at];
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
      for (const [at, record] of records.entries()) if (at >= seen && (await asked[at]) === true) created(record);
      throw error;
    }
    this.#meetsExisting = met * 2 > records.length;
  }

  /** Whether the others are made all the same. */
  #goesOn(error: unknown): boolean {
    return this.#options.denied !== undefined && error instanceof KeeperError && error.code === 'NoAuth';
  }

  /**
   * Makes again, all at once, what was not made for lack of what is above it, once that is there. Of nodes that were only
   * looked at these are the ones up to the next that is there, of which something else has to be decided first. What is
   * below a node that was refused is refused with it: an empty one in its place would be taken for the node. Returns the
   * place behind the last.
   */
  async #again(
    records: readonly NodeRecord[],
    asked: Promise<Answer>[],
    from: number,
    { creates, refusals }: { readonly creates: boolean; readonly refusals: Map<string, Error> },
  ): Promise<number> {
    const { signal, makeParents } = this.#options;
    const recordAt = (at: number): NodeRecord => records[at] as NodeRecord;
    /** The first whose refusal ends it: nothing behind it is tried again. */
    let last = records.length;
    const note = (at: number, answer: Answer): void => {
      if (!isRefused(answer)) return;
      refusals.set(recordAt(at).path, answer);
      if (!this.#goesOn(answer)) last = Math.min(last, at);
    };
    /** Those that may still be made. */
    const left = (places: readonly number[]): number[] =>
      places.filter((at) => {
        if (at >= last) return false;
        const above = ancestors(recordAt(at).path).find((path) => refusals.has(path));
        if (above === undefined) return true;
        const why = refusals.get(above);
        asked[at] = Promise.resolve(why);
        note(at, why);
        return false;
      });
    const tried = async (places: readonly number[]): Promise<number[]> => {
      for (const at of places) asked[at] = this.#create(recordAt(at));
      const answers = await Promise.all(places.map((at) => asked[at]));
      for (const [index, at] of places.entries()) note(at, answers[index]);
      return left(places.filter((_, index) => isLacking(answers[index])));
    };
    let lacking: number[] = [];
    let end = from;
    for (; end < records.length; end++)
      if (isLacking(await asked[end])) lacking.push(end);
      else if (!creates) break;
    // who may not look at a node may be allowed to make others below it
    if (creates) for (const [at, answer] of (await Promise.all(asked)).entries()) note(at, answer);
    lacking = left(lacking);
    signal.throwIfAborted();
    // what was only looked at may have a parent
    if (!creates) lacking = await tried(lacking);
    // what lacks a level below one of the others gets it in the next round
    for (let before = Number.POSITIVE_INFINITY; lacking.length > 0 && lacking.length < before; ) {
      before = lacking.length;
      await makeParents(lacking.map((at) => recordAt(at).path)).catch((error: unknown) => {
        if (!(error instanceof KeeperError) || signal.aborted) throw error; // else it is told of the node that lacks it
      });
      lacking = await tried(lacking);
    }
    // each after those above it, in whatever order they came
    const placeOf = new Map(lacking.map((at) => [recordAt(at).path, at]));
    const order = new Set(
      lacking.flatMap((at) => [...ancestors(recordAt(at).path).flatMap((path) => placeOf.get(path) ?? []), at]),
    );
    for (const at of order) {
      if (left([at]).length === 0) continue;
      const answer = await this.#alone(recordAt(at));
      asked[at] = Promise.resolve(answer);
      note(at, answer);
      if (isLacking(answer)) last = Math.min(last, at);
    }
    return end;
  }

  #create(record: NodeRecord): Promise<Answer> {
    const { path, data, acl } = record;
    const options = { ...modeOf(record), ...(acl !== undefined && { acl }), signal: this.#options.signal };
    return this.#client.create(path, data, options).then(
      () => true,
      (error: unknown) => error as Error,
    );
  }
  #look({ path }: NodeRecord): Promise<Answer> {
    return this.#client.exists(path, { signal: this.#options.signal }).then(
      (stat) => (stat === undefined ? undefined : false),
      (error: unknown) => error as Error,
    );
  }
  /** With what is above it; why that cannot be made is why it cannot. */
  async #alone(record: NodeRecord): Promise<Answer> {
    try {
      await this.#options.makeParents([record.path]);
    } catch (error) {
      return error as Error;
    }
    return this.#create(record);
  }
}

/** All above a node but the root of the tree, the topmost first. */
function ancestors(path: string): string[] {
  const above: string[] = [];
  for (let at = parentOf(path); at !== '/' && at !== ''; at = parentOf(at)) above.unshift(at);
  return above;
}

/** As a part of a transaction. */
export const creation = (record: NodeRecord): MultiOp => ({
  op: 'create',
  path: record.path,
  data: record.data,
  options: { ...modeOf(record), ...(record.acl !== undefined && { acl: record.acl }) },
});
