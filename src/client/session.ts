import { codeOfNumber, type KeeperCode } from '../base/errors.ts';
import { type SessionId, showSession, type Zxid } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import { Reader, Writer } from '../protocol/bytes.ts';
import { EVENT, WatcherEvent } from '../protocol/events.ts';
import { FrameCutter } from '../protocol/frame.ts';
import { ConnectRequest, ConnectResponse } from '../protocol/handshake.ts';
import { OPERATIONS, REPLY_HEADER_BYTES, writeFrame, XID } from '../protocol/operations.ts';
import type { ClientState, Credential, EventType, StateChange, WatchEvent, WatchGap } from './api.ts';
import { type Server, showServer } from './connect-string.ts';
import { Fifo } from './fifo.ts';
import { Hosts } from './hosts.ts';
import { type OneShotKind, setWatchesBodies, type TableKind, WatchTable } from './watches.ts';

/** One request on its way. The machine gives it an xid when it is sent and settles it exactly once. */
export interface Request<W> {
  readonly opcode: number;
  /** Writes the body. `armed`: the server is to set the watch, if there is one. */
  readonly write: (to: Writer, armed: boolean) => void;
  /** Reads what follows a reply header without error; must copy what it keeps. */
  readonly read: (from: Reader) => unknown;
  /** A watch that begins with a successful reply (`exists`: also with NoNode). Path as the server knows it. */
  readonly watch?: { readonly kind: TableKind; readonly path: string; readonly watcher: W } | undefined;
  xid: number;
  /** Set when nobody waits any more: the reply is read and dropped, no watch begins. */
  abandoned: boolean;
  /** The watch was left out of the frame, since a persistent one reports the same. */
  covered: boolean;
}

/** What must happen next, in order. */
export type Effect<W> =
  | { readonly type: 'dial'; readonly server: Server; readonly timeoutMs: number }
  | { readonly type: 'send'; readonly bytes: Buffer }
  | { readonly type: 'hangUp' }
  | { readonly type: 'settle'; readonly request: Request<W>; readonly code: KeeperCode | undefined; value: unknown }
  | { readonly type: 'authSettled'; readonly credential: Credential; readonly code: KeeperCode | undefined }
  | { readonly type: 'event'; readonly event: WatchEvent; readonly watchers: readonly W[] }
  | { readonly type: 'gap'; readonly gap: WatchGap }
  | { readonly type: 'state'; readonly change: StateChange };

export interface SessionOptions {
  readonly servers: readonly Server[];
  readonly random: Random;
  /** Session timeout asked for, ms. */
  readonly timeoutMs: number;
  readonly allowReadOnly: boolean;
  readonly maxReplyBytes: number;
  readonly auth: readonly Credential[];
}

type Phase = 'idle' | 'waiting' | 'dialing' | 'handshaking' | 'up' | 'over';

const MAX_PING_MS = 10_000;
const MAX_ATTEMPT_MS = 10_000;
const MIN_ATTEMPT_MS = 200;
/** More than this in one write and the rest goes out when the socket says it has room. */
const WRITE_BYTES = 1024 * 1024;
const MAX_XID = 0x7fff_ffff;
const NO_NODE = -101;

const EVENT_NAMES = new Map<number, EventType>(
  (Object.entries(EVENT) as [EventType, number][]).map(([name, number]) => [number, name]),
);

/**
 * A session as a state machine: what happened goes in with the time it happened (monotonic ms), what must happen comes
 * out. It holds no socket, timer, promise or chance of its own. `wakeAt` says when `tick` is due.
 */
export class Session<W> {
  readonly watches = new WatchTable<W>();
  readonly hosts: Hosts;
  sessionId = 0n as SessionId;
  lastZxid = 0n as Zxid;
  /** As negotiated, ms; 0 before the first connection. */
  timeoutMs = 0;
  state: ClientState = 'connecting';
  server: Server | undefined;

  readonly #options: SessionOptions;
  readonly #credentials: Credential[];
  readonly #queue = new Fifo<Request<W>>();
  readonly #sent = new Fifo<Request<W>>();
  readonly #auths = new Fifo<Credential>();
  readonly #rearms = new Fifo<WatchGap | undefined>();
  /** Catch-up events already told to persistent watchers; filled only while setWatches is unanswered. */
  readonly #caughtUp = new Set<string>();
  readonly #out = new Writer(4096);
  readonly #reader = new Reader(Buffer.alloc(0));
  #cutter: FrameCutter;
  #effects: Effect<W>[] = [];
  #phase: Phase = 'idle';
  #password: Uint8Array = new Uint8Array(16);
  #seenWritable = false;
  #xid = 0;
  #blocked = false;
  #closing = false;
  #retryAt = 0;
  #attemptEnds = 0;
  #closeBy = 0;
  #upSince = 0;
  #heard = 0;
  #sentAt = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#credentials = [...options.auth];
    this.hosts = new Hosts(options.servers, options.random);
    this.#cutter = new FrameCutter(options.maxReplyBytes);
  }

  /** A connection is given up when nothing was heard for this long, ms. */
  get readTimeoutMs(): number {
    return (this.timeoutMs * 2) / 3;
  }
  get #pingMs(): number {
    return Math.min(MAX_PING_MS, this.readTimeoutMs / 2);
  }
  get #expiresAt(): number {
    return this.sessionId === 0n ? Number.POSITIVE_INFINITY : this.#heard + (this.timeoutMs * 4) / 3;
  }
  get over(): boolean {
    return this.#phase === 'over';
  }
  /** True when the machine waits for a server and holds requests back. */
  get down(): boolean {
    return this.#phase !== 'up';
  }
  /** When {@link tick} is due, monotonic ms; infinity when nothing waits for time. */
  get wakeAt(): number {
    switch (this.#phase) {
      case 'idle':
      case 'over':
        return Number.POSITIVE_INFINITY;
      case 'waiting':
        return Math.min(this.#retryAt, this.#expiresAt);
      case 'dialing':
      case 'handshaking':
        return Math.min(this.#attemptEnds, this.#expiresAt);
      case 'up': {
        const alive = Math.min(this.#heard + this.readTimeoutMs, this.#sentAt + this.#pingMs);
        return this.#closing ? Math.min(alive, this.#closeBy) : alive;
      }
    }
  }

  start(now: number): Effect<W>[] {
    this.#tell({ state: 'connecting', server: undefined });
    this.#dial(now);
    return this.#take();
  }

  /** Queues a request; {@link flush} sends it. */
  submit(request: Request<W>): Effect<W>[] {
    if (this.#phase === 'over' || this.#closing) this.#settle(request, this.#endCode());
    else this.#queue.push(request);
    return this.#take();
  }

  /** Nobody waits for the request any more: one not yet sent never is. */
  abandon(request: Request<W>): void {
    request.abandoned = true;
    this.#queue.remove(request);
  }

  /** Adds a credential for this and every later connection; `authSettled` tells the outcome. */
  addAuth(credential: Credential, now: number): Effect<W>[] {
    if (this.#phase === 'over' || this.#closing)
      this.#effects.push({ type: 'authSettled', credential, code: this.#endCode() });
    else {
      this.#credentials.push(credential);
      if (this.#phase === 'up') this.#writeAuth(credential);
    }
    return this.#take(now);
  }

  /** Sends what is queued, many requests in one write. */
  flush(now: number): Effect<W>[] {
    this.#fill(now);
    return this.#take(now);
  }

  /** The socket has room again. */
  drained(now: number): Effect<W>[] {
    this.#blocked = false;
    return this.flush(now);
  }
  /** The socket's buffer is full: hold back until {@link drained}. */
  blocked(): void {
    this.#blocked = true;
  }

  /** The connection that `dial` asked for stands. */
  connected(now: number): Effect<W>[] {
    if (this.#phase !== 'dialing') return [];
    this.#phase = 'handshaking';
    this.#cutter = new FrameCutter(this.#options.maxReplyBytes);
    this.#blocked = false;
    writeFrame(this.#out, (to) =>
      ConnectRequest.write(to, {
        protocolVersion: 0,
        lastZxidSeen: this.lastZxid,
        timeoutMs: this.#options.timeoutMs,
        // an id from a read-only server means nothing to the others
        sessionId: this.#seenWritable ? this.sessionId : (0n as SessionId),
        password: this.#seenWritable ? this.#password : new Uint8Array(16),
        readOnly: this.#options.allowReadOnly,
      }),
    );
    return this.#take(now);
  }

  /** The dial failed or the connection ended. `reason` as a person should read it. */
  disconnected(reason: string, now: number): Effect<W>[] {
    if (this.#phase === 'dialing') this.#lost(reason, now);
    else if (this.#phase === 'handshaking') this.#lost('answers but is not serving', now);
    else if (this.#phase === 'up') this.#lost(reason, now);
    return this.#take();
  }

  /** Bytes arrived; they are not kept. */
  received(bytes: Buffer, now: number): Effect<W>[] {
    if (this.#phase !== 'up' && this.#phase !== 'handshaking') return [];
    try {
      this.#cutter.push(bytes, (frame, start, end) => {
        const from = this.#reader.reset(frame, start, end);
        if (this.#phase === 'handshaking') this.#greeted(from, now);
        else this.#reply(from, now);
        return this.#phase === 'up';
      });
    } catch (error) {
      if (this.#phase === 'handshaking' || this.#phase === 'up')
        this.#giveUp(`does not speak ZooKeeper's protocol: ${(error as Error).message}`, now);
    }
    return this.#take(now);
  }

  /** Time passed: pings, deadlines, the next attempt, expiry. Harmless when called too early. */
  tick(now: number): Effect<W>[] {
    if (this.#phase === 'up') {
      const silent = now - this.#heard;
      if (this.#closing && now >= this.#closeBy) this.#finish('closed');
      else if (silent >= this.readTimeoutMs) this.#giveUp(`no answer for ${Math.round(silent)} ms`, now);
      else if (now - this.#sentAt >= this.#pingMs) this.#writeHead(XID.ping, OPERATIONS.ping.code);
    } else if (this.#phase !== 'over' && this.#phase !== 'idle') {
      if (now >= this.#expiresAt) this.#finish('expired', `no server reached within the session's timeout`);
      else if (this.#phase !== 'waiting' && now >= this.#attemptEnds) this.#giveUp('timed out', now);
      if (this.#phase === 'waiting' && now >= this.#retryAt) this.#dial(now);
    }
    return this.#take(now);
  }

  /** Ends the session: at the server when connected, else only here. */
  close(now: number): Effect<W>[] {
    if (this.#phase === 'over' || this.#closing) return this.#take();
    if (this.#phase !== 'up') this.#finish('closed');
    else {
      this.#blocked = false;
      this.#fill(now);
      this.#closing = true;
      this.#closeBy = now + this.readTimeoutMs;
      this.#writeHead(this.#nextXid(), OPERATIONS.closeSession.code);
    }
    return this.#take(now);
  }

  /** Sets the one-shot watches on `path` again at the server, after a persistent one that covered them went. */
  rearm(path: string, now: number): Effect<W>[] {
    if (this.#phase === 'up') this.#writeWatches(path);
    return this.#take(now);
  }

  #take(now?: number): Effect<W>[] {
    if (this.#out.at > 0) {
      this.#effects.push({ type: 'send', bytes: this.#out.take() });
      this.#out.at = 0;
      if (this.#out.bytes.length > WRITE_BYTES * 2) this.#out.bytes = Buffer.alloc(4096);
      if (now !== undefined) this.#sentAt = now;
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #tell(change: StateChange): void {
    this.state = change.state;
    this.#effects.push({ type: 'state', change });
  }

  #settle(request: Request<W>, code: KeeperCode | undefined, value: unknown = undefined): void {
    if (!request.abandoned) this.#effects.push({ type: 'settle', request, code, value });
  }

  #endCode(): KeeperCode {
    if (this.state === 'expired') return 'SessionExpired';
    return this.state === 'authFailed' ? 'AuthFailed' : 'Closing';
  }

  #dial(now: number): void {
    const server = this.hosts.next();
    const share = (this.timeoutMs || this.#options.timeoutMs) / this.hosts.count;
    const timeoutMs = Math.min(MAX_ATTEMPT_MS, Math.max(MIN_ATTEMPT_MS, share));
    this.server = server;
    this.#phase = 'dialing';
    this.#attemptEnds = now + timeoutMs;
    this.#effects.push({ type: 'dial', server, timeoutMs });
  }

  #giveUp(reason: string, now: number): void {
    this.#effects.push({ type: 'hangUp' });
    this.#lost(reason, now);
  }

  #lost(reason: string, now: number): void {
    const wasUp = this.#phase === 'up';
    if (wasUp && this.#closing) {
      this.#finish('closed');
      return;
    }
    const server = this.server as Server;
    this.server = undefined;
    this.#phase = 'waiting';
    this.#out.at = 0;
    this.#auths.drain();
    this.#rearms.drain();
    this.#caughtUp.clear();
    if (wasUp) this.#tell({ state: 'suspended', server: undefined, reason: `${showServer(server)}: ${reason}` });
    for (const request of this.#sent.drain()) this.#settle(request, 'ConnectionLoss');
    this.#retryAt = now + (wasUp ? this.hosts.lost(now - this.#upSince) : this.hosts.failed(server, reason));
  }

  /** The end: everything that waits is told, nothing happens any more. */
  #finish(state: 'expired' | 'authFailed' | 'closed', reason?: string): void {
    if (this.#phase !== 'waiting') this.#effects.push({ type: 'hangUp' });
    this.#phase = 'over';
    this.server = undefined;
    this.#out.at = 0;
    this.watches.clear();
    this.#tell(reason === undefined ? { state, server: undefined } : { state, server: undefined, reason });
    const code = this.#endCode();
    // after `closed` what was sent may have been done: that is a loss, not a refusal
    const sentCode = code === 'Closing' ? 'ConnectionLoss' : code;
    for (const request of this.#sent.drain()) this.#settle(request, sentCode);
    for (const request of this.#queue.drain()) this.#settle(request, code);
    for (const credential of this.#credentials) this.#effects.push({ type: 'authSettled', credential, code });
  }

  #greeted(from: Reader, now: number): void {
    const answer = ConnectResponse.read(from);
    const server = this.server as Server;
    if (answer.timeoutMs <= 0) {
      if (!this.#seenWritable) {
        this.#giveUp('refused a new session', now);
        return;
      }
      this.#finish('expired', `${showServer(server)} does not know session ${showSession(this.sessionId)} any more`);
      return;
    }
    const readOnly = answer.readOnly === true;
    const resumed = this.sessionId !== 0n && this.sessionId === answer.sessionId;
    const before = this.sessionId !== 0n;
    if (!readOnly) this.#seenWritable = true;
    this.sessionId = answer.sessionId;
    this.#password = Uint8Array.from(answer.password ?? []);
    this.timeoutMs = answer.timeoutMs;
    this.#phase = 'up';
    this.#upSince = now;
    this.#heard = now;
    this.hosts.established();
    // the server takes frames in order, so all this may leave in one write: identity, watches, then requests
    for (const credential of this.#credentials) this.#writeAuth(credential);
    if (before && this.watches.size > 0) this.#writeWatches();
    this.#tell({ state: readOnly ? 'connectedReadOnly' : 'connected', server: showServer(server), resumed });
    this.#fill(now);
  }

  #fill(now: number): void {
    if (this.#phase !== 'up' || this.#closing) return;
    while (!this.#blocked && this.#out.at < WRITE_BYTES) {
      const request = this.#queue.shift();
      if (request === undefined) return;
      const { watch } = request;
      request.covered = watch !== undefined && isOneShot(watch.kind) && this.watches.covered(watch.kind, watch.path);
      request.xid = this.#nextXid();
      const start = this.#out.at;
      this.#out.int32(0);
      this.#out.int32(request.xid);
      this.#out.int32(request.opcode);
      request.write(this.#out, !request.covered);
      this.#patchLength(start);
      this.#sent.push(request);
    }
    if (this.#queue.size > 0) this.#sentAt = now;
  }

  /** True when requests wait though the connection is up and has room: {@link flush} again. */
  get more(): boolean {
    return this.#phase === 'up' && !this.#blocked && !this.#closing && this.#queue.size > 0;
  }

  #patchLength(start: number): void {
    const end = this.#out.at;
    this.#out.at = start;
    this.#out.put(end - start - 4);
    this.#out.at = end;
  }

  #nextXid(): number {
    this.#xid = this.#xid === MAX_XID ? 1 : this.#xid + 1;
    return this.#xid;
  }

  #writeHead(xid: number, opcode: number, body?: (to: Writer) => void): void {
    writeFrame(this.#out, (to) => {
      to.int32(xid);
      to.int32(opcode);
      body?.(to);
    });
  }

  #writeAuth(credential: Credential): void {
    const { scheme, auth } = credential;
    const bytes = typeof auth === 'string' ? Buffer.from(auth) : auth;
    this.#auths.push(credential);
    this.#writeHead(XID.auth, OPERATIONS.auth.code, (to) =>
      OPERATIONS.auth.request.write(to, { type: 0, scheme, auth: bytes }),
    );
  }

  #writeWatches(only?: string): void {
    const bodies = setWatchesBodies(this.watches, this.lastZxid, only);
    const paths = [...new Set([...this.watches.paths('persistent'), ...this.watches.paths('persistentRecursive')])];
    const gap = only === undefined && paths.length > 0 ? { paths, after: this.lastZxid } : undefined;
    bodies.forEach((body, at) => {
      // servers before 3.6 do not know the second form, so it is used only where it is needed
      const second = body.persistentWatches.length + body.persistentRecursiveWatches.length > 0;
      const row = second ? OPERATIONS.setWatches2 : OPERATIONS.setWatches;
      this.#rearms.push(at === bodies.length - 1 ? gap : undefined);
      this.#writeHead(XID.setWatches, row.code, (to) => row.request.write(to, body));
    });
  }

  #reply(from: Reader, now: number): void {
    from.need(REPLY_HEADER_BYTES);
    const xid = from.int32();
    const zxid = from.int64() as Zxid;
    const err = from.int32();
    this.#heard = now;
    if (xid === XID.event) {
      this.#event(WatcherEvent.read(from), zxid);
      return;
    }
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    switch (xid) {
      case XID.ping:
        return;
      case XID.auth:
        this.#authenticated(err);
        return;
      case XID.setWatches: {
        const gap = this.#rearms.shift();
        if (this.#rearms.size === 0) this.#caughtUp.clear();
        if (gap !== undefined) this.#effects.push({ type: 'gap', gap });
        return;
      }
    }
    const request = this.#sent.peek();
    if (request === undefined) {
      if (this.#closing && xid === this.#xid) this.#finish('closed');
      else this.#giveUp(`a reply with xid ${xid} that nothing was waiting for`, now);
      return;
    }
    if (request.xid !== xid) {
      this.#giveUp(`reply ${xid} came where ${request.xid} was due`, now);
      return;
    }
    this.#begin(request, err);
    const value = err === 0 && !request.abandoned ? request.read(from) : undefined;
    this.#sent.shift();
    this.#settle(request, err === 0 ? undefined : codeOfNumber(err), value);
  }

  /** The watch of a request begins with its reply. */
  #begin(request: Request<W>, err: number): void {
    const { watch } = request;
    if (watch === undefined || request.abandoned) return;
    const { kind, path, watcher } = watch;
    if (err === 0) this.watches.add(kind === 'exists' ? 'data' : kind, path, watcher);
    else if (err === NO_NODE && kind === 'exists') this.watches.add('exists', path, watcher);
    else return;
    if (request.covered && isOneShot(kind) && !this.watches.covered(kind, path)) this.#writeWatches(path);
  }

  #authenticated(err: number): void {
    const credential = this.#auths.shift();
    if (credential === undefined) return;
    if (err === 0) this.#effects.push({ type: 'authSettled', credential, code: undefined });
    else this.#finish('authFailed', `the server refused the '${credential.scheme}' credential`);
  }

  #event(event: WatcherEvent, zxid: Zxid): void {
    const type = EVENT_NAMES.get(event.type);
    const path = event.path;
    if (type === undefined || path === null) return;
    let again = false;
    if (this.#rearms.size > 0 && zxid <= 0n) {
      // a node that went is told once for its data and once for its children; who stays hears of it once
      const key = `${event.type}${path}`;
      again = this.#caughtUp.has(key);
      this.#caughtUp.add(key);
    }
    const watchers = this.watches.take(type, path, again);
    if (watchers.length > 0)
      this.#effects.push({ type: 'event', event: { type, path, zxid: zxid > 0n ? zxid : undefined }, watchers });
  }
}

const isOneShot = (kind: TableKind): kind is OneShotKind => kind === 'data' || kind === 'exists' || kind === 'children';
