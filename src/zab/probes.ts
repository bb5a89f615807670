import { isBefore, type Position } from './types.ts';

/**
 * Syncs that wait until it is certain that this member still led after they came: for a probe sent after them, and for what
 * was proposed before them (foundations.md 7). No clock, no lease: a leader that was stopped for long knows nothing of it.
 */
export class Probes {
  /** The number that heartbeats carry. */
  round = 0;
  private readonly waiting: { readonly id: number; readonly round: number; readonly after: Position }[] = [];

  /** The next heartbeat is a probe for this sync too. */
  ask(id: number, after: Position): void {
    this.waiting.push({ id, round: ++this.round, after });
  }
  /** Ids of the syncs that are done, in order: a quorum answered their round, and `applied` reaches what was before them. */
  done(applied: Position, isAnswered: (round: number) => boolean): number[] {
    const out: number[] = [];
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      if (isBefore(applied, first.after) || !isAnswered(first.round)) break;
      out.push(first.id);
      this.waiting.shift();
    }
    return out;
  }
}
