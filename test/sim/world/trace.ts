import { hash64, lanes } from '../../../src/base/hash.ts';

const KEEP = 4000;

/** What happened, as one number that two runs of a seed must agree on, and the latest of it in words. */
export class Trace {
  private hi = 0;
  private lo = 0;
  private readonly word = new Float64Array(4);
  private readonly bytes = new Uint8Array(this.word.buffer);
  private readonly lines: string[] = [];
  /** Every line as it comes, for a person who watches a replay. */
  onLine: ((line: string) => void) | undefined;
  events = 0;
  /** How often these words were said. */
  private readonly counts = new Map<string, number>();

  /** An event of the scheduler: when, of which kind, whose, and how large. */
  event(at: number, kind: number, who: number, size: number): void {
    this.events++;
    this.word[0] = at;
    this.word[1] = kind;
    this.word[2] = who;
    this.word[3] = size;
    hash64(this.bytes, 0, 32, this.hi, this.lo);
    this.hi = lanes[0] as number;
    this.lo = lanes[1] as number;
  }
  /** Something worth a line. */
  say(at: number, text: string): void {
    const line = `${at.toFixed(2).padStart(12)} ${text}`;
    const bytes = Buffer.from(line);
    hash64(bytes, 0, bytes.length, this.hi, this.lo);
    this.hi = lanes[0] as number;
    this.lo = lanes[1] as number;
    for (const [words, count] of this.counts) if (text.includes(words)) this.counts.set(words, count + 1);
    if (this.lines.length === KEEP * 2) this.lines.splice(0, KEEP);
    this.lines.push(line);
    this.onLine?.(line);
  }
  /** From now on it is counted how often lines have these words in them. */
  count(...words: readonly string[]): void {
    for (const each of words) this.counts.set(each, 0);
  }
  said(words: string): number {
    return this.counts.get(words) ?? 0;
  }
  get hash(): string {
    return (this.hi >>> 0).toString(16).padStart(8, '0') + (this.lo >>> 0).toString(16).padStart(8, '0');
  }
  latest(count: number): readonly string[] {
    return this.lines.slice(-count);
  }
}
