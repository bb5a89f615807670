import { KeeperError } from '../base/errors.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import { pathFault } from '../base/path.ts';
import type { Reader } from '../protocol/bytes.ts';
import { ADD_WATCH, WATCHER_TYPE } from '../protocol/events.ts';
import {
  type AnswerOf,
  type MultiPart,
  OPERATIONS,
  type OperationName,
  type RequestOf,
} from '../protocol/operations.ts';
import type {
  Acl,
  Client,
  ClientState,
  CreateOptions,
  EventType,
  MultiOp,
  MultiResult,
  OpOptions,
  PersistentWatch,
  ReadOptions,
  Stat,
  StateChange,
  Transaction,
  WatchGap,
  WatchInfo,
  WatchKind,
  WatchListener,
} from './api.ts';
import { MultiError } from './api.ts';
import { showServer } from './connect-string.ts';
import type { Call, Driver } from './driver.ts';
import {
  bytesOf,
  ClientTransaction,
  createPart,
  isSequential,
  owned,
  partOf,
  type ReadResult,
  readMulti,
  readReads,
  wireAcl,
} from './multi.ts';
import { TABLES_OF, type TableKind } from './watches.ts';

const CONFIG_PATH = '/zookeeper/config';
const nothing = (): undefined => undefined;

const REMOVED: Readonly<Record<TableKind, EventType>> = {
  data: 'DataWatchRemoved',
  exists: 'DataWatchRemoved',
  children: 'ChildWatchRemoved',
  persistent: 'PersistentWatchRemoved',
  persistentRecursive: 'PersistentWatchRemoved',
};

/** Removes the chroot from a server's path; a path outside of it stays whole. */
export function stripper(chroot: string): (path: string) => string {
  if (chroot === '') return (path) => path;
  return (path) => {
    if (path === chroot) return '/';
    return path.startsWith(`${chroot}/`) ? path.slice(chroot.length) : path;
  };
}

/** The public client: each method makes one request of the session. */
export class KeeperClient implements Client {
  readonly chroot: string;
  readonly #driver: Driver;
  readonly #strip: (path: string) => string;

  constructor(driver: Driver, chroot: string) {
    this.#driver = driver;
    this.chroot = chroot;
    this.#strip = stripper(chroot);
  }

  get state(): ClientState {
    return this.#driver.session.state;
  }
  get sessionId(): SessionId {
    return this.#driver.session.sessionId;
  }
  get negotiatedTimeoutMs(): number {
    return this.#driver.session.timeoutMs;
  }
  get server(): string | undefined {
    const { server, down } = this.#driver.session;
    return server === undefined || down ? undefined : showServer(server);
  }
  get lastZxid(): Zxid {
    return this.#driver.session.lastZxid;
  }

  async create(path: string, data: Uint8Array | string | null = null, options: CreateOptions = {}) {
    const part = createPart(this.#full(path, isSequential(options)), bytesOf(data), options);
    const row = OPERATIONS[
      part.type === OPERATIONS.createTtl.code
        ? 'createTtl'
        : part.type === OPERATIONS.create2.code
          ? 'create2'
          : 'createContainer'
    ] as (typeof OPERATIONS)['create2'];
    const answer = await this.#send(
      path,
      row.code,
      options,
      (to) => row.request.write(to, part.request as never),
      row.answer.read,
    );
    return { path: this.#strip(answer.path ?? ''), stat: answer.stat };
  }

  async delete(path: string, version = -1, options?: OpOptions): Promise<void> {
    await this.#ask('delete', path, { path: this.#full(path), version }, options, nothing);
  }

  async exists(path: string, options?: ReadOptions): Promise<Stat | undefined> {
    try {
      return await this.#read('exists', path, options, ({ stat }) => stat);
    } catch (error) {
      if (error instanceof KeeperError && error.code === 'NoNode') return undefined;
      throw error;
    }
  }

  async get(path: string, options?: ReadOptions) {
    return this.#read('getData', path, options, ({ data, stat }) => ({ data: owned(data), stat }));
  }

  async set(path: string, data: Uint8Array | string | null, version = -1, options?: OpOptions): Promise<Stat> {
    const request = { path: this.#full(path), data: bytesOf(data), version };
    return this.#ask('setData', path, request, options, ({ stat }) => stat);
  }

  async getChildren(path: string, options?: ReadOptions) {
    return this.#read('getChildren2', path, options, ({ children, stat }) => ({ children: sorted(children), stat }));
  }

  async getAcl(path: string, options?: OpOptions) {
    return this.#ask('getAcl', path, { path: this.#full(path) }, options, ({ acl, stat }) => ({
      acl: (acl ?? []).map(({ perms, id }): Acl => ({ perms, scheme: id.scheme ?? '', id: id.id ?? '' })),
      stat,
    }));
  }

  async setAcl(path: string, acl: readonly Acl[], version = -1, options?: OpOptions): Promise<Stat> {
    return this.#ask(
      'setAcl',
      path,
      { path: this.#full(path), acl: wireAcl(acl), version },
      options,
      ({ stat }) => stat,
    );
  }

  async sync(path: string, options?: OpOptions): Promise<void> {
    await this.#ask('sync', path, { path: this.#full(path) }, options, nothing);
  }

  async getEphemerals(prefix = '/', options?: OpOptions): Promise<string[]> {
    const request = { prefixPath: this.#full(prefix) };
    return this.#ask('getEphemerals', prefix, request, options, ({ ephemerals }) =>
      sorted(ephemerals).map(this.#strip),
    );
  }

  async getAllChildrenNumber(path: string, options?: OpOptions): Promise<number> {
    return this.#ask('getAllChildrenNumber', path, { path: this.#full(path) }, options, (answer) => answer.totalNumber);
  }

  async whoAmI(options?: OpOptions): Promise<{ scheme: string; id: string }[]> {
    return this.#ask('whoAmI', undefined, {}, options, ({ clientInfo }) =>
      (clientInfo ?? []).map(({ authScheme, user }) => ({ scheme: authScheme ?? '', id: user ?? '' })),
    );
  }

  transaction(): Transaction {
    return new ClientTransaction(this);
  }

  async multi(ops: readonly MultiOp[], options?: OpOptions): Promise<MultiResult[]> {
    const parts = ops.map((op) => partOf(op, this.#full));
    const result = await this.#multi('multi', parts, options, (from) => readMulti(from, ops, this.#strip));
    if (result instanceof MultiError) throw result;
    return result;
  }

  async multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ): Promise<ReadResult[]> {
    const parts = ops.map(({ op, path }) => ({
      type: op === 'get' ? OPERATIONS.getData.code : OPERATIONS.getChildren.code,
      request: { path: this.#full(path), watch: false },
    }));
    return this.#multi('multiRead', parts, options, (from) =>
      readReads(
        from,
        ops.map(({ path }) => path),
      ),
    );
  }

  async addWatch(
    path: string,
    listener: WatchListener,
    options: OpOptions & { recursive?: boolean } = {},
  ): Promise<PersistentWatch> {
    const recursive = options.recursive === true;
    const kind = recursive ? 'persistentRecursive' : 'persistent';
    const full = this.#full(path);
    // a function of its own for each registration, so that removing one leaves the others
    const watcher: WatchListener = (event) => listener(event);
    const row = OPERATIONS.addWatch;
    const request = { path: full, mode: ADD_WATCH[kind] };
    await this.#send(path, row.code, options, (to) => row.request.write(to, request), nothing, {
      kind,
      path: full,
      watcher,
    });
    const remove = (): Promise<void> => this.#removeOne(full, kind, watcher);
    return { path, recursive, remove, [Symbol.asyncDispose]: remove };
  }

  async removeWatches(path: string, kind: WatchKind, options: OpOptions & { local?: boolean } = {}): Promise<void> {
    const full = this.#full(path);
    const { watches } = this.#driver.session;
    const kinds = TABLES_OF[kind].filter((table) => watches.has(table, full));
    if (kinds.length === 0) throw new KeeperError('NoWatcher', path);
    await this.#removeAtServer(path, full, kind, options);
    for (const table of kinds)
      this.#driver.deliver({ type: REMOVED[table], path: full, zxid: undefined }, watches.removeAll(table, full));
    this.#driver.rearm(full);
  }

  watches(): WatchInfo[] {
    return this.#driver.session.watches.list().map(({ path, kind }) => ({ path: this.#strip(path), kind }));
  }

  async addAuth(scheme: string, auth: Uint8Array | string, options?: OpOptions): Promise<void> {
    const { signal } = options ?? {};
    signal?.throwIfAborted();
    const done = this.#driver.addAuth({ scheme, auth });
    if (signal === undefined) return done;
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      done.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  async getConfig(options?: ReadOptions) {
    return this.#read('getData', CONFIG_PATH, options, ({ data, stat }) => ({ data: owned(data), stat }), CONFIG_PATH);
  }

  async reconfig(
    change: { joining?: string; leaving?: string; members?: string; version?: bigint },
    options?: OpOptions,
  ): Promise<{ data: Buffer | null; stat: Stat }> {
    const request = {
      joiningServers: change.joining ?? null,
      leavingServers: change.leaving ?? null,
      newMembers: change.members ?? null,
      curConfigId: change.version ?? -1n,
    };
    return this.#ask('reconfig', CONFIG_PATH, request, options, ({ data, stat }) => ({ data: owned(data), stat }));
  }

  on(event: 'state', listener: (change: StateChange) => void): () => void;
  on(event: 'gap', listener: (gap: WatchGap) => void): () => void;
  on(event: 'state' | 'gap', listener: ((change: StateChange) => void) | ((gap: WatchGap) => void)): () => void {
    const all = (event === 'state' ? this.#driver.stateListeners : this.#driver.gapListeners) as Set<unknown>;
    all.add(listener);
    return () => void all.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#driver.session.over) return;
    await new Promise<void>((resolve) => {
      const off = this.on('state', () => {
        if (!this.#driver.session.over) return;
        off();
        resolve();
      });
      this.#driver.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #full = (path: string, sequential = false): string => {
    const fault = pathFault(sequential ? `${path}1` : path);
    if (fault !== undefined) throw new KeeperError('BadArguments', path, { cause: new Error(fault) });
    return path === '/' && !sequential ? this.chroot || '/' : this.chroot + path;
  };

  /** Sends one request; the promise settles with its reply. */
  #send<T>(
    path: string | undefined,
    opcode: number,
    options: OpOptions | undefined,
    write: Call['write'],
    read: (from: Reader) => T,
    watch?: Call['watch'],
  ): Promise<T> {
    const signal = options?.signal;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      let abort: (() => void) | undefined;
      const call: Call = {
        opcode,
        path,
        write,
        read,
        watch,
        xid: 0,
        abandoned: false,
        covered: false,
        resolve(value: T) {
          if (abort !== undefined) signal?.removeEventListener('abort', abort);
          resolve(value);
        },
        reject(error: unknown) {
          if (abort !== undefined) signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      if (signal !== undefined) {
        abort = () => {
          this.#driver.session.abandon(call);
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort, { once: true });
      }
      this.#driver.submit(call);
    });
  }

  #ask<N extends OperationName, T>(
    name: N,
    path: string | undefined,
    request: RequestOf<N>,
    options: OpOptions | undefined,
    pick: (answer: AnswerOf<N>) => T,
  ): Promise<T> {
    const row = OPERATIONS[name];
    return this.#send(
      path,
      row.code,
      options,
      (to) => row.request.write(to, request as never),
      (from) => pick(row.answer.read(from) as AnswerOf<N>),
    );
  }

  #read<N extends 'exists' | 'getData' | 'getChildren2', T>(
    name: N,
    path: string,
    options: ReadOptions | undefined,
    pick: (answer: AnswerOf<N>) => T,
    full = this.#full(path),
  ): Promise<T> {
    const row = OPERATIONS[name];
    const listener = options?.watch;
    const kind = name === 'exists' ? 'exists' : name === 'getData' ? 'data' : 'children';
    return this.#send(
      path,
      row.code,
      options,
      (to, armed) => row.request.write(to, { path: full, watch: listener !== undefined && armed }),
      (from) => pick(row.answer.read(from) as AnswerOf<N>),
      listener === undefined ? undefined : { kind, path: full, watcher: listener },
    );
  }

  #multi<T>(
    name: 'multi' | 'multiRead',
    parts: readonly MultiPart[],
    options: OpOptions | undefined,
    read: (from: Reader) => T,
  ): Promise<T> {
    const row = OPERATIONS[name];
    return this.#send(undefined, row.code, options, (to) => row.request.write(to, parts), read);
  }

  async #removeOne(full: string, kind: 'persistent' | 'persistentRecursive', watcher: WatchListener): Promise<void> {
    const { watches, over } = this.#driver.session;
    const last = watches.remove(kind, full, watcher);
    if (!last || over) return;
    await this.#removeAtServer(this.#strip(full), full, kind, { local: true });
    this.#driver.rearm(full);
  }

  /** Asks the server to forget watches. One it no longer has is no failure, nor with `local` one that is unreachable. */
  async #removeAtServer(path: string, full: string, kind: WatchKind, options: OpOptions & { local?: boolean }) {
    const ask = (type: number): Promise<void> =>
      this.#ask('removeWatches', path, { path: full, type }, options, nothing);
    // while disconnected the next setWatches simply leaves the watch out
    if (options.local === true && this.#driver.session.down) return;
    try {
      try {
        await ask(WATCHER_TYPE[kind]);
      } catch (error) {
        // servers before 3.9 know only `any` for the persistent kinds; what else went with it is set again afterwards
        if (!isCode(error, 'MarshallingError', 'BadArguments') || !kind.startsWith('persistent')) throw error;
        await ask(WATCHER_TYPE.any);
      }
    } catch (error) {
      if (isCode(error, 'NoWatcher')) return;
      if (options.local === true && isCode(error, 'ConnectionLoss')) return;
      throw error;
    }
  }
}

const sorted = (names: readonly (string | null)[] | null): string[] => (names ?? []).map((name) => name ?? '').sort();
const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof KeeperError && codes.includes(error.code);
