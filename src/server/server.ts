import { KEEPER_CODES } from '../base/errors.ts';
import type { SessionId } from '../base/ids.ts';
import { Reader, Writer } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { ConnectRequest } from '../protocol/handshake.ts';
import { OPERATIONS, XID } from '../protocol/operations.ts';
import { isLetIn } from './auth.ts';
import type { ClientConnection, Waiting } from './connection.ts';
import type { Desk } from './desk.ts';
import { LeaderDesk } from './leader-desk.ts';
import { logIn, logInBySasl } from './logins.ts';
import { Office } from './office.ts';
import { answerWaiting, refuse, takesRoom } from './pressure.ts';
import { needsEnsemble } from './read-only-desk.ts';
import { isCostly, LARGE, readOther, readPath } from './reads.ts';
import { begin, finish, header, MOST_UNSENT } from './reply.ts';
import type { TrackedSession } from './sessions.ts';
import { isWrite } from './writes.ts';

const { MarshallingError, NotReadOnly, Unimplemented, SessionClosedRequireAuth } = KEEPER_CODES;
/** Of writes that are held back for clients that have gone; with more of them the next who goes is done with. */
const MOST_LEFT_BYTES = 16 << 20;

/** Bytes of the answer to a ping: its length, and a header. */
const PING_ANSWER = 20;

/**
 * One whole server, pure: requests and completions come in, bytes gather in the connections, transactions in the log's
 * buffer. Keeps each session's requests in the order sent (semantics.md 18) and every reply to a write behind its commit (I3).
 */
export class Server extends Office {
  private readonly reader = new Reader(Buffer.alloc(0));
  /** Whose client has gone, with writes that a sync holds back, and the bytes of those. */
  private readonly left = new Map<ClientConnection, number>();
  private leftBytes = 0;
  /** Requests by the low bits of their number on the wire, which tell all of them apart. */
  private readonly counted = new Float64Array(128);

  /** How many requests with this number came in from clients in this life. */
  asked(opcode: number): number {
    return this.counted[opcode & 127] as number;
  }
  protected override welcomed(connection: ClientConnection): void {
    this.hear(connection);
  }

  // --- connections -----------------------------------------------------------------------------------------------------

  /**
   * The socket is gone. The session lives on until it expires. Writes that were read are done, those too that a sync holds back
   * (as by ZooKeeper): an end of a session that was asked for does not wait for its time.
   */
  disconnected(connection: ClientConnection): void {
    const { tracked } = connection;
    const bytes = connection.state === 'open' && connection.holdsBack ? connection.heldBytes : 0;
    const goesOn = bytes > 0 && this.leftBytes + bytes <= MOST_LEFT_BYTES && this.isAttached(connection);
    connection.state = 'closing';
    this.watches.removeAll(connection);
    // the end of a local session that only waited to be answered
    if (tracked?.local === true && tracked.closing && tracked.connection === connection) this.locals.remove(tracked.id);
    if (!goesOn) return this.letGo(connection);
    connection.leave();
    this.left.set(connection, bytes);
    this.leftBytes += bytes;
    // what a sync does not hold back any more stood behind a write that is under way, whose answer nobody waits for now
    const { zxidHi, zxidLo } = this.tree;
    this.await({ epoch: zxidHi, counter: zxidLo >>> 0 }, () => this.release(connection));
  }
  private letGo(connection: ClientConnection): void {
    const { tracked } = connection;
    this.leftBytes -= this.left.get(connection) ?? 0;
    this.left.delete(connection);
    if (tracked?.connection === connection) tracked.connection = undefined;
    connection.drop();
  }
  override look(): void {
    super.look();
    for (const connection of [...this.left.keys()]) this.letGo(connection);
  }
  /** Its session lives, and was taken up by no other connection; what comes behind the end of a local one is not done. */
  private isAttached(connection: ClientConnection): boolean {
    const { tracked } = connection;
    if (tracked === undefined || tracked.connection !== connection || (tracked.local && tracked.closing)) return false;
    return (tracked.local ? this.locals.get(tracked.id) : this.tracker.get(tracked.id)) === tracked;
  }
  /** Its session is wanted by another connection. */
  private takeFrom(tracked: TrackedSession | undefined): void {
    const old = tracked?.connection;
    // one whose client has gone loses it only to who shows the password: see {@link isAttached}
    if (old !== undefined && !old.left) this.close(old);
  }

  /** The first frame of a connection. @throws ProtocolError */
  handshake(connection: ClientConnection, bytes: Buffer, start: number, end: number): void {
    this.outbox.received(connection);
    const request = this.parsed(connection, this.reader.reset(bytes, start, end));
    if (request === undefined) return;
    const last = (BigInt(this.tree.zxidHi) << 32n) | BigInt(this.tree.zxidLo >>> 0);
    const { desk } = this;
    const refuses = this.readOnly ? request.readOnly !== true : !this.serving;
    if (refuses || desk === undefined) {
      this.handshakes.unserved++;
      return this.close(connection);
    }
    if (request.lastZxidSeen > last) return this.tooNew(desk, connection, request);
    if (desk instanceof LeaderDesk && !this.options.leaderServes) return this.close(connection);
    connection.modern = request.readOnly !== undefined;
    const { minSessionTimeoutMs: min, maxSessionTimeoutMs: max } = this.options;
    connection.timeoutMs = Math.min(max, Math.max(min, request.timeoutMs));
    connection.state = 'connecting';
    if (request.sessionId === 0n && this.pressure.full) {
      this.pressure.refused++;
      return this.close(connection);
    }
    // with a leader of before there were local sessions all are everybody's, as they are to it
    if (this.options.localSessions !== undefined && desk.takesLocal && this.handshakeLocally(connection, request))
      return;
    if (request.sessionId === 0n) return desk.createSession(connection);
    // the old connection ends before the password is looked at, as in ZooKeeper
    const id = request.sessionId as SessionId;
    this.takeFrom(this.tracker.get(id));
    const password = request.password === null ? Buffer.alloc(0) : Buffer.from(request.password);
    desk.resume(connection, id, password);
  }

  private parsed(connection: ClientConnection, from: Reader): ConnectRequest | undefined {
    try {
      return ConnectRequest.read(from);
    } catch (fault) {
      if (fault instanceof ProtocolError) throw fault;
      const to = this.outbox.to(connection);
      this.fails(connection, to, to.at, fault);
      return undefined;
    }
  }
  /**
   * Its client has seen what is not applied here, and has to go to another member. While that is under way to this one, whoever
   * shows the password of a session lives: a slow disk is no fault of his (I9).
   */
  private tooNew(
    desk: Desk,
    connection: ClientConnection,
    { sessionId, password, lastZxidSeen }: ConnectRequest,
  ): void {
    const tracked = this.tracker.get(sessionId as SessionId);
    const { epoch, counter } = this.last;
    const known = (BigInt(epoch) << 32n) | BigInt(counter);
    if (
      tracked !== undefined &&
      lastZxidSeen <= known &&
      this.handshakes.opens(tracked.id, password ?? Buffer.alloc(0))
    )
      desk.heard(tracked);
    this.close(connection);
  }
  /** A session that only this member knows begins or is taken up again; false: it is another. */
  private handshakeLocally(connection: ClientConnection, { sessionId, password }: ConnectRequest): boolean {
    const { locals, now } = this;
    if (sessionId === 0n) {
      locals.create(connection, now, this.wall);
      return true;
    }
    const tracked = locals.get(sessionId as SessionId);
    if (tracked === undefined) return false;
    const secret = password ?? Buffer.alloc(0);
    if (tracked.closing || !locals.opens(tracked.id, secret)) {
      this.handshakes.refuse(connection);
      this.close(connection);
      return true;
    }
    this.takeFrom(tracked);
    locals.resume(connection, tracked, secret, now);
    return true;
  }

  // --- requests --------------------------------------------------------------------------------------------------------

  /** One request of a connection whose session is established. */
  receive(connection: ClientConnection, bytes: Buffer, start: number, end: number): void {
    const { desk } = this;
    if (connection.state !== 'open' || desk === undefined) return;
    this.outbox.received(connection);
    if (end - start < 8) return this.close(connection);
    const from = this.reader.reset(bytes, start, end);
    const xid = from.int32();
    const type = from.int32();
    this.counted[type & 127] = (this.counted[type & 127] as number) + 1;
    if (xid >= 0) connection.stats.lastXid = xid; // of a request of its own, not of a ping
    connection.stats.lastOp = type;
    const { auth, sasl } = OPERATIONS;
    if (type !== auth.code && type !== sasl.code && !isLetIn(connection.identities, this.options.auth)) {
      header(this.outbox.to(connection), xid, 0, 0, SessionClosedRequireAuth);
      this.outbox.sent(connection);
      return this.close(connection);
    }
    this.hear(connection);
    const isLocal = connection.tracked?.local === true;
    if (isLocal && connection.tracked?.closing === true) return; // behind its own end
    if (this.readOnly && needsEnsemble(type) && !(isLocal && type === OPERATIONS.closeSession.code)) {
      header(this.outbox.to(connection), xid, this.tree.zxidHi, this.tree.zxidLo, NotReadOnly);
      return this.outbox.sent(connection);
    }
    // a write is refused by its desk: by the leader's with a number, which the log remembers, as ZooKeeper's does
    if (connection.moved && !isWrite(type)) return this.close(connection);
    if (this.pressure.full && takesRoom(type, bytes, end)) {
      this.pressure.refused++;
      return refuse(this, connection, xid);
    }
    if (isWrite(type)) {
      if (end - start > LARGE) connection.grows = true;
      // a later write must not be seen by what was asked before it: behind a sync it waits
      if (connection.syncs > 0 && this.peer.isMember) return this.keep(connection, 'held', bytes, start, end);
      if (!this.endsHere(connection, type)) return this.write(desk, connection, xid, type, from, bytes, start, end);
    }
    if (type === auth.code || type === sasl.code) return this.logIn(connection, xid, type, from);
    if (type === OPERATIONS.sync.code && desk.sync(connection, bytes, start, end)) {
      connection.syncs++;
      return;
    }
    if (connection.outstanding > 0) {
      const { outstanding, grows } = connection;
      if (isCostly(this.tree, type, from, outstanding, grows)) connection.costly = true;
      return this.keep(connection, 'request', bytes, start, end);
    }
    this.read(connection, xid, type, from);
    this.outbox.sent(connection);
  }
  /** Changes what its own connection has proved, and nothing else. */
  private logIn(connection: ClientConnection, xid: number, type: number, from: Reader): void {
    const to = this.outbox.to(connection);
    const { at } = to;
    try {
      if (type === OPERATIONS.auth.code) logIn(this, connection, xid, from);
      else logInBySasl(this, connection, xid, from);
    } catch (fault) {
      this.fails(connection, to, at, fault);
    }
  }
  /** The end of a session that is this member's own: decided here, and answered in its turn. Nothing that comes behind it is done. */
  private endsHere({ tracked }: ClientConnection, type: number): boolean {
    if (type !== OPERATIONS.closeSession.code || tracked?.local !== true) return false;
    tracked.closing = true;
    return true;
  }
  /** To the desk, in the order sent; behind the upgrade of a local session that makes its first ephemeral. */
  private write(
    desk: Desk,
    connection: ClientConnection,
    xid: number,
    type: number,
    from: Reader,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const { tracked } = connection;
    const { localSessions } = this.options;
    if (
      tracked?.local === true &&
      localSessions?.upgrading === true &&
      this.locals.wantsMore(type, bytes, start, end)
    ) {
      const txn = this.locals.birth(tracked);
      if (desk.upgrade(connection, txn)) {
        this.locals.remove(txn.id);
        connection.tracked = this.tracker.add(txn.id, txn.timeoutMs, this.now);
        connection.tracked.connection = connection;
      }
    }
    if (this.auditor !== undefined) connection.asked = this.auditor.asked(type, bytes, start, end);
    desk.write(connection, xid, type, from, bytes, start, end);
  }
  /** It has proved what is compulsory. */
  letsIn(connection: ClientConnection): boolean {
    return isLetIn(connection.identities, this.options.auth);
  }
  /** Answers a ping while a transaction is being applied in parts, beside everything that waits for the rest of it. */
  pinged(connection: ClientConnection): Buffer {
    const { outbox, tree } = this;
    outbox.received(connection);
    this.hear(connection);
    const { stats } = connection;
    stats.lastOp = OPERATIONS.ping.code;
    const to = new Writer(PING_ANSWER);
    header(to, XID.ping, tree.zxidHi, tree.zxidLo, 0);
    outbox.timed(connection, this.now, this.now);
    outbox.sent(connection);
    return to.take();
  }
  /** Whoever writes lives, on a connection that its session was taken from as well: that may be by one it gave up before. */
  hear(connection: ClientConnection): void {
    const tracked = connection.moved ? this.tracker.get(connection.session) : connection.tracked;
    if (tracked === undefined) return;
    if (tracked.local) this.locals.heard(tracked, this.now);
    else this.desk?.heard(tracked);
  }
  private keep(connection: ClientConnection, kind: Waiting['kind'], bytes: Buffer, start: number, end: number): void {
    const frame = Buffer.from(bytes.subarray(start, end));
    connection.waiting.push({ kind, frame, ready: false, since: this.now });
  }

  /** Changes nothing but what is watched and said on this connection, and ends a session that is this member's own. */
  private read(connection: ClientConnection, xid: number, type: number, from: Reader, since = this.now): void {
    const to = this.outbox.to(connection);
    const at = to.at;
    try {
      switch (type) {
        case OPERATIONS.getData.code:
        case OPERATIONS.exists.code:
        case OPERATIONS.getChildren.code:
        case OPERATIONS.getChildren2.code:
          readPath(this, connection, to, xid, type, from);
          break;
        case OPERATIONS.ping.code:
          header(to, -2, this.tree.zxidHi, this.tree.zxidLo, 0);
          break;
        case OPERATIONS.sync.code: {
          const { path } = OPERATIONS.sync.request.read(from);
          const start = begin(to, xid, this.tree.zxidHi, this.tree.zxidLo, 0);
          to.text(path);
          finish(to, start);
          break;
        }
        case OPERATIONS.closeSession.code: // of a session that is this member's own
          header(to, xid, this.tree.zxidHi, this.tree.zxidLo, 0);
          this.locals.remove(connection.session);
          this.close(connection);
          break;
        default:
          if (!readOther(this, connection, to, xid, type, from)) {
            header(to, xid, -1, -1, Unimplemented);
            this.close(connection);
          }
      }
    } catch (fault) {
      // an answer for which there is no memory is an error as any other
      if (!(fault instanceof ProtocolError || fault instanceof RangeError))
        return this.fails(connection, to, at, fault);
      to.at = at;
      header(to, xid, this.tree.zxidHi, this.tree.zxidLo, MarshallingError);
    }
    this.outbox.timed(connection, since, this.now);
  }

  /** Requests that waited behind a write are answered, up to the next write. */
  override drain(connection: ClientConnection): void {
    if (connection.left) return this.release(connection);
    for (;;) {
      const head = connection.head();
      if (connection.state !== 'open' || head === undefined || head.kind === 'write') return;
      if (head.kind === 'sync' && !head.ready) return;
      if (head.kind === 'held') {
        this.release(connection);
        continue;
      }
      connection.shift();
      if (head.kind === 'refused') {
        answerWaiting(this, connection, head);
        continue;
      }
      if (head.kind === 'sync') connection.syncs--;
      const frame = head.frame as Buffer;
      const from = this.reader.reset(frame, 0, frame.length);
      const xid = from.int32();
      this.read(connection, xid, from.int32(), from, head.since);
      this.outbox.sent(connection);
      // they cannot wait once more, behind a later write of theirs: who asks for so much at once is cut off
      if ((connection.out?.at ?? 0) > MOST_UNSENT) this.close(connection);
    }
  }

  /** Writes that a sync held back go to the desk. */
  private release(connection: ClientConnection): void {
    for (const frame of connection.released()) {
      if (this.desk === undefined) return;
      if (connection.left && !this.isAttached(connection)) return this.letGo(connection);
      if (!connection.left && connection.state !== 'open') return;
      const from = this.reader.reset(frame, 0, frame.length);
      const xid = from.int32();
      const type = from.int32();
      // by now it may be everybody's, for an ephemeral asked before its end
      if (this.endsHere(connection, type)) {
        if (!connection.left) return connection.answerInPlace(frame);
        this.locals.remove(connection.session);
        return this.letGo(connection);
      }
      this.write(this.desk, connection, xid, type, from, frame, 0, frame.length);
    }
    if (connection.left && !connection.holdsBack) this.letGo(connection);
  }
}
