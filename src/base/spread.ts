/** Up to here each number has a place of its own; above, eight share the way to the double. */
const EXACT = 1024;
const STEPS = 8;
const PLACES = EXACT + STEPS * 43;

/** How whole numbers from 0 on are spread: times in ms, mostly. To add one costs a few steps, whatever was added before. */
export class Spread {
  sum = 0;
  /** -1 before the first. */
  min = -1;
  max = -1;
  private readonly places = new Float64Array(PLACES);

  add(value: number): void {
    const whole = value > 0 ? Math.round(value) : 0;
    const place = whole < EXACT ? whole : placeOf(whole);
    this.places[place] = (this.places[place] as number) + 1;
    this.sum += whole;
    if (whole > this.max) this.max = whole;
    if (whole < this.min || this.min < 0) this.min = whole;
  }
  get count(): number {
    return this.places.reduce((total, each) => total + each, 0);
  }
  get mean(): number {
    const { count } = this;
    return count === 0 ? 0 : this.sum / count;
  }
  /** The number that `share` (0 to 1) of them are not above; 0 without any. Above 1023 up to a tenth too much. */
  quantile(share: number): number {
    const { count } = this;
    if (count === 0) return 0;
    let left = Math.max(1, Math.ceil(count * share));
    for (let at = 0; at < PLACES; at++) {
      left -= this.places[at] as number;
      if (left <= 0) return Math.min(this.max, at < EXACT ? at : Math.ceil(EXACT * 2 ** ((at - EXACT + 1) / STEPS)));
    }
    return this.max;
  }
}
const placeOf = (value: number): number => Math.min(PLACES - 1, EXACT + Math.floor(Math.log2(value / EXACT) * STEPS));
