import { assert } from '../base/assert.ts';
import { KEEPER_CODES } from '../base/errors.ts';
import type { SessionId } from '../base/ids.ts';
import { Reader } from '../protocol/bytes.ts';
import { PERM } from '../protocol/data.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { OPCODE, OPERATIONS } from '../protocol/operations.ts';
import type { MessageOf, PeerMessage } from '../records/peer-messages.ts';
import { type Config, type CreateSessionTxn, KIND, type Txn } from '../records/txns.ts';
import type { Leader } from '../zab/leader.ts';
import { isQuorum } from '../zab/quorum.ts';
import { isAllowed } from './acl.ts';
import type { ClientConnection, Waiting } from './connection.ts';
import type { Desk } from './desk.ts';
import { readBirth } from './forwarded.ts';
import type { Birth } from './handshakes.ts';
import type { Office } from './office.ts';
import { Decider, type Requester } from './prepare.ts';
import { grows } from './pressure.ts';
import { Reaper } from './reaper.ts';
import { decideReconfig } from './reconfig.ts';
import type { TrackedSession } from './sessions.ts';
import { decideWrite } from './writes.ts';

const NO_PATHS: readonly string[] = [];
const { MarshallingError, ReconfigInProgress, SessionExpired, SessionMoved, ThrottledOp } = KEEPER_CODES;
const CONFIG_PATH = '/zookeeper/config';
/** The leader itself, as the owner of a session: links have numbers from 1. */
const HERE = 0;
/** Clocks of members may be this far apart, ms, before nodes with a time to live are left alone (foundations.md 10). */
const CLOCKS_AGREE = 60_000;

/** Who waits for a sync: a client of this server, or a learner. */
type SyncAsker =
  | { readonly connection: ClientConnection; readonly waiting: Waiting }
  | { readonly link: number; readonly id: number };

/** Who asked for other members. */
interface Reconfigurer {
  readonly connection: ClientConnection | undefined;
  readonly session: bigint;
  readonly xid: number;
}
/** A learner's message that has to wait. */
interface Held {
  readonly link: number;
  readonly message: PeerMessage;
}

/**
 * The leader's desk: decides the requests of its own clients and those that learners send, each against everything decided
 * before (semantics.md 4), and numbers what comes of it. Remembers where each session is attached (semantics.md 10.4).
 */
export class LeaderDesk implements Desk {
  readonly takesLocal = true;
  private readonly server: Office;
  private readonly decider: Decider;
  private readonly reaper: Reaper;
  private readonly reader = new Reader(Buffer.alloc(0));
  /** By session: the link of the learner that it is attached to, or {@link HERE}. */
  private readonly owners = new Map<bigint, number>();
  /** Requests of the learner `link`, in a row, that were numbered from `first` on and not yet told. */
  private run: { readonly link: number; readonly first: number; count: number } | undefined;
  private held: Held[] = [];
  private reconfigurer: Reconfigurer | undefined;
  private reconfigured: number | undefined;
  /** This leader is about to go: nothing new is decided. */
  private draining = false;
  private asked: SyncAsker[] = [];
  private readonly syncs = new Map<number, readonly SyncAsker[]>();
  private syncCount = 0;
  /** By link: how far its wall clock is from ours, ms. */
  private readonly skews = new Map<number, number>();
  private readonly wallOffset: number;

  constructor(server: Office) {
    this.server = server;
    const { tree, pending, options } = server;
    this.decider = new Decider(pending, options, (path, count, bytes) => tree.quotas.exceeds(path, count, bytes));
    this.reaper = new Reaper(tree, options.reaperMaxNeverUsedMs);
    this.wallOffset = server.wall - server.now;
  }
  get waiting(): number {
    return this.held.length;
  }
  private get leader(): Leader {
    const { leader } = this.server.peer;
    assert(leader !== undefined, 'a request without a leader');
    return leader;
  }
  get holds(): boolean {
    const { leader, phase } = this.server.peer;
    return this.draining || leader === undefined || leader.exhausted || phase !== 'broadcast';
  }
  drain(): void {
    this.draining = true;
  }
  undrain(): void {
    this.draining = false;
    this.goOn();
  }
  heard(session: TrackedSession): void {
    this.server.tracker.touch(session, this.server.now);
  }

  // --- writes ------------------------------------------------------------------------------------------------------------

  write(connection: ClientConnection, xid: number, type: number, from: Reader): void {
    const { leader } = this.server.peer;
    // the epoch is used up, or the term ended with the very step that brought this write's turn
    if (leader === undefined || leader.exhausted) return this.server.end(connection);
    if (connection.moved) {
      this.noteMoved(connection.session, xid, type);
      return this.server.end(connection);
    }
    if (type === OPERATIONS.reconfig.code) {
      const to = { connection, session: connection.session, xid };
      return void this.reconfigure(to, connection, connection.tracked, from);
    }
    const txn = this.decide(connection, connection.tracked, leader.lastProposed + 1, type, from);
    this.server.propose(connection, connection.session, xid, type, txn, this.decider.touched, undefined);
  }
  private decide(who: Requester, tracked: TrackedSession | undefined, by: number, type: number, from: Reader): Txn {
    const { decider, server } = this;
    const { pending, closings } = server;
    decider.begin();
    try {
      if (type === OPERATIONS.closeSession.code) {
        if (tracked !== undefined) tracked.closing = true;
        decider.touched = closings.decide(by, who.session);
        return { kind: KIND.closeSession, id: who.session };
      }
      if (tracked?.closing === true) return { kind: KIND.error, code: SessionExpired };
      if (server.tree.slabs.isNearlyFull && grows(type)) return { kind: KIND.error, code: ThrottledOp };
      return decideWrite(decider, pending, who, by, type, from);
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
      return { kind: KIND.error, code: MarshallingError };
    }
  }

  // --- members -----------------------------------------------------------------------------------------------------------

  /** Decides who belongs to the ensemble from now on; returns the counter of what came of it, 0 when the term ended instead. */
  private reconfigure(to: Reconfigurer, who: Requester, tracked: TrackedSession | undefined, from: Reader): number {
    const { server } = this;
    const code = this.refuseReconfig(who, tracked, from);
    if (typeof code !== 'number') {
      this.reconfigurer = to;
      this.reconfigured = undefined;
      server.reconfigure(code);
      this.reconfigurer = undefined;
      if (this.reconfigured !== undefined) return this.reconfigured;
      // the change makes a voter of one who promised a higher epoch: the term has ended above it (foundations.md 13.11)
      if (server.peer.leader === undefined) return this.notNumbered(to);
    }
    const txn = { kind: KIND.error, code: typeof code === 'number' ? code : ReconfigInProgress };
    return server.propose(to.connection, to.session, to.xid, OPERATIONS.reconfig.code, txn, NO_PATHS, undefined);
  }
  /** Who asked cannot know what becomes of it: its connection ends, a learner's with its link. */
  private notNumbered({ connection }: Reconfigurer): number {
    if (connection !== undefined) this.server.end(connection);
    return 0;
  }
  /** The config asked for, or ZooKeeper's number of why not. */
  private refuseReconfig(who: Requester, tracked: TrackedSession | undefined, from: Reader): Config | number {
    if (who.local !== true && (tracked === undefined || tracked.closing)) return SessionExpired;
    const { peer, options, tree } = this.server;
    const { last, synced } = peer.membership;
    try {
      return decideReconfig(OPERATIONS.reconfig.request.read(from), {
        enabled: options.reconfigEnabled,
        last: last && { config: last.config, version: (BigInt(last.at.epoch) << 32n) | BigInt(last.at.counter) },
        inProgress: last !== undefined && peer.canReconfigure(last.config) === 'in-progress',
        standaloneEnabled: options.standaloneEnabled,
        multiAddress: options.multiAddress,
        trustsAnyone: options.trustsAnyone,
        synced,
        mayWrite: isAllowed(tree.acl(tree.find(CONFIG_PATH)), PERM.write, who.identities),
      });
    } catch (fault) {
      if (!(fault instanceof ProtocolError)) throw fault;
      return MarshallingError;
    }
  }
  /** zab wants this config record now: for whoever asked for it in this step, or of its own. */
  proposeConfig(config: Config): void {
    const { connection, session, xid } = this.reconfigurer ?? { connection: undefined, session: 0n, xid: 0 };
    const txn = { kind: KIND.config, config } as const;
    const op = OPERATIONS.reconfig.code;
    this.reconfigured = this.server.propose(connection, session, xid, op, txn, NO_PATHS, undefined);
  }

  // --- sessions ----------------------------------------------------------------------------------------------------------

  createSession(connection: ClientConnection): void {
    const { server } = this;
    const { txn, password } = server.handshakes.create(connection, server.wall);
    this.owners.set(txn.id, HERE);
    server.propose(connection, txn.id, 0, OPCODE.createSession, txn, NO_PATHS, password);
  }
  upgrade(_connection: ClientConnection, txn: CreateSessionTxn): boolean {
    const { server } = this;
    const { leader } = server.peer;
    if (leader === undefined || leader.exhausted) return false;
    this.owners.set(txn.id, HERE);
    server.propose(undefined, txn.id, 0, OPCODE.createSession, txn, NO_PATHS, undefined);
    return true;
  }
  resume(connection: ClientConnection, id: SessionId, password: Uint8Array): void {
    const { server } = this;
    // another member may have applied its beginning before this one
    if (server.unapplied === 0 || server.handshakes.isKnown(id, password))
      return this.resumeNow(connection, id, password);
    this.resumeLater(connection, id, password);
  }
  /** When all is applied that is under way; one that is begun behind that, since another member had it alone until then, waits once more. */
  private resumeLater(connection: ClientConnection, id: SessionId, password: Uint8Array): void {
    const { server } = this;
    const isBegun = (): boolean => server.unappliedBirth(id, password) !== undefined;
    // whoever comes back lives, also while a slow disk keeps this server from applying what others have (I9)
    const tracked = server.tracker.get(id);
    if (tracked !== undefined && isBegun()) this.heard(tracked);
    server.await(server.last, () => {
      if (connection.state === 'connecting' && isBegun()) this.resumeLater(connection, id, password);
      else this.resumeNow(connection, id, password);
    });
  }
  private resumeNow(connection: ClientConnection, id: SessionId, password: Uint8Array): void {
    const { server } = this;
    const { handshakes } = server;
    if (connection.state !== 'connecting') return;
    const opens = handshakes.opens(id, password);
    if (opens) this.attach(id, HERE);
    const renewed = opens ? handshakes.renewal(connection, id) : undefined;
    if (renewed !== undefined) this.renew(connection, renewed);
    else if (!handshakes.resume(connection, id, password, server.now)) server.end(connection);
  }
  private renew(connection: ClientConnection, { txn, password }: Birth): void {
    const { server } = this;
    server.handshakes.resumed++;
    server.propose(connection, txn.id, 0, OPCODE.createSession, txn, NO_PATHS, password);
  }
  /** The session is at `owner` from now on; where it was before, its connection ends. */
  private attach(session: bigint, owner: number): void {
    const before = this.owners.get(session);
    this.owners.set(session, owner);
    if (before === undefined || before === owner) return;
    const { server } = this;
    if (before === HERE) server.moved(session as SessionId);
    else server.toLearner(before, { type: 'MOVED', epoch: this.leader.epoch, session });
  }
  /** A request that is never executed, since its session is elsewhere by now (ZOOKEEPER-710). */
  private noteMoved(session: bigint, xid: number, op: number): void {
    this.server.propose(undefined, session, xid, op, { kind: KIND.error, code: SessionMoved }, NO_PATHS, undefined);
  }
  forget({ id }: TrackedSession): void {
    this.owners.delete(id);
  }
  bind(): void {}

  // --- sync --------------------------------------------------------------------------------------------------------------

  sync(connection: ClientConnection, bytes: Buffer, start: number, end: number): boolean {
    const { server, leader } = this;
    const { isMember } = server.peer;
    if (!isMember && leader.lastProposed <= leader.lastCommitted) return false;
    const frame = Buffer.from(bytes.subarray(start, end));
    const waiting: Waiting = { kind: 'sync', frame, ready: false, since: server.now };
    connection.waiting.push(waiting);
    if (isMember) this.asked.push({ connection, waiting });
    else this.release({ epoch: leader.epoch, counter: leader.lastProposed }, connection, waiting);
    return true;
  }
  private release(at: { epoch: number; counter: number }, connection: ClientConnection, waiting: Waiting): void {
    this.server.await(at, () => {
      waiting.ready = true;
      this.server.drain(connection);
    });
  }
  synced(id: number): void {
    const { server } = this;
    const askers = this.syncs.get(id) ?? [];
    this.syncs.delete(id);
    const { leader } = server.peer;
    if (leader === undefined) return; // the term ended in the same step: who asked is dropped with it
    const upTo = { epoch: server.committedEpoch, counter: server.committedCounter };
    for (const asker of askers)
      if ('link' in asker) server.toLearner(asker.link, { type: 'SYNCED', epoch: leader.epoch, id: asker.id, upTo });
      else this.release(upTo, asker.connection, asker.waiting);
  }

  // --- learners ----------------------------------------------------------------------------------------------------------

  received(link: number, message: PeerMessage): void {
    if (message.type === 'TOUCHED') return this.touched(link, message);
    if (this.held.length > 0 || this.holds || this.server.applying || !this.server.serving) {
      this.held.push({ link, message });
      return;
    }
    this.take(link, message);
  }
  private take(link: number, message: PeerMessage): void {
    switch (message.type) {
      case 'REQUEST':
      case 'LOCALREQUEST':
        return this.request(link, message);
      case 'REVALIDATE':
        return this.revalidate(link, message);
      case 'SYNC':
        this.asked.push({ link, id: message.id });
        return;
    }
  }
  private request(link: number, message: MessageOf<'REQUEST' | 'LOCALREQUEST'>): void {
    const { session, xid, op, body, identities } = message;
    const { server, leader } = this;
    const from = this.reader.reset(body as Buffer, 0, body.length);
    if (op === OPCODE.createSession) return this.begin(link, session as SessionId, from);
    const tracked = server.tracker.get(session as SessionId);
    const owner = this.owners.get(session);
    if (owner !== undefined && owner !== link) {
      this.noteMoved(session, xid, op);
      return this.refused(link);
    }
    if (tracked !== undefined) {
      // of a session that is over nothing is kept: nobody would forget it again
      this.owners.set(session, link);
      server.tracker.touch(tracked, server.now);
    }
    // a session of the learner alone is nothing to the leader but who may do what; it ends there
    const local = message.type === 'LOCALREQUEST' && tracked === undefined && op !== OPERATIONS.closeSession.code;
    const who = { session: session as SessionId, identities, local };
    if (server.pressure.full && (tracked !== undefined || local) && grows(op)) {
      server.pressure.refused++;
      const full = { kind: KIND.error, code: ThrottledOp } as const;
      return this.numbered(link, server.propose(undefined, session, xid, op, full, NO_PATHS, undefined));
    }
    if (op === OPERATIONS.reconfig.code) {
      const to = { connection: undefined, session, xid };
      const counter = this.reconfigure(to, who, tracked, from);
      return counter === 0 ? undefined : this.numbered(link, counter);
    }
    const txn: Txn =
      tracked === undefined && !local
        ? { kind: KIND.error, code: SessionExpired }
        : this.decide(who, tracked, leader.lastProposed + 1, op, from);
    const touched = tracked === undefined && !local ? NO_PATHS : this.decider.touched;
    this.numbered(link, server.propose(undefined, session, xid, op, txn, touched, undefined));
  }
  /**
   * A learner's client wants a session, or, come back to an imported one there, a password of ours. One that makes no sense, or
   * would take the place of another, comes to nothing.
   */
  private begin(link: number, session: SessionId, from: Reader): void {
    const { server } = this;
    const txn = readBirth(from, session);
    const tracked = server.tracker.get(session);
    const renews = tracked?.closing === false && this.owners.get(session) === link;
    if (txn === undefined || (tracked !== undefined && !(renews && server.handshakes.isImported(session))))
      return this.refused(link);
    if (server.pressure.full && !renews) {
      server.pressure.refused++;
      return this.refused(link);
    }
    this.owners.set(session, link);
    // before it is applied: the learner may be ahead of this server, and send the next request
    server.tracker.add(session, txn.timeoutMs, server.now);
    this.numbered(link, server.propose(undefined, session, 0, OPCODE.createSession, txn, NO_PATHS, undefined));
  }
  private numbered(link: number, counter: number): void {
    const { run } = this;
    if (run?.link === link && run.first > 0 && run.first + run.count === counter) run.count++;
    else {
      this.tell();
      this.run = { link, first: counter, count: 1 };
    }
  }
  private refused(link: number): void {
    this.tell();
    this.run = { link, first: 0, count: 1 };
  }
  tell(): void {
    const { run } = this;
    if (run === undefined) return;
    this.run = undefined;
    const { link, first, count } = run;
    this.server.toLearner(link, { type: 'TAKEN', epoch: this.leader.epoch, first, count });
  }
  private revalidate(link: number, { session, timeoutMs }: MessageOf<'REVALIDATE'>): void {
    const { server } = this;
    const tracked = server.tracker.get(session as SessionId);
    const valid = tracked !== undefined && !tracked.closing;
    if (valid) {
      this.attach(session, link);
      server.tracker.retime(tracked, timeoutMs, server.now);
    }
    server.toLearner(link, { type: 'REVALIDATED', epoch: this.leader.epoch, session, valid });
  }
  gone(link: number): void {
    this.skews.delete(link); // a clock that is not heard any more says nothing
  }
  private touched(link: number, { wallMs, sessions }: MessageOf<'TOUCHED'>): void {
    const { server } = this;
    this.skews.set(link, wallMs - server.wall);
    for (const { session, timeoutMs } of sessions) {
      const tracked = server.tracker.get(session as SessionId);
      if (tracked === undefined || tracked.closing) continue;
      // where the session was before it came to another member, an older timeout is known (I9)
      const owner = this.owners.get(session);
      const isOld = owner !== undefined && owner !== link;
      if (isOld || tracked.timeoutMs === timeoutMs) server.tracker.touch(tracked, server.now);
      else server.tracker.retime(tracked, timeoutMs, server.now);
    }
  }
  goOn(): void {
    const { held } = this;
    let done = 0;
    for (; done < held.length && !this.holds && !this.server.applying && this.server.serving; done++) {
      const { link, message } = held[done] as Held;
      this.take(link, message);
    }
    held.splice(0, done);
  }
  nextSync(): number | undefined {
    if (this.asked.length === 0) return undefined;
    const id = ++this.syncCount;
    this.syncs.set(id, this.asked);
    this.asked = [];
    return id;
  }

  // --- time --------------------------------------------------------------------------------------------------------------

  /** Sessions whose time is over are closed, as transactions, `most` at a time. Returns which; those still `closing` are. */
  expire(most: number): readonly TrackedSession[] {
    const { server } = this;
    if (server.holds) return []; // their time comes in the next epoch
    const late = server.tracker.expired(server.now, most);
    for (const tracked of late) {
      const { id } = tracked;
      // one whose beginning waits to be applied cannot be over: its client was not even told of it (I9)
      if (server.holds || server.tree.sessions.get(id) === undefined) {
        tracked.closing = false;
        server.tracker.retime(tracked, tracked.timeoutMs, server.now);
        continue;
      }
      server.expired(id, tracked.timeoutMs);
      const touched = server.closings.decide(this.leader.lastProposed + 1, id);
      const { code } = OPERATIONS.closeSession;
      server.propose(undefined, id, 0, code, { kind: KIND.closeSession, id }, touched, undefined);
    }
    return late;
  }
  /**
   * Empty containers and nodes past their time to live go: looks at a slice of them and removes at most `limit`. Returns how
   * many, and whether the round is over.
   */
  reap(limit: number): { reaped: number; done: boolean } {
    const { server } = this;
    if (server.holds || !this.clocksAgree()) return { reaped: 0, done: true };
    const { paths, done } = this.reaper.slice(server.wall, limit);
    let reaped = 0;
    for (const path of paths) {
      if (server.holds) break;
      if (server.reaping.has(path)) continue;
      this.decider.begin();
      const made = this.decider.reap(this.leader.lastProposed + 1, path);
      if (typeof made === 'number') continue;
      server.reaping.add(path);
      server.propose(undefined, 0n, 0, OPCODE.deleteContainer, made, this.decider.touched, undefined);
      reaped++;
    }
    return { reaped, done };
  }
  /**
   * Our wall clock ran with the monotonic one since the term began, and those that agree with it are a quorum with us
   * (foundations.md 10). Who has not said what time it is agrees with nobody.
   */
  private clocksAgree(): boolean {
    const { server, skews } = this;
    const { peer } = server;
    if (Math.abs(server.wall - server.now - this.wallOffset) > CLOCKS_AGREE) return false;
    if (!peer.isMember) return true;
    const { last, synced } = peer.membership;
    if (last === undefined) return false;
    const near = new Set([server.options.sid]);
    for (const { link, sid: other } of peer.audience?.each ?? [])
      if (Math.abs(skews.get(link) ?? Number.POSITIVE_INFINITY) <= CLOCKS_AGREE) near.add(other);
    return isQuorum(
      last.config,
      synced.filter((voice) => near.has(voice.sid)),
    );
  }
}
