import { type SessionId, showSession, type Zxid } from '../base/ids.ts';
import { Reader, Writer } from '../protocol/bytes.ts';
import { FrameCutter } from '../protocol/frame.ts';
import { ConnectRequest, ConnectResponse } from '../protocol/handshake.ts';
import { writeFrame } from '../protocol/operations.ts';
import type { ClientState, Credential, HostFailure, StateChange } from './api.ts';
import { type Server, showServer } from './connect-string.ts';
import { Exchange, type Verdict } from './exchange.ts';
import { Hosts } from './hosts.ts';
import { isSasl } from './login.ts';
import { type Effect, Outbox, type Request, type SessionOptions } from './types.ts';
import type { WatchTable } from './watches.ts';

/** `idle` before the start, `waiting` between attempts, `over` for ever. */
type Phase = 'idle' | 'waiting' | 'dialing' | 'handshaking' | 'up' | 'over';

const MAX_PING_MS = 10_000;
const MAX_ATTEMPT_MS = 10_000;
const MIN_ATTEMPT_MS = 500;
/** How long a close looks for a server while the connection is down, so that ephemeral nodes need not wait for expiry. */
const MAX_LATE_CLOSE_MS = 2000;
/** Between questions for a server that is not read-only, while on one that is. */
const FIRST_PROBE_MS = 200;
const MAX_PROBE_MS = 60_000;
/** Accepts connections but opens no session: starting, without quorum, or no ZooKeeper server at all. */
export const NOT_SERVING = 'answers but is not serving';
const NEVER = Number.POSITIVE_INFINITY;

/**
 * A session as a state machine: what happened goes in with the time it happened (monotonic ms), what must happen comes
 * out. It holds no socket, timer, promise or chance of its own. `wakeAt` says when `tick` is due.
 */
export class Session<W> {
  sessionId = 0n as SessionId;
  /** As negotiated, ms; 0 before the first connection. */
  timeoutMs = 0;
  state: ClientState = 'connecting';
  /** The one being tried or in use. */
  server: Server | undefined;

  readonly #options: SessionOptions;
  readonly #credentials: Credential[];
  readonly #hosts: Hosts;
  readonly #box = new Outbox<W>(new Writer(4096));
  readonly #exchange: Exchange<W>;
  readonly #reader = new Reader(Buffer.alloc(0));
  #cutter: FrameCutter;
  #phase: Phase = 'idle';
  #password: Uint8Array = new Uint8Array(16);
  /** The session is one of the ensemble's; ids that a read-only server gave mean nothing to others. */
  #writable = false;
  #readOnly = false;
  #closing = false;
  #closeBy = NEVER;
  #retryAt = 0;
  #attemptEnds = 0;
  #upSince = 0;
  #heardAt = 0;
  #sentAt = 0;
  #probeAt = NEVER;
  #probeEvery = FIRST_PROBE_MS;
  #probeNext = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#credentials = [...options.auth];
    this.#hosts = new Hosts(options.servers, options.random);
    this.#exchange = new Exchange(this.#box, options.maxRequestBytes, options.random);
    this.#cutter = new FrameCutter(options.maxReplyBytes);
  }

  get watches(): WatchTable<W> {
    return this.#exchange.watches;
  }
  get lastZxid(): Zxid {
    return this.#exchange.lastZxid;
  }
  /** A connection is given up when nothing was heard for this long, ms. */
  get readTimeoutMs(): number {
    return (this.timeoutMs * 2) / 3;
  }
  /** Logs in by SASL, on every connection. */
  get hasSasl(): boolean {
    return this.#credentials.some(isSasl);
  }
  get over(): boolean {
    return this.#phase === 'over';
  }
  /** True when the machine waits for a server and holds requests back. */
  get down(): boolean {
    return this.#phase !== 'up';
  }
  /** True when requests wait though the connection is up and has room: {@link flush} again. */
  get more(): boolean {
    return this.#phase === 'up' && !this.#closing && this.#exchange.more;
  }
  /** Why each server tried since the last success could not be used, the one being tried included. */
  get failures(): HostFailure[] {
    const failures = this.#hosts.failures;
    if (this.server === undefined || this.#phase === 'up') return failures;
    const host = showServer(this.server);
    const reason = this.#phase === 'handshaking' ? NOT_SERVING : 'timed out';
    return failures.some((each) => each.host === host) ? failures : [...failures, { host, reason }];
  }
  get #pingMs(): number {
    return Math.min(MAX_PING_MS, this.readTimeoutMs / 2);
  }
  /** After this no server can know the session any more, whether we can ask one or not. */
  get #expiresAt(): number {
    return this.#writable ? this.#heardAt + (this.timeoutMs * 4) / 3 : NEVER;
  }
  /** When {@link tick} is due, monotonic ms; infinity when nothing waits for time. */
  get wakeAt(): number {
    return Math.min(this.#phaseEnds, this.#closeBy);
  }
  get #phaseEnds(): number {
    switch (this.#phase) {
      case 'waiting':
        return Math.min(this.#retryAt, this.#expiresAt);
      case 'dialing':
      case 'handshaking':
        return Math.min(this.#attemptEnds, this.#expiresAt);
      case 'up':
        return Math.min(
          this.#heardAt + this.readTimeoutMs,
          this.#exchange.loggingIn ? NEVER : this.#sentAt + this.#pingMs,
          this.#probeAt,
        );
      default:
        return NEVER;
    }
  }

  start(now: number): Effect<W>[] {
    this.#tell({ state: 'connecting', server: undefined });
    this.#dial(now);
    return this.#take(now);
  }

  /** Queues a request; {@link flush} sends it. */
  submit(request: Request<W>): Effect<W>[] {
    if (this.#phase === 'over' || this.#closing) this.#box.fail(request, this.#endCode);
    else this.#exchange.enqueue(request);
    return this.#effects();
  }

  /** Nobody waits for the request any more: one not yet sent never is. */
  abandon(request: Request<W>): void {
    this.#exchange.abandon(request);
  }

  /** Adds a credential for this and every later connection; `authSettled` tells the outcome. */
  addAuth(credential: Credential, now: number): Effect<W>[] {
    if (this.#phase === 'over' || this.#closing)
      this.#box.effects.push({ type: 'authSettled', credential, code: this.#endCode });
    else {
      this.#credentials.push(credential);
      if (this.#phase === 'up') this.#exchange.addAuth(credential);
    }
    return this.#take(now);
  }

  /** Sends what is queued, many requests in one write. */
  flush(now: number): Effect<W>[] {
    if (this.#phase === 'up' && !this.#closing) this.#exchange.fill();
    return this.#take(now);
  }

  /** The socket's buffer is full: requests are held back until {@link drained}. */
  blocked(): void {
    this.#exchange.blocked = true;
  }
  /** The socket has room again. */
  drained(now: number): Effect<W>[] {
    this.#exchange.blocked = false;
    return this.flush(now);
  }

  /** The connection that `dial` asked for stands. */
  connected(now: number): Effect<W>[] {
    if (this.#phase !== 'dialing') return [];
    this.#phase = 'handshaking';
    this.#cutter = new FrameCutter(this.#options.maxReplyBytes);
    writeFrame(this.#box.writer, (to) =>
      ConnectRequest.write(to, {
        protocolVersion: 0,
        lastZxidSeen: this.lastZxid,
        timeoutMs: this.#options.timeoutMs,
        sessionId: this.#writable ? this.sessionId : (0n as SessionId),
        password: this.#writable ? this.#password : new Uint8Array(16),
        readOnly: this.#options.allowReadOnly,
      }),
    );
    return this.#take(now);
  }

  /** The dial failed or the connection ended. `reason` as a person should read it. */
  disconnected(reason: string, now: number): Effect<W>[] {
    if (this.#phase === 'dialing' || this.#phase === 'up') this.#lost(reason, now);
    else if (this.#phase === 'handshaking') this.#lost(NOT_SERVING, now);
    return this.#take(now);
  }

  /** Bytes arrived; they are not kept. */
  received(bytes: Buffer, now: number): Effect<W>[] {
    if (this.#phase === 'handshaking' && isTlsAlert(bytes)) this.#giveUp('TLS required', now);
    if (this.#phase !== 'up' && this.#phase !== 'handshaking') return this.#take(now);
    if (this.#phase === 'up') this.#heardAt = now;
    try {
      this.#cutter.push(bytes, (frame, start, end) => {
        const from = this.#reader.reset(frame, start, end);
        if (this.#phase === 'handshaking') this.#greeted(ConnectResponse.read(from), now);
        else this.#judge(this.#exchange.reply(from), now);
        return this.#phase === 'up';
      });
    } catch (error) {
      this.#giveUp(`does not speak ZooKeeper's protocol: ${(error as Error).message}`, now);
    }
    return this.#take(now);
  }

  /** Time passed: pings, deadlines, the next attempt, expiry. Harmless when called too early. */
  tick(now: number): Effect<W>[] {
    if (this.#phase === 'up') this.#tickUp(now);
    if (now >= this.#closeBy) this.#finish('closed');
    else if (this.#phase !== 'up' && this.#phase !== 'over' && this.#phase !== 'idle') this.#tickDown(now);
    return this.#take(now);
  }

  #tickUp(now: number): void {
    const silentMs = now - this.#heardAt;
    if (silentMs >= this.readTimeoutMs) this.#giveUp(`no answer for ${Math.round(silentMs)} ms`, now);
    else {
      if (!this.#exchange.loggingIn && now - this.#sentAt >= this.#pingMs) this.#exchange.writePing();
      if (now >= this.#probeAt) this.#probe(now);
    }
  }

  #tickDown(now: number): void {
    if (now >= this.#expiresAt)
      this.#finish('expired', `no server answered for 4/3 of the session timeout of ${this.timeoutMs} ms`);
    else if (this.#phase === 'waiting') {
      if (now >= this.#retryAt) this.#dial(now);
    } else if (now >= this.#attemptEnds) this.#giveUp(this.#phase === 'handshaking' ? NOT_SERVING : 'timed out', now);
  }

  /** What a server asked by `probe` said: one that can write is moved to. */
  probed(server: Server, writable: boolean, now: number): Effect<W>[] {
    if (this.#phase === 'up' && this.#readOnly && writable && !this.#closing) {
      this.#hosts.prefer(server);
      this.#giveUp(`${showServer(server)} is not read-only`, now);
    }
    return this.#take(now);
  }

  /**
   * Ends the session. Requests already submitted are sent first when connected. While the connection is down a server
   * is looked for a short while, so that ephemeral nodes go at once; requests that wait fail with Closing.
   */
  close(now: number): Effect<W>[] {
    if (this.#phase === 'over' || this.#closing) return this.#take(now);
    if (this.#phase === 'up') {
      this.#exchange.endSession();
      this.#closing = true;
      this.#closeBy = now + this.readTimeoutMs;
    } else if (this.#writable) {
      this.#closing = true;
      this.#closeBy = now + Math.min(MAX_LATE_CLOSE_MS, this.readTimeoutMs);
      this.#exchange.dropQueue('Closing');
    } else this.#finish('closed');
    return this.#take(now);
  }

  /** Sets all watches on `path` again at the server, after a removal that may have taken too many. */
  rearm(path: string, now: number): Effect<W>[] {
    if (this.#phase === 'up' && !this.#closing) this.#exchange.rearm(path);
    return this.#take(now);
  }

  #take(now: number): Effect<W>[] {
    const out = this.#box.writer;
    if (out.at > 0) {
      this.#box.effects.push({ type: 'send', bytes: out.take() });
      out.at = 0;
      if (out.bytes.length > 4 * 1024 * 1024) out.bytes = Buffer.alloc(4096);
      this.#sentAt = now;
    }
    return this.#effects();
  }

  #effects(): Effect<W>[] {
    const { effects } = this.#box;
    if (effects.length > 0) this.#box.effects = [];
    return effects;
  }

  #tell(change: StateChange): void {
    this.state = change.state;
    this.#box.effects.push({ type: 'state', change });
  }

  get #endCode(): 'SessionExpired' | 'AuthFailed' | 'Closing' {
    if (this.state === 'expired') return 'SessionExpired';
    return this.state === 'authFailed' ? 'AuthFailed' : 'Closing';
  }

  #dial(now: number): void {
    const server = this.#hosts.next();
    const timeoutMs = this.#attemptMs;
    this.server = server;
    this.#phase = 'dialing';
    this.#attemptEnds = now + timeoutMs;
    this.#box.effects.push({ type: 'dial', server, timeoutMs });
  }

  /** Every host should get its turn before the session expires (or before the caller of `connect` gives up). */
  get #attemptMs(): number {
    const { timeoutMs, connectTimeoutMs } = this.#options;
    const all = this.timeoutMs > 0 ? this.timeoutMs / 3 : Math.min(timeoutMs / 3, connectTimeoutMs);
    const share = this.#hosts.patience(Math.max(MIN_ATTEMPT_MS, all / this.#hosts.count));
    return Math.min(MAX_ATTEMPT_MS, share);
  }

  #giveUp(reason: string, now: number): void {
    this.#box.writer.at = 0;
    this.#box.effects.push({ type: 'hangUp' });
    this.#lost(reason, now);
  }

  #lost(reason: string, now: number): void {
    const wasUp = this.#phase === 'up';
    const server = this.server as Server;
    this.server = undefined;
    this.#phase = 'waiting';
    this.#retryAt = now + (wasUp ? this.#hosts.lost(now - this.#upSince) : this.#hosts.failed(server, reason));
    if (!wasUp) {
      this.#box.writer.at = 0;
      return;
    }
    // who holds a lock must know at once, not when the session expires
    if (!this.#closing)
      this.#tell({ state: 'suspended', server: undefined, reason: `${showServer(server)}: ${reason}` });
    this.#exchange.broke('ConnectionLoss');
    if (this.#closing) {
      this.#closeBy = Math.min(this.#closeBy, now + MAX_LATE_CLOSE_MS);
      if (!this.#writable) this.#finish('closed');
    }
  }

  /** The end: everything that waits is told, nothing happens any more. */
  #finish(state: 'expired' | 'authFailed' | 'closed', reason?: string): void {
    this.#box.writer.at = 0;
    if (this.#phase !== 'waiting' && this.#phase !== 'idle') this.#box.effects.push({ type: 'hangUp' });
    this.#phase = 'over';
    this.#closeBy = NEVER;
    this.server = undefined;
    this.watches.clear();
    const end = this.#closing ? 'closed' : state;
    this.#tell(
      reason === undefined || this.#closing ? { state: end, server: undefined } : { state, server: undefined, reason },
    );
    const code = this.#endCode;
    // what was sent before the end may have been done: that is a loss, not a refusal
    this.#exchange.broke(code === 'Closing' ? 'ConnectionLoss' : code);
    this.#exchange.dropQueue(code);
    for (const credential of this.#credentials) this.#box.effects.push({ type: 'authSettled', credential, code });
  }

  #greeted(answer: ConnectResponse, now: number): void {
    const server = this.server as Server;
    const resume = this.#writable;
    if (answer.timeoutMs <= 0) {
      if (!resume) this.#giveUp('refused a new session', now);
      else
        this.#finish('expired', `${showServer(server)} does not know session ${showSession(this.sessionId)} any more`);
      return;
    }
    if (resume && answer.sessionId !== this.sessionId) {
      // some servers open a new session in silence; ours is gone all the same
      this.#finish('expired', `${showServer(server)} began another session in place of ${showSession(this.sessionId)}`);
      return;
    }
    const before = this.sessionId !== 0n;
    this.#readOnly = answer.readOnly === true;
    this.#writable ||= !this.#readOnly;
    this.sessionId = answer.sessionId;
    this.#password = Uint8Array.from(answer.password ?? []);
    this.timeoutMs = answer.timeoutMs;
    this.#phase = 'up';
    this.#upSince = now;
    this.#heardAt = now;
    this.#probeEvery = FIRST_PROBE_MS;
    this.#probeAt = this.#readOnly && this.#hosts.count > 1 ? now + FIRST_PROBE_MS : NEVER;
    this.#hosts.established();
    if (this.#closing) {
      this.#exchange.beginClose(this.#credentials);
      return;
    }
    const state = this.#readOnly ? 'connectedReadOnly' : 'connected';
    this.#tell({ state, server: showServer(server), resumed: resume });
    this.#exchange.begin(this.#credentials, before);
  }

  #judge(verdict: Verdict | undefined, now: number): void {
    if (verdict === undefined) return;
    if (verdict.type === 'broken') this.#giveUp(verdict.reason, now);
    else if (verdict.type === 'closed') this.#finish('closed');
    else this.#finish('authFailed', verdict.reason);
  }

  #probe(now: number): void {
    const others = this.#hosts.all.filter((server) => server !== this.server);
    const server = others[this.#probeNext++ % others.length] as Server;
    this.#box.effects.push({ type: 'probe', server });
    this.#probeEvery = Math.min(MAX_PROBE_MS, this.#probeEvery * 2);
    this.#probeAt = now + this.#probeEvery;
  }
}

/** What a TLS server says to one who does not speak TLS. */
const isTlsAlert = (bytes: Buffer): boolean => bytes[0] === 0x15 && bytes[1] === 0x03;
