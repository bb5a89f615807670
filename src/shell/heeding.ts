import type { Acl, Client, CreateOptions, MultiOp, OpOptions, ReadOptions } from '../client/api.ts';
import { ClientFacade } from './facade.ts';

/**
 * Asks nothing more once `signal` has aborted, and waits for nothing, whoever uses it knows of no signal. Deletions are let
 * through: they take away what was made on the way.
 */
export class HeedingClient extends ClientFacade {
  readonly #signal: AbortSignal;
  constructor(inner: Client, signal: AbortSignal) {
    super(inner);
    this.#signal = signal;
  }
  #heeding<O extends OpOptions>(options: O | undefined): O {
    this.#signal.throwIfAborted();
    return { ...(options as O), signal: options?.signal ?? this.#signal };
  }
  override async create(path: string, data?: Uint8Array | string | null, options?: CreateOptions) {
    return super.create(path, data, this.#heeding(options));
  }
  override async exists(path: string, options?: ReadOptions) {
    return super.exists(path, this.#heeding(options));
  }
  override async get(path: string, options?: ReadOptions) {
    return super.get(path, this.#heeding(options));
  }
  override async set(path: string, data: Uint8Array | string | null, version?: number, options?: OpOptions) {
    return super.set(path, data, version, this.#heeding(options));
  }
  override async getChildren(path: string, options?: ReadOptions) {
    return super.getChildren(path, this.#heeding(options));
  }
  override async getAcl(path: string, options?: OpOptions) {
    return super.getAcl(path, this.#heeding(options));
  }
  override async setAcl(path: string, acl: readonly Acl[], version?: number, options?: OpOptions) {
    return super.setAcl(path, acl, version, this.#heeding(options));
  }
  override async sync(path: string, options?: OpOptions) {
    return super.sync(path, this.#heeding(options));
  }
  override async multi(ops: readonly MultiOp[], options?: OpOptions) {
    return super.multi(ops, this.#heeding(options));
  }
}
