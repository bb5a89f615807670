import { hasVote, Learner } from './learners.ts';
import { canLead, isQuorumOfAll, type Voice } from './quorum.ts';
import type { State } from './state.ts';
import type { Message, Phase } from './types.ts';
import { isMoreRecent } from './vote.ts';

/** Reasons for the end of a term after which nothing else comes in this life. */
export const ROLLED_BACK = 'rolled back';
export const DISK_FAILED = 'the disk fails';

/**
 * No member can be ahead of another by so many terms. A number made up, or read from a bad disk, must not be topped: epochs
 * have 31 bits, and nothing comes after the last.
 */
const MOST_AHEAD = 2 ** 20;
export type Of<T extends Message['type']> = Message & { readonly type: T };

/**
 * The first part of a term as leader: learners arrive, an epoch above every promise is chosen, and a quorum promises it. Until
 * then nothing is done that could not be taken back.
 */
export class Discovery {
  protected readonly state: State;
  phase: Phase = 'discovery';
  epoch = 0;
  /** Why the term must end; the member then looks again. */
  over: string | undefined;
  protected readonly learners = new Map<number, Learner>();
  /** Ticks since a voter was heard, whatever its link, by what it spoke as. */
  protected readonly silent = new Map<number, { readonly incarnation: string; ticks: number }>();

  constructor(state: State) {
    this.state = state;
  }
  begin(): void {
    this.maybeFixEpoch();
  }

  linked(link: number, sid: number): void {
    for (const other of this.learners.values()) if (other.sid === sid) this.drop(other, 'it has a new connection');
    this.learners.set(link, new Learner(link, sid));
  }
  closed(link: number): void {
    this.learners.delete(link);
  }
  protected drop(learner: Learner, reason: string): void {
    this.learners.delete(learner.link);
    this.state.hangUp(learner.link, reason);
  }
  /** Closes every link; the term is over. */
  close(): void {
    for (const learner of [...this.learners.values()]) this.drop(learner, 'no longer leading');
  }

  protected hear(learner: Learner): void {
    const { voice } = learner;
    if (voice !== undefined && hasVote(this.state, learner))
      this.silent.set(voice.sid, { incarnation: voice.incarnation, ticks: 0 });
  }
  /**
   * A record that was just proposed may give this learner its vote: it was heard before, as long ago as it was, and the term is
   * not to end for want of a word between the record and the next tick.
   */
  protected counts({ voice, silent }: Learner): void {
    if (voice !== undefined && this.silent.get(voice.sid)?.incarnation !== voice.incarnation)
      this.silent.set(voice.sid, { incarnation: voice.incarnation, ticks: silent });
  }
  protected followerInfo(learner: Learner, info: Of<'FOLLOWERINFO'>): void {
    const { state } = this;
    if (learner.voice !== undefined) return this.drop(learner, 'FOLLOWERINFO twice');
    const known = Math.max(state.acceptedEpoch, state.heardEpoch, this.epoch);
    if (info.acceptedEpoch > known + MOST_AHEAD)
      return this.drop(learner, `epoch ${info.acceptedEpoch}, which nobody can have come to`);
    const voice = { sid: learner.sid, incarnation: info.incarnation };
    if (state.isOutdatedBy(info.config)) return this.rolledBack();
    const lacksStart = state.history.provesOld(voice, info.tags, learner.startsUpTo);
    if (lacksStart || state.witness.saw(voice, info.acceptedEpoch)) return this.refuseOldCopy(learner, voice);
    state.witness.accepted(voice, info.acceptedEpoch);
    learner.voice = voice;
    learner.tag = info.tags[info.tags.length - 1] ?? '';
    learner.acceptedEpoch = info.acceptedEpoch;
    if (state.history.learnCommitted(info.config)) state.apply();
    const voter = hasVote(state, learner);
    this.hear(learner);
    if (voter || info.voter) {
      // it may never follow a lower epoch again: without a higher one it would be lost for good (foundations.md 13.11)
      if (this.epoch > 0 && info.acceptedEpoch > this.epoch) return this.riseAbove(learner);
      state.heardEpoch = Math.max(state.heardEpoch, info.acceptedEpoch);
    }
    if (this.epoch === 0) this.maybeFixEpoch();
    else this.sendEpoch(learner);
  }

  private refuseOldCopy(learner: Learner, { incarnation }: Voice): void {
    this.state.send(learner.link, { type: 'ROLLEDBACK', incarnation });
    this.drop(learner, 'its directory is an old copy');
  }
  protected rolledBack(): void {
    this.state.out.push({ type: 'rolledBack' });
    this.over = ROLLED_BACK;
  }

  /** The epoch is above every promise of a quorum, and stays what it is for this term. */
  protected maybeFixEpoch(): void {
    const { state } = this;
    if (this.epoch > 0) return;
    const known = [...this.learners.values()].filter((each) => hasVote(state, each));
    if (!this.isQuorum(known.map(({ voice }) => voice as Voice))) return;
    const promises = known.map(({ acceptedEpoch }) => acceptedEpoch);
    this.epoch = Math.max(state.acceptedEpoch, state.heardEpoch, ...promises) + 1;
    state.store(this.epoch, state.currentEpoch);
  }
  /** Others' voices and our own are a quorum of every config in force. */
  protected isQuorum(others: readonly Voice[]): boolean {
    const { configs, self } = this.state;
    return isQuorumOfAll(configs, [...others, self]);
  }
  protected sendEpoch(learner: Learner): void {
    const { state } = this;
    if (learner.voice === undefined || learner.knowsEpoch || state.acceptedEpoch < this.epoch) return;
    learner.knowsEpoch = true;
    const config = state.history.committedConfig();
    const { tags, self } = state;
    state.sendStarts(learner.link);
    state.send(learner.link, {
      type: 'LEADERINFO',
      epoch: this.epoch,
      incarnation: self.incarnation,
      tags,
      config,
    });
  }

  protected ackEpoch(learner: Learner, { currentEpoch, last, ends }: Of<'ACKEPOCH'>): void {
    const { state } = this;
    if (learner.ends !== undefined) return this.drop(learner, 'ACKEPOCH twice');
    const voice = learner.voice as Voice;
    if (state.witness.misses(voice, learner.acceptedEpoch, last)) return this.refuseOldCopy(learner, voice);
    state.witness.accepted(voice, this.epoch);
    learner.ends = ends;
    if (this.phase === 'discovery' && currentEpoch !== null && hasVote(state, learner)) {
      // what one without weight acknowledged committed nothing; and it could not lead itself
      if (canLead(state.configs, voice) && isMoreRecent({ epoch: currentEpoch, last }, state.standing)) {
        this.over = `server ${learner.sid} knows more`;
        return;
      }
      learner.promised = true;
      this.maybeTakeOver();
    }
  }
  /** A quorum has promised: our history is that of the epoch. */
  protected maybeTakeOver(): void {
    const { state } = this;
    if (this.phase !== 'discovery' || this.epoch === 0 || state.storing !== undefined) return;
    const promised = [...this.learners.values()].filter((each) => each.promised && hasVote(state, each));
    if (!this.isQuorum(promised.map(({ voice }) => voice as Voice))) return;
    this.phase = 'synchronization';
    state.store(this.epoch, this.epoch);
  }

  protected riseAbove({ sid, acceptedEpoch }: Learner): void {
    this.state.heardEpoch = Math.max(this.state.heardEpoch, acceptedEpoch);
    this.over = `server ${sid} has accepted epoch ${acceptedEpoch}`;
  }
}
