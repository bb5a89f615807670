import { KeeperError } from '../base/errors.ts';
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
import { ClientFacade } from './facade.ts';

/** What is said along the way. */
export interface DeadlinePorts {
  /** How long an answer may take, ms. */
  readonly limitMs: () => number;
  /** An answer took so long, ms. */
  readonly took: (ms: number) => void;
  /** A read has set a watch. */
  readonly watching: (path: string, kind: 'data' | 'children') => void;
}

/** Waits for each answer so long and no longer; what was asked may still be done. */
export class DeadlineClient extends ClientFacade {
  readonly #ports: DeadlinePorts;
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
  async #watched<T>(answer: Promise<T>, path: string, kind: 'data' | 'children', options?: ReadOptions): Promise<T> {
    const found = await answer;
    if (options?.watch !== undefined) this.#ports.watching(path, kind);
    return found;
  }
  override create(path: string, data?: Uint8Array | string | null, options?: CreateOptions) {
    return this.#inTime(super.create(path, data, options), path);
  }
  override delete(path: string, version?: number, options?: OpOptions) {
    return this.#inTime(super.delete(path, version, options), path);
  }
  override exists(path: string, options?: ReadOptions) {
    return this.#watched(this.#inTime(super.exists(path, options), path), path, 'data', options);
  }
  override get(path: string, options?: ReadOptions) {
    return this.#watched(this.#inTime(super.get(path, options), path), path, 'data', options);
  }
  override set(path: string, data: Uint8Array | string | null, version?: number, options?: OpOptions) {
    return this.#inTime(super.set(path, data, version, options), path);
  }
  override getChildren(path: string, options?: ReadOptions) {
    return this.#watched(this.#inTime(super.getChildren(path, options), path), path, 'children', options);
  }
  override getAcl(path: string, options?: OpOptions) {
    return this.#inTime(super.getAcl(path, options), path);
  }
  override setAcl(path: string, acl: readonly Acl[], version?: number, options?: OpOptions) {
    return this.#inTime(super.setAcl(path, acl, version, options), path);
  }
  override sync(path: string, options?: OpOptions) {
    return this.#inTime(super.sync(path, options), path);
  }
  override getEphemerals(prefix?: string, options?: OpOptions) {
    return this.#inTime(super.getEphemerals(prefix, options), prefix);
  }
  override getAllChildrenNumber(path: string, options?: OpOptions) {
    return this.#inTime(super.getAllChildrenNumber(path, options), path);
  }
  override whoAmI(options?: OpOptions) {
    return this.#inTime(super.whoAmI(options));
  }
  override multi(ops: readonly MultiOp[], options?: OpOptions) {
    return this.#inTime(super.multi(ops, options), ops[0]?.path);
  }
  override multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ) {
    return this.#inTime(super.multiRead(ops, options), ops[0]?.path);
  }
  override addWatch(path: string, listener: WatchListener, options?: OpOptions & { recursive?: boolean }) {
    return this.#inTime(super.addWatch(path, listener, options), path);
  }
  override removeWatches(path: string, kind: WatchKind, options?: OpOptions & { local?: boolean }) {
    return this.#inTime(super.removeWatches(path, kind, options), path);
  }
  override getConfig(options?: ReadOptions) {
    return this.#inTime(super.getConfig(options));
  }
  override reconfig(
    change: { joining?: string; leaving?: string; members?: string; version?: bigint },
    options?: OpOptions,
  ) {
    return this.#inTime(super.reconfig(change, options));
  }
}
