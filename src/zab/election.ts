import { assemble, type Present } from './founding.ts';
import { canLead, counts, isQuorumOfAll, type Voice, votersOf } from './quorum.ts';
import type { State } from './state.ts';
import { isBefore, isSame, type Message, ORIGIN, type Position, type Vote } from './types.ts';
import { beats, isMoreRecent, isSameLeader, isSameVote } from './vote.ts';

type Notification = Message & { readonly type: 'VOTE' };
/** A vote that counts, of a voter under its listed incarnation. */
interface Cast {
  readonly voice: Voice;
  readonly vote: Vote;
}

/** How the term before ended. */
export interface Opening {
  /** Whom the leader that went proposed in its place, and that leader itself: nobody waits for its vote. */
  readonly prefer: Vote | undefined;
  readonly gone: number | undefined;
  /** Whom the last election had chosen voted for somebody else, who may be unknown here: it goes on in the same round. */
  readonly resumed: boolean;
}

/**
 * Fast leader election, one run of it: votes of one round are gathered until a quorum agrees, then a better one is waited
 * for a little. It only finds whom to try; safety is the business of discovery.
 */
export class Election {
  private readonly state: State;
  /** The number of this election; a higher one that is heard begins it anew. */
  round: number;
  /** Whom this member votes for; null while nobody fits (foundations.md 13.12). */
  vote: Vote | null;
  private first: Vote | null = null;
  private age = 0;
  private readonly longest: number;
  private readonly votes = new Map<number, Cast>();
  /** One that says that it leads, and has not the votes for it here: it is followed when nobody else is found for long. */
  private stranger: Vote | undefined;
  /** The best candidate of those that do not count here, and know of a config later than any here: see {@link tick}. */
  private newcomer: Notification | undefined;
  private readonly outside = new Map<number, Cast & { leading: boolean; round: number }>();
  /** Those whom votes do not reach, by an attempt that failed or a connection that closed since the round began. */
  private readonly down = new Set<number>();
  /** Whom an empty server has met since the election began, and whether it may propose itself. */
  private readonly present = new Map<number, Present>();
  private mayFound = false;
  /** The highest epoch of the logs that an empty server has met; undefined when it has met none. */
  private metLog: number | undefined;
  private readonly answered = new Set<number>();
  /** Who was heard since the election began; one that needs nobody else still asks them all. */
  private readonly heardFrom = new Set<number>();
  private resendIn: number;
  private patience: number;
  private drainLeft: number | undefined;

  private readonly resumed: boolean;
  private readonly gone: number | undefined;

  constructor(state: State, round: number, { prefer, gone, resumed }: Opening) {
    this.state = state;
    this.resumed = resumed;
    this.gone = gone;
    state.provisional = undefined;
    this.round = round;
    this.longest = prefer === undefined ? state.limits.init : state.limits.notify * 2;
    this.first = prefer !== undefined && this.fits(prefer) ? prefer : this.own();
    this.vote = this.first;
    this.patience = state.limits.notify;
    this.resendIn = this.patience;
  }

  /** What this member claims for itself; one that does not count never proposes itself. */
  private own(): Vote | null {
    const { self, configs, currentEpoch, history, unfounded, damage } = this.state;
    if (damage !== undefined || (unfounded && !this.mayFound)) return null;
    // of two configs in force the older one: those whose log lacks the newer know nobody else, and need long to trust one
    if (!canLead(this.isLate ? configs : configs.slice(0, 1), self)) return null;
    const { epoch, counter } = history.last;
    const last: Position = { epoch, counter };
    return { sid: self.sid, incarnation: self.incarnation, epoch: currentEpoch, last };
  }

  /**
   * One that counts and does not stand itself, since it is repairing or only the newer config lists it, votes for those only
   * that hold whatever it may have acknowledged (foundations.md 13.12): any other would be refused by it as leader.
   */
  private fits(vote: Vote): boolean {
    if (this.isEmptyHanded(vote)) return false;
    const { damage, standing, self, configs } = this.state;
    if (damage === undefined && (this.first !== null || !canLead(configs, self))) return true;
    return vote.sid !== self.sid && !isMoreRecent(standing, vote);
  }
  /**
   * It would found an ensemble, and one is founded: whoever knows that has no part in it (foundations.md 13.13). One that took
   * part in a later epoch with an empty log knows that the log was passed over.
   */
  private isEmptyHanded({ sid, epoch, last }: Vote): boolean {
    if (this.metLog === undefined || epoch > this.metLog) return false;
    return isSame(last, ORIGIN) && this.present.get(sid)?.lines !== null;
  }
  /** Nobody was found for long. */
  private get isLate(): boolean {
    return this.resumed || this.age > this.longest / 2;
  }

  /** Sends the vote to all voters; returns the winner when that is decided already (a quorum of one). */
  begin(): Vote | undefined {
    this.takeStock();
    this.beginRound();
    return this.decided();
  }
  private beginRound(): void {
    this.votes.clear();
    this.down.clear();
    this.stranger = undefined;
    this.newcomer = undefined;
    this.drainLeft = undefined;
    this.age = 0;
    this.state.out.push({ type: 'gather', voters: this.others() });
    this.sendAll();
  }
  private others(): number[] {
    const { configs, peers, self } = this.state;
    const sids = new Set([...votersOf(configs), ...peers]);
    sids.delete(self.sid);
    return [...sids];
  }
  private isAsked(sid: number): boolean {
    return sid === this.state.self.sid || this.others().includes(sid);
  }
  private sendAll(): void {
    for (const sid of this.others()) this.sendTo(sid);
  }
  private sendTo(to: number): void {
    this.state.out.push({ type: 'vote', to, message: this.notification() });
  }
  /** Once a tick at most: two that do not heed each other would answer answers for ever. */
  private answer(to: number): void {
    if (this.answered.has(to)) return;
    this.answered.add(to);
    this.sendTo(to);
  }
  private notification(): Notification {
    const { self, history } = this.state;
    const { round, vote } = this;
    const config = history.committedConfig();
    const lines = this.state.emptyLines;
    return { type: 'VOTE', state: 'looking', round, vote, incarnation: self.incarnation, config, lines };
  }

  reached(sid: number, up: boolean): Vote | undefined {
    if (up) {
      this.down.delete(sid);
      this.sendTo(sid);
    } else {
      this.down.add(sid);
      this.present.delete(sid);
      if (this.newcomer?.vote?.sid === sid) this.newcomer = undefined;
    }
    return this.decided();
  }

  tick(): Vote | undefined {
    this.answered.clear();
    if (++this.age > this.longest && this.drainLeft === undefined) {
      // whoever we vote for may be gone since others heard of it: everybody speaks for itself again
      this.first = this.own();
      this.vote = this.first;
      this.round++;
      this.beginRound();
      return this.decided();
    }
    if (this.first === null && this.isLate && this.stand()) this.sendAll();
    // by the later config this member may be needed: where others were lost meanwhile nobody leads without its vote
    if (this.newcomer !== undefined && this.isLate) this.support(this.newcomer);
    if (--this.resendIn <= 0) {
      this.patience = Math.min(this.patience * 2, this.state.limits.notifyMost);
      this.resendIn = this.patience;
      this.sendAll();
    }
    if (this.drainLeft !== undefined) this.drainLeft--;
    return this.decided() ?? (this.isLate ? this.stranger : undefined);
  }

  /** Takes a notification; returns the vote that won, when one did. */
  heard(from: number, n: Notification): Vote | undefined {
    const { state } = this;
    // knowing a config committed may silence or add voters: what was gathered is judged anew below
    if (state.history.learnCommitted(n.config)) state.apply();
    this.heardFrom.add(from);
    this.meet(from, n);
    const voice = { sid: from, incarnation: n.incarnation };
    if (n.vote !== null && n.state !== 'looking' && this.isEmptyHanded(n.vote)) return this.decided();
    const { configs } = state;
    // only the leader itself can say that it leads, and one that was made a member since is not asked otherwise
    if (n.state !== 'looking' && n.vote !== null && !this.isAsked(n.vote.sid)) this.answer(n.vote.sid);
    if (!counts(configs, voice)) {
      if (configs.length === 0 && state.damage !== undefined) this.support(n, from);
      else this.note(from, n);
      if (n.state === 'looking') this.answer(from);
      if (n.state !== 'leading' || n.vote?.sid !== from) return this.decided();
      this.stranger = n.vote;
      return this.trustsAnyone ? n.vote : this.decided();
    }
    if (n.vote !== null && !canLead(configs, n.vote) && !this.trustsAnyone) return undefined;
    if (n.state === 'looking') return this.looking(voice, n);
    // who counts here may call itself an observer: its log lacks the record that lists it
    if (n.vote === null) return undefined;
    return this.settled(voice, n.vote, n);
  }

  /**
   * One that does not count follows whoever leads: the log will say who counts. So does one that finds nobody for long: the
   * config of its log may be so old that nobody in it is left. A false leader only costs time, since epochs guard the rest.
   */
  private get trustsAnyone(): boolean {
    return !this.state.votes || this.state.unfounded || this.isLate;
  }
  /** One whose log is lost whole cannot tell who counts; others can, and it votes for who holds what it may have acknowledged. */
  private support({ state, vote, round }: Notification, from = vote?.sid): void {
    if (state !== 'looking' || vote === null || vote.sid !== from || !this.fits(vote) || round < this.round) return;
    if (round === this.round && !beats(vote, this.vote)) return;
    this.round = round;
    this.vote = vote;
    this.sendAll();
    if (!this.isAsked(from)) this.sendTo(from);
    // that it leads it says as an answer only
    this.patience = this.state.limits.notify;
    this.resendIn = this.patience;
  }
  /** One whose log ends before a config that is committed does so, too: of a candidate its latest word, whatever its round. */
  private note(from: number, n: Notification): void {
    const { history, standing, unfounded } = this.state;
    if (n.state !== 'looking' || n.vote?.sid !== from || n.config === null || unfounded) return;
    if (!isBefore(history.committedConfig() ?? ORIGIN, n.config) || isMoreRecent(standing, n.vote)) return;
    if (from === this.newcomer?.vote?.sid || beats(n.vote, this.newcomer?.vote ?? null)) this.newcomer = n;
  }
  /** With an empty log it takes part in founding, or votes for one that has a log. */
  private meet(from: number, { incarnation, lines, vote }: Notification): void {
    const { unfounded, founders } = this.state;
    if (!unfounded || founders === undefined) return;
    const epoch = vote?.sid === from ? vote.epoch : this.present.get(from)?.epoch;
    this.present.set(from, { incarnation, lines, epoch });
    if (lines !== null && lines !== founders.lines) this.state.tellOtherLines(from, lines);
    if (this.takeStock()) this.sendAll();
  }
  /** Who counts for an empty server, by those that it has met; true when it now votes otherwise. */
  private takeStock(): boolean {
    const { state } = this;
    if (!state.unfounded || state.founders === undefined) return false;
    const assembled = assemble(state.founders, state.self, this.present, state.currentEpoch);
    if (assembled === undefined) return false;
    state.provisional = assembled.config;
    this.mayFound = assembled.complete;
    const logs = [...this.present.values()].filter(({ lines }) => lines === null);
    this.metLog = assembled.complete
      ? undefined
      : Math.max(...logs.map(({ epoch }) => epoch ?? Number.POSITIVE_INFINITY));
    if (this.vote !== null && this.isEmptyHanded(this.vote)) {
      this.first = this.own();
      this.vote = this.first;
      return true;
    }
    return this.mayFound && this.first === null && this.stand();
  }
  /** Proposes itself after all, when it may; true when it now votes for itself. */
  private stand(): boolean {
    this.first = this.own();
    if (this.first === null || !beats(this.first, this.vote)) return false;
    this.vote = this.first;
    return true;
  }
  private looking(voice: Voice, n: Notification): Vote | undefined {
    if (n.round < this.round) {
      this.answer(voice.sid);
      return undefined;
    }
    if (n.round > this.round) {
      this.round = n.round;
      this.vote = n.vote !== null && this.fits(n.vote) && beats(n.vote, this.first) ? n.vote : this.first;
      this.beginRound();
    } else if (n.vote !== null && this.fits(n.vote) && beats(n.vote, this.vote)) {
      this.vote = n.vote;
      this.sendAll();
    } else if (!isSameVote(n.vote, this.vote) && !this.votes.has(voice.sid)) this.answer(voice.sid);
    this.outside.delete(voice.sid);
    if (this.stranger?.sid === voice.sid) this.stranger = undefined;
    if (n.vote === null) this.votes.delete(voice.sid);
    else this.votes.set(voice.sid, { voice, vote: n.vote });
    return this.decided();
  }

  /** A member that is not looking says whom it follows. The leader itself must say so too: a dead one is not followed. */
  private settled(voice: Voice, vote: Vote, n: Notification): Vote | undefined {
    const { configs, self } = this.state;
    // those that wait for our own candidate have voted for it, whatever round that was in: without their votes it could
    // wait for the next round of theirs while they wait for it to lead
    if (isSameVote(vote, this.vote)) this.votes.set(voice.sid, { voice, vote });
    else this.votes.delete(voice.sid);
    this.outside.set(voice.sid, { voice, vote, leading: n.state === 'leading', round: n.round });
    const decided = this.decided();
    if (decided !== undefined || vote.sid === self.sid) return decided;
    if (vote.sid === voice.sid && n.state === 'leading') {
      if (this.trustsAnyone) return vote;
      // it may need us while our log is too old to know who else counts, and will not say so again
      this.stranger = vote;
    }
    if (this.outside.get(vote.sid)?.leading !== true) return undefined;
    const alike = [...this.outside.values()].filter((each) => isSameLeader(each.vote, vote));
    if (!alike.some((each) => each.voice.sid === vote.sid)) return undefined;
    const voices = alike.map((each) => each.voice);
    // our own following may complete the quorum of a leader that lives and lost others
    if (this.state.votes) voices.push(self);
    if (!isQuorumOfAll(configs, voices)) return undefined;
    this.round = Math.max(this.round, n.round);
    return vote;
  }

  /** Who leads alone asked everybody else first: its directory may be an old copy (foundations.md 13.10). */
  private get hasAsked(): boolean {
    return (
      this.age >= this.state.limits.ask || this.others().every((sid) => this.heardFrom.has(sid) || this.down.has(sid))
    );
  }
  /** The vote that a quorum agrees on, once nothing better can be expected. */
  private decided(): Vote | undefined {
    const { vote, state } = this;
    const { configs, self } = state;
    const casts = [...this.votes.values()].filter((each) => isSameVote(each.vote, vote) && counts(configs, each.voice));
    const voices = casts.map((each) => each.voice);
    if (state.votes) voices.push(self);
    if (vote === null || !isQuorumOfAll(configs, voices)) {
      this.drainLeft = undefined;
      return undefined;
    }
    if (state.isAlone && !this.hasAsked) return undefined;
    const agreed = new Set(voices.map(({ sid }) => sid));
    if (!agreed.has(vote.sid)) return undefined; // known from others only: it may be gone
    const isGone = (sid: number): boolean => this.down.has(sid) || sid === this.gone;
    const all = votersOf(configs).every((sid) => agreed.has(sid) || isGone(sid) || sid === self.sid);
    if (all) return vote;
    this.drainLeft ??= state.limits.drain;
    return this.drainLeft <= 0 ? vote : undefined;
  }
}
