import type { Tally } from './tally.ts';

/** What a learner is given until it has what its leader has. */
type Way = 'snap' | 'diff';

export interface SyncsOptions {
  readonly tally: Tally;
  /** So many may be under way before an observer has to come again. */
  readonly most: Readonly<Record<Way, number>>;
  /** Whoever does not count at all; a voter is never sent away. */
  isObserver(link: number): boolean;
  sendAway(link: number, reason: string): void;
}

const WHAT = { snap: 'a snapshot', diff: 'what they lack' } as const satisfies Record<Way, string>;

/** Learners that are being synchronised: from the first message about it until they are told that they are up to date. */
export class Syncs {
  private readonly options: SyncsOptions;
  private readonly under = { snap: new Set<number>(), diff: new Set<number>() };

  constructor(options: SyncsOptions) {
    this.options = options;
  }
  /** One begins. False: this learner is sent away, and comes again. */
  begin(link: number, way: Way): boolean {
    const { tally, most, isObserver, sendAway } = this.options;
    this.ended(link);
    const under = this.under[way];
    if (under.size >= most[way] && isObserver(link)) {
      sendAway(link, `${most[way]} learners are sent ${WHAT[way]} already`);
      return false;
    }
    under.add(link);
    tally.add(`${way}_count`);
    tally.took(`inflight_${way}_count`, under.size);
    return true;
  }
  /** The learner is up to date, or its link is no more. */
  ended(link: number): void {
    this.under.snap.delete(link);
    this.under.diff.delete(link);
  }
}
