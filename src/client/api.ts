import type { KeeperCode } from '../base/errors.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import type { TlsOptions } from '../ports/network.ts';

/** Who may do what with a node. `perms`: READ 1, WRITE 2, CREATE 4, DELETE 8, ADMIN 16. */
export interface Acl {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

/** What ZooKeeper keeps about a node besides its data. Times are ms since 1970, lengths bytes. */
export interface Stat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** The session that owns an ephemeral node, else 0n. */
  readonly ephemeralOwner: SessionId;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: Zxid;
}

export type CreateMode =
  | 'persistent'
  | 'ephemeral'
  | 'persistentSequential'
  | 'ephemeralSequential'
  | 'container'
  | 'ttl'
  | 'ttlSequential';

export type EventType =
  | 'NodeCreated'
  | 'NodeDeleted'
  | 'NodeDataChanged'
  | 'NodeChildrenChanged'
  | 'DataWatchRemoved'
  | 'ChildWatchRemoved'
  | 'PersistentWatchRemoved';

/** A change that a watch reported. `zxid` is undefined when the server did not say (before 3.9, and catch-up events). */
export interface WatchEvent {
  readonly type: EventType;
  readonly path: string;
  readonly zxid: Zxid | undefined;
}

/** `connecting` before the first session and between servers; `suspended`: was connected, is looking for a server. */
export type ClientState =
  | 'connecting'
  | 'connected'
  | 'connectedReadOnly'
  | 'suspended'
  | 'expired'
  | 'authFailed'
  | 'closed';

/** What the client tells about its connection; `on('state', ...)` delivers these in order. */
export interface StateChange {
  readonly state: ClientState;
  /** `host:port` in use, when connected. */
  readonly server: string | undefined;
  /** True when a session was resumed, false when a new one began; undefined for other states. */
  readonly resumed?: boolean;
  /** Why, for `suspended`, `expired` and `authFailed`. */
  readonly reason?: string;
}

/**
 * Told after a reconnect: persistent watches may have missed changes between `after` (last zxid seen) and now, since a
 * server keeps no watch for a disconnected client and the protocol reports only one-shot ones afterwards.
 */
export interface WatchGap {
  readonly paths: readonly string[];
  readonly after: Zxid;
}

/** One failed attempt to reach a host: `refused`, `timed out`, `DNS: not found`, `answers but is not serving`, ... */
export interface HostFailure {
  readonly host: string;
  readonly reason: string;
}

/** No server could be reached in time; one entry per host tried, the latest reason of each. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly hosts: readonly HostFailure[];
  constructor(hosts: readonly HostFailure[], timeoutMs: number) {
    super(`no server reached in ${timeoutMs} ms: ${hosts.map((h) => `${h.host}: ${h.reason}`).join(', ')}`);
    this.hosts = hosts;
  }
}

export interface Credential {
  readonly scheme: string;
  /** Bytes as the scheme wants them; for digest `user:password`. */
  readonly auth: Uint8Array | string;
}

export interface ConnectOptions {
  /** Session timeout asked for, ms; the server clamps it. Default 30000. */
  readonly timeoutMs?: number;
  /** How long `connect()` tries before it rejects with {@link ConnectError}, ms. Default 10000. */
  readonly connectTimeoutMs?: number;
  readonly auth?: readonly Credential[];
  /** Accept a server in read-only mode. */
  readonly allowReadOnly?: boolean;
  readonly tls?: TlsOptions;
  /** Largest reply accepted, bytes. Default 64 MiB. */
  readonly maxReplyBytes?: number;
  readonly signal?: AbortSignal;
  /** Return before the first connection is up; operations wait for it. */
  readonly lazy?: boolean;
  /** Called for every state change from the very first on. */
  readonly onState?: (change: StateChange) => void;
}

export interface OpOptions {
  /** Rejects with the signal's reason when aborted; the request may still be executed. */
  readonly signal?: AbortSignal | undefined;
}
export interface CreateOptions extends OpOptions {
  readonly mode?: CreateMode;
  readonly acl?: readonly Acl[];
  /** For the ttl modes, ms, 1 to 2^40 - 1. */
  readonly ttlMs?: number;
}
export type WatchListener = (event: WatchEvent) => void;
export interface ReadOptions extends OpOptions {
  /** Sets a one-shot watch; called at most once. It survives reconnects. */
  readonly watch?: WatchListener;
}

/** A watch that stays until `remove()` or the end of the session. */
export interface PersistentWatch extends AsyncDisposable {
  readonly path: string;
  readonly recursive: boolean;
  remove(): Promise<void>;
}

export type MultiOp =
  | { readonly op: 'create'; readonly path: string; readonly data: Uint8Array | null; readonly options: CreateOptions }
  | { readonly op: 'delete'; readonly path: string; readonly version: number }
  | { readonly op: 'set'; readonly path: string; readonly data: Uint8Array | null; readonly version: number }
  | { readonly op: 'check'; readonly path: string; readonly version: number };
export type MultiResult =
  | { readonly op: 'create'; readonly path: string; readonly stat: Stat | undefined }
  | { readonly op: 'delete' }
  | { readonly op: 'set'; readonly stat: Stat }
  | { readonly op: 'check' };

/** Collects operations that happen together or not at all. */
export interface Transaction {
  create(path: string, data?: Uint8Array | string | null, options?: CreateOptions): this;
  delete(path: string, version?: number): this;
  set(path: string, data: Uint8Array | string | null, version?: number): this;
  check(path: string, version?: number): this;
  readonly ops: readonly MultiOp[];
  /** @throws MultiError when a part failed; nothing was changed then. */
  commit(options?: OpOptions): Promise<MultiResult[]>;
}

export type WatchKind = 'children' | 'data' | 'any' | 'persistent' | 'persistentRecursive';

/** One watch as the client keeps it. */
export interface WatchInfo {
  readonly path: string;
  readonly kind: 'data' | 'exists' | 'children' | 'persistent' | 'persistentRecursive';
}

/**
 * A session with an ensemble. All paths are relative to the chroot of the connect string. All operations reject with
 * KeeperError (a refusal, or ConnectionLoss, SessionExpired, AuthFailed) or the reason of an aborted signal.
 */
export interface Client extends AsyncDisposable {
  readonly state: ClientState;
  readonly sessionId: SessionId;
  /** ms, as negotiated; 0 before the first connection. */
  readonly negotiatedTimeoutMs: number;
  /** `host:port` in use. */
  readonly server: string | undefined;
  /** Highest zxid seen. */
  readonly lastZxid: Zxid;
  readonly chroot: string;

  create(
    path: string,
    data?: Uint8Array | string | null,
    options?: CreateOptions,
  ): Promise<{ path: string; stat: Stat | undefined }>;
  /** `version` -1 (the default) means any. */
  delete(path: string, version?: number, options?: OpOptions): Promise<void>;
  /** Undefined when the node does not exist; a watch is set in either case. */
  exists(path: string, options?: ReadOptions): Promise<Stat | undefined>;
  get(path: string, options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }>;
  set(path: string, data: Uint8Array | string | null, version?: number, options?: OpOptions): Promise<Stat>;
  /** Names, sorted by code unit. */
  getChildren(path: string, options?: ReadOptions): Promise<{ children: string[]; stat: Stat }>;
  getAcl(path: string, options?: OpOptions): Promise<{ acl: Acl[]; stat: Stat }>;
  setAcl(path: string, acl: readonly Acl[], version?: number, options?: OpOptions): Promise<Stat>;
  sync(path: string, options?: OpOptions): Promise<void>;
  getEphemerals(prefix?: string, options?: OpOptions): Promise<string[]>;
  getAllChildrenNumber(path: string, options?: OpOptions): Promise<number>;
  whoAmI(options?: OpOptions): Promise<{ scheme: string; id: string }[]>;
  transaction(): Transaction;
  multi(ops: readonly MultiOp[], options?: OpOptions): Promise<MultiResult[]>;
  /** Several reads answered from one state. Each entry is a result or a KeeperError. */
  multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ): Promise<({ data: Buffer | null; stat: Stat } | { children: string[] } | Error)[]>;
  addWatch(
    path: string,
    listener: WatchListener,
    options?: OpOptions & { recursive?: boolean },
  ): Promise<PersistentWatch>;
  /** Removes this client's watches on a path. `local`: also when the server cannot be reached. @throws KeeperError NoWatcher */
  removeWatches(path: string, kind: WatchKind, options?: OpOptions & { local?: boolean }): Promise<void>;
  watches(): WatchInfo[];
  addAuth(scheme: string, auth: Uint8Array | string, options?: OpOptions): Promise<void>;
  /** The dynamic configuration text (`/zookeeper/config`). */
  getConfig(options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }>;
  reconfig(
    change: { joining?: string; leaving?: string; members?: string; version?: bigint },
    options?: OpOptions,
  ): Promise<{ data: Buffer | null; stat: Stat }>;

  on(event: 'state', listener: (change: StateChange) => void): () => void;
  on(event: 'gap', listener: (gap: WatchGap) => void): () => void;
  /** Ends the session: its ephemeral nodes go at once. */
  close(): Promise<void>;
}

/** A transaction failed. `index` is the part that did, `codes` what each part says (undefined: not applied). */
export class MultiError extends Error {
  override readonly name = 'MultiError';
  readonly code: KeeperCode;
  readonly index: number;
  readonly path: string | undefined;
  readonly codes: readonly (KeeperCode | undefined)[];
  constructor(
    code: KeeperCode,
    index: number,
    path: string | undefined,
    codes: readonly (KeeperCode | undefined)[],
    reason: string,
  ) {
    super(`operation ${index + 1}${path === undefined ? '' : ` (${path})`}: ${reason}; nothing was changed`);
    this.code = code;
    this.index = index;
    this.path = path;
    this.codes = codes;
  }
}
