import { codeOfNumber, type KeeperCode } from '../base/errors.ts';
import type { Zxid } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import type { Reader, Writer } from '../protocol/bytes.ts';
import { EVENT, WatcherEvent } from '../protocol/events.ts';
import { OPERATIONS, REPLY_HEADER_BYTES, writeFrame, XID } from '../protocol/operations.ts';
import { type Credential, type EventType, RequestError, type WatchGap } from './api.ts';
import { Fifo } from './fifo.ts';
import { isSasl, Login } from './login.ts';
import type { Outbox, Request } from './types.ts';
import { type OneShotKind, setWatchesBodies, type TableKind, WatchTable } from './watches.ts';

/** Requests that may wait for a connection or for their reply. */
export const MAX_REQUESTS = 100_000;
/** Bytes that may wait for a connection or for room in the socket. */
export const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** More than this in one write and the rest goes out when the socket says it has room. */
const WRITE_BYTES = 1024 * 1024;
const MAX_XID = 0x7fff_ffff;
const NO_NODE = -101;
const NONCE_BYTES = 24;

const EVENT_NAMES = new Map<number, EventType>(
  (Object.entries(EVENT) as [EventType, number][]).map(([name, number]) => [number, name]),
);

/** What a frame from the server means for the connection; undefined: it goes on. */
export type Verdict =
  | { readonly type: 'broken'; readonly reason: string }
  | { readonly type: 'authFailed'; readonly reason: string }
  | { readonly type: 'closed' };

/** Why a request is refused here. */
type Fault = readonly [fault: RequestError['fault'], what: string];

/** What is said over connections that stand: requests and replies in order, credentials, watches. Pure. */
export class Exchange<W> {
  readonly watches = new WatchTable<W>();
  /** Highest zxid of a reply. Events do not move it: those of one transaction may come one by one. */
  lastZxid = 0n as Zxid;
  /** The socket's buffer is full. */
  blocked = false;
  readonly #box: Outbox<W>;
  readonly #maxBytes: number;
  readonly #random: Random;
  readonly #queue = new Fifo<Request<W>>();
  #queuedBytes = 0;
  readonly #sent = new Fifo<Request<W>>();
  readonly #auths = new Fifo<Credential>();
  readonly #rearms = new Fifo<WatchGap | undefined>();
  /** All changes up to here were told to the watches; stays behind `lastZxid` until every setWatches is answered. */
  #watchedTo: Zxid | undefined;
  /** Catch-up events already told to persistent watchers; filled only while setWatches is unanswered. */
  readonly #caughtUp = new Set<string>();
  #xid = 0;
  #closeXid: number | undefined;
  /** A login under way: nothing else is said before it is over. */
  #login: Login | undefined;
  #afterLogin: () => void = () => {};
  /** Credentials that came meanwhile. */
  #lateAuths: Credential[] = [];

  constructor(box: Outbox<W>, maxRequestBytes: number, random: Random) {
    this.#box = box;
    this.#random = random;
    this.#maxBytes = maxRequestBytes;
  }

  /** True when requests wait that could be sent now. */
  get more(): boolean {
    return !this.blocked && this.#login === undefined && this.#queue.size > 0;
  }
  /** A login is under way: pings, credentials and requests wait. */
  get loggingIn(): boolean {
    return this.#login !== undefined;
  }

  enqueue(request: Request<W>): void {
    const fault = this.#faultOf(request);
    if (fault !== undefined) this.#refuse(request, ...fault);
    else {
      this.#queue.push(request);
      this.#queuedBytes += request.bytes;
    }
  }

  #faultOf({ bytes, maxBytes = this.#maxBytes }: Request<W>): Fault | undefined {
    if (bytes > maxBytes) return ['tooLarge', tooLarge(bytes, maxBytes)];
    if (this.#queue.size + this.#sent.size >= MAX_REQUESTS)
      return ['overloaded', `${MAX_REQUESTS} requests wait already`];
    if (this.#queuedBytes + bytes > MAX_WAITING_BYTES)
      return ['overloaded', `${this.#queuedBytes} bytes wait to be sent already`];
    return undefined;
  }

  #refuse(request: Request<W>, fault: RequestError['fault'], what: string): void {
    if (request.abandoned) return;
    this.#box.effects.push({ type: 'refuse', request, error: new RequestError(fault, what, request.path) });
  }

  abandon(request: Request<W>): void {
    request.abandoned = true;
    if (this.#queue.remove(request)) this.#queuedBytes -= request.bytes;
  }

  /**
   * A connection begins: a login, then the other identities, watches and requests; the server takes frames in order, so these
   * leave together.
   */
  begin(credentials: readonly Credential[], resume: boolean): void {
    const known = [...credentials];
    this.#identify(known, () => this.#goOn(known, resume));
  }
  /** A connection that only serves to end the session. */
  beginClose(credentials: readonly Credential[]): void {
    this.#identify(credentials, () => this.writeClose());
  }

  #identify(credentials: readonly Credential[], then: () => void): void {
    this.blocked = false;
    const credential = credentials.find(isSasl);
    if (credential === undefined) then();
    else this.#logIn(credential, then);
  }

  #logIn(credential: Credential, then: () => void): void {
    this.#login = new Login(credential, Buffer.from(this.#random.bytes(NONCE_BYTES)).toString('base64'));
    this.#afterLogin = then;
    this.#writeToken(this.#login, Buffer.alloc(0));
  }

  #writeToken(login: Login, token: Uint8Array): void {
    login.xid = this.#nextXid();
    this.#write(login.xid, OPERATIONS.sasl.code, (to) => OPERATIONS.sasl.request.write(to, { token }));
  }

  #writeLateAuths(): void {
    for (const credential of this.#lateAuths.splice(0)) this.writeAuth(credential);
  }

  #goOn(credentials: readonly Credential[], resume: boolean): void {
    for (const credential of credentials) if (!isSasl(credential)) this.writeAuth(credential);
    this.#writeLateAuths();
    if (resume && this.watches.size > 0) this.#rearmAll();
    else this.#watchedTo = undefined;
    this.fill();
  }

  /** The connection broke: what was sent has an unknown outcome, what was not still waits. */
  broke(code: KeeperCode): void {
    this.#box.writer.at = 0;
    this.#login = undefined;
    this.#lateAuths = [];
    this.#auths.drain();
    this.#rearms.drain();
    this.#caughtUp.clear();
    this.#closeXid = undefined;
    for (const request of this.#sent.drain()) this.#box.fail(request, code);
  }

  /** Nothing that waits will be sent any more. */
  dropQueue(code: KeeperCode): void {
    this.#queuedBytes = 0;
    for (const request of this.#queue.drain()) this.#box.fail(request, code);
  }

  /** Writes waiting requests, as many as fit into one write (`all`: every one). */
  fill(all = false): void {
    const out = this.#box.writer;
    if (this.#login !== undefined) return;
    while (all || (!this.blocked && out.at < WRITE_BYTES)) {
      const request = this.#queue.shift();
      if (request === undefined) return;
      const { maxBytes = this.#maxBytes } = request;
      this.#queuedBytes -= request.bytes;
      const { watch } = request;
      request.covered = watch !== undefined && isOneShot(watch.kind) && this.watches.covered(watch.kind, watch.path);
      request.xid = this.#nextXid();
      const fault = this.#put(request, maxBytes);
      if (fault !== undefined) this.#refuse(request, ...fault);
      else this.#sent.push(request);
    }
  }

  /** Writes a request as a frame. What cannot be one leaves nothing behind, and is told. */
  #put(request: Request<W>, maxBytes: number): Fault | undefined {
    const out = this.#box.writer;
    const start = out.at;
    try {
      out.int32(0);
      out.int32(request.xid);
      out.int32(request.opcode);
      request.write(out, !request.covered);
    } catch (error) {
      out.at = start;
      return ['invalid', `it cannot be written as a request: ${(error as Error).message}`];
    }
    const end = out.at;
    const bytes = end - start - 4;
    out.at = start;
    if (bytes > maxBytes) return ['tooLarge', tooLarge(bytes, maxBytes)];
    if (Number.isNaN(bytes)) return ['invalid', 'it cannot be written as a request: its length is not known'];
    out.put(bytes);
    out.at = end;
    return undefined;
  }

  writePing(): void {
    this.#write(XID.ping, OPERATIONS.ping.code);
  }
  /** Ends the session, after a login that is under way and what waits for it. */
  endSession(): void {
    this.#whenLoggedIn(() => {
      this.fill(true);
      this.writeClose();
    });
  }
  #whenLoggedIn(act: () => void): void {
    if (this.#login === undefined) return act();
    const before = this.#afterLogin;
    this.#afterLogin = () => {
      before();
      act();
    };
  }
  writeClose(): void {
    this.#closeXid = this.#nextXid();
    this.#write(this.#closeXid, OPERATIONS.closeSession.code);
  }
  writeAuth(credential: Credential): void {
    const { scheme, auth } = credential;
    const bytes = typeof auth === 'string' ? Buffer.from(auth) : auth;
    this.#auths.push(credential);
    this.#write(XID.auth, OPERATIONS.auth.code, (to) =>
      OPERATIONS.auth.request.write(to, { type: 0, scheme, auth: bytes }),
    );
  }

  /** Presents a credential on a connection that stands; after a login that is under way its turn comes by itself. */
  addAuth(credential: Credential): void {
    if (isSasl(credential))
      this.#logIn(credential, () => {
        this.#writeLateAuths();
        this.fill();
      });
    else if (this.#login === undefined) this.writeAuth(credential);
    else this.#lateAuths.push(credential);
  }

  /** Sets all watches on `path` again, after a request that may have taken too many of them away. */
  rearm(path: string): void {
    this.#whenLoggedIn(() => this.#writeWatches(this.#watchedTo ?? this.lastZxid, undefined, path));
  }

  #rearmAll(): void {
    const since = (this.#watchedTo ??= this.lastZxid);
    const paths = [...new Set([...this.watches.paths('persistent'), ...this.watches.paths('persistentRecursive')])];
    this.#writeWatches(since, paths.length > 0 ? { paths, after: since } : undefined);
  }

  #writeWatches(since: Zxid, gap: WatchGap | undefined, only?: string): void {
    const bodies = setWatchesBodies(this.watches, since, only);
    bodies.forEach((body, at) => {
      // servers before 3.6 do not know the second form, so it is used only where it is needed
      const second = body.persistentWatches.length + body.persistentRecursiveWatches.length > 0;
      const row = second ? OPERATIONS.setWatches2 : OPERATIONS.setWatches;
      this.#rearms.push(at === bodies.length - 1 ? gap : undefined);
      this.#write(XID.setWatches, row.code, (to) => row.request.write(to, body));
    });
  }

  #nextXid(): number {
    this.#xid = this.#xid === MAX_XID ? 1 : this.#xid + 1;
    return this.#xid;
  }

  #write(xid: number, opcode: number, body?: (to: Writer) => void): void {
    const out = this.#box.writer;
    const start = out.at;
    try {
      writeFrame(out, (to) => {
        to.int32(xid);
        to.int32(opcode);
        body?.(to);
      });
    } catch (error) {
      out.at = start; // half a frame would be the end of the connection
      throw error;
    }
  }

  /** One frame of an established connection. @throws ProtocolError when it cannot be read */
  reply(from: Reader): Verdict | undefined {
    from.need(REPLY_HEADER_BYTES);
    const xid = from.int32();
    const zxid = from.int64() as Zxid;
    const err = from.int32();
    if (xid === XID.event) {
      this.#event(WatcherEvent.read(from), zxid);
      return undefined;
    }
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    switch (xid) {
      case XID.ping:
        return undefined;
      case XID.auth:
        return this.#authenticated(err);
      case XID.setWatches:
        return this.#rearmed(zxid, err);
    }
    if (this.#login !== undefined && xid === this.#login.xid) return this.#loginHeard(this.#login, err, from);
    const request = this.#sent.peek();
    if (request === undefined) {
      if (xid === this.#closeXid) return { type: 'closed' };
      return { type: 'broken', reason: `a reply with xid ${xid} that nothing was waiting for` };
    }
    if (request.xid !== xid) return { type: 'broken', reason: `reply ${xid} came where ${request.xid} was due` };
    if (err !== 0) this.#box.fail(request, codeOfNumber(err));
    else if (!request.abandoned) this.#box.effects.push({ type: 'settle', request, value: request.read(from) }); // a throw leaves it to `broke`
    this.#sent.shift();
    this.#watchBegins(request, err);
    return undefined;
  }

  #watchBegins(request: Request<W>, err: number): void {
    const { watch } = request;
    if (watch === undefined || request.abandoned) return;
    const { kind, path, watcher } = watch;
    if (err === 0) this.watches.add(kind === 'exists' ? 'data' : kind, path, watcher);
    else if (err === NO_NODE && kind === 'exists') this.watches.add('exists', path, watcher);
    else return;
    // the persistent watch it relied on went meanwhile
    const bare = request.covered && isOneShot(kind) && !this.watches.covered(kind, path);
    // servers before 3.9 replaced the child watch by the recursive one, which does not tell of children
    const replaced = kind === 'persistentRecursive' && this.watches.has('children', path);
    if (bare || replaced) this.rearm(path);
  }

  #loginHeard(login: Login, err: number, from: Reader): Verdict | undefined {
    const step = login.heard(err, err === 0 ? OPERATIONS.sasl.answer.read(from).token : null);
    if (step.type === 'failed') return { type: 'authFailed', reason: step.reason };
    if (step.type === 'say') this.#writeToken(login, step.token);
    else {
      this.#login = undefined;
      this.#box.effects.push({ type: 'authSettled', credential: login.credential, code: undefined });
      this.#afterLogin();
    }
    return undefined;
  }

  #authenticated(err: number): Verdict | undefined {
    const credential = this.#auths.shift();
    if (credential === undefined) return { type: 'broken', reason: 'an answer to a credential that was not sent' };
    if (err !== 0) return { type: 'authFailed', reason: `the server refused the ${credential.scheme} credential` };
    this.#box.effects.push({ type: 'authSettled', credential, code: undefined });
    return undefined;
  }

  #rearmed(zxid: Zxid, err: number): Verdict | undefined {
    if (this.#rearms.size === 0) return { type: 'broken', reason: 'an answer to watches that were not set' };
    if (err !== 0) return { type: 'broken', reason: `the server refused to set watches: ${codeOfNumber(err)}` };
    const gap = this.#rearms.shift();
    if (this.#rearms.size === 0) {
      this.#caughtUp.clear();
      this.#watchedTo = undefined;
    }
    // the server has applied nothing that we had not seen: nothing was missed
    if (gap !== undefined && zxid !== gap.after) this.#box.effects.push({ type: 'gap', gap });
    return undefined;
  }

  #event(event: WatcherEvent, zxid: Zxid): void {
    const type = EVENT_NAMES.get(event.type);
    const path = event.path;
    if (type === undefined || path === null) return;
    let again = false;
    if (this.#rearms.size > 0 && zxid <= 0n && type === 'NodeDeleted') {
      // a node that went is told once for its data and once for its children; who stays hears of it once
      again = this.#caughtUp.has(path);
      this.#caughtUp.add(path);
    } else if (type === 'NodeCreated') this.#caughtUp.delete(path);
    const watchers = this.watches.take(type, path, again);
    if (watchers.length > 0)
      this.#box.effects.push({
        type: 'event',
        event: { type, path, zxid: zxid > 0n ? zxid : undefined },
        watchers,
      });
  }
}

const isOneShot = (kind: TableKind): kind is OneShotKind => kind === 'data' || kind === 'exists' || kind === 'children';

const tooLarge = (bytes: number, maxBytes: number): string =>
  `the request takes ${bytes} bytes, at most ${maxBytes} are allowed`;
