import { type Coverage, FAULT_KINDS } from './coverage.ts';
import type { SeedRecord } from './record.ts';

/** What a batch reached. */
export interface Sums {
  seeds: number;
  /** Seeds with violations, and such as threw or hung. */
  bad: number;
  operations: number;
  chaosOperations: number;
  /** Leaders after the first of each seed. */
  changes: number;
  events: number;
  /** Simulated ms of chaos, and of everything. */
  chaosMs: number;
  simulatedMs: number;
}
export const noSums = (): Sums => ({
  ...{ seeds: 0, bad: 0, operations: 0, chaosOperations: 0, changes: 0, events: 0, chaosMs: 0, simulatedMs: 0 },
});
export function addTo(sums: Sums, coverage: Coverage, record: SeedRecord): void {
  sums.seeds++;
  if (record.violations.length > 0) sums.bad++;
  sums.operations += record.operations;
  sums.chaosOperations += record.chaosOperations;
  sums.changes += record.changes;
  sums.events += record.events;
  sums.chaosMs += record.chaosMs;
  sums.simulatedMs += record.simulatedMs;
  coverage.add(record.coverage);
}

/** Below these a batch proves too little, however clean it is (reliability.md 6.6). */
export interface Floors {
  readonly seeds: number;
  readonly operations: number;
  /** Changes of the leader. */
  readonly changes: number;
  /** Of each kind of fault, how often it met code that had to handle it. */
  readonly effective: number;
  /** Operations per simulated second of chaos. */
  readonly perSecond: number;
}
export const GATE: Floors = { seeds: 200, operations: 1_000_000, changes: 2000, effective: 100, perSecond: 50 };

/** States that some seed must have come to. */
export const MARKS = [
  'repaired',
  'given again by others',
  'syncs answered',
  'syncs at a deposed leader',
  'events told',
  'sessions expired',
  'torn file',
  'synchronised by DIFF',
  'synchronised by TRUNC',
  'synchronised by SNAP',
  'snapshots to learners',
  'snapshots resumed',
  'handed over',
  'damage met',
  'old copy found',
  'disk full met',
  'refused to start',
  'members changed',
  'voters admitted',
  'local sessions',
  'local sessions resumed',
  'local sessions upgraded',
  'local sessions gone with their term',
  'ephemerals refused to local sessions',
  'read-only sessions',
  'read by read-only sessions',
  'refused to read-only sessions',
  'led by an id from 128 on',
  'sessions of ids from 128 on',
  'counters used up',
  'nodes reaped after their time',
  'containers reaped',
  'sessions with thousands ended',
  'terms ended for a new voter',
] as const;

export const perSecond = ({ chaosOperations, chaosMs }: Sums): number =>
  (chaosOperations / Math.max(1, chaosMs)) * 1000;

/** What a batch lacks, in words; nothing when it may count. */
export function lacks(sums: Sums, coverage: Coverage, floors: Floors): string[] {
  const faults: string[] = [];
  const least = (what: string, has: number, wanted: number): void => {
    if (has < wanted) faults.push(`${what}: ${Math.round(has)}, at least ${wanted} are wanted`);
  };
  least('seeds', sums.seeds, floors.seeds);
  least('operations', sums.operations, floors.operations);
  least('changes of the leader', sums.changes, floors.changes);
  least('operations per simulated second of chaos', perSecond(sums), floors.perSecond);
  for (const kind of FAULT_KINDS) least(`${kind} effective`, coverage.effective.get(kind) ?? 0, floors.effective);
  for (const mark of MARKS) least(mark, coverage.marks.get(mark) ?? 0, 1);
  return faults;
}

/** The table of a batch. `cpuSeconds` undefined: nobody measured it. */
export function tableOf(sums: Sums, coverage: Coverage, cpuSeconds: number | undefined): string[] {
  const lines = [`${'fault'.padEnd(24)} ${'injected'.padStart(9)} ${'effective'.padStart(9)}`];
  const number = (count: number | undefined): string => (count ?? 0).toLocaleString('en').padStart(9);
  for (const kind of FAULT_KINDS)
    lines.push(`${kind.padEnd(24)} ${number(coverage.injected.get(kind))} ${number(coverage.effective.get(kind))}`);
  lines.push('', `${'reached'.padEnd(24)} ${'times'.padStart(9)}`);
  for (const mark of new Set([...MARKS, ...coverage.marks.keys()]))
    lines.push(`${mark.padEnd(24)} ${number(coverage.marks.get(mark))}`);
  const { seeds, bad, operations, changes, simulatedMs, events } = sums;
  const speed =
    cpuSeconds === undefined
      ? ''
      : `, ${Math.round(operations / cpuSeconds)} checked operations and ${Math.round(events / cpuSeconds)} events per core-second`;
  lines.push(
    '',
    `${seeds} seeds, ${bad} with violations, ${operations} operations, ${changes} changes of the leader, ${(simulatedMs / 3_600_000).toFixed(2)} simulated hours, ${Math.round(perSecond(sums))} operations per simulated second of chaos${speed}`,
  );
  return lines;
}
