import { DISK_FAILED } from './discovery.ts';
import { hasVote, type Learner } from './learners.ts';
import { canLead, type Voice } from './quorum.ts';
import type { State } from './state.ts';
import { isSame, type Vote } from './types.ts';

/** Why a leader went whose log stood still. */
export const DISK_STANDS = 'the disk stands still';

/** Why and when a leader goes by itself: it is asked to stop, it is no voter any more, or its disk fails or stands still. */
export class Departure {
  private readonly state: State;
  private readonly learners: ReadonlyMap<number, Learner>;
  private isAsked = false;
  isRemoved = false;
  private isFailing = false;
  /** Our log stands still: who comes next leads while we wait for our disk, and may lead again when it is back. */
  private isStuck = false;
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
    this.isFailing = true;
    this.patience ??= this.state.limits.silence;
    this.state.out.push({ type: 'drain' });
    this.ask();
  }
  /**
   * Our own log does nothing and says nothing, and the others commit without it: they are to be led by one of them. Nothing
   * failed that this life could not go on from.
   */
  diskStands(): void {
    if (this.patience !== undefined) return;
    this.isStuck = true;
    this.patience = this.state.limits.silence;
    this.state.out.push({ type: 'drain' });
  }
  /**
   * Our log got further before anybody took over, or the others are not enough any more without us: nothing is gained by going,
   * and what was held back meanwhile need not wait for another term. Whoever goes for another reason as well goes.
   */
  stay(): void {
    if (!this.isStuck) return;
    this.isStuck = false;
    if (this.isFailing) return;
    this.patience = undefined;
    if (!this.isAsked && !this.isRemoved) this.state.out.push({ type: 'undrain' });
  }
  /** Why the term is over when a disk that fails, or stands still, has been waited with for long enough. */
  tick(): typeof DISK_FAILED | typeof DISK_STANDS | undefined {
    if (this.patience === undefined || --this.patience > 0) return undefined;
    return this.isFailing ? DISK_FAILED : DISK_STANDS;
  }

  /** Hands over as soon as a voter holds everything and all of it is committed; returns why the term is over then. */
  attempt(epoch: number, isDone: boolean): 'handed over' | 'no longer a voter' | typeof DISK_STANDS | undefined {
    const { state, learners } = this;
    const { committed, last } = state.history;
    if (!(this.isAsked || this.isStuck || (this.isRemoved && isDone)) || !isSame(committed, last)) return undefined;
    for (const { sid, voice, upTo } of [...learners.values()].filter(
      (each) => hasVote(state, each) && canLead(state.configs, each.voice as Voice),
    )) {
      if (upTo === undefined || !isSame(upTo, last)) continue;
      const vote: Vote = { ...(voice as Voice), epoch, last: { epoch: last.epoch, counter: last.counter } };
      for (const { link, knowsEpoch } of learners.values())
        if (knowsEpoch) state.send(link, { type: 'HANDOVER', epoch, vote });
      if (!this.isAsked) return this.isStuck ? DISK_STANDS : 'no longer a voter';
      state.out.push({ type: 'handedOver', to: sid });
      return 'handed over';
    }
    return undefined;
  }
}
