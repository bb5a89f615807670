import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import {
  type Acl,
  type Client,
  type CreateOptions,
  MultiError,
  type MultiOp,
  type OpOptions,
  type ReadOptions,
  type WatchKind,
  type WatchListener,
} from '../client/api.ts';
import { UNKNOWN_OUTCOME } from './exit-codes.ts';
import { ClientFacade } from './facade.ts';
import { noteDecider, noteRead } from './failed-request.ts';

/** What is said along the way. */
export interface DeadlinePorts {
  /** How long an answer may take, ms. */
  readonly limitMs: () => number;
  /** An answer took so long, ms. */
  readonly took: (ms: number) => void;
  /** A change was sent, and whether it was made is not known. */
  readonly lost: () => void;
  /** A read has set a watch. */
  readonly watching: (path: string, kind: 'data' | 'children') => void;
}

/** Waits for each answer so long and no longer; what was asked may still be done. */
export class DeadlineClient extends ClientFacade {
  readonly #ports: DeadlinePorts;
  /** Changes without an answer. */
  #changing = 0;
  constructor(inner: Client, ports: DeadlinePorts) {
    super(inner);
    this.#ports = ports;
  }

  #inTime<T>(answer: Promise<T>, path?: string): Promise<T> {
    const began = performance.now();
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => reject(new KeeperError('OperationTimeout', path)), this.#ports.limitMs());
      answer
        .then((value) => {
          this.#ports.took(performance.now() - began);
          resolve(value);
        }, reject)
        .finally(() => clearTimeout(timer));
    });
  }
  async #change<T>(answer: Promise<T>, path?: string, decider?: string): Promise<T> {
    this.#changing++;
    try {
      return await this.#inTime(answer, path);
    } catch (error) {
      // what is given up is on its way
      const isKnown = error instanceof MultiError || (error instanceof KeeperError && !UNKNOWN_OUTCOME.has(error.code));
      if (!isKnown) this.#ports.lost();
      if (error instanceof KeeperError && error.code === 'NoAuth' && decider !== undefined) noteDecider(error, decider);
      throw error;
    } finally {
      this.#changing--;
    }
  }
  async #read<T>(answer: Promise<T>, path?: string): Promise<T> {
    try {
      return await this.#inTime(answer, path);
    } catch (error) {
      if (this.#changing === 0) noteRead(error);
      throw error;
    }
  }
  async #watched<T>(answer: Promise<T>, path: string, kind: 'data' | 'children', options?: ReadOptions): Promise<T> {
    const found = await answer;
    if (options?.watch !== undefined) this.#ports.watching(path, kind);
    return found;
  }
  override create(path: string, data?: Uint8Array | string | null, options?: CreateOptions) {
    return this.#change(super.create(path, data, options), path, parentOf(path.endsWith('/') ? `${path}x` : path));
  }
  override delete(path: string, version?: number, options?: OpOptions) {
    return this.#change(super.delete(path, version, options), path, parentOf(path));
  }
  override exists(path: string, options?: ReadOptions) {
    return this.#watched(this.#read(super.exists(path, options), path), path, 'data', options);
  }
  override get(path: string, options?: ReadOptions) {
    return this.#watched(this.#read(super.get(path, options), path), path, 'data', options);
  }
  override set(path: string, data: Uint8Array | string | null, version?: number, options?: OpOptions) {
    return this.#change(super.set(path, data, version, options), path);
  }
  override getChildren(path: string, options?: ReadOptions) {
    return this.#watched(this.#read(super.getChildren(path, options), path), path, 'children', options);
  }
  override getAcl(path: string, options?: OpOptions) {
    return this.#read(super.getAcl(path, options), path);
  }
  override setAcl(path: string, acl: readonly Acl[], version?: number, options?: OpOptions) {
    return this.#change(super.setAcl(path, acl, version, options), path);
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
    return this.#change(super.multi(ops, options), ops[0]?.path);
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
