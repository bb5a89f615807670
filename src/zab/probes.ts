import { isBefore, type Position } from './types.ts';

/**
 * Syncs that wait until it is certain that this member still led after they came: for a probe sent after them, and for what
 * was proposed before them (foundations.md 7). No clock, no lease: a leader that was stopped for long knows nothing of it.
 * One probe is out at a time; those that come meanwhile share the next.
 */
export class Probes {
  /** The number that heartbeats carry: of the last probe sent. */
  round = 0;
  private answered = 0;
  private readonly waiting: { readonly id: number; readonly round: number; readonly after: Position }[] = [];

  /** True when a probe is to be sent for it now. */
  ask(id: number, after: Position): boolean {
    this.waiting.push({ id, round: this.round + 1, after });
    return this.sendNext();
  }
  private sendNext(): boolean {
    const last = this.waiting[this.waiting.length - 1];
    if (this.isOut || last === undefined || last.round <= this.round) return false;
    this.round++;
    return true;
  }
  /** Syncs that wait. */
  get pending(): number {
    return this.waiting.length;
  }
  /** An answer is waited for. */
  get isOut(): boolean {
    return this.answered < this.round;
  }
  /** A quorum answered the last probe; true when another one is to be sent. */
  isAnswered(): boolean {
    this.answered = this.round;
    return this.sendNext();
  }
  /** Ids of the syncs that are done, in order: their probe was answered, and `applied` reaches what was before them. */
  done(applied: Position): number[] {
    const out: number[] = [];
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      if (first.round > this.answered || isBefore(applied, first.after)) break;
      out.push(first.id);
      this.waiting.shift();
    }
    return out;
  }
}
