import { assert } from '../base/assert.ts';

/** Counters beyond this end the epoch, long before 32 bits would wrap (ZOOKEEPER-1277). */
export const LAST_COUNTER = 0xffff_ff00;

/**
 * A leader that broadcasts in an epoch of its own. Counters, not zxids: within an epoch they are the order. Its own log is
 * one vote like any other; a quorum of one needs no other.
 */
export class Leader {
  readonly epoch: number;
  /** Counter of the newest proposal, 0 when there is none in this epoch. */
  lastProposed = 0;
  /** Counter up to which a quorum holds everything on disk. */
  lastCommitted = 0;
  private readonly lastCounter: number;
  constructor(epoch: number, lastCounter = LAST_COUNTER) {
    this.epoch = epoch;
    this.lastCounter = lastCounter;
  }
  /** True when no further proposal fits this epoch. */
  get exhausted(): boolean {
    return this.lastProposed >= this.lastCounter;
  }
  /** Numbers the next proposal. The caller checks {@link exhausted} first. */
  propose(): number {
    assert(!this.exhausted, 'proposed beyond the end of an epoch');
    return ++this.lastProposed;
  }
  /** Our log holds everything up to `counter`; returns true when that commits something. */
  persisted(counter: number): boolean {
    assert(counter <= this.lastProposed, 'our log wrote what was never proposed');
    if (counter <= this.lastCommitted) return false;
    this.lastCommitted = counter;
    return true;
  }
}
