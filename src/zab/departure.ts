import { hasVote, type Learner } from './learners.ts';
import { canLead, type Voice } from './quorum.ts';
import type { State } from './state.ts';
import { isSame, type Vote } from './types.ts';

/** Why and when a leader goes by itself: it is asked to stop, it is no voter any more, or its disk fails. */
export class Departure {
  private readonly state: State;
  private readonly learners: ReadonlyMap<number, Learner>;
  private isAsked = false;
  isRemoved = false;
  /** Ticks that a leader whose disk fails still waits for a successor. */
  private patience: number | undefined;

  constructor(state: State, learners: ReadonlyMap<number, Learner>) {
    this.state = state;
    this.learners = learners;
  }
  /** Hand over and stop. */
  ask(): void {
    this.isAsked = true;
  }
  /** A config without this leader is committed: hand over once that is done, and go on as a learner. */
  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.state.out.push({ type: 'drain' });
  }
  /** Our own log goes no further: others commit what is open and one of them takes over, or we go without that. */
  diskFailed(): void {
    this.patience ??= this.state.limits.silence;
    this.state.out.push({ type: 'drain' });
    this.ask();
  }
  /** True when a failing disk has been waited with for long enough. */
  tick(): boolean {
    return this.patience !== undefined && --this.patience <= 0;
  }

  /** Hands over as soon as a voter holds everything and all of it is committed; returns why the term is over then. */
  attempt(epoch: number, isDone: boolean): 'handed over' | 'no longer a voter' | undefined {
    const { state, learners } = this;
    const { committed, last } = state.history;
    if (!(this.isAsked || (this.isRemoved && isDone)) || !isSame(committed, last)) return undefined;
    for (const { sid, voice, upTo } of [...learners.values()].filter(
      (each) => hasVote(state, each) && canLead(state.configs, each.voice as Voice),
    )) {
      if (upTo === undefined || !isSame(upTo, last)) continue;
      const vote: Vote = { ...(voice as Voice), epoch, last: { epoch: last.epoch, counter: last.counter } };
      for (const { link, knowsEpoch } of learners.values())
        if (knowsEpoch) state.send(link, { type: 'HANDOVER', epoch, vote });
      if (!this.isAsked) return 'no longer a voter';
      state.out.push({ type: 'handedOver', to: sid });
      return 'handed over';
    }
    return undefined;
  }
}
