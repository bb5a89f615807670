import { assert } from '../base/assert.ts';
import { lanes } from '../base/hash.ts';
import type { SessionId } from '../base/ids.ts';
import type { PackWriter } from '../records/pack.ts';
import type { PeerMessage } from '../records/peer-messages.ts';
import { type Config, type CreateSessionTxn, type Txn, writeEnvelope } from '../records/txns.ts';
import type { DataTree } from '../tree/data-tree.ts';
import type { Peer } from '../zab/peer.ts';
import type { Effect, Input, Position } from '../zab/types.ts';
import type { AuthOptions } from './auth.ts';
import type { ClientConnection } from './connection.ts';
import type { Desk } from './desk.ts';
import { LeaderDesk } from './leader-desk.ts';
import { LearnerDesk } from './learner-desk.ts';
import { LocalSessions } from './local-sessions.ts';
import { Pressure } from './pressure.ts';
import { ProposalSizes } from './proposals.ts';
import { ReadOnlyDesk } from './read-only-desk.ts';
import type { RefusedLogin } from './refused-login.ts';
import { type Numbered, Replica, type ReplicaSurroundings } from './replica.ts';
import type { TrackedSession } from './sessions.ts';

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
  /** Members know each other by no secret and no certificate, which is for one machine only. */
  readonly trustsAnyone?: boolean | undefined;
  /** False: while this member leads, it serves no clients of its own. */
  readonly leaderServes: boolean;
  /** Sessions begin as this member's own; undefined: all are everybody's. `upgrading`: one may become so, for an ephemeral. */
  readonly localSessions?: { readonly upgrading: boolean } | undefined;
  readonly auth: AuthOptions;
  readonly reaperMaxPerMinute: number;
  readonly reaperMaxNeverUsedMs: number;
}
/** Who is told of logins that somebody should look at. */
export interface LoginSink {
  /** A login by digest came from this address without TLS. */
  readInClear(ip: string): void;
  refused(login: RefusedLogin): void;
}
/** What the server asks of those who hold the sockets and the disk; everything else it says through the connections' bytes. */
export interface Surroundings extends ReplicaSurroundings {
  readonly log: LogSink;
  effect(effect: Effect): void;
  /** Tells zab of everything proposed so far, before something happens that may end the term. */
  hand(): void;
  /** A session is over since nothing was heard of it for its timeout, ms. */
  expired?(id: SessionId, timeoutMs: number): void;
  readonly logins?: LoginSink | undefined;
  /** Absent: there is always memory. */
  readonly pressure?: Pressure | undefined;
  /** The feature level agreed with the leader that this member follows. */
  leaderLevel(): number;
  /** A message to the leader that this member follows, and to the learner at a link. */
  toLeader(message: PeerMessage): void;
  toLearner(link: number, message: PeerMessage): void;
}

/** Sessions that end in one turn, at most. */
export const MOST_EXPIRED = 128;

/**
 * A replica with somebody to decide: a leader's desk, a learner's, or one that only shows what there is, as the terms come and
 * go. Numbers transactions, and carries between zab, the desk and the other members.
 */
export abstract class Office extends Replica {
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
  protected readonly around: Surroundings;
  /** Undefined while this member neither leads nor follows. */
  protected desk: Desk | undefined;

  constructor(tree: DataTree, peer: Peer, options: ServerOptions, around: Surroundings) {
    super(tree, peer, options.sid, options.tickMs, around);
    this.options = options;
    this.around = around;
    this.locals = new LocalSessions(this.handshakes, options.tickMs);
    this.pressure = around.pressure ?? new Pressure();
  }

  expired(id: SessionId, timeoutMs: number): void {
    this.around.expired?.(id, timeoutMs);
  }
  readInClear(ip: string): void {
    this.around.logins?.readInClear(ip);
  }
  /** A login proved nothing: counted, and told to who looks after the server. */
  refuseLogin(login: RefusedLogin): void {
    this.outbox.counts.authFailed++;
    this.auditor?.refusedLogin(login);
    this.around.logins?.refused(login);
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
      this.desk = new LearnerDesk(this, this.peer.currentEpoch, this.around.leaderLevel());
      this.resumeSessions();
    }
    this.serving = true;
    this.desk.goOn();
  }
  /** The leader does not take this session for everybody's: who comes back finds it as it was. */
  notUpgraded(txn: CreateSessionTxn): void {
    this.tracker.remove(txn.id);
    this.locals.keep(txn, this.now);
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
  /** zab wants this config record proposed, and nothing before it. Where the counter is used up the next term asks for it again. */
  proposeConfig(config: Config): void {
    if (this.desk instanceof LeaderDesk && this.peer.leader?.exhausted === false) this.desk.proposeConfig(config);
  }
  /** This leader is about to go: what comes from now on waits for the next. */
  drainDesk(): void {
    if (this.desk instanceof LeaderDesk) this.desk.drain();
  }
  /** It stays: what was held back is decided. Whoever was not heard meanwhile gets their time again, as from another leader. */
  undrainDesk(): void {
    if (!(this.desk instanceof LeaderDesk)) return;
    this.renewSessions();
    this.desk.undrain();
  }
  synced(id: number): void {
    this.desk?.synced(id);
  }
  /** A learner tells its leader whom it heard of. */
  report(): void {
    if (this.serving && this.desk instanceof LearnerDesk) this.desk.report();
  }
  protected override forgetSession(tracked: TrackedSession): void {
    this.desk?.forget(tracked);
  }

  // --- time --------------------------------------------------------------------------------------------------------------

  /** Everybody known from the disk gets a full timeout, also who began while nobody led (I9). */
  resumeSessions(): void {
    for (const session of this.tree.sessions.all())
      this.tracker.add(session.id as SessionId, session.timeoutMs, this.now);
    this.tracker.renewAll(this.now);
  }
  /** Sessions whose time is over wait for their turn to end. */
  expiresMore = false;
  /**
   * Sessions whose time is over end, some at a time, since all clients behind one network may go at once: this member's own at
   * once, by the leader everybody's, as transactions. Returns how many.
   */
  expire(): number {
    const late = this.locals.size === 0 ? [] : this.locals.expire(this.now, MOST_EXPIRED);
    for (const { id, timeoutMs, connection } of late) {
      this.expired(id, timeoutMs);
      if (connection !== undefined && connection.state !== 'closing') this.close(connection);
    }
    const shared = this.desk instanceof LeaderDesk ? this.desk.expire(MOST_EXPIRED) : [];
    this.expiresMore = late.length === MOST_EXPIRED || shared.length === MOST_EXPIRED;
    return late.length + shared.filter(({ closing }) => closing).length;
  }
  /** Everybody gets their time again: this process was paused, or nothing was read. */
  renewSessions(): void {
    this.tracker.renewAll(this.now);
    this.locals.renewAll(this.now);
  }
  /** Leader only; see {@link LeaderDesk.reap}. */
  reap(limit: number): { reaped: number; done: boolean } {
    return this.desk instanceof LeaderDesk ? this.desk.reap(limit) : { reaped: 0, done: true };
  }
}
