/** What is kept of each seed in a file, one line of JSON, so that a run of many hours survives being stopped. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CoverageRecord } from './coverage.ts';
import type { RunResult } from './run.ts';

export interface SeedRecord {
  readonly commit: string;
  /** What ran: a change of a text or of a room that is not simulated leaves it as it is. See {@link programOf}. */
  readonly program: string;
  readonly seed: number;
  readonly profile: string;
  readonly operations: number;
  readonly chaosOperations: number;
  /** Leaders after the first. */
  readonly changes: number;
  readonly events: number;
  /** Simulated, the chaos and all of it; and real. */
  readonly chaosMs: number;
  readonly simulatedMs: number;
  readonly realMs: number;
  readonly coverage: CoverageRecord;
  /** Rules that were violated, and what was said of the first. */
  readonly violations: readonly string[];
}

export function recordOf(commit: string, program: string, result: RunResult): SeedRecord {
  const { plan, operations, leaders, simulatedMs, realMs, events, coverage, violations } = result;
  return {
    ...{ commit, program, seed: plan.seed, profile: plan.profile, events, coverage },
    operations: operations.done + operations.refused,
    chaosOperations: operations.chaos,
    changes: Math.max(0, leaders - 1),
    chaosMs: Math.round(simulatedMs.chaos),
    simulatedMs: Math.round(simulatedMs.warmUp + simulatedMs.chaos + simulatedMs.heal),
    realMs: Math.round(realMs),
    violations: violations.map(({ rule, text }, i) => (i === 0 ? `${rule}: ${text.slice(0, 300)}` : rule)),
  };
}
export function appendRecord(file: string, record: SeedRecord): void {
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}
/** Every whole line: the last may have been cut. */
export function readRecords(file: string): SeedRecord[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as SeedRecord] : []));
}

/** The program that runs: the commit, with a plus where files differ from it. */
export function commitOf(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return git('rev-parse', 'HEAD').slice(0, 12) + (changed ? '+' : '');
  } catch {
    return 'unknown';
  }
}
/** What runs in the simulator, and what of it runs seeds. */
const ROOMS = ['base', 'protocol', 'records', 'ports', 'tree', 'zab', 'server', 'storage', 'runtime', 'client'];
const RUNS = ['disk.js', 'run', 'check', 'model', 'world'];
const PROGRAM = [...ROOMS.map((room) => `src/${room}`), ...RUNS.map((part) => `test/sim/${part}`)];
const DIST = fileURLToPath(new URL('../../../', import.meta.url));

/** What stands in these files and folders, compiled, as a number in hex. */
export function programOf(parts = PROGRAM, root = DIST): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const names = part.endsWith('.js') ? [''] : readdirSync(join(root, part), { recursive: true, encoding: 'utf8' });
    for (const name of names.sort())
      if (join(part, name).endsWith('.js'))
        hash.update(`${part}/${name}\n`).update(readFileSync(join(root, part, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
/**
 * Where the gate's seeds begin: each program is tried with others, and always with the same. A change of a text or of another
 * room moves nothing.
 */
export const firstSeed = (program = programOf()): number => 1 + (Number.parseInt(program.slice(0, 8), 16) >>> 4);
