/** Requests of one client before the others are looked at. */
export const SHARE = 32;
/** Requests that are not timed: fewer than these take a few ms at most. */
const FREE = 256;
/** ms of requests after which each further client may do one, and none. */
const ONE_EACH_MS = 6;
const NONE_MS = 12;

/**
 * How much of a turn of the loop requests may take, however many arrived in it: the others wait for the next, so that a ping,
 * a timer or the log's completion never waits for all of them.
 */
export class TurnBudget {
  private spent = 0;
  private began: number | undefined;
  private readonly onUsed: () => void;
  private readonly now: () => number;
  /** `onUsed` is called when a turn turns out to be a long one; {@link restart} belongs into the next. `now`: ms. */
  constructor(onUsed: () => void, now: () => number) {
    this.onUsed = onUsed;
    this.now = now;
  }
  /** Requests that the next client may do. */
  share(): number {
    if (this.spent < FREE) return SHARE;
    const now = this.now();
    if (this.began === undefined) {
      this.began = now;
      this.onUsed();
    }
    const took = now - this.began;
    return took < ONE_EACH_MS ? SHARE : took < NONE_MS ? 1 : 0;
  }
  spend(requests: number): void {
    this.spent += requests;
  }
  restart(): void {
    this.spent = 0;
    this.began = undefined;
  }
}
