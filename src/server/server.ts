import { assert } from '../base/assert.ts';
import { KEEPER_CODES } from '../base/errors.ts';
import { lanes } from '../base/hash.ts';
import type { SessionId } from '../base/ids.ts';
import { Reader, Writer } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { ConnectRequest } from '../protocol/handshake.ts';
import { OPERATIONS, XID } from '../protocol/operations.ts';
import type { PackWriter } from '../records/pack.ts';
import type { PeerMessage } from '../records/peer-messages.ts';
import { type Config, type Txn, writeEnvelope } from '../records/txns.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Peer } from '../zab/peer.ts';
import type { Effect, Input, Position } from '../zab/types.ts';
import { type AuthOptions, isLetIn } from './auth.ts';
import type { ClientConnection, Waiting } from './connection.ts';
import type { Desk } from './desk.ts';
import { LeaderDesk } from './leader-desk.ts';
import { LearnerDesk } from './learner-desk.ts';
import { LocalSessions } from './local-sessions.ts';
import { logIn, logInBySasl } from './logins.ts';
import { answerWaiting, Pressure, refuse, takesRoom } from './pressure.ts';
import { ProposalSizes } from './proposals.ts';
import { needsEnsemble, ReadOnlyDesk } from './read-only-desk.ts';
import { readOther, readPath } from './reads.ts';
import { type Numbered, Replica, type ReplicaSurroundings } from './replica.ts';
import { begin, finish, header } from './reply.ts';
import type { TrackedSession } from './sessions.ts';
import { isWrite } from './writes.ts';

/** Where envelopes go: memory only; the log writes what has gathered once a turn. */
export interface LogSink {
  writer(): PackWriter;
  commitEnvelope(start: number, zxidHi: number, zxidLo: number): void;
}
export interface ServerOptions {
  readonly sid: number;
  readonly tickMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly extendedTypes: boolean;
  readonly enforceQuota: boolean;
  readonly reconfigEnabled: boolean;
  /** A reconfiguration may not leave fewer than two voters. */
  readonly standaloneEnabled: boolean;
  readonly multiAddress: boolean;
  /** False: while this member leads, it serves no clients of its own. */
  readonly leaderServes: boolean;
  /** Sessions begin as this member's own; undefined: all are everybody's. `upgrading`: one may become so, for an ephemeral. */
  readonly localSessions?: { readonly upgrading: boolean } | undefined;
  readonly auth: AuthOptions;
  readonly reaperMaxPerMinute: number;
  readonly reaperMaxNeverUsedMs: number;
}
/** What the server asks of those who hold the sockets and the disk; everything else it says through the connections' bytes. */
export interface Surroundings extends ReplicaSurroundings {
  readonly log: LogSink;
  effect(effect: Effect): void;
  /** Tells zab of everything proposed so far, before something happens that may end the term. */
  hand(): void;
  /** A session is over since nothing was heard of it for its timeout, ms. */
  expired?(id: SessionId, timeoutMs: number): void;
  /** Absent: there is always memory. */
  readonly pressure?: Pressure | undefined;
  /** A message to the leader that this member follows, and to the learner at a link. */
  toLeader(message: PeerMessage): void;
  toLearner(link: number, message: PeerMessage): void;
}

const { MarshallingError, NotReadOnly, Unimplemented, SessionClosedRequireAuth } = KEEPER_CODES;
/** Bytes of the answer to a ping: its length, and a header. */
const PING_ANSWER = 20;

/**
 * One whole server, pure: requests and completions come in, bytes gather in the connections, transactions in the log's
 * buffer. Keeps each session's requests in the order sent (semantics.md 18) and every reply to a write behind its commit (I3).
 */
export class Server extends Replica {
  serving = false;
  /** Serves what it has to those who asked for no more than reading, since it finds no leader. */
  readOnly = false;
  /** Since when this member leads, monotonic ms; undefined while it does not. */
  ledAt: number | undefined;
  /** What it proposed. */
  readonly proposals = new ProposalSizes();
  readonly options: ServerOptions;
  readonly locals: LocalSessions;
  readonly pressure: Pressure;
  private readonly around: Surroundings;
  private readonly reader = new Reader(Buffer.alloc(0));
  /** Requests by the low bits of their number on the wire, which tell all of them apart. */
  private readonly counted = new Float64Array(128);
  /** Undefined while this member neither leads nor follows. */
  private desk: Desk | undefined;

  constructor(tree: DataTree, peer: Peer, options: ServerOptions, around: Surroundings) {
    super(tree, peer, options.sid, options.tickMs, around);
    this.options = options;
    this.around = around;
    this.locals = new LocalSessions(this.handshakes, options.tickMs);
    this.pressure = around.pressure ?? new Pressure();
  }

  /** How many requests with this number came in from clients in this life. */
  asked(opcode: number): number {
    return this.counted[opcode & 127] as number;
  }
  expired(id: SessionId, timeoutMs: number): void {
    this.around.expired?.(id, timeoutMs);
  }
  /** Requests accepted and not applied. */
  get outstanding(): number {
    return this.unapplied + (this.desk?.waiting ?? 0);
  }
  /** No request may be given: {@link applying}, or the epoch's counter is used up and the next does not stand yet. */
  get holds(): boolean {
    return this.applying || this.desk?.holds === true;
  }
  random(count: number): Uint8Array {
    return this.around.random.bytes(count);
  }
  /** Ends a connection after the bytes it is owed. */
  end(connection: ClientConnection): void {
    this.close(connection);
  }
  /** The session is attached elsewhere: whoever holds on to it here has lost it. */
  moved(session: SessionId): void {
    const tracked = this.tracker.get(session);
    const connection = tracked?.connection;
    if (tracked === undefined || connection === undefined) return;
    tracked.connection = undefined;
    connection.tracked = undefined;
    connection.moved = true;
  }
  toLeader(message: PeerMessage): void {
    this.around.toLeader(message);
  }
  toLearner(link: number, message: PeerMessage): void {
    this.around.toLearner(link, message);
  }

  // --- the course of terms -----------------------------------------------------------------------------------------------

  /** Something happened that zab must know. */
  step(input: Input): void {
    for (const effect of this.peer.step(input)) this.around.effect(effect);
    this.endTerm();
  }
  /** Asks zab for these members; see {@link proposeConfig}. */
  reconfigure(config: Config): void {
    this.around.hand();
    this.step({ type: 'reconfigure', config });
  }
  /** The log holds everything up to here on disk. */
  persisted(generation: number, upTo: Position): void {
    this.step({ type: 'persisted', generation, upTo });
  }
  /** This member leads an epoch: it decides from now on. */
  lead(): void {
    if (this.readOnly) this.look();
    this.desk ??= new LeaderDesk(this);
    this.ledAt ??= this.now;
    this.proposals.beginTerm();
    this.resumeSessions();
  }
  /** Requests may be taken: as leader, or as the learner of one. */
  serve(): void {
    if (this.readOnly) this.look();
    if (this.desk === undefined) {
      this.desk = new LearnerDesk(this, this.peer.currentEpoch);
      this.resumeSessions();
    }
    this.serving = true;
    this.desk.goOn();
  }
  /** Nobody leads, and nobody may for long: what is applied here may be read until zab goes on. */
  serveReadOnly(): void {
    this.readOnly = true;
    this.handshakes.readOnly = true;
    this.desk = new ReadOnlyDesk((connection) => this.close(connection));
  }
  /** The term is over: nobody is served, and what was decided and not committed may never have happened. */
  look(): void {
    this.serving = false;
    this.readOnly = false;
    this.handshakes.readOnly = false;
    this.ledAt = undefined;
    this.desk = undefined;
    this.forgetAskers();
    this.tracker.clear();
    this.locals.clear();
  }
  /** Goes on with a large transaction; the runtime calls this in a later turn, as {@link Surroundings.later} asked. */
  goOn(): void {
    this.applying = false;
    this.proceed();
    if (!this.applying) this.desk?.goOn();
    this.endTerm();
  }
  /** A new epoch begins once everything in one that is used up is applied. */
  private endTerm(): void {
    const { leader, phase } = this.peer;
    if (leader?.exhausted !== true || phase !== 'broadcast' || this.unapplied > 0) return;
    for (const effect of this.peer.step({ type: 'exhausted' })) this.around.effect(effect);
  }
  /** Numbers a transaction and puts it into the log's buffer. Returns its counter. */
  propose(
    connection: ClientConnection | undefined,
    session: bigint,
    xid: number,
    opcode: number,
    txn: Txn,
    touched: readonly string[],
    password: Uint8Array | undefined,
  ): number {
    const { leader } = this.peer;
    assert(leader !== undefined, 'proposed without leading');
    const counter = leader.propose();
    const { epoch } = leader;
    const time = Math.max(this.wall, this.lastTime);
    const { log } = this.around;
    const to = log.writer();
    const start = to.at;
    writeEnvelope(to, epoch, counter, time, session, xid, txn, this.chainHi, this.chainLo);
    const chainHi = lanes[0] as number;
    const chainLo = lanes[1] as number;
    log.commitEnvelope(start, epoch, counter);
    this.proposals.add(to.at - start);
    this.push({
      epoch,
      counter,
      time,
      txn,
      connection,
      xid,
      opcode,
      touched,
      chainHi,
      chainLo,
      password,
      asked: connection?.asked,
    });
    connection?.beginWrite(this.now);
    return counter;
  }
  /** An entry of another's making came into the log. */
  append(numbered: Numbered): void {
    this.desk?.bind(numbered);
    this.push(numbered);
  }

  // --- other members -----------------------------------------------------------------------------------------------------

  /** What a learner's clients want, by its link; or, under link 0, what the leader answers. */
  received(link: number, message: PeerMessage): void {
    this.desk?.received(link, message);
  }
  /** A learner's link is no more. */
  gone(link: number): void {
    this.desk?.gone(link);
  }
  /** See {@link Desk.tell}. */
  tell(): void {
    this.desk?.tell();
  }
  /** See {@link Desk.nextSync}. */
  nextSync(): number | undefined {
    return this.desk?.nextSync();
  }
  /** zab wants this config record proposed, and nothing before it. */
  proposeConfig(config: Config): void {
    if (this.desk instanceof LeaderDesk && this.peer.leader !== undefined) this.desk.proposeConfig(config);
  }
  /** This leader is about to go: what comes from now on waits for the next. */
  drainDesk(): void {
    if (this.desk instanceof LeaderDesk) this.desk.drain();
  }
  synced(id: number): void {
    this.desk?.synced(id);
  }
  /** A learner tells its leader whom it heard of. */
  report(): void {
    if (this.serving && this.desk instanceof LearnerDesk) this.desk.report();
  }
  protected override welcomed(connection: ClientConnection): void {
    this.hear(connection);
  }
  protected override forgetSession(tracked: TrackedSession): void {
    this.desk?.forget(tracked);
  }

  // --- connections -----------------------------------------------------------------------------------------------------

  /** The socket is gone. The session lives on until it expires. */
  disconnected(connection: ClientConnection): void {
    connection.state = 'closing';
    this.watches.removeAll(connection);
    const { tracked } = connection;
    if (tracked?.connection === connection) tracked.connection = undefined;
    connection.waiting.length = 0;
    connection.waitingFrom = 0;
    connection.syncs = 0;
  }

  /** The first frame of a connection. @throws ProtocolError */
  handshake(connection: ClientConnection, bytes: Buffer, start: number, end: number): void {
    this.outbox.received(connection);
    const request = ConnectRequest.read(this.reader.reset(bytes, start, end));
    const last = (BigInt(this.tree.zxidHi) << 32n) | BigInt(this.tree.zxidLo >>> 0);
    const { desk } = this;
    const refuses = this.readOnly ? request.readOnly !== true : !this.serving;
    if (refuses || desk === undefined || request.lastZxidSeen > last) return this.close(connection);
    if (desk instanceof LeaderDesk && !this.options.leaderServes) return this.close(connection);
    connection.modern = request.readOnly !== undefined;
    const { minSessionTimeoutMs: min, maxSessionTimeoutMs: max } = this.options;
    connection.timeoutMs = Math.min(max, Math.max(min, request.timeoutMs));
    connection.state = 'connecting';
    if (request.sessionId === 0n && this.pressure.full) {
      this.pressure.refused++;
      return this.close(connection);
    }
    if (this.options.localSessions !== undefined && this.handshakeLocally(connection, request)) return;
    if (request.sessionId === 0n) return desk.createSession(connection);
    // the old connection ends before the password is looked at, as in ZooKeeper
    const id = request.sessionId as SessionId;
    const old = this.tracker.get(id)?.connection;
    if (old !== undefined) this.close(old);
    const password = request.password === null ? Buffer.alloc(0) : Buffer.from(request.password);
    desk.resume(connection, id, password);
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
    if (tracked.connection !== undefined) this.close(tracked.connection);
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
    // a write is refused by the leader, which the log remembers, as ZooKeeper's does
    if (connection.moved && !isWrite(type)) return this.close(connection);
    if (this.pressure.full && takesRoom(type, bytes, end)) {
      this.pressure.refused++;
      return refuse(this, connection, xid);
    }
    const endsHere = isLocal && type === OPERATIONS.closeSession.code;
    if (endsHere && connection.tracked !== undefined) connection.tracked.closing = true;
    if (isWrite(type) && !endsHere) {
      // a later write must not be seen by what was asked before it: behind a sync it waits
      if (connection.syncs > 0 && this.peer.isMember) return this.keep(connection, 'held', bytes, start, end);
      return this.write(desk, connection, xid, type, from, bytes, start, end);
    }
    if (type === auth.code) return logIn(this, connection, xid, from);
    if (type === sasl.code) return logInBySasl(this, connection, xid, from);
    if (type === OPERATIONS.sync.code && desk.sync(connection, bytes, start, end)) {
      connection.syncs++;
      return;
    }
    if (connection.outstanding > 0) return this.keep(connection, 'request', bytes, start, end);
    this.read(connection, xid, type, from);
    this.outbox.sent(connection);
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
      if (!(fault instanceof ProtocolError)) throw fault;
      to.at = at;
      header(to, xid, this.tree.zxidHi, this.tree.zxidLo, MarshallingError);
    }
    this.outbox.timed(connection, since, this.now);
  }

  /** Requests that waited behind a write are answered, up to the next write. */
  override drain(connection: ClientConnection): void {
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
    }
  }

  /** Writes that a sync held back go to the desk. */
  private release(connection: ClientConnection): void {
    for (const frame of connection.released()) {
      if (connection.state !== 'open' || this.desk === undefined) return;
      const from = this.reader.reset(frame, 0, frame.length);
      const xid = from.int32();
      this.write(this.desk, connection, xid, from.int32(), from, frame, 0, frame.length);
    }
  }

  // --- time --------------------------------------------------------------------------------------------------------------

  /** Everybody known from the disk gets a full timeout, also who began while nobody led (I9). */
  resumeSessions(): void {
    for (const session of this.tree.sessions.all())
      this.tracker.add(session.id as SessionId, session.timeoutMs, this.now);
    this.tracker.renewAll(this.now);
  }
  /** Sessions whose time is over end: this member's own at once, by the leader everybody's, as transactions. Returns how many. */
  expire(): number {
    const late = this.locals.size === 0 ? [] : this.locals.expire(this.now);
    for (const { id, timeoutMs, connection } of late) {
      this.expired(id, timeoutMs);
      if (connection !== undefined && connection.state !== 'closing') this.close(connection);
    }
    return late.length + (this.desk instanceof LeaderDesk ? this.desk.expire() : 0);
  }
  /** Everybody gets their time again: this process was paused. */
  renewSessions(): void {
    this.tracker.renewAll(this.now);
    this.locals.renewAll(this.now);
  }
  /** Leader only; see {@link LeaderDesk.reap}. */
  reap(limit: number): { reaped: number; done: boolean } {
    return this.desk instanceof LeaderDesk ? this.desk.reap(limit) : { reaped: 0, done: true };
  }
}
