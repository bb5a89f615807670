/** Requests of one client before the others are looked at. */
export const SHARE = 32;
/** Requests that are not timed while none of a share takes long: fewer than these take a few ms at most. */
const FREE = 256;
/** A share that took so long counts from its beginning, ms. */
const LONG_MS = 2;
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
  /** When the share began that is being done. */
  private shareAt = 0;
  private readonly onUsed: () => void;
  private readonly now: () => number;
  /** `onUsed` is called when a turn turns out to be a long one; {@link restart} belongs into the next. `now`: ms. */
  constructor(onUsed: () => void, now: () => number) {
    this.onUsed = onUsed;
    this.now = now;
  }
  /** Requests that the next client may do. */
  share(): number {
    const now = this.now();
    this.shareAt = now;
    if (this.began === undefined && this.spent >= FREE) this.begin(now);
    if (this.began === undefined) return SHARE;
    const took = now - this.began;
    return took < ONE_EACH_MS ? SHARE : took < NONE_MS ? 1 : 0;
  }
  private begin(at: number): void {
    this.began = at;
    this.onUsed();
  }
  /** The share that is being done has taken all there is: its requests are long ones. */
  get isUsed(): boolean {
    return this.now() - (this.began ?? this.shareAt) >= NONE_MS;
  }
  spend(requests: number): void {
    this.spent += requests;
    if (this.began === undefined && this.now() - this.shareAt >= LONG_MS) this.begin(this.shareAt);
  }
  restart(): void {
    this.spent = 0;
    this.began = undefined;
  }
}
