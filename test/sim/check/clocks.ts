/** By whose clock nodes with a time to live go (foundations.md 10): wall clocks as they were lately. */
import { type Committed, hex } from './ledger.ts';
import type { Verdicts } from './verdicts.ts';

export interface ClocksAround {
  readonly verdicts: Verdicts;
  /** Ms that the wall clock of each server is ahead of the true time. */
  offsets(): Iterable<readonly [sid: number, ms: number]>;
  /** Who led that epoch, and when it did so last, ms of simulated time. */
  termOf(epoch: number): { readonly sid: number; readonly until: number } | undefined;
  /** Whether those servers decide, in the present config or the one before. */
  decides(holds: (sid: number) => boolean): boolean;
  now(): number;
  /** For so long a leader may believe of a clock what it heard last. */
  readonly patienceMs: number;
}
/** So far clocks that agree may be apart, what the way of the word takes and what drifts with it. */
const APART_MS = 60_000 + 5000;

interface Spell {
  readonly offset: number;
  readonly from: number;
  until: number;
}

export class Clocks {
  private readonly spells = new Map<number, Spell[]>();
  private readonly around: ClocksAround;

  constructor(around: ClocksAround) {
    this.around = around;
  }
  look(): void {
    const now = this.around.now();
    for (const [sid, offset] of this.around.offsets()) {
      const list = this.spells.get(sid) ?? [];
      this.spells.set(sid, list);
      const last = list.at(-1);
      if (last !== undefined) last.until = now;
      if (last?.offset !== offset) list.push({ offset, from: now, until: now });
    }
  }
  private lately(sid: number, at: number): number[] {
    const since = at - this.around.patienceMs;
    return (this.spells.get(sid) ?? []).flatMap(({ offset, from, until }) =>
      from <= at && until >= since ? [offset] : [],
    );
  }
  /** A node was reaped: the leader's clock agreed with those of a quorum. */
  judge({ zxid, writtenAt }: Committed): void {
    const { verdicts, termOf, decides } = this.around;
    const term = termOf(Number(zxid >> 32n));
    if (term === undefined) return; // a server alone has its own clock
    const { sid: leader, until } = term;
    const agreesAt = (at: number): boolean => {
      const own = this.lately(leader, at);
      return decides(
        (sid) =>
          sid === leader ||
          this.lately(sid, at).some((there) => own.some((here) => Math.abs(here - there) <= APART_MS)),
      );
    };
    // a log that hung may have written it when its leader was long gone
    if (!agreesAt(writtenAt) && !agreesAt(Math.min(writtenAt, until)))
      verdicts.fail('oracle', `${hex(zxid)} reaps by the clock of server ${leader}, with which no quorum agrees`);
  }
}
