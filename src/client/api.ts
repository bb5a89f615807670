import { type KeeperCode, KeeperError } from '../base/errors.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import type { Clock } from '../ports/clock.ts';
import type { TlsOptions } from '../ports/network.ts';

export type { Clock, Random };

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

/**
 * `connecting` until the first session. `suspended`: the connection is lost, another is looked for, and the session may
 * end before one is found: stop what a lock protects. `expired`, `authFailed` and `closed` are final; a client is one
 * session, so call `connect()` again. Expiry is declared when a server says so, or here when no server answered for 4/3
 * of the timeout.
 */
export type ClientState =
  | 'connecting'
  | 'connected'
  | 'connectedReadOnly'
  | 'suspended'
  | 'expired'
  | 'authFailed'
  | 'closed';

/** What the client tells about its connection; `on('state', ...)` delivers these in order, each before what follows it. */
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

/**
 * One failed attempt to reach a host. `reason`: `refused`, `timed out`, `DNS: not found`, `answers but is not serving`
 * (it accepts connections and opens no session), `TLS required`, `TLS: ...`, or what else went wrong. For people.
 */
export interface HostFailure {
  readonly host: string;
  readonly reason: string;
}

/** No server could be reached in time; one entry per host tried, the latest reason of each. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code = 'ConnectError';
  readonly hosts: readonly HostFailure[];
  constructor(hosts: readonly HostFailure[], timeoutMs: number) {
    super(`no server reached in ${timeoutMs} ms: ${hosts.map((h) => `${h.host}: ${h.reason}`).join(', ')}`);
    this.hosts = hosts;
  }
}

/**
 * A request that the client itself refused; nothing was sent. `fault`: `invalid` (a path or option that no server would
 * take; code BadArguments), `tooLarge` (beyond `maxRequestBytes`, which a server answers by hanging up; BadArguments),
 * `overloaded` (too many requests or bytes wait already; ThrottledOp: try again when some of them are answered).
 */
export class RequestError extends KeeperError {
  readonly fault: 'invalid' | 'tooLarge' | 'overloaded';
  constructor(fault: RequestError['fault'], what: string, path: string | undefined) {
    super(fault === 'overloaded' ? 'ThrottledOp' : 'BadArguments', path);
    this.fault = fault;
    this.message = path === undefined ? what : `${what}: ${path}`;
  }
}

/**
 * An identity to prove after each connect. Scheme `sasl` is a login by DIGEST-MD5, before everything else and once a session; the
 * password itself is not sent, and the server has to know it, too.
 */
export interface Credential {
  readonly scheme: string;
  /** Bytes as the scheme wants them; for digest and sasl `user:password`. */
  readonly auth: Uint8Array | string;
}

export interface ConnectOptions {
  /** Session timeout asked for, ms; the server clamps it. Default 30000. */
  readonly timeoutMs?: number;
  /** How long `connect()` tries before it rejects with {@link ConnectError}, ms. Default 10000. */
  readonly connectTimeoutMs?: number;
  /** Presented on every connection before anything else; one that is refused rejects `connect()` with AuthFailed. */
  readonly auth?: readonly Credential[];
  /** Accept a server in read-only mode; one that can write is looked for meanwhile, and moved to with a new session. */
  readonly allowReadOnly?: boolean;
  /** TLS to every server (PEM texts); absent means plain. */
  readonly tls?: TlsOptions;
  /** Largest reply accepted, bytes. Default 64 MiB. */
  readonly maxReplyBytes?: number;
  /** Largest request sent, bytes; default 1048575, which is a server's default limit (jute.maxbuffer). */
  readonly maxRequestBytes?: number;
  /** Gives up connecting; later it has no effect. */
  readonly signal?: AbortSignal;
  /** Return before the first connection is up; operations wait for it. */
  readonly lazy?: boolean;
  /** Called for every state change from the very first on. */
  readonly onState?: (change: StateChange) => void;
}

export interface OpOptions {
  /** Rejects with the signal's reason when aborted; the request may still be executed. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Largest request sent for this operation, bytes; default the connection's. A server that takes less hangs up, which is
   * ConnectionLoss.
   */
  readonly maxRequestBytes?: number | undefined;
}
export interface CreateOptions extends OpOptions {
  /** Default `persistent`. */
  readonly mode?: CreateMode;
  /** Default: everything to anyone. */
  readonly acl?: readonly Acl[];
  /** For the ttl modes, ms, 1 to 2^40 - 1. */
  readonly ttlMs?: number;
}
/**
 * Called with what a watch reports, after the code that awaited any earlier reply. What it throws is an uncaught
 * exception of the program. The same function on one path hears an event once, in however many reads it was given.
 */
export type WatchListener = (event: WatchEvent) => void;
export interface ReadOptions extends OpOptions {
  /**
   * Sets a one-shot watch; called at most once per read. It survives reconnects: what changed meanwhile is reported then.
   * Set only when the read succeeds (`exists`: also when there is no such node).
   */
  readonly watch?: WatchListener;
}

/**
 * A watch that stays until `remove()` or the end of the session. After a reconnect it may have missed changes: a
 * {@link WatchGap} says so.
 */
export interface PersistentWatch extends AsyncDisposable {
  readonly path: string;
  readonly recursive: boolean;
  /** Ends this one; others on the path stay. Resolves even when no server can be asked. */
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
 * A session with an ensemble. All paths are relative to the chroot of the connect string. Requests are sent in the order
 * of the calls and answered in that order, many in one packet; while no server is connected they wait.
 *
 * All operations reject with a KeeperError: a refusal by the server; ConnectionLoss when the connection broke after the
 * request was sent (a change may or may not have been made); SessionExpired, AuthFailed or Closing after the end; a
 * {@link RequestError} for what the client itself refuses; or with the reason of an aborted signal.
 */
export interface Client extends AsyncDisposable {
  readonly state: ClientState;
  /** 0n before the first connection. */
  readonly sessionId: SessionId;
  /** ms, as negotiated; 0 before the first connection. */
  readonly negotiatedTimeoutMs: number;
  /** `host:port` in use. */
  readonly server: string | undefined;
  /** Highest zxid seen. */
  readonly lastZxid: Zxid;
  /** `''` or a path without a slash at its end. */
  readonly chroot: string;
  /** What the client goes by; recipes use the same, so that a run with a simulated clock and a seed can be repeated. */
  readonly clock: Clock;
  readonly random: Random;

  /**
   * Makes a node; `data` is text (UTF-8), bytes or null (none at all). `path` in the result has the sequence number.
   * `stat` is undefined only where a server leaves it out. @throws KeeperError NodeExists, NoNode (no parent), NoAuth,
   * InvalidAcl, NoChildrenForEphemerals, Unimplemented (TTL nodes are off), QuotaExceeded
   */
  create(
    path: string,
    data?: Uint8Array | string | null,
    options?: CreateOptions,
  ): Promise<{ path: string; stat: Stat | undefined }>;
  /** `version` -1 (the default) means any. @throws KeeperError NoNode, NotEmpty, BadVersion, NoAuth */
  delete(path: string, version?: number, options?: OpOptions): Promise<void>;
  /** Undefined when the node does not exist; a watch is set in either case. */
  exists(path: string, options?: ReadOptions): Promise<Stat | undefined>;
  /** `data` null differs from empty. @throws KeeperError NoNode, NoAuth */
  get(path: string, options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }>;
  /** Replaces the data. @throws KeeperError NoNode, BadVersion, NoAuth, QuotaExceeded */
  set(path: string, data: Uint8Array | string | null, version?: number, options?: OpOptions): Promise<Stat>;
  /**
   * Names, sorted by code unit. Of more than 20,000 children the promise settles in later turns of the loop: replies and events
   * that came behind the answer may be seen before it. @throws KeeperError NoNode, NoAuth
   */
  getChildren(path: string, options?: ReadOptions): Promise<{ children: string[]; stat: Stat }>;
  /** @throws KeeperError NoNode, NoAuth */
  getAcl(path: string, options?: OpOptions): Promise<{ acl: Acl[]; stat: Stat }>;
  /** `version` is that of the ACL (`aversion`). @throws KeeperError NoNode, BadVersion, NoAuth, InvalidAcl */
  setAcl(path: string, acl: readonly Acl[], version?: number, options?: OpOptions): Promise<Stat>;
  /** Resolves when the connected server has caught up with the leader; the node need not exist. */
  sync(path: string, options?: OpOptions): Promise<void>;
  /** Paths of this session's ephemeral nodes that start with `prefix` (default `/`), sorted. */
  getEphemerals(prefix?: string, options?: OpOptions): Promise<string[]>;
  /** Number of all nodes below, at any depth. @throws KeeperError NoNode, NoAuth */
  getAllChildrenNumber(path: string, options?: OpOptions): Promise<number>;
  /** Identities of the connection; for digest `id` is the user alone. Servers before 3.7 say Unimplemented and hang up. */
  whoAmI(options?: OpOptions): Promise<{ scheme: string; id: string }[]>;
  transaction(): Transaction;
  /** All or nothing, in order, each seeing those before. @throws MultiError when a part failed */
  multi(ops: readonly MultiOp[], options?: OpOptions): Promise<MultiResult[]>;
  /** Several reads answered from one state. Each entry is a result or a KeeperError. */
  multiRead(
    ops: readonly { readonly op: 'get' | 'getChildren'; readonly path: string }[],
    options?: OpOptions,
  ): Promise<({ data: Buffer | null; stat: Stat } | { children: string[] } | Error)[]>;
  /** A watch on the node and its children, or with `recursive` on all below; the node need not exist. */
  addWatch(
    path: string,
    listener: WatchListener,
    options?: OpOptions & { recursive?: boolean },
  ): Promise<PersistentWatch>;
  /** Removes this client's watches on a path. `local`: also when the server cannot be reached. @throws KeeperError NoWatcher */
  removeWatches(path: string, kind: WatchKind, options?: OpOptions & { local?: boolean }): Promise<void>;
  watches(): WatchInfo[];
  /** Presents a credential now and on every later connection. A refusal ends the session. @throws KeeperError AuthFailed */
  addAuth(scheme: string, auth: Uint8Array | string, options?: OpOptions): Promise<void>;
  /** The dynamic configuration text (`/zookeeper/config`). */
  getConfig(options?: ReadOptions): Promise<{ data: Buffer | null; stat: Stat }>;
  /**
   * Changes the members: `joining` (server lines) and `leaving` (ids), or all `members`; `version` of the configuration
   * it is meant for, -1n (default) any. Resolves with the new one. @throws KeeperError ReconfigDisabled, BadVersion,
   * BadArguments, NewConfigNoQuorum, ReconfigInProgress, NoAuth
   */
  reconfig(
    change: { joining?: string; leaving?: string; members?: string; version?: bigint },
    options?: OpOptions,
  ): Promise<{ data: Buffer | null; stat: Stat }>;

  /** Returns a function that takes the listener off again. */
  on(event: 'state', listener: (change: StateChange) => void): () => void;
  on(event: 'gap', listener: (gap: WatchGap) => void): () => void;
  /**
   * Ends the session after the requests already made: its ephemeral nodes go at once. Without a connection it looks for
   * one for 2 s at most. Never rejects; afterwards nothing of the client keeps the process alive.
   */
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
