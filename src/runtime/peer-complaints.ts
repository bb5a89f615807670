import type { Clock } from '../ports/clock.ts';

/** Remembered at once; the oldest is forgotten. */
const MOST = 64;
/** The same sentence is told again after this long. */
const REPEAT_MS = 60_000;
/** Told within that time at most, whoever may be knocking. */
const MOST_TOLD = 60;
const MOST_CHARACTERS = 1000;

/** What others wrote, fit for a log: one line, nothing that moves a cursor. */
export const printable = (text: string): string =>
  text.slice(0, MOST_CHARACTERS).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');

/** A connection's own port differs each time. */
const withoutPorts = (sentence: string): string => sentence.replace(/:\d+/g, '');

/** Who was not let in or would not have us, for the log and for `status`: each sentence now and then, not each time. */
export class Complaints {
  private readonly entries = new Map<string, { readonly sentence: string; readonly toldAt: number }>();
  private readonly clock: Clock;
  private readonly tell: (sentence: string) => void;
  private windowAt = Number.NEGATIVE_INFINITY;
  private told = 0;
  constructor(clock: Clock, tell: (sentence: string) => void) {
    this.clock = clock;
    this.tell = tell;
  }
  /** `who`: a server or an address. */
  about(who: string, what: string): void {
    const sentence = printable(what);
    const now = this.clock.monotonic();
    const last = this.entries.get(who);
    const known = last !== undefined && withoutPorts(last.sentence) === withoutPorts(sentence);
    if (known && now - last.toldAt < REPEAT_MS) return;
    this.entries.delete(who);
    const [oldest] = this.entries.keys();
    if (oldest !== undefined && this.entries.size >= MOST) this.entries.delete(oldest);
    this.entries.set(who, { sentence, toldAt: now });
    if (now - this.windowAt >= REPEAT_MS) {
      this.windowAt = now;
      this.told = 0;
    }
    if (this.told++ < MOST_TOLD) this.tell(sentence);
  }
  /** All is well with this one now. */
  settled(who: string): void {
    this.entries.delete(who);
  }
  /** What stands, oldest first. */
  get sentences(): readonly string[] {
    return [...this.entries.values()].map(({ sentence }) => sentence);
  }
}
