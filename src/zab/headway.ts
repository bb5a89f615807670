import { isBefore, type Position } from './types.ts';

/** The most that a voter was seen to get of a history over one link, and for how many ticks it has got no further than that. */
interface Way {
  /** From where it was sent entries; undefined while it was sent snapshots alone. */
  readonly from: Position | undefined;
  readonly most: number;
  ticks: number;
}

/**
 * How far the voters of a term came with the history that they are given. A link that breaks may begin a snapshot anew, and what comes
 * over the next one is progress where it is more than came over any before it: a link that breaks again and again gains nothing. What
 * came of entries stays: who is sent the rest of them counts from there.
 */
export class Headway {
  private readonly ways = new Map<number, Way>();

  /**
   * More came over a link, for the `steps`th time, of a snapshot or of the entries behind `from`; true when this voter never came so
   * far in this term.
   */
  further(sid: number, steps: number, from: Position | undefined): boolean {
    const way = this.ways.get(sid);
    const isRest = from !== undefined && (way?.from === undefined || isBefore(way.from, from));
    if (way !== undefined && !isRest && steps <= way.most) return false;
    this.ways.set(sid, { from: isRest ? from : way?.from, most: steps, ticks: 0 });
    return true;
  }
  tick(): void {
    for (const way of this.ways.values()) way.ticks++;
  }
  /** It came further than ever within so many ticks. */
  isMade(sid: number, within: number): boolean {
    const way = this.ways.get(sid);
    return way !== undefined && way.ticks <= within;
  }
}
