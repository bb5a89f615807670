import type { Random } from '../../../src/base/random.ts';
import { exponential } from './chance.ts';

/** What a stream is for. Rules of the network may hold for one of them alone. */
export type Channel = 'election' | 'quorum' | 'client';

/** Bytes go from one machine to another; `channel` undefined: whatever they are for. */
export interface Path {
  readonly from: string;
  readonly to: string;
  readonly channel: Channel | undefined;
}
const pair = (a: string, b: string): string => (a < b ? `${a}-${b}` : `${b}-${a}`);
const key = ({ from, to, channel }: Path): string => `${from}>${to}/${channel ?? '*'}`;

/** How the network is at present: what does not get through, and how long the rest takes. */
export class Links {
  private readonly blocked = new Set<string>();
  /** Extra ms per direction between machines, `from>to`. */
  private readonly slow = new Map<string, number>();
  /** Directions that carry so many bytes a ms and no more, and until when what was sent keeps each of them busy. */
  private readonly narrow = new Map<string, { readonly rate: number; busyUntil: number }>();
  /** By pair of machines: when a connection between them broke last; and how long that may be felt, ms. */
  private readonly shaken = new Map<string, number>();
  shakenMs = 5000;
  /** Mean of the delay of a chunk, ms. */
  meanMs = 0.5;
  /** Never less than this. */
  leastMs = 0.05;
  private readonly random: Random;
  /** What did not get through when it was due, and what was late because of a slow link. */
  held = 0;
  slowed = 0;
  /** Called when something gets through again. */
  onHeal: () => void = () => {};

  constructor(random: Random) {
    this.random = random;
  }
  block(path: Path): void {
    this.blocked.add(key(path));
  }
  unblock(path: Path): void {
    if (this.blocked.delete(key(path))) this.onHeal();
  }
  heal(): void {
    this.blocked.clear();
    this.slow.clear();
    this.narrow.clear();
    this.onHeal();
  }
  /** Something between these two does not get through, is late, or was lost not long ago. */
  isTroubled(a: string, b: string, now: number): boolean {
    if (now - (this.shaken.get(pair(a, b)) ?? Number.NEGATIVE_INFINITY) < this.shakenMs) return true;
    if (this.blocked.size === 0 && this.slow.size === 0 && this.narrow.size === 0) return false;
    const one = (from: string, to: string): boolean =>
      this.blocked.has(`${from}>${to}/*`) ||
      this.blocked.has(`${from}>${to}/quorum`) ||
      this.slow.has(`${from}>${to}`) ||
      this.narrow.has(`${from}>${to}`);
    return one(a, b) || one(b, a);
  }
  /** A connection between these two broke, and one of them may not know for a while. */
  shake(a: string, b: string, now: number): void {
    this.shaken.set(pair(a, b), now);
  }
  isBlocked(from: string, to: string, channel: Channel): boolean {
    const { blocked } = this;
    if (blocked.size === 0) return false;
    const found = blocked.has(`${from}>${to}/*`) || blocked.has(`${from}>${to}/${channel}`);
    if (found) this.held++;
    return found;
  }
  slowDown(from: string, to: string, ms: number): void {
    if (ms === 0) this.slow.delete(`${from}>${to}`);
    else this.slow.set(`${from}>${to}`, ms);
  }
  /** This direction carries so many bytes a ms and no more, for all connections together; 0: as many as there are. */
  cap(from: string, to: string, rate: number): void {
    if (rate === 0) this.narrow.delete(`${from}>${to}`);
    else this.narrow.set(`${from}>${to}`, { rate, busyUntil: 0 });
  }
  /** When this direction is free for what comes next; undefined where it carries whatever comes. */
  freeAt(from: string, to: string): number | undefined {
    return this.narrow.size === 0 ? undefined : this.narrow.get(`${from}>${to}`)?.busyUntil;
  }
  /** So many bytes pass now. */
  passes(from: string, to: string, bytes: number, now: number): void {
    const way = this.narrow.size === 0 ? undefined : this.narrow.get(`${from}>${to}`);
    if (way === undefined) return;
    way.busyUntil = now + bytes / way.rate;
    this.slowed++;
  }
  delay(from: string, to: string): number {
    const extra = this.slow.size === 0 ? 0 : (this.slow.get(`${from}>${to}`) ?? 0);
    if (extra > 0) this.slowed++;
    return this.leastMs + exponential(this.random, this.meanMs) + extra;
  }
}
