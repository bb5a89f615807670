import { assert, unreachable } from '../base/assert.ts';
import type { Config } from '../records/txns.ts';
import { Arrivals } from './arrivals.ts';
import { DISK_FAILED, ROLLED_BACK } from './discovery.ts';
import { Election, type Opening } from './election.ts';
import type { Leader } from './leader.ts';
import { Leading } from './leading.ts';
import type { Audience } from './learners.ts';
import { Learning } from './learning.ts';
import type { Voice } from './quorum.ts';
import { State } from './state.ts';
import type { ConfigAt, Effect, Ensemble, Input, Message, Past, Phase, Refusal, Role, Vote } from './types.ts';

const AFRESH: Opening = { prefer: undefined, gone: undefined, resumed: false };

/**
 * One member of an ensemble: looks for a leader, then leads or learns until that term is over, then looks again. Between two
 * terms everything the disk was asked for is awaited (foundations.md 13.3), so that a vote speaks of what is there.
 */
export class Member {
  readonly state: State;
  private readonly lastCounter: number | undefined;
  private election: Election | undefined;
  private leading: Leading | undefined;
  private learning: Learning | undefined;
  private stopped = false;
  private started = false;
  private diskFails = false;
  /** The number of the last election, and what was decided in it. */
  private round = 0;
  private chosen: Vote | undefined;
  /** What the next election begins with. */
  private opening: Opening = AFRESH;
  private readonly arrivals: Arrivals;

  constructor(past: Past, ensemble: Ensemble, generation: number, lastCounter: number | undefined) {
    this.state = new State(past, ensemble, generation);
    this.arrivals = new Arrivals(this.state);
    this.lastCounter = lastCounter;
  }

  get role(): Role {
    if (this.stopped) return 'stopped';
    if (this.leading !== undefined) return 'leading';
    if (this.learning !== undefined) return this.state.votes ? 'following' : 'observing';
    return 'looking';
  }
  get phase(): Phase {
    return this.leading?.phase ?? this.learning?.phase ?? 'discovery';
  }
  /** The member that this one learns from. */
  get followed(): number | undefined {
    return this.learning?.sid;
  }
  /** The link to that member, once there is one. */
  get leaderLink(): number | undefined {
    return this.learning?.link;
  }
  get leader(): Leader | undefined {
    return this.leading?.leader;
  }
  get audience(): Audience | undefined {
    return this.leading?.audience;
  }
  /** See {@link Peer.canReconfigure}. */
  canReconfigure(config: Config): Refusal | undefined {
    return this.leading === undefined ? 'in-progress' : this.leading.canReconfigure(config);
  }

  get isAlone(): boolean {
    return this.state.isAlone;
  }
  get isSettled(): boolean {
    return this.leading?.isSettled === true;
  }
  get membership(): { readonly last: ConfigAt | undefined; readonly synced: readonly Voice[] } {
    return { last: this.state.history.lastConfig, synced: this.leading?.synced ?? [] };
  }

  step(input: Input): readonly Effect[] {
    const { state } = this;
    state.out = [];
    if (!this.stopped) {
      this.take(input);
      this.endTerm();
      state.watchConfig();
    }
    return state.out;
  }

  private take(input: Input): void {
    const { state, leading, learning } = this;
    switch (input.type) {
      case 'start':
        assert(!this.started, 'started twice');
        this.started = true;
        return this.settle();
      case 'tick':
        this.decided(this.election?.tick());
        leading?.tick();
        learning?.tick();
        return;
      case 'epochsStored':
        assert(input.accepted === state.storing?.accepted, 'epochs stored that nobody asked for');
        state.stored();
        leading?.stored();
        learning?.stored();
        return this.settle();
      case 'persisted':
        if (!state.persisted(input.generation, input.upTo)) return;
        return this.durable();
      case 'truncated':
        if (state.truncated(input.generation)) this.durable();
        return;
      case 'snapshotStaged':
        if (state.snapshotStaged(input.generation)) this.durable();
        return;
      case 'snapshotTaken':
        state.snapshotTaken(input.at);
        return leading?.snapshotTaken();
      case 'snapshotDoubted':
        return state.snapshotDoubted(input.at);
      case 'voted':
        return this.voted(input.from, input.message);
      case 'reached':
        return this.decided(this.election?.reached(input.sid, input.up));
      case 'linked':
        return this.linked(input.sid, input.link, input.dialled);
      case 'dialFailed':
        return learning?.dialFailed(input.sid);
      case 'closed':
        this.arrivals.closed(input.link);
        leading?.closed(input.link);
        learning?.closed(input.link);
        return;
      case 'progress':
        leading?.progress(input.link);
        learning?.progress(input.link);
        return;
      case 'received':
        if (this.arrivals.received(input.link, input.message)) return;
        leading?.received(input.link, input.message);
        learning?.received(input.link, input.message);
        return;
      case 'proposed':
        assert(leading !== undefined, 'proposed without leading');
        return leading.proposed(input.entries);
      case 'sync':
        return leading?.sync(input.id);
      case 'handOver':
        return leading?.handOver();
      case 'reconfigure':
        assert(leading !== undefined, 'a reconfiguration without leading');
        return leading.reconfigure(input.config);
      case 'diskFailed':
        return this.diskFailed();
      case 'exhausted':
        assert(leading?.leader?.exhausted === true, 'a term ended before its proposals');
        leading.over = 'the counter of the epoch is used up';
        return;
      default:
        return unreachable(input);
    }
  }

  /**
   * What is under way on the disk may never end, so nothing of this life goes on: a leader hands over, others just leave,
   * and who comes next has read what the disk really holds.
   */
  private diskFailed(): void {
    this.diskFails = true;
    if (this.leading !== undefined) return this.leading.diskFailed();
    if (this.learning !== undefined) this.learning.over ??= DISK_FAILED;
    else this.stop();
  }
  private stop(): void {
    this.stopped = true;
    this.election = undefined;
    this.arrivals.turnAllAway();
  }

  private durable(): void {
    this.leading?.persisted();
    this.learning?.persisted();
    this.settle();
  }
  private linked(sid: number, link: number, dialled: boolean): void {
    if (dialled && this.learning !== undefined) return this.learning.linked(link, sid);
    if (!dialled && this.leading !== undefined) return this.leading.linked(link, sid);
    if (!dialled && this.role === 'looking') return this.arrivals.linked(link, sid);
    this.state.hangUp(link, dialled ? 'not following' : 'not leading');
  }

  /** Ends a term whose time is over; whatever it began on the disk is awaited before the next election. */
  private endTerm(): void {
    const { leading, learning } = this;
    const over = leading?.over ?? learning?.over;
    if (over === undefined) return;
    const prefer = learning?.successor;
    const gone = prefer === undefined ? undefined : learning?.sid;
    this.opening = { prefer, gone, resumed: learning?.hasChanged === true };
    leading?.close();
    learning?.close();
    this.leading = undefined;
    this.learning = undefined;
    this.state.out.push({ type: 'looking', reason: over });
    this.stopped = leading?.hasLeft === true || over === ROLLED_BACK || this.diskFails;
    if (this.state.storing?.install !== true) this.state.dropStaged();
    if (!this.stopped) this.settle();
  }

  /** Begins an election as soon as the disk is at rest and currentEpoch is that of the log's end (foundations.md 13.3). */
  private settle(): void {
    const { state } = this;
    if (!this.started || this.role !== 'looking' || this.election !== undefined || !state.atRest) return;
    const { epoch } = state.history.last;
    // of a damaged log only the epochs themselves tell what was acknowledged
    if (state.currentEpoch < epoch && state.damage === undefined) return state.store(state.acceptedEpoch, epoch);
    if (!this.opening.resumed) this.round++;
    this.election = new Election(state, this.round, this.opening);
    this.opening = AFRESH;
    this.decided(this.election.begin());
  }

  private voted(from: number, message: Message & { readonly type: 'VOTE' }): void {
    const { election, state, chosen } = this;
    if (state.isOutdatedBy(message.config)) return this.rolledBack();
    if (election !== undefined) return this.decided(election.heard(from, message));
    if (message.state !== 'looking' || chosen === undefined || this.role === 'looking') return;
    const { leading, learning, role, round } = this;
    if (from === chosen.sid && message.round >= round) learning?.candidateVotes(message.vote);
    if (learning?.over !== undefined) return;
    const epoch = leading?.leader?.epoch ?? (learning?.phase === 'broadcast' ? learning.epoch : chosen.epoch);
    const { incarnation } = state.self;
    const config = state.history.committedConfig();
    assert(role !== 'stopped', 'a stopped member votes');
    const answer = {
      type: 'VOTE' as const,
      state: role,
      round,
      vote: { ...chosen, epoch },
      incarnation,
      config,
      lines: state.emptyLines,
    };
    state.out.push({ type: 'vote', to: from, message: answer });
  }

  /** A later config than that of a quorum of one: our directory is an old copy (foundations.md 13.10). */
  private rolledBack(): void {
    this.state.out.push({ type: 'rolledBack' });
    if (this.leading !== undefined) this.leading.over ??= ROLLED_BACK;
    else if (this.learning !== undefined) this.learning.over ??= ROLLED_BACK;
    else this.stop();
  }

  private decided(vote: Vote | undefined): void {
    const { election, state } = this;
    if (vote === undefined || election === undefined) return;
    this.round = election.round;
    this.election = undefined;
    this.chosen = vote;
    if (vote.sid === state.self.sid) {
      this.leading = new Leading(state, this.lastCounter);
      this.leading.begin();
      this.arrivals.hand(this.leading);
    } else {
      this.arrivals.turnAllAway();
      this.learning = new Learning(state, vote.sid);
      this.learning.begin();
    }
  }
}
