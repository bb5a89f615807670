import { assert } from '../base/assert.ts';
import type { Config } from '../records/txns.ts';
import { commitHeld, type Holder } from './commits.ts';
import { DISK_FAILED, Discovery, type Of } from './discovery.ts';
import { Leader } from './leader.ts';
import { forward, hasVote, type Learner, synchronise } from './learners.ts';
import { Membership } from './membership.ts';
import { Probes } from './probes.ts';
import type { Voice } from './quorum.ts';
import type { State } from './state.ts';
import {
  type Entry,
  isBefore,
  isSame,
  type Message,
  type Position,
  positionOf,
  type Refusal,
  type Vote,
} from './types.ts';

/** A term as leader: discovery, synchronisation, broadcast. `over` says why it must end; the member then looks again. */
export class Leading extends Discovery {
  /** Numbers proposals, once the epoch is established. */
  leader: Leader | undefined;
  private readonly lastCounter: number | undefined;
  private age = 0;
  private untilPing: number;
  /** The first transaction, which says who counts, is not committed yet. */
  private founding = false;
  private readonly proposedTags = new Set<string>();
  private readonly probes = new Probes();
  private readonly membership: Membership;
  /** Asked to hand over and stop; no voter any more, so handing over without stopping; how long the disk's failure waits. */
  private leaving = false;
  private removed = false;
  private failing: number | undefined;

  constructor(state: State, lastCounter: number | undefined) {
    super(state);
    this.lastCounter = lastCounter;
    this.untilPing = state.limits.ping;
    this.membership = new Membership(state, this.learners);
  }

  received(link: number, message: Message): void {
    const learner = this.learners.get(link);
    if (learner === undefined) return; // of a link that we have given up
    learner.silent = 0;
    this.hear(learner);
    switch (message.type) {
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

  /** What {@link State.store} asked for is durable: our promise first, our taking over of the epoch second. */
  stored(): void {
    if (this.phase === 'discovery') {
      for (const learner of this.learners.values()) this.sendEpoch(learner);
      return this.maybeTakeOver();
    }
    for (const learner of this.learners.values()) this.synchroniseIfDue(learner);
    this.maybeEstablish();
  }

  private synchroniseIfDue(learner: Learner): void {
    const { state } = this;
    if (this.phase === 'discovery' || state.currentEpoch < this.epoch || learner.ends === undefined) return;
    // those that do not count are synchronised when the history is certain (foundations.md 13.2)
    if (this.phase !== 'broadcast' && !hasVote(state, learner)) return;
    if (learner.sent === undefined || learner.wantsSnapshot) synchronise(state, learner, this.epoch);
  }
  snapshotTaken(): void {
    for (const learner of this.learners.values()) if (learner.wantsSnapshot) this.synchroniseIfDue(learner);
  }

  private ackNewLeader(learner: Learner, { incarnation, upTo }: Of<'ACKNEWLEADER'>): void {
    if (incarnation !== learner.voice?.incarnation || learner.sent === undefined || isBefore(learner.sent, upTo))
      return this.drop(learner, 'acknowledged what it was not sent');
    this.holds(learner, upTo);
    if (this.phase !== 'broadcast') return this.maybeEstablish();
    this.welcome(learner);
    this.advance();
  }
  private holds(learner: Learner, upTo: Position): void {
    learner.upTo = upTo;
    this.state.witness.acked(learner.voice as Voice, this.epoch, upTo);
  }
  private maybeEstablish(): void {
    const { state } = this;
    if (this.phase !== 'synchronization' || state.currentEpoch < this.epoch || state.storing !== undefined) return;
    const { last } = state.history;
    // our own acknowledgement too needs our log on disk to its end (foundations.md 13.3)
    if (!state.history.isDurable) return;
    if (!this.isQuorum(this.holders().flatMap(({ voice, upTo }) => (isBefore(upTo, last) ? [] : [voice])))) return;
    this.phase = 'broadcast';
    this.leader = new Leader(this.epoch, this.lastCounter);
    state.out.push({ type: 'established', epoch: this.epoch });
    const { lastConfig } = state.history;
    const isNews = state.history.configsAt(state.history.committed).next !== undefined;
    state.history.commit(positionOf(last));
    state.apply();
    this.founding = state.unfounded;
    if (lastConfig !== undefined) this.membership.committed(lastConfig.at, isNews);
    const [config] = state.configs;
    if (this.founding && config !== undefined) state.out.push({ type: 'proposeFound', config });
    else this.serve();
    for (const learner of this.learners.values()) {
      if (learner.upTo !== undefined) this.welcome(learner);
      else this.synchroniseIfDue(learner);
    }
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
    if (this.phase !== 'broadcast' || this.founding || this.over !== undefined) return;
    this.rise(this.membership.consider(this.epoch));
  }
  private rise(above: Learner | undefined): void {
    if (above !== undefined) this.riseAbove(above);
  }
  /** See {@link Peer.canReconfigure}. */
  /** Who has everything, this leader too. */
  get synced(): readonly Voice[] {
    return [...this.membership.voices(), this.state.self];
  }
  canReconfigure(config: Config): Refusal | undefined {
    return this.phase === 'broadcast' && !this.founding ? this.membership.refusal(config) : 'in-progress';
  }
  reconfigure(config: Config): void {
    assert(this.phase === 'broadcast' && !this.founding, 'a reconfiguration before the leader serves');
    this.rise(this.membership.reconfigure(config, this.epoch));
  }
  private noteStart(learner: Learner): void {
    if (!this.founding && hasVote(this.state, learner)) this.proposeSeen(learner.voice as Voice, learner.tag);
  }
  /** Voters that acknowledged NEWLEADER on their present link, and up to where they hold the history. */
  private holders(): Holder[] {
    const out: Holder[] = [];
    // one that promised a higher epoch may follow, but its word would break that promise
    for (const { voice, upTo, acceptedEpoch } of this.learners.values())
      if (voice !== undefined && upTo !== undefined && acceptedEpoch <= this.epoch) out.push({ voice, upTo });
    return out;
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
      forward(state, learner, this.epoch, state.history.last);
      // one that becomes a voter may have promised a higher epoch: the record goes on in a term above it (13.11)
      if (learner.acceptedEpoch > this.epoch) this.riseAbove(learner);
    }
  }

  private ack(learner: Learner, { incarnation, upTo }: Of<'ACK'>): void {
    if (learner.upTo === undefined || incarnation !== learner.voice?.incarnation) return;
    if (learner.sent === undefined || isBefore(learner.sent, upTo))
      return this.drop(learner, 'acknowledged what it was not sent');
    if (!isBefore(learner.upTo, upTo)) return;
    this.holds(learner, upTo);
    learner.behind = 0;
    this.advance();
    this.membership.maybeDone();
    this.maybeLeave();
  }
  /** Our own log is one vote like any other. */
  persisted(): void {
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
    if (!state.votes && !this.removed) {
      this.removed = true; // it goes when that is done: the no-op tells everybody that the config is committed
      state.out.push({ type: 'drain' });
    }
    this.noteVoters();
  }
  sync(id: number): void {
    if (this.leader === undefined) return;
    this.probes.ask(id, this.state.history.last);
    this.ping();
    this.answerSyncs();
  }
  private answerSyncs(): void {
    const isAnswered = (round: number): boolean => {
      const answered = [...this.learners.values()].filter((each) => each.upTo !== undefined && each.round >= round);
      return this.isQuorum(answered.map(({ voice }) => voice as Voice));
    };
    for (const id of this.probes.done(this.state.applied, isAnswered)) this.state.out.push({ type: 'synced', id });
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
      else if (learner.upToDate && hasVote(state, learner) && learner.upTo !== undefined) {
        if (!isBefore(learner.upTo, learner.sent ?? learner.upTo)) learner.behind = 0;
        else if (++learner.behind > limits.sync) this.drop(learner, 'acknowledges nothing');
      }
    }
    if (this.membership.needsNoop) state.out.push({ type: 'proposeNoop' });
    if (this.failing !== undefined && --this.failing <= 0) this.over ??= DISK_FAILED;
    for (const [sid, ticks] of this.silent) this.silent.set(sid, ticks + 1);
    this.age++;
    if (this.phase !== 'broadcast') {
      if (this.age > limits.init) this.over = `no quorum in the ${this.phase} of epoch ${this.epoch}`;
    } else if (!this.hears()) this.over = 'out of hearing of a quorum';
  }
  /** A quorum was heard within its limit; a learner that reconnects in time costs nothing. */
  private hears(): boolean {
    const { configs, limits } = this.state;
    const near = (sid: number): boolean => (this.silent.get(sid) ?? Number.POSITIVE_INFINITY) <= limits.sync;
    const members = configs.flatMap((config) => config.members);
    return this.isQuorum(
      members.flatMap(({ sid, incarnation }) => (incarnation !== null && near(sid) ? [{ sid, incarnation }] : [])),
    );
  }

  /** Hand over as soon as a voter holds everything and all of it is committed. */
  handOver(): void {
    this.leaving = true;
    this.maybeLeave();
  }
  /** Our own log goes no further: others commit what is open, one of them takes over, or we go without that. */
  diskFailed(): void {
    if (this.phase !== 'broadcast') {
      this.over ??= DISK_FAILED;
      return;
    }
    this.failing ??= this.state.limits.silence;
    this.state.out.push({ type: 'drain' });
    this.handOver();
  }
  private maybeLeave(): void {
    const { state } = this;
    const { history } = state;
    if (
      !(this.leaving || (this.removed && this.membership.isDone)) ||
      this.over !== undefined ||
      this.phase !== 'broadcast'
    )
      return;
    if (!isSame(history.committed, history.last)) return;
    for (const learner of this.learners.values()) {
      if (learner.upTo === undefined || !isSame(learner.upTo, history.last) || !hasVote(state, learner)) continue;
      const { epoch, counter } = history.last;
      const vote: Vote = { ...(learner.voice as Voice), epoch: this.epoch, last: { epoch, counter } };
      for (const { link, knowsEpoch } of this.learners.values())
        if (knowsEpoch) state.send(link, { type: 'HANDOVER', epoch: this.epoch, vote });
      if (this.leaving) state.out.push({ type: 'handedOver', to: learner.sid });
      this.over = this.leaving ? 'handed over' : 'no longer a voter';
      return;
    }
  }
  get hasLeft(): boolean {
    return this.over === 'handed over';
  }
}
