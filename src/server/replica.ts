import { InvariantError } from '../base/assert.ts';
import type { SessionId } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import { Spread } from '../base/spread.ts';
import type { Writer } from '../protocol/bytes.ts';
import { OPCODE } from '../protocol/operations.ts';
import { type CreateSessionTxn, type Envelope, KIND, type Txn } from '../records/txns.ts';
import { apply, removeEphemerals } from '../tree/apply.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { sessionSecret } from '../tree/sessions.ts';
import type { Peer } from '../zab/peer.ts';
import type { Mark, Position } from '../zab/types.ts';
import { writeAnswer } from './answers.ts';
import { type AuditedRequest, Auditor, type AuditSink } from './audit.ts';
import { equalSecrets } from './auth.ts';
import { Closings } from './closings.ts';
import type { ClientConnection } from './connection.ts';
import { Events } from './events.ts';
import { Handshakes } from './handshakes.ts';
import { Outbox } from './outbox.ts';
import { PendingChanges, type PendingNode } from './pending.ts';
import { SessionTracker, type TrackedSession } from './sessions.ts';
import { WatchManager } from './watches.ts';

/** A transaction of the log that is not applied. Who waits for it here, if anybody, is told when it is. */
export interface Numbered extends Mark {
  readonly time: number;
  readonly txn: Txn;
  connection: ClientConnection | undefined;
  xid: number;
  opcode: number;
  /** Paths that it decided ahead of what is applied; only where it was proposed. */
  touched: readonly string[];
  /** For createSession: what the client will be told. */
  password: Uint8Array | undefined;
  /** What the client asked for, for the audit log. */
  asked: AuditedRequest | undefined;
}
/** Of a closing session, removed before others get a turn: a few ms. */
const EPHEMERALS_PER_TURN = 2000;
const NO_PATHS: readonly string[] = [];

/** The transaction of an envelope, for which nobody waits yet. */
export const numberedOf = (envelope: Envelope): Numbered => ({
  epoch: envelope.zxidHi,
  counter: envelope.zxidLo >>> 0,
  chainHi: envelope.chainHi,
  chainLo: envelope.chainLo,
  time: envelope.time,
  txn: envelope.txn,
  connection: undefined,
  xid: 0,
  opcode: 0,
  touched: NO_PATHS,
  password: undefined,
  asked: undefined,
});

/** What a replica needs of those around it. */
export interface ReplicaSurroundings {
  readonly random: Random;
  /** Told what clients change, when that is written down. */
  readonly audit?: AuditSink | undefined;
  /** Ends the connection after its bytes were sent. */
  close(connection: ClientConnection): void;
  /** A client could not be answered, by a bug of ours: see {@link Replica.fails}. Absent: what was thrown is thrown on. */
  failed?(connection: ClientConnection, fault: unknown): void;
  /** Calls {@link Replica.goOn} in a later turn of the loop. */
  later(): void;
  /** A config record was applied: others belong to the ensemble now. */
  configured(): void;
}

/**
 * The state that every member keeps: the tree, the log's transactions that wait to be applied to it in order, and those who
 * wait for them. Applies exactly what is committed, once, and answers behind it (invariants I2, I3).
 */
export abstract class Replica {
  readonly tree: DataTree;
  readonly watches = new WatchManager();
  readonly tracker: SessionTracker;
  readonly peer: Peer;
  readonly outbox: Outbox;
  /** Monotonic ms, set by the driver before each input. */
  now = 0;
  /** Wall ms, likewise. */
  wall = 0;
  /** A transaction too large for one turn is being applied: nobody may see the tree until the rest of it is. */
  applying = false;
  /** A part of it is: what it told so far is not to be sent without the rest, which shares its zxid. */
  inParts = false;
  private hasWaited = false;
  /** How many transactions were applied in this life. */
  applied = 0;
  /** The time of the last transaction, and the chain behind it: the next goes on from there. */
  lastTime: number;
  chainHi: number;
  chainLo: number;
  readonly handshakes: Handshakes;
  readonly pending: PendingChanges;
  readonly closings: Closings;
  /** From a transaction's time until it is applied here, ms. */
  readonly propagation = new Spread();
  /** What was there when this state began to be served. */
  private readonly ttlBefore: DataTree['ttlNodes'];
  /** Of nodes that the reaper has proposed to remove. */
  readonly reaping = new Set<string>();
  /** Undefined unless an audit log is kept. */
  protected readonly auditor: Auditor | undefined;
  protected readonly events: Events;
  protected readonly near: ReplicaSurroundings;
  private readonly queue: Numbered[] = [];
  private queueFrom = 0;
  /** Up to where the log is known committed; what is applied may lag behind it. */
  committedEpoch: number;
  committedCounter: number;
  /** What waits for a place in the history to be applied, in order. */
  private readonly awaited: { readonly epoch: number; readonly counter: number; readonly run: () => void }[] = [];

  constructor(tree: DataTree, peer: Peer, sid: number, tickMs: number, near: ReplicaSurroundings) {
    this.tree = tree;
    this.peer = peer;
    this.ttlBefore = { ...tree.ttlNodes };
    this.near = near;
    this.tracker = new SessionTracker(tickMs);
    this.outbox = new Outbox(tree);
    this.handshakes = new Handshakes(tree, this.tracker, this.outbox, near.random, sid);
    this.auditor = near.audit === undefined ? undefined : new Auditor(near.audit);
    this.events = new Events(tree, this.watches, this.outbox, this.auditor);
    this.pending = new PendingChanges({ load: (path) => this.load(path) });
    this.closings = new Closings(tree, this.pending);
    this.chainHi = tree.chainHi;
    this.chainLo = tree.chainLo;
    this.lastTime = tree.time;
    this.committedEpoch = tree.zxidHi;
    this.committedCounter = tree.zxidLo >>> 0;
  }

  /** Nodes with a time to live that came and went since this state is served. */
  get ttlNodes(): { readonly made: number; readonly gone: number } {
    const { made, gone } = this.tree.ttlNodes;
    return { made: made - this.ttlBefore.made, gone: gone - this.ttlBefore.gone };
  }
  /** How many watches each kind of change fired. */
  get watched(): Events['fired'] {
    return this.events.fired;
  }
  /** Transactions in the log that are not applied. */
  get unapplied(): number {
    return this.queue.length - this.queueFrom;
  }
  /** Nodes that are decided differently from how they are applied; 0 when nothing is outstanding. */
  get decidedAhead(): number {
    return this.pending.size;
  }
  /** The end of the log as this server has it. */
  get last(): Position {
    return this.queue[this.queue.length - 1] ?? { epoch: this.tree.zxidHi, counter: this.tree.zxidLo >>> 0 };
  }
  /** The time that the leader gave the transaction at this place; undefined unless it is in the log and not applied. */
  timeOf({ epoch, counter }: Position): number | undefined {
    const first = this.queue[this.queueFrom];
    const found = first === undefined ? undefined : this.queue[this.queueFrom + counter - first.counter];
    return found?.epoch === epoch && found.counter === counter ? found.time : undefined;
  }
  /** The beginning of a session that is in the log and not applied yet, if the password is its own. */
  unappliedBirth(id: SessionId, password: Uint8Array): CreateSessionTxn | undefined {
    for (let i = this.queueFrom; i < this.queue.length; i++) {
      const { txn } = this.queue[i] as Numbered;
      if (txn.kind === KIND.createSession && txn.id === id)
        return equalSecrets(sessionSecret(password), txn.secret) ? txn : undefined;
    }
    return undefined;
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

  protected close(connection: ClientConnection): void {
    connection.state = 'closing';
    this.near.close(connection);
  }

  /**
   * A bug of ours where a request is parsed, read for or answered: its client pays, whose connection ends, and nobody else. Only
   * where nothing of the state is being changed. What decides, numbers or applies a transaction has no such net: half of it
   * may be done, so whatever it throws ends the process, which begins again from the log. So does a broken invariant,
   * wherever it shows: then the state is not what it should be. `at`: where the reply began, of which nothing is sent.
   */
  protected fails(connection: ClientConnection, to: Writer, at: number, fault: unknown): void {
    if (fault instanceof InvariantError || this.near.failed === undefined) throw fault;
    to.at = at;
    this.near.failed(connection, fault);
    this.close(connection);
  }

  /** The log goes on with this; committed later, or cut off again. */
  protected push(numbered: Numbered): void {
    this.queue.push(numbered);
    this.lastTime = numbered.time;
    this.chainHi = numbered.chainHi;
    this.chainLo = numbered.chainLo;
  }
  /** The log ends at `to` now: what lies behind it will never be applied. */
  truncate(to: Mark): void {
    const { queue } = this;
    while (queue.length > this.queueFrom && isBeyond(queue[queue.length - 1] as Numbered, to.epoch, to.counter))
      queue.pop();
    const last = queue.length > this.queueFrom ? queue[queue.length - 1] : undefined;
    this.lastTime = last?.time ?? this.tree.time;
    this.chainHi = to.chainHi;
    this.chainLo = to.chainLo;
  }
  /** Nobody waits any more, and nothing is decided ahead: the term is over. Transactions stay in the log as they are. */
  protected forgetAskers(): void {
    for (let i = this.queueFrom; i < this.queue.length; i++) {
      const numbered = this.queue[i] as Numbered;
      numbered.connection = undefined;
      numbered.password = undefined;
      numbered.asked = undefined;
      numbered.touched = NO_PATHS;
    }
    this.awaited.length = 0;
    this.pending.clear();
    this.closings.clear();
    this.reaping.clear();
  }

  /** Everything up to here is committed, and on the disk here. */
  commit({ epoch, counter }: Position): void {
    this.committedEpoch = epoch;
    this.committedCounter = counter;
    this.proceed();
  }
  protected proceed(): void {
    while (this.queueFrom < this.queue.length && !this.applying) {
      const numbered = this.queue[this.queueFrom] as Numbered;
      if (isBeyond(numbered, this.committedEpoch, this.committedCounter)) break;
      if (!this.applyPart(numbered)) {
        this.applying = true;
        this.near.later();
        return;
      }
      this.inParts = false;
      this.queue[this.queueFrom++] = undefined as unknown as Numbered;
      this.applyOne(numbered);
      // at once: a write sent behind a sync may be the next to be applied, and must not be answered first
      if (this.awaited.length > 0) this.runAwaited();
    }
    if (this.queueFrom === this.queue.length) {
      this.queue.length = 0;
      this.queueFrom = 0;
    } else if (this.queueFrom > 4096) {
      this.queue.splice(0, this.queueFrom);
      this.queueFrom = 0;
    }
  }
  /** Runs once everything up to `position` is applied: now, or later. */
  await(position: Position, run: () => void): void {
    const { epoch, counter } = position;
    if (!this.applying && !isBeyond(position, this.tree.zxidHi, this.tree.zxidLo >>> 0)) run();
    else this.awaited.push({ epoch, counter, run });
  }
  private runAwaited(): void {
    const { zxidHi, zxidLo } = this.tree;
    for (;;) {
      const first = this.awaited[0];
      if (first === undefined || isBeyond(first, zxidHi, zxidLo >>> 0)) return;
      this.awaited.shift();
      first.run();
    }
  }
  /** What of a transaction may be spread over turns: the ephemerals of a session. True when the rest can be applied. */
  private applyPart({ txn, epoch, counter }: Numbered): boolean {
    if (txn.kind !== KIND.closeSession) return true;
    const { events, tree } = this;
    if (!this.inParts && (tree.sessions.get(txn.id)?.ephemeralCount ?? 0) > EPHEMERALS_PER_TURN) {
      // what was told before it is sent first
      this.hasWaited = !this.hasWaited && this.outbox.dirty.length > 0;
      if (this.hasWaited) return false;
      this.inParts = true;
    }
    events.hi = epoch;
    events.lo = counter;
    events.captured = undefined;
    events.closing = txn.id;
    return removeEphemerals(tree, epoch, counter, txn.id, EPHEMERALS_PER_TURN, events);
  }
  private applyOne(numbered: Numbered): void {
    const { tree, events } = this;
    const { txn, connection, epoch, counter } = numbered;
    events.hi = epoch;
    events.lo = counter;
    const answered = connection !== undefined && connection.state !== 'closing';
    events.captured = txn.kind === KIND.multi && answered ? [] : undefined;
    apply(tree, epoch, counter, numbered.time, txn, events);
    events.closing = undefined;
    if (numbered.asked !== undefined && connection !== undefined) this.auditor?.done(connection, numbered.asked, txn);
    tree.chained(numbered.chainHi, numbered.chainLo);
    this.applied++;
    this.propagation.add(this.wall - numbered.time);
    for (const path of numbered.touched) this.pending.settle(path, counter);
    if (txn.kind === KIND.createSession) {
      const { password } = numbered;
      // whoever leads may know it since it was asked for; a slow disk has no part in its time (I9)
      this.tracker.touch(this.tracker.add(txn.id, txn.timeoutMs, this.now), this.now);
      if (password !== undefined) {
        this.handshakes.created({ txn, password }, answered ? connection : undefined, this.now);
        if (answered) this.welcomed(connection);
      }
    } else if (txn.kind === KIND.reap) this.reaping.delete(txn.path);
    if (connection !== undefined && answered && numbered.opcode !== OPCODE.createSession)
      this.answer(connection, numbered);
    if (txn.kind === KIND.closeSession) {
      this.closings.settle(txn.id);
      this.sessionClosed(txn.id);
    } else if (txn.kind === KIND.config || txn.kind === KIND.found) this.near.configured();
    if (connection !== undefined && connection.state === 'open') this.drain(connection);
  }
  private sessionClosed(id: SessionId): void {
    const tracked = this.tracker.get(id);
    const connection = tracked?.connection;
    if (tracked !== undefined) this.forgetSession(tracked);
    this.tracker.remove(id);
    if (connection !== undefined && connection.state !== 'closing') this.close(connection);
  }
  /** Its session was created. */
  protected welcomed(_connection: ClientConnection): void {}
  /** The session is over everywhere. */
  protected forgetSession(_tracked: TrackedSession): void {}
  /** The reply to a write, once it is applied. */
  private answer(connection: ClientConnection, { txn, xid, opcode }: Numbered): void {
    const since = connection.head()?.since ?? this.now;
    connection.shift();
    const { hi, lo, captured } = this.events;
    const to = this.outbox.to(connection);
    const { at } = to;
    try {
      writeAnswer(to, this.tree, txn, xid, opcode, hi, lo, captured ?? []); // all of it is applied
    } catch (fault) {
      this.fails(connection, to, at, fault);
    }
    this.events.captured = undefined;
    this.outbox.sent(connection);
    this.outbox.timed(connection, since, this.now, this.outbox.updates);
  }
  /** Requests that waited behind a write are answered, up to the next write. */
  abstract drain(connection: ClientConnection): void;
}

const isBeyond = (at: Position, epoch: number, counter: number): boolean =>
  at.epoch !== epoch ? at.epoch > epoch : at.counter > counter;
