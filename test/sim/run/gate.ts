import { type Coverage, FAULT_KINDS } from './coverage.ts';

/** What a batch reached. */
export interface Sums {
  seeds: number;
  bad: number;
  operations: number;
  leaders: number;
  /** Of chaos, simulated ms. */
  chaosMs: number;
  realMs: number;
  events: number;
}
export const noSums = (): Sums => ({ seeds: 0, bad: 0, operations: 0, leaders: 0, chaosMs: 0, realMs: 0, events: 0 });

/** Below these a batch proves too little, however clean it is (reliability.md 6.6). */
export interface Floors {
  readonly seeds: number;
  readonly operations: number;
  readonly leaders: number;
  /** Of each kind of fault, how often it met code that had to handle it. */
  readonly effective: number;
  /** Operations per simulated second of chaos. */
  readonly perSecond: number;
}
export const GATE: Floors = { seeds: 200, operations: 1_000_000, leaders: 2000, effective: 100, perSecond: 50 };

/** States that some seed must have come to. */
export const MARKS = [
  'leader changes',
  'repaired',
  'syncs answered',
  'events told',
  'sessions expired',
  'torn file',
  'snapshots to learners',
  'handed over',
  'damage met',
] as const;

/** What a batch lacks, in words; nothing when it may count. */
export function lacks(sums: Sums, coverage: Coverage, floors: Floors): string[] {
  const faults: string[] = [];
  const least = (what: string, has: number, wanted: number): void => {
    if (has < wanted) faults.push(`${what}: ${Math.round(has)}, at least ${wanted} are wanted`);
  };
  least('seeds', sums.seeds, floors.seeds);
  least('operations', sums.operations, floors.operations);
  least('leaders', sums.leaders, floors.leaders);
  least('operations per simulated second', (sums.operations / Math.max(1, sums.chaosMs)) * 1000, floors.perSecond);
  for (const kind of FAULT_KINDS) least(`${kind} effective`, coverage.effective.get(kind) ?? 0, floors.effective);
  for (const mark of MARKS) least(mark, coverage.marks.get(mark) ?? 0, 1);
  return faults;
}
