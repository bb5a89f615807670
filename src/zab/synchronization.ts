import type { Holder } from './commits.ts';
import { Discovery } from './discovery.ts';
import { hasVote, type Learner, synchronise } from './learners.ts';
import type { Voice } from './quorum.ts';
import { isBefore, type Position } from './types.ts';

/** The second part of a term as leader: learners take over its history, until a quorum has it and the epoch is established. */
export abstract class Synchronization extends Discovery {
  /** A quorum holds our history and is in our epoch. */
  protected abstract establish(): void;

  /** What {@link State.store} asked for is durable: our promise first, our taking over of the epoch second. */
  stored(): void {
    if (this.phase === 'discovery') {
      for (const learner of this.learners.values()) this.sendEpoch(learner);
      return this.maybeTakeOver();
    }
    for (const learner of this.learners.values()) this.synchroniseIfDue(learner);
    this.maybeEstablish();
  }

  protected synchroniseIfDue(learner: Learner): void {
    const { state } = this;
    if (this.phase === 'discovery' || state.currentEpoch < this.epoch || learner.ends === undefined) return;
    // those that do not count are synchronised when the history is certain (foundations.md 13.2)
    if (this.phase !== 'broadcast' && !hasVote(state, learner)) return;
    if (learner.sent === undefined || learner.wantsSnapshot) synchronise(state, learner, this.epoch);
  }
  snapshotTaken(): void {
    for (const learner of this.learners.values()) if (learner.wantsSnapshot) this.synchroniseIfDue(learner);
  }

  protected holds(learner: Learner, upTo: Position): void {
    learner.upTo = upTo;
    this.state.witness.acked(learner.voice as Voice, this.epoch, upTo);
  }
  protected maybeEstablish(): void {
    const { state } = this;
    if (this.phase !== 'synchronization' || state.currentEpoch < this.epoch || state.storing !== undefined) return;
    const { last } = state.history;
    // our own acknowledgement too needs our log on disk to its end (foundations.md 13.3)
    if (!state.history.isDurable) return;
    if (!this.isQuorum(this.holders().flatMap(({ voice, upTo }) => (isBefore(upTo, last) ? [] : [voice])))) return;
    this.phase = 'broadcast';
    this.establish();
  }
  /** Voters that acknowledged NEWLEADER on their present link, and up to where they hold the history. */
  protected holders(): Holder[] {
    const out: Holder[] = [];
    // one that promised a higher epoch may follow, but its word would break that promise
    for (const { voice, upTo, acceptedEpoch } of this.learners.values())
      if (voice !== undefined && upTo !== undefined && acceptedEpoch <= this.epoch) out.push({ voice, upTo });
    return out;
  }
}
