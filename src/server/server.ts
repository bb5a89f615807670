import { assert } from '../base/assert.ts';
import { KEEPER_CODES } from '../base/errors.ts';
import { lanes } from '../base/hash.ts';
import type { SessionId } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import { Reader } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { ConnectRequest } from '../protocol/handshake.ts';
import { OPCODE, OPERATIONS } from '../protocol/operations.ts';
import type { PackWriter } from '../records/pack.ts';
import { KIND, type Txn, writeEnvelope } from '../records/txns.ts';
import { apply, removeEphemerals } from '../tree/apply.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Peer } from '../zab/peer.ts';
import type { Effect, Position } from '../zab/types.ts';
import { writeAnswer } from './answers.ts';
import { type AuthOptions, authenticate } from './auth.ts';
import { Closings } from './closings.ts';
import type { ClientConnection, Waiting } from './connection.ts';
import { Events } from './events.ts';
import { Handshakes } from './handshakes.ts';
import { Outbox } from './outbox.ts';
import { PendingChanges, type PendingNode } from './pending.ts';
import { Decider } from './prepare.ts';
import { readOther, readPath } from './reads.ts';
import { Reaper } from './reaper.ts';
import { begin, finish, header } from './reply.ts';
import { SessionTracker } from './sessions.ts';
import { WatchManager } from './watches.ts';
import { decideWrite, isWrite } from './writes.ts';

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
  readonly auth: AuthOptions;
  readonly reaperMaxPerMinute: number;
  readonly reaperMaxNeverUsedMs: number;
}
/** What the server asks of those who hold the sockets and the disk; everything else it says through the connections' bytes. */
export interface Surroundings {
  readonly log: LogSink;
  readonly random: Random;
  /** Ends the connection after its bytes were sent. */
  close(connection: ClientConnection): void;
  effect(effect: Effect): void;
  /** Calls {@link Server.goOn} in a later turn of the loop. */
  later(): void;
}

/** A transaction that is numbered and not applied. */
interface Proposal {
  readonly counter: number;
  readonly time: number;
  readonly txn: Txn;
  readonly connection: ClientConnection | undefined;
  readonly xid: number;
  readonly opcode: number;
  readonly touched: readonly string[];
  readonly chainHi: number;
  readonly chainLo: number;
  /** For createSession: what the client will be told. */
  readonly password: Uint8Array | undefined;
}
/** Of a closing session, removed before others get a turn: a few ms. */
const EPHEMERALS_PER_TURN = 2000;
const NO_PATHS: readonly string[] = [];
const { MarshallingError, Unimplemented, SessionExpired, AuthFailed } = KEEPER_CODES;

/**
 * One whole server, pure: requests and completions come in, bytes gather in the connections, transactions in the log's
 * buffer. Keeps each session's requests in the order sent (semantics.md 18) and every reply to a write behind its commit (I3).
 */
export class Server {
  readonly tree: DataTree;
  readonly watches = new WatchManager();
  readonly tracker: SessionTracker;
  readonly peer: Peer;
  readonly outbox: Outbox;
  serving = false;
  /** Monotonic ms, set by the driver before each input. */
  now = 0;
  /** Wall ms, likewise. */
  wall = 0;
  private readonly options: ServerOptions;
  private readonly around: Surroundings;
  private readonly pending: PendingChanges;
  private readonly decider: Decider;
  private readonly proposals: Proposal[] = [];
  private proposalsFrom = 0;
  private readonly syncs: { connection: ClientConnection; waiting: Waiting }[] = [];
  private readonly reader = new Reader(Buffer.alloc(0));
  private readonly events: Events;
  private readonly closings: Closings;
  private readonly reaper: Reaper;
  /** The log holds everything up to this counter; what is applied may lag behind it. */
  private committed = 0;
  private lastTime = 0;
  private chainHi: number;
  private chainLo: number;
  private readonly handshakes: Handshakes;
  private readonly reaping = new Set<string>();

  constructor(tree: DataTree, peer: Peer, options: ServerOptions, around: Surroundings) {
    this.tree = tree;
    this.peer = peer;
    this.options = options;
    this.around = around;
    this.tracker = new SessionTracker(options.tickMs);
    this.outbox = new Outbox(tree);
    this.handshakes = new Handshakes(tree, this.tracker, this.outbox, around.random, options.sid);
    this.events = new Events(tree, this.watches, this.outbox);
    this.reaper = new Reaper(tree, options.reaperMaxNeverUsedMs);
    this.pending = new PendingChanges({ load: (path) => this.load(path) });
    this.closings = new Closings(tree, this.pending);
    this.decider = new Decider(this.pending, options, (path, count, bytes) => tree.quotas.exceeds(path, count, bytes));
    this.chainHi = tree.chainHi;
    this.chainLo = tree.chainLo;
    this.lastTime = tree.time;
  }

  /** Requests accepted and not applied. */
  get outstanding(): number {
    return this.proposals.length - this.proposalsFrom;
  }
  /** Nodes that are decided differently from how they are applied; 0 when nothing is outstanding. */
  get decidedAhead(): number {
    return this.pending.size;
  }
  private load(path: string): PendingNode | undefined {
    const { tree } = this;
    const row = tree.find(path);
    if (row === 0) return undefined;
    const owner = tree.owner(row);
    const closing = this.closings.size > 0;
    if (closing && this.closings.takes(owner)) return undefined;
    return {
      path,
      exists: true,
      version: tree.version(row),
      aversion: tree.aversion(row),
      creates: tree.creates(row),
      children: tree.children(row) - (closing ? this.closings.lost(row) : 0),
      owner,
      acl: tree.acl(row),
      dataBytes: Math.max(0, tree.dataLength(row)),
      by: 0,
    };
  }

  private close(connection: ClientConnection): void {
    connection.state = 'closing';
    this.around.close(connection);
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
  }

  /** The first frame of a connection. @throws ProtocolError */
  handshake(connection: ClientConnection, bytes: Buffer, start: number, end: number): void {
    this.outbox.received(connection);
    const request = ConnectRequest.read(this.reader.reset(bytes, start, end));
    const last = (BigInt(this.tree.zxidHi) << 32n) | BigInt(this.tree.zxidLo >>> 0);
    if (!this.serving || request.lastZxidSeen > last) return this.close(connection);
    connection.modern = request.readOnly !== undefined;
    const { minSessionTimeoutMs: min, maxSessionTimeoutMs: max } = this.options;
    connection.timeoutMs = Math.min(max, Math.max(min, request.timeoutMs));
    connection.state = 'connecting';
    if (request.sessionId === 0n) return this.createSession(connection);
    // the old connection ends before the password is looked at, as in ZooKeeper
    const old = this.tracker.get(request.sessionId)?.connection;
    if (old !== undefined) this.close(old);
    const password = request.password ?? Buffer.alloc(0);
    if (!this.handshakes.resume(connection, request.sessionId, password, this.now)) this.close(connection);
  }
  private createSession(connection: ClientConnection): void {
    const birth = this.handshakes.create(connection, this.wall);
    this.propose(connection, birth.txn.id, 0, OPCODE.createSession, birth.txn, NO_PATHS, birth.password);
  }

  // --- requests --------------------------------------------------------------------------------------------------------

  /** One request of a connection whose session is established. */
  receive(connection: ClientConnection, bytes: Buffer, start: number, end: number): void {
    if (connection.state !== 'open') return;
    this.outbox.received(connection);
    const { tracked } = connection;
    if (tracked !== undefined) this.tracker.touch(tracked, this.now);
    if (end - start < 8) return this.close(connection);
    const from = this.reader.reset(bytes, start, end);
    const xid = from.int32();
    const type = from.int32();
    if (xid >= 0) connection.stats.lastXid = xid; // of a request of its own, not of a ping
    connection.stats.lastOp = type;
    if (isWrite(type)) return this.write(connection, xid, type, from);
    if (type === OPERATIONS.auth.code) return this.auth(connection, xid, from);
    if (type === OPERATIONS.sasl.code) {
      // no SASL configured: an empty token, no identity, and the client goes on
      const to = this.outbox.to(connection);
      const at = begin(to, xid, 0, 0, 0);
      to.int32(-1);
      finish(to, at);
      return this.outbox.sent(connection);
    }
    const leader = this.peer.leader;
    if (type === OPERATIONS.sync.code && leader !== undefined && leader.lastProposed > leader.lastCommitted) {
      const waiting: Waiting = {
        kind: 'sync',
        frame: Buffer.from(bytes.subarray(start, end)),
        after: leader.lastProposed,
        ready: false,
        since: this.now,
      };
      connection.waiting.push(waiting);
      this.syncs.push({ connection, waiting });
      return;
    }
    if (connection.outstanding > 0) {
      const frame = Buffer.from(bytes.subarray(start, end));
      connection.waiting.push({ kind: 'request', frame, after: 0, ready: false, since: this.now });
      return;
    }
    this.read(connection, xid, type, from);
    this.outbox.sent(connection);
  }

  private read(connection: ClientConnection, xid: number, type: number, from: Reader): void {
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
    this.outbox.timed(connection, this.now, this.now);
  }

  private auth(connection: ClientConnection, xid: number, from: Reader): void {
    const to = this.outbox.to(connection);
    let proved: readonly { scheme: string; id: string }[] | undefined;
    try {
      const { scheme, auth } = OPERATIONS.auth.request.read(from);
      proved = authenticate(scheme, auth as Buffer | null, connection.ip, this.options.auth);
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
    }
    header(to, xid, 0, 0, proved === undefined ? AuthFailed : 0);
    this.outbox.sent(connection);
    if (proved === undefined) {
      this.outbox.counts.authFailed++;
      return this.close(connection);
    }
    for (const identity of proved)
      if (!connection.identities.some((have) => have.scheme === identity.scheme && have.id === identity.id))
        connection.identities.push(identity);
  }

  private write(connection: ClientConnection, xid: number, type: number, from: Reader): void {
    const leader = this.peer.leader;
    assert(leader !== undefined, 'a request without a leader');
    if (leader.exhausted) return this.close(connection);
    const by = leader.lastProposed + 1;
    const { decider } = this;
    decider.touched = [];
    let txn: Txn;
    try {
      txn = this.decide(connection, by, type, from);
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
      txn = { kind: KIND.error, code: MarshallingError };
    }
    this.propose(connection, connection.session, xid, type, txn, decider.touched, undefined);
  }

  private decide(connection: ClientConnection, by: number, type: number, from: Reader): Txn {
    const { decider, pending, options } = this;
    if (type === OPERATIONS.closeSession.code) {
      const { tracked, session } = connection;
      if (tracked !== undefined) tracked.closing = true;
      decider.touched = this.closings.decide(by, session);
      return { kind: KIND.closeSession, id: session };
    }
    if (connection.tracked?.closing === true) return { kind: KIND.error, code: SessionExpired };
    return decideWrite(decider, pending, options.reconfigEnabled, connection, by, type, from);
  }

  // --- proposing and applying --------------------------------------------------------------------------------------------

  /** Numbers a transaction and puts it into the log's buffer. */
  propose(
    connection: ClientConnection | undefined,
    session: bigint,
    xid: number,
    opcode: number,
    txn: Txn,
    touched: readonly string[],
    password: Uint8Array | undefined,
  ): number {
    const leader = this.peer.leader;
    assert(leader !== undefined, 'proposed without leading');
    const counter = leader.propose();
    const time = Math.max(this.wall, this.lastTime);
    this.lastTime = time;
    const { log } = this.around;
    const to = log.writer();
    const start = to.at;
    writeEnvelope(to, leader.epoch, counter, time, session, xid, txn, this.chainHi, this.chainLo);
    this.chainHi = lanes[0] as number;
    this.chainLo = lanes[1] as number;
    log.commitEnvelope(start, leader.epoch, counter);
    const { chainHi, chainLo } = this;
    this.proposals.push({ counter, time, txn, connection, xid, opcode, touched, chainHi, chainLo, password });
    connection?.waiting.push({ kind: 'write', frame: undefined, after: counter, ready: false, since: this.now });
    return counter;
  }

  /** The log holds everything up to here on disk. */
  persisted(generation: number, upTo: Position): void {
    for (const effect of this.peer.step({ type: 'persisted', generation, upTo })) {
      if (effect.type === 'commit') {
        this.committed = effect.upTo.counter;
        this.proceed();
      }
      this.around.effect(effect);
    }
    this.endTerm();
  }
  /** A transaction too large for one turn is being applied: nobody may see the tree until the rest of it is. */
  applying = false;
  /** Goes on with it; the runtime calls this in a later turn, as {@link Surroundings.later} asked. */
  goOn(): void {
    this.applying = false;
    this.proceed();
    this.endTerm();
  }
  /** No request may be given: {@link applying}, or the epoch's counter is used up and the next does not stand yet. */
  get holds(): boolean {
    const { leader, phase } = this.peer;
    return this.applying || (leader !== undefined && (leader.exhausted || phase !== 'broadcast'));
  }
  /** A new epoch begins once everything in one that is used up is applied. */
  private endTerm(): void {
    const { leader, phase } = this.peer;
    if (leader?.exhausted !== true || phase !== 'broadcast' || this.outstanding > 0) return;
    for (const effect of this.peer.step({ type: 'exhausted' })) this.around.effect(effect);
  }
  private proceed(): void {
    while (this.proposalsFrom < this.proposals.length && !this.applying) {
      const proposal = this.proposals[this.proposalsFrom] as Proposal;
      if (proposal.counter > this.committed) break;
      if (!this.applyPart(proposal)) {
        this.applying = true;
        this.around.later();
        return;
      }
      this.proposals[this.proposalsFrom++] = undefined as unknown as Proposal;
      this.applyOne(proposal);
      // at once: a write sent behind a sync may be the next to be applied, and must not be answered first
      if (this.syncs.length > 0) this.answerSyncs(proposal.counter);
    }
    if (this.proposalsFrom === this.proposals.length) {
      this.proposals.length = 0;
      this.proposalsFrom = 0;
    } else if (this.proposalsFrom > 4096) {
      this.proposals.splice(0, this.proposalsFrom);
      this.proposalsFrom = 0;
    }
  }
  /** What of a transaction may be spread over turns: the ephemerals of a session. True when the rest can be applied. */
  private applyPart({ txn, counter }: Proposal): boolean {
    if (txn.kind !== KIND.closeSession) return true;
    const { events } = this;
    events.hi = this.peer.leader?.epoch ?? 0;
    events.lo = counter;
    events.captured = undefined;
    return removeEphemerals(this.tree, events.hi, counter, txn.id, EPHEMERALS_PER_TURN, events);
  }
  private answerSyncs(upTo: number): void {
    let done = 0;
    for (; done < this.syncs.length; done++) {
      const { connection, waiting } = this.syncs[done] as { connection: ClientConnection; waiting: Waiting };
      if (waiting.after > upTo) break;
      waiting.ready = true;
      this.drain(connection);
    }
    this.syncs.splice(0, done);
  }
  private applyOne(proposal: Proposal): void {
    const { tree, peer } = this;
    const { txn, connection, counter } = proposal;
    const epoch = peer.leader?.epoch ?? 0;
    const { events } = this;
    events.hi = epoch;
    events.lo = counter;
    const answered = connection !== undefined && connection.state !== 'closing';
    events.captured = txn.kind === KIND.multi && answered ? [] : undefined;
    apply(tree, epoch, counter, proposal.time, txn, events);
    tree.chained(proposal.chainHi, proposal.chainLo);
    for (const path of proposal.touched) this.pending.settle(path, counter);
    if (txn.kind === KIND.createSession) {
      const password = proposal.password as Uint8Array;
      this.handshakes.created({ txn, password }, answered ? connection : undefined, this.now);
    } else if (txn.kind === KIND.reap) this.reaping.delete(txn.path);
    if (connection !== undefined && answered && proposal.opcode !== OPCODE.createSession)
      this.answer(connection, proposal);
    if (txn.kind === KIND.closeSession) {
      this.closings.settle(txn.id);
      this.sessionClosed(txn.id);
    }
    if (connection !== undefined && connection.state === 'open') this.drain(connection);
  }
  private sessionClosed(id: SessionId): void {
    const connection = this.tracker.get(id)?.connection;
    this.tracker.remove(id);
    if (connection !== undefined && connection.state !== 'closing') this.close(connection);
  }
  /** The reply to a write, once it is applied. */
  private answer(connection: ClientConnection, proposal: Proposal): void {
    const { txn, xid, opcode } = proposal;
    const since = connection.head()?.since ?? this.now;
    connection.shift();
    const { hi, lo, captured } = this.events;
    writeAnswer(this.outbox.to(connection), this.tree, txn, xid, opcode, hi, lo, captured ?? []);
    this.events.captured = undefined;
    this.outbox.sent(connection);
    this.outbox.timed(connection, since, this.now);
  }
  /** Requests that waited behind a write are answered, up to the next write. */
  private drain(connection: ClientConnection): void {
    for (;;) {
      const head = connection.head();
      if (connection.state !== 'open' || head === undefined || head.kind === 'write') return;
      if (head.kind === 'sync' && !head.ready) return;
      connection.shift();
      const frame = head.frame as Buffer;
      const from = this.reader.reset(frame, 0, frame.length);
      const xid = from.int32();
      this.read(connection, xid, from.int32(), from);
      this.outbox.sent(connection);
    }
  }

  // --- time --------------------------------------------------------------------------------------------------------------

  /** Everybody known from the disk gets a full timeout. */
  resumeSessions(): void {
    for (const session of this.tree.sessions.all())
      this.tracker.add(session.id as SessionId, session.timeoutMs, this.now);
  }
  /** Sessions whose time is over are closed, as transactions. Returns how many. */
  expire(): number {
    if (this.holds) return 0; // their time comes in the next epoch
    const late = this.tracker.expired(this.now);
    for (const tracked of late) {
      const { id } = tracked;
      const leader = this.peer.leader;
      assert(leader !== undefined, 'a session expired without a leader');
      if (this.holds) {
        tracked.closing = false;
        this.tracker.retime(tracked, tracked.timeoutMs, this.now);
        continue;
      }
      const touched = this.closings.decide(leader.lastProposed + 1, id);
      const { code } = OPERATIONS.closeSession;
      this.propose(undefined, id, 0, code, { kind: KIND.closeSession, id }, touched, undefined);
    }
    return late.length;
  }
  /**
   * Empty containers and nodes past their time to live go: looks at a slice of them and removes at most `limit`. Returns how
   * many, and whether the round is over.
   */
  reap(limit: number): { reaped: number; done: boolean } {
    if (this.holds) return { reaped: 0, done: true };
    const { paths, done } = this.reaper.slice(this.wall, limit);
    let reaped = 0;
    for (const path of paths) {
      const { leader } = this.peer;
      if (leader === undefined || this.holds) break;
      if (this.reaping.has(path)) continue;
      this.decider.touched = [];
      const made = this.decider.reap(leader.lastProposed + 1, path);
      if (typeof made === 'number') continue;
      this.reaping.add(path);
      this.propose(undefined, 0n, 0, OPCODE.deleteContainer, made, this.decider.touched, undefined);
      reaped++;
    }
    return { reaped, done };
  }
}
