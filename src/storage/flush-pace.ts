import type { Clock } from '../ports/clock.ts';

/** How long what was appended may wait for more, so that one write and one sync do for all of it. */
export interface FlushWait {
  readonly clock: Clock;
  /** Nothing waits longer, ms. */
  readonly delayMs: number;
  /** Nor when nothing more came for so long, ms. */
  readonly idleMs: number;
  /** Nor once so many wait. */
  readonly most: number;
}

/** Says when what has gathered is written: flushDelay, maxWriteQueuePollTime and maxBatchSize of ZooKeeper. */
export class FlushPace implements Disposable {
  private readonly wait: FlushWait;
  private readonly pending: () => number;
  private readonly write: () => void;
  /** How many waited when it was last looked at. */
  private known = 0;
  private firstAt = 0;
  private lastAt = 0;
  private timer: Disposable | undefined;

  constructor(wait: FlushWait, pending: () => number, write: () => void) {
    this.wait = wait;
    this.pending = pending;
    this.write = write;
  }
  /** More may have gathered: it is written now, or at its time. */
  look(): void {
    const { clock, delayMs, idleMs, most } = this.wait;
    const pending = this.pending();
    const now = clock.monotonic();
    this[Symbol.dispose]();
    if (this.known === 0) this.firstAt = now;
    if (pending !== this.known) this.lastAt = now;
    this.known = pending;
    if (pending === 0) return;
    const left = Math.min(this.firstAt + delayMs, this.lastAt + idleMs) - now;
    if (left > 0 && pending < most) {
      this.timer = clock.after(left, () => this.look());
      return;
    }
    this.known = 0;
    this.write();
  }
  [Symbol.dispose](): void {
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
  }
}
