/** What is kept of each seed in a file, one line of JSON, so that a run of many hours survives being stopped. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
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
/** Runs seeds; what it imports, and what that imports, is the program. What is loaded only when asked for does not run there. */
const ENTRY = fileURLToPath(new URL('job.js', import.meta.url));
const IMPORTS = /^(?:(?:import|export)\b[^'"]*?\bfrom\s*|import\s*)['"](\.[^'"]+)['"]/gm;

/** Everything that runs with a compiled file, itself too, as a number in hex. */
export function programOf(entry = ENTRY): string {
  const texts = new Map<string, string>();
  const add = (file: string): void => {
    if (texts.has(file)) return;
    const text = readFileSync(file, 'utf8');
    texts.set(file, text);
    for (const [, other = ''] of text.matchAll(IMPORTS)) add(join(dirname(file), other));
  };
  add(entry);
  const hash = createHash('sha256');
  for (const file of [...texts.keys()].sort())
    hash.update(`${relative(dirname(entry), file)}\n`).update(texts.get(file) ?? '');
  return hash.digest('hex').slice(0, 16);
}
/**
 * Where the gate's seeds begin: each program is tried with others, and always with the same. A change of a text, or of what
 * does not run there, moves nothing.
 */
export const firstSeed = (program = programOf()): number => 1 + (Number.parseInt(program.slice(0, 8), 16) >>> 4);
