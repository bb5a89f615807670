/** The least of the numbers that came lately: in the last one to two windows. */
export class LeastLately {
  private readonly windowMs: number;
  private began = Number.NEGATIVE_INFINITY;
  private now = Number.POSITIVE_INFINITY;
  private before = Number.POSITIVE_INFINITY;
  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }
  /** `at`: ms of a clock that does not go back. */
  add(value: number, at: number): void {
    this.turn(at);
    if (value < this.now) this.now = value;
  }
  /** Undefined when none came. */
  least(at: number): number | undefined {
    this.turn(at);
    const least = Math.min(this.now, this.before);
    return least === Number.POSITIVE_INFINITY ? undefined : least;
  }
  private turn(at: number): void {
    if (at < this.began + this.windowMs) return;
    this.before = at < this.began + 2 * this.windowMs ? this.now : Number.POSITIVE_INFINITY;
    this.now = Number.POSITIVE_INFINITY;
    this.began = at;
  }
}
