import type { SessionId, Zxid } from '../base/ids.ts';
import type {
  Acl,
  Client,
  ClientState,
  Clock,
  CreateOptions,
  MultiOp,
  MultiResult,
  OpOptions,
  PersistentWatch,
  Random,
  ReadOptions,
  Stat,
  StateChange,
  Transaction,
  WatchGap,
  WatchInfo,
  WatchKind,
  WatchListener,
} from '../client/api.ts';
import { ClientTransaction } from '../client/multi.ts';

/** A client that hands everything to another one; what is to be different is overridden. */
export class ClientFacade implements Client {
  protected readonly inner: Client;
  constructor(inner: Client) {
    this.inner = inner;
  }
  get state(): ClientState {
    return this.inner.state;
  }
  get sessionId(): SessionId {
    return this.inner.sessionId;
  }
  get negotiatedTimeoutMs(): number {
    return this.inner.negotiatedTimeoutMs;
  }
  get server(): string | undefined {
    return this.inner.server;
  }
  get lastZxid(): Zxid {
    return this.inner.lastZxid;
  }
  get chroot(): string {
    return this.inner.chroot;
  }
  get clock(): Clock {
    return this.inner.clock;
  }
  get random(): Random {
    return this.inner.random;
  }
  create(path: string, data?: Uint8Array | string | null, options?: CreateOptions) {
    return this.inner.create(path, data, options);
  }
  delete(path: string, version?: number, options?: OpOptions): Promise<void> {
    return this.inner.delete(path, version, options);
  }
  exists(path: string, options?: ReadOptions): Promise<Stat | undefined> {
    return this.inner.exists(path, options);
  }
  get(path: string, options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }> {
    return this.inner.get(path, options);
  }
  set(path: string, data: Uint8Array | string | null, version?: number, options?: OpOptions): Promise<Stat> {
    return this.inner.set(path, data, version, options);
  }
  getChildren(path: string, options?: ReadOptions): Promise<{ children: string[]; stat: Stat }> {
    return this.inner.getChildren(path, options);
  }
  getAcl(path: string, options?: OpOptions): Promise<{ acl: Acl[]; stat: Stat }> {
    return this.inner.getAcl(path, options);
  }
  setAcl(path: string, acl: readonly Acl[], version?: number, options?: OpOptions): Promise<Stat> {
    return this.inner.setAcl(path, acl, version, options);
  }
  sync(path: string, options?: OpOptions): Promise<void> {
    return this.inner.sync(path, options);
  }
  getEphemerals(prefix?: string, options?: OpOptions): Promise<string[]> {
    return this.inner.getEphemerals(prefix, options);
  }
  getAllChildrenNumber(path: string, options?: OpOptions): Promise<number> {
    return this.inner.getAllChildrenNumber(path, options);
  }
  whoAmI(options?: OpOptions): Promise<{ scheme: string; id: string }[]> {
    return this.inner.whoAmI(options);
  }
  transaction(): Transaction {
    return new ClientTransaction(this);
  }
  multi(ops: readonly MultiOp[], options?: OpOptions): Promise<MultiResult[]> {
    return this.inner.multi(ops, options);
  }
  multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ): ReturnType<Client['multiRead']> {
    return this.inner.multiRead(ops, options);
  }
  addWatch(
    path: string,
    listener: WatchListener,
    options?: OpOptions & { recursive?: boolean },
  ): Promise<PersistentWatch> {
    return this.inner.addWatch(path, listener, options);
  }
  removeWatches(path: string, kind: WatchKind, options?: OpOptions & { local?: boolean }): Promise<void> {
    return this.inner.removeWatches(path, kind, options);
  }
  watches(): WatchInfo[] {
    return this.inner.watches();
  }
  addAuth(scheme: string, auth: Uint8Array | string, options?: OpOptions): Promise<void> {
    return this.inner.addAuth(scheme, auth, options);
  }
  getConfig(options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }> {
    return this.inner.getConfig(options);
  }
  reconfig(
    change: { joining?: string; leaving?: string; members?: string; version?: bigint },
    options?: OpOptions,
  ): Promise<{ data: Buffer | null; stat: Stat }> {
    return this.inner.reconfig(change, options);
  }
  on(event: 'state', listener: (change: StateChange) => void): () => void;
  on(event: 'gap', listener: (gap: WatchGap) => void): () => void;
  on(event: 'state' | 'gap', listener: ((change: StateChange) => void) & ((gap: WatchGap) => void)): () => void {
    return event === 'state' ? this.inner.on(event, listener) : this.inner.on(event, listener);
  }
  close(): Promise<void> {
    return this.inner.close();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
