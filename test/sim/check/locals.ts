/** Sessions that one member alone knows of (semantics.md 16), as clients and the history show them. */
import { hex } from './ledger.ts';
import type { Verdicts } from './verdicts.ts';
import { type Heard, OPERATIONS } from './wire.ts';

/** How an ensemble takes sessions: all are everybody's; new ones are their member's; and those may become everybody's. */
export type SessionMode = 'shared' | 'local' | 'upgraded';

interface Local {
  readonly sid: number;
  /** Who decided at that server when it began: another one does in each term. And which life of its process that was. */
  readonly term: object | undefined;
  readonly life: number;
  readonly timeoutMs: number;
  /** Its server found no leader, and said so. */
  readonly readOnly: boolean;
  /** When its server heard of it last, and before that, ms. */
  heardAt: number;
  heardBefore: number;
  /** It only reads, and this one had its number in an earlier life: what that one asked for may yet be in the history. */
  readonly before: Local | undefined;
  /** It asked for an ephemeral: it may be everybody's from then on. */
  asksMore: boolean;
  /** The request that ended it, and when it came. */
  closedBy: number | undefined;
  closedAt: number;
  /** Its connection ended before that was decided: nobody knows whether it is. The sync that it waits for, if it does. */
  doubt: { readonly heldBy: number | undefined } | undefined;
}
export interface LocalsAround {
  readonly mode: SessionMode;
  readonly verdicts: Verdicts;
  now(): number;
  /** Who decides at a server in its present term. */
  termOf(sid: number): object | undefined;
  /** Lives of a server's process so far. */
  lifeOf(sid: number): number;
}

/** How much slower a clock may go than the true time. */
const SLOWEST = 0.9;
const EPHEMERAL_FLAGS = new Set([1, 3]);

export class Locals {
  readonly counts = { begun: 0, resumed: 0, upgraded: 0, ended: 0, expired: 0 };
  private readonly sessions = new Map<bigint, Local>();
  private readonly around: LocalsAround;

  constructor(around: LocalsAround) {
    this.around = around;
  }
  get mode(): SessionMode {
    return this.around.mode;
  }
  /** It began as one member's own, whatever became of it. */
  has(session: bigint): boolean {
    return this.sessions.has(session);
  }
  /**
   * A server gave it out. `isTaken`: the history has such a session. Of those that it never had nothing is left behind a
   * process: with a wall clock that went back meanwhile the next may give the number again, to another password.
   */
  began(session: bigint, sid: number, timeoutMs: number, readOnly: boolean, isTaken: boolean): void {
    const { verdicts, now, termOf, lifeOf } = this.around;
    this.counts.begun++;
    const life = lifeOf(sid);
    if (isTaken || this.sessions.get(session)?.life === life)
      verdicts.fail('I9', `session ${hex(session)} is given out twice`);
    const at = now();
    const before = readOnly ? this.ofHistory(session) : undefined;
    this.sessions.set(session, {
      ...{ sid, term: termOf(sid), life, timeoutMs, readOnly, before, heardAt: at, heardBefore: at },
      ...{ asksMore: false, closedBy: undefined, closedAt: 0, doubt: undefined },
    });
  }
  /** A server took it up again, and the history does not know it: it must be that server's, of the same term. */
  resumed(session: bigint, sid: number): void {
    const { verdicts, now, termOf } = this.around;
    const local = this.sessions.get(session);
    this.counts.resumed++;
    const is = `session ${hex(session)}, which began at server ${local?.sid} alone,`;
    if (local?.sid !== sid) verdicts.fail('I9', `${is} is taken up by server ${sid}`);
    else if (local.term !== termOf(sid)) verdicts.fail('I9', `${is} outlived the term in which it began`);
    else if (local.closedBy !== undefined && local.doubt === undefined)
      verdicts.fail('I9', `${is} is taken up again after its end`);
    if (local === undefined) return;
    // the doubt is over: that end never came
    if (local.doubt !== undefined) local.closedBy = undefined;
    local.doubt = undefined;
    this.hear(local, now());
  }
  /** Its client was told that it is over, and the history does not say otherwise. */
  toldOver(session: bigint, sid: number): void {
    const { verdicts, now, termOf } = this.around;
    const local = this.sessions.get(session);
    if (local === undefined) return;
    if (local.sid !== sid || local.term !== termOf(sid)) {
      this.counts.ended++;
      return;
    }
    // one that was to become everybody's is whoever's leads to judge
    if (local.asksMore || local.closedBy !== undefined) return;
    const silentMs = now() - local.heardAt;
    this.counts.expired++;
    if (silentMs < local.timeoutMs * SLOWEST)
      verdicts.fail(
        'I9',
        `server ${sid} ended its own session ${hex(session)}, ${Math.round(silentMs)} ms after it heard of it; its timeout is ${local.timeoutMs}`,
      );
  }
  heard(session: bigint, asked: Heard): void {
    const local = this.sessions.get(session);
    if (local === undefined) return;
    this.hear(local, this.around.now());
    if (local.closedBy !== undefined) return; // what comes behind the end is not done
    if (asked.type === OPERATIONS.closeSession.code) {
      local.closedBy = asked.xid;
      local.closedAt = local.heardAt;
    }
    if (asked.writes?.some((each) => each.op === 'create' && EPHEMERAL_FLAGS.has(each.flags)) === true)
      local.asksMore = true;
  }
  private hear(local: Local, at: number): void {
    if (local.heardAt === at) return;
    local.heardBefore = local.heardAt;
    local.heardAt = at;
  }
  /**
   * Its connection ended. What came in that very moment was not read any more; an end that was asked for there, `end`, and
   * waits for a sync, `heldBy`, is done unless its client is back before.
   */
  unheard(session: bigint, end: number | undefined, heldBy: number | undefined): void {
    const local = this.sessions.get(session);
    if (local === undefined) return;
    const now = this.around.now();
    const { closedBy, closedAt } = local;
    if (closedBy !== undefined && closedBy === end && (closedAt === now || heldBy !== undefined))
      local.doubt = { heldBy };
    if (local.heardAt === now) local.heardAt = local.heardBefore;
  }
  /** Another connection has it now: what was asked for on the one before and waits for a sync, `heldBy`, is not done. */
  taken(session: bigint, end: number | undefined, heldBy: number | undefined): void {
    const local = this.sessions.get(session);
    if (local?.closedBy !== undefined && local.closedBy === end && heldBy !== undefined) local.doubt = { heldBy };
  }
  /** Whose requests are written down: not one that only reads. */
  private ofHistory(session: bigint): Local | undefined {
    const local = this.sessions.get(session);
    return local?.readOnly === true ? local.before : local;
  }
  /** A transaction begins it for everybody. */
  upgraded(session: bigint, zxid: bigint): void {
    const { mode, verdicts } = this.around;
    if (mode === 'shared') return;
    const local = this.ofHistory(session);
    this.counts.upgraded++;
    if (mode === 'upgraded' && local?.asksMore === true) return;
    verdicts.fail('I9', `${hex(zxid)} begins session ${hex(session)}, which is one member's own and asked for no more`);
  }
  /** A request of such a session is in the history. */
  asked(session: bigint, xid: number, zxid: bigint): void {
    const local = this.ofHistory(session);
    if (local === undefined) return;
    // what stood between that sync and the end was done, and so was the end with it
    const heldBy = local.doubt?.heldBy;
    if (heldBy !== undefined && xid > heldBy && xid < (local.closedBy ?? 0)) local.doubt = undefined;
    if (local.closedBy !== undefined && xid > local.closedBy)
      this.around.verdicts.fail(
        'I9',
        `request ${xid} of ${hex(session)} is ${hex(zxid)}: its end, ${local.closedBy}, came before`,
      );
  }
}
