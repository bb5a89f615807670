/** Which operation came to which result, alone, as a part of a multi and pipelined. */
import type { Transcript } from './play.ts';

export const MODES = ['alone', 'multi', 'pipelined'] as const;
export type Mode = (typeof MODES)[number];
/** A cell that is empty for a reason; `codes` and `modes` left out: all. */
export interface Reason {
  readonly ops: readonly string[] | 'all';
  readonly codes: readonly string[] | 'all';
  readonly modes?: readonly Mode[];
  readonly why: string;
}

export class Coverage {
  private readonly counts = new Map<string, number>();
  count(op: string, code: string, mode: Mode): number {
    return this.counts.get(`${op} ${code} ${mode}`) ?? 0;
  }
  private add(op: string, code: string, mode: Mode): void {
    this.counts.set(`${op} ${code} ${mode}`, this.count(op, code, mode) + 1);
  }
  /** Every code that was seen. */
  codes(): Set<string> {
    return new Set([...this.counts.keys()].map((cell) => cell.split(' ')[1] as string));
  }
  note(transcript: Transcript): void {
    for (const { asks, items } of transcript) {
      let at = 0;
      for (const { kind, fields, parts } of items) {
        if (kind !== 'reply') continue;
        const ask = asks[at++];
        if (ask === undefined) continue;
        this.add(ask.op, fields.err as string, asks.length > 1 ? 'pipelined' : 'alone');
        parts?.forEach((part, place) => {
          const err = fields[`${place}.err`];
          if (err !== undefined) this.add(part, err, 'multi');
        });
      }
    }
  }
  /** Cells that are empty without a reason, and reasons for cells that are not empty. */
  faults(ops: readonly string[], codes: readonly string[], reasons: readonly Reason[]): string[] {
    const faults: string[] = [];
    for (const op of ops)
      for (const code of codes)
        for (const mode of MODES) {
          const reason = reasons.find(
            (each) =>
              (each.ops === 'all' || each.ops.includes(op)) &&
              (each.codes === 'all' || each.codes.includes(code)) &&
              (each.modes === undefined || each.modes.includes(mode)),
          );
          const count = this.count(op, code, mode);
          if (count === 0 && reason === undefined) faults.push(`${op} ${code} ${mode}: never seen`);
          if (count > 0 && reason !== undefined) faults.push(`${op} ${code} ${mode}: seen, though ${reason.why}`);
        }
    return faults;
  }
  table(ops: readonly string[], codes: readonly string[]): string {
    const lines = [`operation, code: ${MODES.join(' ')}`];
    for (const op of ops)
      for (const code of codes) {
        const counts = MODES.map((mode) => this.count(op, code, mode));
        if (counts.some((each) => each > 0)) lines.push(`${op} ${code}: ${counts.join(' ')}`);
      }
    return lines.join('\n');
  }
}
