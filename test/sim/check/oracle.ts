import { KIND } from '../../../src/records/txns.ts';
import { WRONG } from '../model/decide.ts';
import { ModelState, type Outcome } from '../model/state.ts';
import { ttlOf } from '../model/tree.ts';
import { differs, sameBytes, show } from './compare.ts';
import type { Asked } from './conversation.ts';
import { type Committed, hex } from './ledger.ts';
import type { Locals } from './locals.ts';
import type { Verdicts } from './verdicts.ts';

/** A transaction of the history, what the model makes of it, and what was asked. */
export interface Replayed {
  readonly committed: Committed;
  readonly outcome: Outcome;
  readonly moment: number;
  readonly asked: Asked | undefined;
}
const CLOSE = -11;
const MOVED = -118;
const OVER = -112;
/** Servers take that many ephemerals of a session away in one turn, and the rest in further ones. */
const CROWD = 2001;

/**
 * Replays the committed history through the model: each transaction must be what the request that caused it comes to in
 * the state before it, each request stands in the history at most once, and sessions end only when they may.
 */
export class Oracle {
  readonly state = new ModelState();
  readonly replayed: (Replayed | undefined)[] = [undefined];
  /** Requests by session and xid, as servers heard them. */
  private readonly requests = new Map<string, Asked>();
  private readonly done = new Map<string, bigint>();
  /** The last request of each session that is in the history: they are there in the order in which they were sent. */
  private readonly latest = new Map<bigint, number>();
  private readonly closing = new Set<bigint>();
  private readonly verdicts: Verdicts;
  private readonly locals: Locals;
  /** Told of sessions that ended without their client's wish. */
  onExpired: (session: bigint, committed: Committed) => void = () => {};
  /** Told of nodes that went by a clock. */
  onReaped: (committed: Committed) => void = () => {};
  private lastTime = 0;
  /** Ephemerals that were refused to sessions of one member. */
  refusals = 0;
  /** Sessions that ended with thousands of ephemerals. */
  crowds = 0;
  /** Nodes past their time to live, and empty containers, that went. */
  readonly reaped = { timed: 0, containers: 0 };

  constructor(verdicts: Verdicts, locals: Locals) {
    this.verdicts = verdicts;
    this.locals = locals;
  }
  heard(session: bigint, asked: Asked): void {
    if (asked.type === CLOSE) this.closing.add(session);
    if (asked.writes !== undefined) this.requests.set(`${session}/${asked.xid}`, asked);
  }
  /** The number of a session that is over, and that the history never had, is given again: another's requests bear it now. */
  forget(session: bigint): void {
    const own = `${session}/`;
    for (const map of [this.requests, this.done]) for (const id of map.keys()) if (id.startsWith(own)) map.delete(id);
    this.latest.delete(session);
    this.closing.delete(session);
  }
  take(committed: Committed): void {
    const { envelope, zxid } = committed;
    const { txn, session, xid, time } = envelope;
    if (time < this.lastTime)
      this.verdicts.fail('oracle', `${hex(zxid)} is of ${time}, the one before of ${this.lastTime}`);
    this.lastTime = Math.max(this.lastTime, time);
    let outcome: Outcome;
    let asked: Asked | undefined;
    switch (txn.kind) {
      case KIND.createSession:
        if (this.state.sessions.has(txn.id)) this.verdicts.fail('I9', `session ${hex(txn.id)} begins twice`);
        this.locals.upgraded(txn.id, zxid);
        outcome = this.state.openSession(zxid, txn.id, txn.timeoutMs);
        break;
      case KIND.closeSession:
        if (!this.closing.has(txn.id) && this.state.isLive(txn.id)) this.onExpired(txn.id, committed);
        outcome = this.state.closeSession(zxid, txn.id);
        if (outcome.changes.length >= CROWD) this.crowds++;
        break;
      case KIND.reap: {
        const isTimed = ttlOf(this.state.tree.get(txn.path)?.owner ?? 0n) !== undefined;
        const { outcome: reaped, fault } = this.state.reap(zxid, time, txn.path);
        if (isTimed) this.onReaped(committed);
        this.reaped[isTimed ? 'timed' : 'containers']++;
        if (fault !== undefined) this.verdicts.fail('oracle', `${hex(zxid)} reaps ${txn.path}: ${fault}`);
        outcome = reaped;
        break;
      }
      case KIND.noop:
      case KIND.found:
      case KIND.config:
      case KIND.seen:
        outcome = this.state.pass(zxid);
        break;
      default: {
        const id = `${session}/${xid}`;
        asked = this.requests.get(id);
        const before = this.done.get(id);
        if (before !== undefined)
          this.verdicts.fail('I7', `request ${xid} of ${hex(session)} is ${hex(before)} and ${hex(zxid)}`);
        this.done.set(id, zxid);
        const last = this.latest.get(session) ?? 0;
        // what comes late is not done: the session is elsewhere, or over
        const isRefused =
          txn.kind === KIND.error && (txn.code === MOVED || (txn.code === OVER && !this.state.isLive(session)));
        if (xid < last && !isRefused)
          this.verdicts.fail(
            'I7',
            `request ${xid} of ${hex(session)} is ${hex(zxid)}, its request ${last} came before`,
          );
        this.latest.set(session, Math.max(last, xid));
        if (txn.kind === KIND.error && txn.code === MOVED) {
          // asked of a server that the session has left: never done
          outcome = this.state.pass(zxid);
          break;
        }
        if (asked?.writes === undefined) {
          // the close of a session that was gone already, a request of a kind that is no part of the model
          if (txn.kind !== KIND.error)
            this.verdicts.fail(
              'oracle',
              `${hex(zxid)} is ${show(txn)} of ${hex(session)}, who asked for no such thing`,
            );
          outcome = this.state.pass(zxid);
          break;
        }
        const isLocal = this.locals.has(session) && !this.state.sessions.has(session);
        if (isLocal) this.locals.asked(session, xid, zxid);
        outcome = this.state.request(zxid, time, session, asked.writes, asked.isMulti, isLocal);
        if (isLocal) this.noteRefusal(outcome, session);
        const fault = differs(txn, outcome, asked.isMulti);
        if (fault !== undefined) this.verdicts.fail('oracle', `${hex(zxid)}, ${show(asked.writes)}: ${fault}`);
      }
    }
    this.replayed.push({ committed, outcome, moment: this.state.now, asked });
  }
  /** An ephemeral is refused to a session of one member: never where that could have made it everybody's. */
  private noteRefusal({ error, codes, zxid }: Outcome, session: bigint): void {
    if (error !== WRONG.ephemeralOnLocalSession && codes?.includes(WRONG.ephemeralOnLocalSession) !== true) return;
    this.refusals++;
    if (this.locals.mode === 'upgraded')
      this.verdicts.fail('I9', `${hex(zxid)} refuses an ephemeral to ${hex(session)}, which may become everybody's`);
  }
}
export { sameBytes };
