/** Where the changes of commands go: to the servers, into a transaction, or nowhere. */
import { type Client, RequestError } from '../client/api.ts';
import type { CommandSpec, TransactionControl } from './command.ts';
import { ClientFacade } from './facade.ts';
import { cannotShow, type Failure, READ_ONLY_HINT, refused, usage } from './failure.ts';
import type { Output } from './output.ts';
import { quoteWord } from './paths.ts';
import { type Change, Recorder } from './recorder.ts';
import { commitAll, Pending, pendingTable, planOf, refuseUnsendable } from './transaction.ts';

/** How one run of a command reaches the servers. */
export interface Route {
  /** What it changes is sent. */
  readonly isReal: boolean;
  /** It will be sent, now or with the rest: a person may be asked about it. */
  readonly asks: boolean;
  wrap(client: Client): Client;
  /** The same for a session of another ensemble; absent: as `isReal` says. */
  readonly wrapElsewhere?: (client: Client, target: string) => Client;
  /** What is shown in the end. */
  settle(output: Output | undefined): Output | undefined;
}

/** What the routes need of the shell. */
export interface ChangesPorts {
  readonly isReadOnly: () => boolean;
  /** Nothing at all is sent. */
  readonly isDryRun: boolean;
  /** Somebody is there to mend a transaction that could not be sent. */
  readonly isInteractive: boolean;
  warn(line: string): void;
  show(output: Output): void;
  client(): Promise<Client>;
  /** Sends changes that `words` are said of, noted for undo. */
  kept<T>(words: string, send: (client: Client) => Promise<T>): Promise<T>;
  /** The command that runs has sent a change. */
  readonly hasSent: () => boolean;
  /** Asks where changes are asked about. @throws Failure 30, 31 */
  beforeCommit(): Promise<void>;
  /** Runs the operations of a text, each as a command. */
  runOperations(text: string, file: string | undefined): Promise<void>;
  readFile(file: string): string;
  noteEphemeral(path: string): void;
  readonly signal: () => AbortSignal;
}

const DIRECT: Route = { isReal: true, asks: true, wrap: (client) => client, settle: (output) => output };

/** What would be done in another ensemble; its session ends with its user. */
class ElsewhereRecorder extends Recorder {
  constructor(inner: Client) {
    super(inner, { checks: true });
  }
  override close(): Promise<void> {
    return this.inner.close();
  }
}

export class Changes implements TransactionControl {
  readonly #ports: ChangesPorts;
  #pending: Pending | undefined;
  /** The command that runs only shows what would be sent. */
  #onlyShows = false;
  /** Where all is a dry run later commands see what earlier ones would have done; otherwise of the command that runs. */
  #dry: { readonly inner: Client; readonly recorder: Recorder } | undefined;

  constructor(ports: ChangesPorts) {
    this.#ports = ports;
  }

  get isOpen(): boolean {
    return this.#pending !== undefined;
  }
  get collects(): boolean {
    return this.#pending !== undefined;
  }
  /** All of the script is one. */
  get isAtomic(): boolean {
    return this.#pending?.kind === 'atomic';
  }
  /** It is on its way to the servers. */
  get isSending(): boolean {
    return this.#isSending;
  }
  #isSending = false;
  /** Operations waiting; undefined without a transaction. */
  get waiting(): number | undefined {
    return this.#pending?.changes.length;
  }

  /** @throws Failure (2) when the command cannot stand where it does */
  route(spec: CommandSpec, dryRun: boolean): Route {
    const pending = this.#pending;
    this.#onlyShows = dryRun;
    if (pending !== undefined) {
      const route = this.#queued(spec, pending);
      if (!dryRun) return route;
      if (!route.isReal && !this.#ports.isDryRun)
        throw usage(
          `${spec.name}: -n shows nothing inside a transaction`,
          'txn show lists what waits; commit -n shows what it would do',
        );
      // what is only shown is not asked about
      return route === DIRECT ? { ...DIRECT, isReal: false, asks: false } : route;
    }
    if (dryRun) return this.#dryRun(spec);
    return this.#ports.isReadOnly() ? { ...DIRECT, wrap: (client) => new ReadOnlyClient(client) } : DIRECT;
  }

  #queued(spec: CommandSpec, pending: Pending): Route {
    const { name, transaction, risk } = spec;
    const isOperation = transaction === 'operation' || (pending.kind === 'atomic' && transaction === 'expanded');
    if (isOperation)
      return { isReal: false, asks: true, wrap: (client) => pending.over(client), settle: () => undefined };
    if (pending.kind === 'atomic') {
      if (transaction === 'harmless')
        return { isReal: false, asks: true, wrap: (client) => pending.over(client), settle: (output) => output };
      throw usage(`${name} cannot be part of --atomic`, 'operations, assert and exists can');
    }
    if (risk !== 'read' && spec.group !== 'transaction')
      throw usage(`${name} cannot be part of a transaction`, 'create, set, delete and check can; commit sends them');
    if (spec.group === 'read' && !pending.warned) {
      pending.warned = true;
      this.#ports.warn('reads see the tree as it is before the transaction');
    }
    return DIRECT;
  }

  #dryRun(spec: CommandSpec): Route {
    // a form of it that only reads shows what it always does
    const onlyReads = spec.riskOf !== undefined && spec.risk === 'read';
    if (spec.dryRun === false && onlyReads)
      return { ...DIRECT, isReal: false, asks: false, wrap: (client) => new ReadOnlyClient(client) };
    if (spec.dryRun === false) throw cannotShow(spec.name);
    // where only this command was said to be dry, what was only thought of before must not be taken for the tree
    if (!this.#ports.isDryRun) this.#dry = undefined;
    let recorder: Recorder | undefined;
    const elsewhere: { readonly target: string; readonly recorder: Recorder }[] = [];
    return {
      isReal: false,
      asks: false,
      wrap: (client) => {
        if (this.#dry?.inner !== client)
          this.#dry = { inner: client, recorder: new Recorder(client, { checks: true }) };
        recorder = this.#dry.recorder;
        return recorder;
      },
      wrapElsewhere: (client, target) => {
        const own = new ElsewhereRecorder(client);
        elsewhere.push({ target, recorder: own });
        return own;
      },
      settle: (output) => {
        const changes = recorder?.take() ?? [];
        for (const { target, recorder: own } of elsewhere)
          for (const change of own.take()) changes.push({ ...change, path: `${target}:${change.path}` });
        // what a change answers is not so: nothing was done
        return changes.length > 0 || spec.risk !== 'read' ? { ...planOf(changes), exit: output?.exit ?? 0 } : output;
      },
    };
  }

  open(): void {
    if (this.#pending !== undefined) throw usage('a transaction is open already', 'commit sends it, abort forgets it');
    this.#pending = new Pending('txn');
  }
  beginAtomic(): void {
    this.#pending = new Pending('atomic');
  }

  #mine(): Pending {
    if (this.#pending === undefined) throw usage('no transaction is open', 'txn opens one');
    return this.#pending;
  }

  show(): Output {
    return pendingTable(this.#mine().changes);
  }
  drop(number: number): void {
    this.#mine().drop(number);
  }
  abort(): number {
    const count = this.#mine().changes.length;
    this.#pending = undefined;
    return count;
  }
  /** Forgets what waits, if anything does. */
  forget(): number {
    return this.#pending === undefined ? 0 : this.abort();
  }

  async commit(): Promise<Output> {
    const { changes, kind } = this.#mine();
    if (this.#onlyShows) {
      if (this.#ports.isDryRun) this.#pending = undefined;
      else refuseUnsendable(changes);
      return planOf(changes);
    }
    let isRefused = false;
    try {
      if (kind === 'txn') refuseUnsendable(changes);
      await this.#ports.beforeCommit();
      this.#isSending = true;
      const { output, failure, made } = await this.#ports.kept(wordsOf(changes), (client) =>
        commitAll(client, changes, this.#ports.signal()),
      );
      if (failure !== undefined) {
        this.#ports.show(output);
        throw failure;
      }
      for (const [at, change] of changes.entries())
        if (change.op?.op === 'create' && change.op.options.mode?.startsWith('ephemeral') === true)
          this.#ports.noteEphemeral(made[at] ?? change.path);
      return output;
    } catch (error) {
      isRefused = error instanceof RequestError;
      throw error;
    } finally {
      this.#isSending = false;
      // what was not sent stays with whoever can mend it; a script would only add to it
      const isSent = this.#ports.hasSent() && !isRefused;
      if (isSent || kind === 'atomic' || !this.#ports.isInteractive) this.#pending = undefined;
    }
  }

  /** `txn { ... }`: under `--atomic` its operations are some among others. @throws Failure of the first that cannot be read */
  async block(work: () => Promise<void>): Promise<Output | undefined> {
    const isNested = this.#pending?.kind === 'atomic';
    if (!isNested) this.open();
    try {
      await work();
      return isNested ? undefined : await this.commit();
    } catch (error) {
      if (!isNested) this.forget();
      throw error;
    }
  }

  async runFile(file: string): Promise<Output> {
    const text = this.#ports.readFile(file);
    const output = await this.block(() => this.#ports.runOperations(text, file));
    return output ?? { type: 'many', parts: [] };
  }

  async check(path: string, version: number | 'absent'): Promise<void> {
    await this.#mine()
      .over(await this.#ports.client())
      .check(path, version, { signal: this.#ports.signal() });
  }
}

const WORDS = 3;
/** A transaction in a line; what is written stays in its node. */
const wordsOf = (changes: readonly Change[]): string => {
  const words = changes.slice(0, WORDS).map(({ kind, path }) => `${kind} ${quoteWord(path)}`);
  return `txn { ${words.join('; ')}${changes.length > WORDS ? `; and ${changes.length - WORDS} more` : ''} }`;
};

/** Refuses what would change something, whatever command asks for it. */
export class ReadOnlyClient extends ClientFacade {
  readonly #why: Failure;
  constructor(inner: Client, why: Failure = refused('this shell is read-only', READ_ONLY_HINT)) {
    super(inner);
    this.#why = why;
  }
  readonly #refuse = (): Promise<never> => Promise.reject(this.#why);
  override create = this.#refuse;
  override delete = this.#refuse;
  override set = this.#refuse;
  override setAcl = this.#refuse;
  override multi = this.#refuse;
  override reconfig = this.#refuse;
}
