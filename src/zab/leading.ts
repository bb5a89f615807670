import { assert } from '../base/assert.ts';
import type { Config } from '../records/txns.ts';
import { commitHeld } from './commits.ts';
import { Departure } from './departure.ts';
import { DISK_FAILED, type Of } from './discovery.ts';
import { Headway } from './headway.ts';
import { Leader } from './leader.ts';
import { type Audience, forward, hasVote, type Learner } from './learners.ts';
import { Membership } from './membership.ts';
import { Probes } from './probes.ts';
import { canLead, isQuorumOfAll, slackOf, type Voice } from './quorum.ts';
import type { State } from './state.ts';
import { Synchronization } from './synchronization.ts';
import { type Entry, isBefore, isSame, type Message, type Position, positionOf, type Refusal } from './types.ts';

/** It is sent a history, and has not said yet that it has all of it. */
const isOnItsWay = ({ sent, upTo }: Learner): boolean => sent !== undefined && upTo === undefined;
/** It can be sent nothing before our own snapshot is written. */
const isHeldUp = ({ sent, wantsSnapshot }: Learner): boolean => sent === undefined && wantsSnapshot;

/** A term as leader: discovery and synchronisation, then broadcast. `over` says why it must end; the member then looks again. */
export class Leading extends Synchronization {
  /** Numbers proposals, once the epoch is established. */
  leader: Leader | undefined;
  private readonly lastCounter: number | undefined;
  /** Ticks of the term; of its synchronisation those since it came nearer to a quorum. */
  private age = 0;
  private readonly headway = new Headway();
  private untilPing: number;
  /** Ticks for which the others have been ahead of our own log, and it has reported nothing. */
  private overtaken = 0;
  /** The first transaction, which says who counts, is not committed yet. */
  private founding = false;
  private readonly proposedTags = new Set<string>();
  private readonly probes = new Probes();
  private readonly membership: Membership;
  private readonly departure: Departure;

  constructor(state: State, lastCounter: number | undefined) {
    super(state);
    this.lastCounter = lastCounter;
    this.untilPing = state.limits.ping;
    this.membership = new Membership(state, this.learners);
    this.departure = new Departure(state, this.learners);
  }

  received(link: number, message: Message): void {
    const learner = this.learners.get(link);
    if (learner === undefined) return; // of a link that we have given up
    learner.silent = 0;
    this.hear(learner);
    switch (message.type) {
      case 'STARTS':
        learner.startsUpTo = message.upTo;
        return;
      case 'FOLLOWERINFO':
        return this.followerInfo(learner, message);
      case 'ROLLEDBACK':
        if (message.incarnation === this.state.self.incarnation) this.rolledBack();
        return;
      case 'ACKEPOCH':
      case 'ASKSNAP':
      case 'ACKNEWLEADER':
      case 'ACK':
      case 'PONG':
        if (learner.voice === undefined || message.epoch !== this.epoch || !learner.knowsEpoch)
          return this.drop(learner, `${message.type} out of place`);
        break;
      default:
        return this.drop(learner, `${message.type} from a learner`);
    }
    switch (message.type) {
      case 'ACKEPOCH':
        this.ackEpoch(learner, message);
        return this.synchroniseIfDue(learner);
      case 'ASKSNAP':
        learner.wantsSnapshot = true;
        return this.synchroniseIfDue(learner);
      case 'ACKNEWLEADER':
        return this.ackNewLeader(learner, message);
      case 'ACK':
        return this.ack(learner, message);
      case 'PONG':
        if (message.incarnation === learner.voice.incarnation) learner.round = Math.max(learner.round, message.round);
        return this.answerSyncs();
    }
  }

  /** A snapshot that we send comes further. */
  progress(link: number): void {
    const learner = this.learners.get(link);
    if (learner === undefined) return;
    learner.silent = 0;
    this.hear(learner);
    this.comesFurther(learner);
  }
  /**
   * A learner that has not everything got more of it. Before the epoch is established only what comes to nothing takes time from
   * the term: a voter that must be given a snapshot needs what the network and its disk need, and each new term would begin it
   * from the start (foundations.md 8). Something comes of it only where those that have everything, those that lately got further
   * than ever in this term, and those that wait for our own snapshot are a quorum with us. Where they are not, others may be one,
   * and need the votes that we hold. So each step of a voter gives time once, and nobody is kept from a quorum for the sake of one
   * that we cannot have.
   */
  private comesFurther(learner: Learner): void {
    const { state, headway } = this;
    const { voice, sid } = learner;
    if (this.phase !== 'synchronization' || voice === undefined || !isOnItsWay(learner)) return;
    if (!canLead(state.configs, voice) || !headway.further(sid, ++learner.steps, learner.from)) return;
    const comes = (each: Learner): boolean =>
      isHeldUp(each) || (isOnItsWay(each) && headway.isMade(each.sid, state.limits.init));
    const coming = [...this.learners.values()].filter((each) => each.acceptedEpoch <= this.epoch && comes(each));
    if (this.isQuorum([...this.holders(), ...coming].flatMap((each) => each.voice ?? []))) this.age = 0;
  }

  protected establish(): void {
    const { state } = this;
    const { last } = state.history;
    this.leader = new Leader(this.epoch, this.lastCounter);
    state.out.push({ type: 'established', epoch: this.epoch });
    const { lastConfig } = state.history;
    const isNews = state.history.configsAt(state.history.committed).next !== undefined;
    state.history.commit(positionOf(last));
    state.apply();
    this.founding = state.unfounded;
    if (lastConfig !== undefined) this.membership.committed(lastConfig.at, isNews);
    // with a record that leaves this leader out, of the term before, whether it was known to be committed when this term began, came
    // to be on the way, from a learner in discovery, or is only now: who leads without a vote leads those who have one for nothing
    if (!state.votes && !this.founding) this.departure.remove();
    const [config] = state.configs;
    if (this.founding && config !== undefined) state.out.push({ type: 'proposeFound', config });
    else this.serve();
    for (const learner of this.learners.values()) {
      if (learner.upTo !== undefined) this.welcome(learner);
      else this.synchroniseIfDue(learner);
    }
  }
  private ackNewLeader(learner: Learner, { incarnation, upTo }: Of<'ACKNEWLEADER'>): void {
    if (incarnation !== learner.voice?.incarnation || learner.sent === undefined || isBefore(learner.sent, upTo))
      return this.drop(learner, 'acknowledged what it was not sent');
    this.holds(learner, upTo);
    if (this.phase !== 'broadcast') return this.maybeEstablish();
    this.welcome(learner);
    this.advance();
  }
  /** The log says who counts, and that is committed: requests may come, and it is to know who runs. */
  private serve(): void {
    const { state } = this;
    this.founding = false;
    state.out.push({ type: 'serve' });
    this.proposeSeen(state.self, state.tags[state.tags.length - 1] ?? '');
    this.noteVoters();
  }
  /** Who counts may have changed. */
  private noteVoters(): void {
    for (const learner of this.learners.values()) if (learner.upToDate) this.noteStart(learner);
    this.consider();
  }
  private consider(): void {
    this.state.watchConfig(); // what was just committed may be what our lines want
    if (this.takesChanges) this.rise(this.membership.consider(this.epoch));
  }
  private get takesChanges(): boolean {
    return this.phase === 'broadcast' && !this.founding && this.over === undefined && !this.departure.isRemoved;
  }
  private rise(above: Learner | undefined): void {
    if (above !== undefined) this.riseAbove(above);
  }
  /** Every change of members so far is done, and a quorum knows it (foundations.md 13.7). */
  get isSettled(): boolean {
    return this.phase === 'broadcast' && this.membership.isSettled;
  }
  /** Who has everything, this leader too. */
  get synced(): readonly Voice[] {
    return [...this.membership.voices(), this.state.self];
  }
  /** See {@link Peer.audience}. */
  get audience(): Audience {
    const { state, learners, probes } = this;
    const listed = state.configs.flatMap(({ members }) => members.filter(({ role }) => role === 'participant'));
    const count = { learners: learners.size, followers: 0, nonVoting: 0, observers: 0, pendingSyncs: probes.pending };
    const each: Audience['each'][number][] = [];
    for (const learner of learners.values()) {
      const { link, sid, sent, upToDate } = learner;
      const votes = hasVote(state, learner);
      const isObserver = !votes && !listed.some((member) => member.sid === sid);
      each.push({ link, sid, sent, isObserver, behind: votes && upToDate ? this.behind(learner) : undefined });
      if (!upToDate) continue;
      if (isObserver) count.observers++;
      else if (votes) count.followers++;
      else count.nonVoting++;
    }
    return { ...count, each, slack: slackOf(state.configs, this.synced) };
  }
  private behind({ upTo }: Learner): number | undefined {
    const { last } = this.state.history;
    if (upTo === undefined || isSame(upTo, last)) return upTo && 0;
    return upTo.epoch === last.epoch ? last.counter - upTo.counter : last.counter;
  }
  /** See {@link Peer.canReconfigure}. */
  canReconfigure(config: Config): Refusal | undefined {
    return this.takesChanges ? this.membership.refusal(config) : 'in-progress';
  }
  reconfigure(config: Config): void {
    if (this.takesChanges) this.rise(this.membership.reconfigure(config, this.epoch));
    else this.state.out.push({ type: 'reconfigRefused', refusal: 'in-progress' });
  }
  private noteStart(learner: Learner): void {
    if (!this.founding && hasVote(this.state, learner)) this.proposeSeen(learner.voice as Voice, learner.tag);
  }
  private welcome(learner: Learner): void {
    if (learner.upToDate) return;
    learner.upToDate = true;
    const { committed, last } = this.state.history;
    learner.toldAt = positionOf(last);
    this.state.send(learner.link, { type: 'UPTODATE', epoch: this.epoch, committed });
    this.noteStart(learner);
    this.consider();
  }
  /** The log is to know under which tag a voter runs, so that an old copy of its directory is told apart (13.9). */
  private proposeSeen({ sid, incarnation }: Voice, tag: string): void {
    if (this.proposedTags.has(tag) || this.state.history.hasSeen(tag)) return;
    this.proposedTags.add(tag);
    this.state.out.push({ type: 'proposeSeen', sid, incarnation, tag });
  }

  /** Our server numbered these and wrote them to our log; one packet a learner. */
  proposed(entries: readonly Entry[]): void {
    const { state, leader } = this;
    assert(leader !== undefined, 'proposed before the epoch was established');
    for (const entry of entries) {
      assert(entry.epoch === this.epoch && entry.counter <= leader.lastProposed, 'proposed what was not numbered');
      if (entry.note?.type === 'config')
        assert(state.history.configsAt(state.history.committed).next === undefined, 'two config records under way');
      state.history.append(entry);
      this.membership.proposed(entry);
    }
    for (const learner of this.learners.values()) {
      if (!hasVote(state, learner)) continue;
      this.counts(learner);
      forward(state, learner, this.epoch, state.history.last);
      // one that becomes a voter may have promised a higher epoch: the record goes on in a term above it (13.11)
      if (learner.acceptedEpoch > this.epoch) this.riseAbove(learner);
    }
  }

  private ack(learner: Learner, { incarnation, upTo }: Of<'ACK'>): void {
    if (incarnation !== learner.voice?.incarnation) return;
    if (learner.upTo === undefined) return this.comesFurther(learner);
    if (learner.sent === undefined || isBefore(learner.sent, upTo))
      return this.drop(learner, 'acknowledged what it was not sent');
    if (!isBefore(learner.upTo, upTo)) return;
    this.holds(learner, upTo);
    learner.behind = 0;
    if (isBefore(this.state.history.committed, upTo)) this.advance();
    this.membership.maybeDone();
    this.maybeLeave();
  }
  /** Our own log is one vote like any other. */
  persisted(): void {
    this.overtaken = 0;
    this.departure.stay();
    if (this.phase === 'synchronization') return this.maybeEstablish();
    this.advance();
    this.state.apply();
    this.membership.maybeDone();
    this.answerSyncs();
  }

  /** Commits what is held by enough, and tells everybody. */
  private advance(): void {
    const { leader, state } = this;
    if (leader === undefined) return;
    const { history, self } = state;
    const before = history.committed;
    const configs = commitHeld(history, [...this.holders(), { voice: self, upTo: history.durable }]);
    const { committed } = history;
    if (isSame(before, committed)) return;
    leader.lastCommitted = committed.counter;
    for (const learner of this.learners.values()) {
      if (learner.sent === undefined) continue;
      if (isBefore(learner.sent, committed)) forward(state, learner, this.epoch, committed, true);
      else state.send(learner.link, { type: 'COMMIT', epoch: this.epoch, upTo: committed });
    }
    state.apply();
    for (const config of configs) this.newConfig(config);
    this.answerSyncs();
    this.maybeLeave();
  }

  /** A config is committed, and this leader may not be a voter any more. */
  private newConfig(at: Position): void {
    const { state, membership } = this;
    membership.committed(at, true);
    if (this.founding) return this.serve();
    state.out.push({ type: 'proposeNoop' });
    if (!state.votes) this.departure.remove(); // when that is done: the no-op tells everybody that it is committed
    this.noteVoters();
  }
  sync(id: number): void {
    if (this.leader === undefined) return;
    if (this.probes.ask(id, this.state.history.last)) this.ping();
    this.answerSyncs();
  }
  private answerSyncs(): void {
    const { probes } = this;
    if (probes.isOut) {
      const answered = [...this.learners.values()].filter(
        (each) => each.upTo !== undefined && each.round >= probes.round,
      );
      if (this.isQuorum(answered.map(({ voice }) => voice as Voice)) && probes.isAnswered()) this.ping();
    }
    for (const id of probes.done(this.state.applied)) this.state.out.push({ type: 'synced', id });
  }

  private ping(): void {
    this.untilPing = this.state.limits.ping;
    const { epoch, probes } = this;
    const { round } = probes;
    for (const { link, knowsEpoch } of this.learners.values())
      if (knowsEpoch) this.state.send(link, { type: 'PING', epoch, round });
  }

  tick(): void {
    const { state } = this;
    const { limits } = state;
    if (--this.untilPing <= 0) this.ping();
    for (const learner of [...this.learners.values()]) {
      const patience = learner.upToDate ? limits.sync : limits.init + limits.sync;
      if (++learner.silent > patience) this.drop(learner, 'silent for too long');
      else if (learner.upToDate && learner.upTo !== undefined) {
        if (!isBefore(learner.upTo, learner.sent ?? learner.upTo)) learner.behind = 0;
        else if (++learner.behind > limits.sync) this.drop(learner, 'acknowledges nothing');
      }
    }
    if (this.membership.needsNoop) state.out.push({ type: 'proposeNoop' });
    this.over ??= this.departure.tick();
    this.watchDisk();
    for (const heard of this.silent.values()) heard.ticks++;
    this.headway.tick();
    this.age++;
    if (this.phase !== 'broadcast') {
      if (this.age > limits.init) this.over = `no quorum in the ${this.phase} of epoch ${this.epoch}`;
    } else if (!this.hears()) this.over = 'out of hearing of a quorum';
  }
  /**
   * A log of our own that stands still holds up what is applied here, so every sync and all our own clients, for as long as we
   * lead. Where the others have committed what it does not hold, and are still enough to, they need it for nothing, and are left
   * to each other. Where they are not, they can commit nothing without us either: a quorum of one, voters that are needed, and all
   * whose disks stand still alike gain nothing from another term. One report of the disk, however late, is progress; and where all
   * disks stood still for a while ours may be the last to be back.
   */
  private watchDisk(): void {
    const { limits, history, configs } = this.state;
    if (this.phase !== 'broadcast' || !isBefore(history.durable, history.committed)) this.overtaken = 0;
    else if (++this.overtaken > limits.sync) {
      const others = this.holders().map(({ voice }) => voice);
      if (!isQuorumOfAll(configs, others)) return this.departure.stay();
      this.departure.diskStands();
      this.maybeLeave();
    }
  }
  /**
   * A quorum was heard within its limit. Who has hung up looks for a leader and is back at once where it finds this one: a
   * leader that slept is not to keep its clients for long when they have found another. A voter is heard as what it speaks as,
   * and not as what it was before it lost its directory, though a record that waits may list both (foundations.md 13.8).
   */
  private hears(): boolean {
    const { limits } = this.state;
    const linked = new Set([...this.learners.values()].map(({ sid }) => sid));
    const near: Voice[] = [];
    for (const [sid, { incarnation, ticks }] of this.silent)
      if (ticks <= (linked.has(sid) ? limits.sync : limits.ask)) near.push({ sid, incarnation });
    return this.isQuorum(near);
  }

  /** Hand over as soon as a voter holds everything and all of it is committed. */
  handOver(): void {
    this.departure.ask();
    this.maybeLeave();
  }
  diskFailed(): void {
    this.departure.diskFailed();
    if (this.phase === 'broadcast') this.maybeLeave();
    else this.over ??= DISK_FAILED;
  }
  private maybeLeave(): void {
    if (this.over === undefined && this.phase === 'broadcast')
      this.over = this.departure.attempt(this.epoch, this.membership.isDone);
  }
  get hasLeft(): boolean {
    return this.over === 'handed over';
  }
}
