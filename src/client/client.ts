import { KeeperError } from '../base/errors.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import { pathFault } from '../base/path.ts';
import type { Random } from '../base/random.ts';
import type { Clock } from '../ports/clock.ts';
import type { Reader } from '../protocol/bytes.ts';
import { ADD_WATCH, WATCHER_TYPE } from '../protocol/events.ts';
import {
  type AnswerOf,
  type MultiPart,
  OPERATIONS,
  type OperationName,
  operationNamed,
  type RequestOf,
} from '../protocol/operations.ts';
import type {
  Acl,
  Client,
  ClientState,
  CreateOptions,
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
import { MultiError, RequestError } from './api.ts';
import {
  bytesOf,
  checkCredential,
  checkFlag,
  checkFunction,
  checkObject,
  checkOptions,
  checkText,
  eachOperation,
  refuseWord,
  versionOf,
  wireAcl,
  wireReconfig,
} from './arguments.ts';
import { readChildren } from './child-names.ts';
import { showServer } from './connect-string.ts';
import type { Call, Driver } from './driver.ts';
import { loginFault } from './login.ts';
import {
  bytesOfParts,
  ClientTransaction,
  createPart,
  isSequential,
  owned,
  partOf,
  type ReadResult,
  readMulti,
  readPartOf,
  readReads,
} from './multi.ts';
import { shared } from './shared-signal.ts';
import { REMOVED, TABLES_OF } from './watches.ts';

const CONFIG_PATH = '/zookeeper/config';
/** The request is about no node. */
const NO_PATH = null;
const EVENTS = ['state', 'gap'];
const nothing = (): undefined => undefined;

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
  readonly clock: Clock;
  readonly random: Random;
  readonly #driver: Driver;
  readonly #strip: (path: string) => string;

  constructor(driver: Driver, chroot: string, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#driver = driver;
    this.chroot = chroot;
    this.clock = clock;
    this.random = random;
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

  create(path: string, data: Uint8Array | string | null = null, options: CreateOptions = {}) {
    return this.#send(path, options, (): Order<{ path: string; stat: Stat | undefined }> => {
      checkObject('options', options, path);
      const full = this.#full(path, isSequential(options));
      const bytes = bytesOf(data, path);
      const { type, request } = createPart(full, bytes, options);
      // the rows of all creates answer alike
      const row = OPERATIONS[operationNamed(type) as 'create2'];
      return {
        opcode: type,
        bytes: path.length + (bytes?.length ?? 0),
        write: (to) => row.request.write(to, request as RequestOf<'create2'>),
        read: (from) => {
          const { path: made, stat } = row.answer.read(from);
          return { path: this.#strip(made ?? ''), stat };
        },
      };
    });
  }

  delete(path: string, version = -1, options?: OpOptions): Promise<void> {
    return this.#ask('delete', path, (full) => ({ path: full, version: versionOf(version, path) }), options, nothing);
  }

  exists(path: string, options?: ReadOptions): Promise<Stat | undefined> {
    return this.#read('exists', path, options, ({ stat }): Stat | undefined => stat);
  }

  get(path: string, options?: ReadOptions) {
    return this.#read('getData', path, options, ownData);
  }

  set(path: string, data: Uint8Array | string | null, version = -1, options?: OpOptions): Promise<Stat> {
    return this.#send(path, options, (): Order<Stat> => {
      const row = OPERATIONS.setData;
      const body = { path: this.#full(path), data: bytesOf(data, path), version: versionOf(version, path) };
      return {
        opcode: row.code,
        bytes: path.length + (body.data?.length ?? 0),
        write: (to) => row.request.write(to, body),
        read: (from) => row.answer.read(from).stat,
      };
    });
  }

  getChildren(path: string, options?: ReadOptions) {
    return this.#watching('getChildren2', path, options, (from) => readChildren(from, options?.signal));
  }

  getAcl(path: string, options?: OpOptions) {
    return this.#ask('getAcl', path, onlyPath, options, ({ acl, stat }) => ({
      acl: (acl ?? []).map(({ perms, id }): Acl => ({ perms, scheme: id.scheme ?? '', id: id.id ?? '' })),
      stat,
    }));
  }

  setAcl(path: string, acl: readonly Acl[], version = -1, options?: OpOptions): Promise<Stat> {
    const body = (full: string) => ({ path: full, acl: wireAcl(acl, path), version: versionOf(version, path) });
    return this.#ask('setAcl', path, body, options, justStat);
  }

  sync(path: string, options?: OpOptions): Promise<void> {
    return this.#ask('sync', path, onlyPath, options, nothing);
  }

  getEphemerals(prefix = '/', options?: OpOptions): Promise<string[]> {
    return this.#ask(
      'getEphemerals',
      prefix,
      (full) => ({ prefixPath: full }),
      options,
      ({ ephemerals }) => sorted(ephemerals).map(this.#strip),
    );
  }

  getAllChildrenNumber(path: string, options?: OpOptions): Promise<number> {
    return this.#ask('getAllChildrenNumber', path, onlyPath, options, (answer) => answer.totalNumber);
  }

  whoAmI(options?: OpOptions): Promise<{ scheme: string; id: string }[]> {
    return this.#ask(
      'whoAmI',
      NO_PATH,
      () => ({}),
      options,
      ({ clientInfo }) =>
        (clientInfo ?? []).map(({ authScheme, user }) => ({ scheme: authScheme ?? '', id: user ?? '' })),
    );
  }

  transaction(): Transaction {
    return new ClientTransaction(this);
  }

  async multi(ops: readonly MultiOp[], options?: OpOptions): Promise<MultiResult[]> {
    const parts = (): MultiPart[] => eachOperation(ops, (op) => partOf(op, this.#full));
    const result = await this.#multi('multi', parts, options, (from) => readMulti(from, ops, this.#strip));
    if (result instanceof MultiError) throw result;
    return result;
  }

  multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ): Promise<ReadResult[]> {
    const parts = (): MultiPart[] => eachOperation(ops, (op) => readPartOf(op, this.#full));
    const paths = Array.isArray(ops) ? ops.map((op) => op?.path) : [];
    return this.#multi('multiRead', parts, options, (from) => readReads(from, paths));
  }

  async addWatch(
    path: string,
    listener: WatchListener,
    options?: OpOptions & { recursive?: boolean },
  ): Promise<PersistentWatch> {
    checkFunction('listener', listener, path);
    checkFlag('recursive', options?.recursive, path);
    const recursive = options?.recursive === true;
    const kind = recursive ? 'persistentRecursive' : 'persistent';
    // a function of its own for each registration, so that removing one leaves the others
    const watcher: WatchListener = (event) => listener(event);
    const full = await this.#send(path, options, (): Order<string> => {
      const at = this.#full(path);
      const row = OPERATIONS.addWatch;
      return {
        opcode: row.code,
        bytes: path.length,
        write: (to) => row.request.write(to, { path: at, mode: ADD_WATCH[kind] }),
        read: () => at,
        watch: { kind, path: at, watcher },
      };
    });
    const remove = (): Promise<void> => this.#removeOne(full, kind, watcher);
    return { path, recursive, remove, [Symbol.asyncDispose]: remove };
  }

  async removeWatches(path: string, kind: WatchKind, options: OpOptions & { local?: boolean } = {}): Promise<void> {
    const full = this.#full(path);
    checkOptions(options, path);
    checkFlag('local', options.local, path);
    if (!Object.hasOwn(TABLES_OF, kind)) refuseWord('kind', Object.keys(TABLES_OF), kind, path);
    const { watches } = this.#driver.session;
    if (!TABLES_OF[kind].some((table) => watches.has(table, full))) throw new KeeperError('NoWatcher', path);
    await this.#removeAtServer(path, full, kind, options, () => {
      for (const table of TABLES_OF[kind])
        this.#driver.deliver({ type: REMOVED[table], path: full, zxid: undefined }, watches.removeAll(table, full));
    });
    this.#driver.rearm(full);
  }

  watches(): WatchInfo[] {
    return this.#driver.session.watches.list().map(({ path, kind }) => ({ path: this.#strip(path), kind }));
  }

  async addAuth(scheme: string, auth: Uint8Array | string, options?: OpOptions): Promise<void> {
    checkOptions(options ?? null);
    const { signal } = options ?? {};
    signal?.throwIfAborted();
    const credential = { scheme, auth };
    checkCredential(credential);
    const fault = loginFault(credential, this.#driver.session.hasSasl);
    if (fault !== undefined) throw new RequestError('invalid', fault, undefined);
    const done = this.#driver.addAuth(credential);
    if (signal === undefined) return done;
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      shared(signal).addEventListener('abort', abort, { once: true });
      done.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  getConfig(options?: ReadOptions) {
    return this.#read('getData', CONFIG_PATH, options, ownData, CONFIG_PATH);
  }

  reconfig(
    change: { joining?: string; leaving?: string; members?: string; version?: bigint },
    options?: OpOptions,
  ): Promise<{ data: Buffer | null; stat: Stat }> {
    return this.#ask('reconfig', CONFIG_PATH, () => wireReconfig(change), options, ownData);
  }

  on(event: 'state', listener: (change: StateChange) => void): () => void;
  on(event: 'gap', listener: (gap: WatchGap) => void): () => void;
  on(event: 'state' | 'gap', listener: ((change: StateChange) => void) | ((gap: WatchGap) => void)): () => void {
    if (!EVENTS.includes(event)) refuseWord('event', EVENTS, event);
    checkFunction('listener', listener);
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
    checkText('path', path);
    const fault = pathFault(sequential ? `${path}1` : path);
    if (fault !== undefined) throw new RequestError('invalid', fault, path);
    return path === '/' && !sequential ? this.chroot || '/' : this.chroot + path;
  };

  /** Makes one request and sends it; the promise settles with its reply. `order` may throw, which rejects. */
  #send<T>(path: string | null, options: OpOptions | undefined, order: () => Order<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (options !== undefined) checkOptions(options, path);
      const signal = options?.signal;
      signal?.throwIfAborted();
      const { opcode, bytes, write, read, watch, mayBeAbsent = false } = order();
      const call: Call = {
        opcode,
        path: path ?? undefined,
        bytes,
        maxBytes: options?.maxRequestBytes,
        write,
        read,
        watch,
        mayBeAbsent,
        xid: 0,
        abandoned: false,
        covered: false,
        resolve,
        reject,
      };
      this.#driver.submit(signal === undefined ? call : this.#abortable(call, signal));
    });
  }

  /** The same call, given up when the signal says so. */
  #abortable(call: Call, signal: AbortSignal): Call {
    const own: Call = {
      ...call,
      resolve(value: never) {
        signal.removeEventListener('abort', abort);
        call.resolve(value);
      },
      reject(error: unknown) {
        signal.removeEventListener('abort', abort);
        call.reject(error);
      },
    };
    const abort = (): void => {
      this.#driver.session.abandon(own);
      call.reject(signal.reason);
    };
    shared(signal).addEventListener('abort', abort, { once: true });
    return own;
  }

  #ask<N extends OperationName, T>(
    name: N,
    path: string | null,
    request: (full: string) => RequestOf<N>,
    options: OpOptions | undefined,
    pick: (answer: AnswerOf<N>) => T,
  ): Promise<T> {
    return this.#send(path, options, (): Order<T> => {
      const row = OPERATIONS[name];
      const body = request(path === null ? '' : this.#full(path));
      return {
        opcode: row.code,
        bytes: path?.length ?? 0,
        write: (to) => row.request.write(to, body as never),
        read: (from) => pick(row.answer.read(from) as AnswerOf<N>),
      };
    });
  }

  #read<N extends 'exists' | 'getData', T>(
    name: N,
    path: string,
    options: ReadOptions | undefined,
    pick: (answer: AnswerOf<N>) => T,
    at?: string,
  ): Promise<T> {
    const read = (from: Reader): T => pick(OPERATIONS[name].answer.read(from) as AnswerOf<N>);
    return this.#watching(name, path, options, read, at);
  }
  #watching<T>(
    name: 'exists' | 'getData' | 'getChildren2',
    path: string,
    options: ReadOptions | undefined,
    read: (from: Reader) => T | Promise<T>,
    at?: string,
  ): Promise<T> {
    return this.#send(path, options, (): Order<T> => {
      const row = OPERATIONS[name];
      const full = at ?? this.#full(path);
      const watcher = options?.watch;
      if (watcher !== undefined) checkFunction('watch', watcher, path);
      return {
        opcode: row.code,
        bytes: path.length,
        mayBeAbsent: name === 'exists',
        write: (to, armed) => row.request.write(to, { path: full, watch: watcher !== undefined && armed }),
        read,
        watch: watcher === undefined ? undefined : { kind: WATCH_OF[name], path: full, watcher },
      };
    });
  }

  #multi<T>(
    name: 'multi' | 'multiRead',
    parts: () => readonly MultiPart[],
    options: OpOptions | undefined,
    read: (from: Reader) => T,
  ): Promise<T> {
    return this.#send(NO_PATH, options, (): Order<T> => {
      const row = OPERATIONS[name];
      const all = parts();
      return { opcode: row.code, bytes: bytesOfParts(all), write: (to) => row.request.write(to, all), read };
    });
  }

  async #removeOne(full: string, kind: 'persistent' | 'persistentRecursive', watcher: WatchListener): Promise<void> {
    const { watches, over } = this.#driver.session;
    const last = watches.remove(kind, full, watcher);
    if (!last || over) return;
    await this.#removeAtServer(this.#strip(full), full, kind, { local: true }, nothing);
    this.#driver.rearm(full);
  }

  /**
   * Asks the server to forget watches, and calls `removed` in the order of the replies, so that a watch set later stays.
   * One the server no longer has is no failure, nor with `local` a server that cannot be asked.
   */
  async #removeAtServer(
    path: string,
    full: string,
    kind: WatchKind,
    { signal, local }: OpOptions & { local?: boolean },
    removed: () => void,
  ): Promise<void> {
    // while disconnected the next setWatches simply leaves the watch out
    if (local === true && this.#driver.session.down) return removed();
    const ask = (type: number): Promise<void> =>
      this.#ask('removeWatches', path, () => ({ path: full, type }), { signal }, removed);
    try {
      await ask(WATCHER_TYPE[kind]).catch((error: unknown) => {
        // servers before 3.9 know only `any` for the persistent kinds; what else goes with it is set again afterwards
        if (isCode(error, 'MarshallingError', 'BadArguments') && kind.startsWith('persistent'))
          return ask(WATCHER_TYPE.any);
        throw error;
      });
    } catch (error) {
      if (!isCode(error, 'NoWatcher') && !(local === true && isCode(error, 'ConnectionLoss', 'Closing'))) throw error;
      removed();
    }
  }
}

/** What a request needs of its maker; the rest is bookkeeping. */
type Order<T> = Pick<Call, 'opcode' | 'bytes' | 'write'> & {
  readonly watch?: Call['watch'];
  readonly mayBeAbsent?: boolean;
  readonly read: (from: Reader) => T | Promise<T>;
};

const WATCH_OF = { exists: 'exists', getData: 'data', getChildren2: 'children' } as const;
const onlyPath = (full: string): { path: string } => ({ path: full });
const justStat = ({ stat }: { stat: Stat }): Stat => stat;
const ownData = ({ data, stat }: { data: Uint8Array | null; stat: Stat }) => ({ data: owned(data), stat });
const sorted = (names: readonly (string | null)[] | null): string[] => (names ?? []).map((name) => name ?? '').sort();
const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof KeeperError && codes.includes(error.code);
