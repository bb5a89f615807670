import type { MessageOf } from '../records/peer-messages.ts';

/**
 * How far snapshots on their way have come, so that zab may tell one that takes long from one that stands still: the one that
 * comes in here by what of it is on the disk, and those that others are sent by what they ask for.
 */
export class Transfers {
  private readonly staged: () => number;
  private readonly further: (link: number) => void;
  /** Of the one that comes in, when it was last looked at. */
  private came = 0;
  /** By link: up to where its learner has asked. */
  private readonly asks = new Map<number, number>();

  /** `staged` grows while one comes in, and is 0 when none does; `further`: what goes over this link has come further. */
  constructor(staged: () => number, further: (link: number) => void) {
    this.staged = staged;
    this.further = further;
  }
  /** At each tick: the history that the leader sends over this link. */
  look(link: number): void {
    const before = this.came;
    this.came = this.staged();
    if (this.came > before) this.further(link);
  }
  /** A learner asks on when all before that is on its disk; the first ask says nothing, unless it goes on with an earlier link's. */
  asked(link: number, { offset }: MessageOf<'ASKCHUNKS'> | MessageOf<'RESUME'>): void {
    const before = this.asks.get(link) ?? 0;
    this.asks.set(link, Math.max(before, offset));
    if (offset > before) this.further(link);
  }
  closed(link: number): void {
    this.asks.delete(link);
  }
}
