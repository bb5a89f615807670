import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import type {
  Acl,
  Client,
  CreateOptions,
  MultiOp,
  OpOptions,
  ReadOptions,
  WatchKind,
  WatchListener,
} from '../client/api.ts';
import { FORCED_LIMIT, isBeyondDefault, isTooLarge } from './data.ts';
import { ClientFacade } from './facade.ts';
import { noteDecider, noteLarge, noteRead } from './failed-request.ts';
import { noteUnanswered } from './large-reply.ts';
import { isRefusal } from './refusal.ts';

/** What became of the changes that one command asked for. */
export class Outcome {
  /** Changes without an answer. */
  changing = 0;
  /** Of one of them it is not known whether it was made. */
  isLost = false;
  /** One was sent at all. */
  hasSent = false;
  /** They go with the session: one that is under way when somebody interrupts it leaves nothing in doubt. */
  isPassing = false;
  /** One is under way, or lost. */
  get isOpen(): boolean {
    return this.isLost || (this.changing > 0 && !this.isPassing);
  }
}

/** What is said along the way. */
export interface DeadlinePorts {
  /** How long an answer may take, ms. */
  readonly limitMs: () => number;
  /** Of the command that runs. */
  readonly outcome: () => Outcome;
  /** An answer took so long, ms. */
  readonly took: (ms: number) => void;
  /** Something was asked without a connection, and waits for one. */
  readonly waits: () => void;
  /** A read has set a watch, which tells `listener`. */
  readonly watching: (path: string, kind: 'data' | 'children', listener: WatchListener) => void;
}

/** Of a change that failed. */
interface About {
  readonly path?: string | undefined;
  /** The node whose ACL decides, where it is another. */
  readonly decider?: string;
  readonly isLarge?: boolean;
}

/** What waits so long for a connection is told, ms. */
const WAITS_MS = 1000;

/** Waits for each answer so long and no longer; what was asked may still be done. */
export class DeadlineClient extends ClientFacade {
  readonly #ports: DeadlinePorts;
  /** The server has given out data that no request can hold by default, so it was set to take more. */
  #takesMore = false;
  constructor(inner: Client, ports: DeadlinePorts) {
    super(inner);
    this.#ports = ports;
  }

  #inTime<T>(answer: Promise<T>, path?: string): Promise<T> {
    const began = performance.now();
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new KeeperError('OperationTimeout', path)), this.#ports.limitMs());
      const isLost = this.inner.state === 'suspended';
      const waiting = isLost ? setTimeout(() => this.#ports.waits(), WAITS_MS) : undefined;
      answer
        .then((value) => {
          this.#ports.took(performance.now() - began);
          resolve(value);
        }, reject)
        .finally(() => {
          clearTimeout(timer);
          clearTimeout(waiting);
        });
    });
  }
  async #change<T>(answer: Promise<T>, { path, decider, isLarge }: About = {}): Promise<T> {
    const outcome = this.#ports.outcome();
    outcome.changing++;
    outcome.hasSent = true;
    try {
      return await this.#inTime(answer, path);
    } catch (error) {
      // what is given up is on its way
      if (!isRefusal(error)) outcome.isLost = true;
      if (error instanceof KeeperError && error.code === 'NoAuth' && decider !== undefined) noteDecider(error, decider);
      if (isLarge === true) noteLarge(error);
      throw error;
    } finally {
      outcome.changing--;
    }
  }
  /** Room for data that such a server has held already. */
  #raised<O extends OpOptions>(
    path: string,
    data: Uint8Array | string | null | undefined,
    options: O | undefined,
  ): O | undefined {
    if (!this.#takesMore || options?.maxRequestBytes !== undefined || !isTooLarge(path, data)) return options;
    return { ...(options as O), maxRequestBytes: FORCED_LIMIT };
  }
  async #read<T>(answer: Promise<T>, path?: string): Promise<T> {
    const outcome = this.#ports.outcome();
    try {
      return await this.#inTime(answer, path);
    } catch (error) {
      if (outcome.changing === 0) noteRead(error);
      if (error instanceof KeeperError && error.code === 'ConnectionLoss') noteUnanswered(error, this.inner, path);
      throw error;
    }
  }
  async #watched<T>(answer: Promise<T>, path: string, kind: 'data' | 'children', options?: ReadOptions): Promise<T> {
    const found = await answer;
    if (options?.watch !== undefined) this.#ports.watching(path, kind, options.watch);
    return found;
  }
  override create(path: string, data?: Uint8Array | string | null, options?: CreateOptions) {
    return this.#change(super.create(path, data, this.#raised(path, data, options)), {
      path,
      decider: parentOf(path.endsWith('/') ? `${path}x` : path),
      isLarge: isTooLarge(path, data),
    });
  }
  override delete(path: string, version?: number, options?: OpOptions) {
    return this.#change(super.delete(path, version, options), { path, decider: parentOf(path) });
  }
  override exists(path: string, options?: ReadOptions) {
    return this.#watched(this.#read(super.exists(path, options), path), path, 'data', options);
  }
  override async get(path: string, options?: ReadOptions) {
    const found = await this.#watched(this.#read(super.get(path, options), path), path, 'data', options);
    this.#takesMore ||= isBeyondDefault(found.data);
    return found;
  }
  override set(path: string, data: Uint8Array | string | null, version?: number, options?: OpOptions) {
    const raised = this.#raised(path, data, options);
    return this.#change(super.set(path, data, version, raised), { path, isLarge: isTooLarge(path, data) });
  }
  override getChildren(path: string, options?: ReadOptions) {
    return this.#watched(this.#read(super.getChildren(path, options), path), path, 'children', options);
  }
  override getAcl(path: string, options?: OpOptions) {
    return this.#read(super.getAcl(path, options), path);
  }
  override setAcl(path: string, acl: readonly Acl[], version?: number, options?: OpOptions) {
    return this.#change(super.setAcl(path, acl, version, options), { path });
  }
  override sync(path: string, options?: OpOptions) {
    return this.#read(super.sync(path, options), path);
  }
  override getEphemerals(prefix?: string, options?: OpOptions) {
    return this.#read(super.getEphemerals(prefix, options), prefix);
  }
  override getAllChildrenNumber(path: string, options?: OpOptions) {
    return this.#read(super.getAllChildrenNumber(path, options), path);
  }
  override whoAmI(options?: OpOptions) {
    return this.#read(super.whoAmI(options));
  }
  override multi(ops: readonly MultiOp[], options?: OpOptions) {
    const large = ops.find((op) => 'data' in op && isTooLarge(op.path, op.data));
    const raised = large === undefined || !('data' in large) ? options : this.#raised(large.path, large.data, options);
    return this.#change(super.multi(ops, raised), { path: ops[0]?.path, isLarge: large !== undefined });
  }
  override multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ) {
    return this.#read(super.multiRead(ops, options), ops[0]?.path);
  }
  override addWatch(path: string, listener: WatchListener, options?: OpOptions & { recursive?: boolean }) {
    return this.#read(super.addWatch(path, listener, options), path);
  }
  override removeWatches(path: string, kind: WatchKind, options?: OpOptions & { local?: boolean }) {
    return this.#read(super.removeWatches(path, kind, options), path);
  }
  override getConfig(options?: ReadOptions) {
    return this.#read(super.getConfig(options));
  }
  override reconfig(
    change: { joining?: string; leaving?: string; members?: string; version?: bigint },
    options?: OpOptions,
  ) {
    return this.#change(super.reconfig(change, options));
  }
}
