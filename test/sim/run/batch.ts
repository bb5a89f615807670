import { Coverage } from './coverage.ts';
import { addTo, GATE, lacks, noSums, type Sums, tableOf } from './gate.ts';
import type { Job, JobAnswer } from './job.ts';
import { runJobs } from './pool.ts';
import { serverNode } from './program.ts';
import { appendRecord, commitOf, firstSeed, programOf, readRecords, recordOf, type SeedRecord } from './record.ts';
import { type RunResult, run } from './run.ts';
import { shrink } from './shrink.ts';
import { planOf, type SwarmLimits } from './swarm.ts';

/** How seeds are to be run. */
export interface Wish {
  readonly limits: SwarmLimits;
  readonly mask: readonly string[];
  /** The first seed; undefined: 1, and at the gate what the program says. */
  readonly from: number | undefined;
  /** Threads. */
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly timeLine: boolean;
  readonly plan: boolean;
  /** Where each seed is written down; those that stand there already are not run again. */
  readonly record: string | undefined;
  /** No seed is begun after so many minutes. */
  readonly minutes: number;
}
const SHRINK_MS = 600_000;
/** The gate takes further seeds while it lacks something, but not for ever: a slow machine gets time for the same seeds as a fast one. */
const MOST_SEEDS = 5000;
const GATE_MINUTES = 20;
/** A line about the whole after so many seeds. */
const TELL_EVERY = 100;

function tell({ plan, hash, violations, operations, simulatedMs, realMs, faults, leaders }: RunResult): void {
  const { done, refused, lost } = operations;
  const seconds = Math.round((simulatedMs.warmUp + simulatedMs.chaos + simulatedMs.heal) / 1000);
  console.log(
    `seed ${plan.seed} ${plan.profile} ${plan.voters}+${plan.observers}${plan.spares > 0 ? `+${plan.spares}` : ''}${plan.shares.size > 0 ? ' by weight' : ''}${plan.ids.length > 0 ? ` as ${plan.ids.join()}` : ''}${plan.lastCounter === undefined ? '' : `, counters to ${plan.lastCounter}`}: ${hash}, ${done + refused} operations and ${lost} without an answer, ${leaders} leaders, ${faults.length} faults, ${seconds} s in ${(realMs / 1000).toFixed(1)} s`,
  );
  for (const { rule, at, text } of violations.slice(0, 3)) console.log(`  ${rule} at ${at.toFixed(2)}: ${text}`);
}

/** One seed in this thread, its time line as it comes. True when nothing was violated. */
export async function one(seed: number, { limits, mask, timeLine, plan }: Wish): Promise<boolean> {
  const options = timeLine ? { onLine: (line: string) => console.log(line) } : {};
  const result = await run({ plan: planOf(seed, limits), boot: serverNode, mask: new Set(mask), ...options });
  if (plan) console.log(JSON.stringify(result.plan, undefined, 1));
  tell(result);
  return result.violations.length === 0;
}

/** The least of a seed that still violates the same rule. */
export async function shrunk(seed: number, wish: Wish): Promise<boolean> {
  const again = async (mask: readonly string[], limits: SwarmLimits): Promise<RunResult | undefined> => {
    let answer: JobAnswer | undefined;
    await runJobs([{ seed, limits, mask }], 1, (each) => {
      answer = each;
      return false;
    });
    return answer !== undefined && 'result' in answer ? answer.result : undefined;
  };
  const first = await again(wish.mask, wish.limits);
  if (first === undefined || first.violations.length === 0) {
    console.log(`seed ${seed} violates nothing`);
    return true;
  }
  tell(first);
  const { mask, limits, result, runs } = await shrink(first, wish.limits, SHRINK_MS, again);
  const words = [
    `--seed ${seed}`,
    ...(limits.profile === undefined ? [] : [`--profile ${limits.profile}`]),
    ...(limits.voters === undefined ? [] : [`--voters ${limits.voters}`]),
    ...(limits.chaosMs === undefined ? [] : [`--chaos ${limits.chaosMs}`]),
    ...((limits.without ?? []).length === 0 ? [] : [`--without ${limits.without?.join()}`]),
    ...(mask.length === 0 ? [] : [`--mask ${mask.join()}`]),
  ];
  console.log(`after ${runs} runs: npm run sim -- ${words.join(' ')}`);
  tell(result);
  console.log(result.lines.slice(-120).join('\n'));
  return false;
}

/** Many seeds, or as many as the gate wants. True when nothing was violated and, at the gate, nothing is lacking. */
export async function many(count: number | 'gate', wish: Wish): Promise<boolean> {
  const { limits, mask, record } = wish;
  const isGate = count === 'gate';
  const commit = commitOf();
  const program = programOf();
  const from = wish.from ?? (isGate ? firstSeed(program) : 1);
  const coverage = new Coverage();
  const sums = noSums();
  const known = new Set<number>();
  for (const each of record === undefined ? [] : readRecords(record)) {
    if (each.program !== program || each.seed < from || each.seed >= from + (isGate ? MOST_SEEDS : count)) continue;
    known.add(each.seed);
    addTo(sums, coverage, each);
  }
  const length = isGate ? MOST_SEEDS : count;
  const jobs: Job[] = Array.from({ length }, (_, i) => ({ seed: from + i, limits, mask })).filter(
    ({ seed }) => !known.has(seed),
  );
  console.log(
    `commit ${commit}, program ${program}, seeds from ${from}${known.size > 0 ? `, ${known.size} of them done before` : ''}`,
  );
  const began = performance.now();
  const cpu = process.cpuUsage();
  let operations = 0;
  await runJobs(jobs, wish.jobs, (answer) => {
    operations += take(sums, coverage, answer, (result) => recordOf(commit, program, result), record);
    if (sums.seeds % TELL_EVERY === 0) console.log(tableOf(sums, coverage, undefined).at(-1));
    const minutes = (performance.now() - began) / 60_000;
    if (minutes >= (isGate ? GATE_MINUTES : wish.minutes)) return false;
    return (wish.keepGoing || sums.bad === 0) && !(isGate && lacks(sums, coverage, GATE).length === 0);
  });
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  console.log(tableOf(sums, coverage, known.size > 0 ? undefined : cpuSeconds).join('\n'));
  console.log(
    `${((performance.now() - began) / 1000).toFixed(0)} s, ${cpuSeconds.toFixed(0)} core-seconds, ${operations} operations in them`,
  );
  if (!isGate) return sums.bad === 0 && sums.seeds === count;
  const lacking = lacks(sums, coverage, GATE);
  for (const each of lacking) console.log(`lacking: ${each}`);
  return sums.bad === 0 && lacking.length === 0;
}
/** Takes an answer into account; returns how many operations it stands for. */
function take(
  sums: Sums,
  coverage: Coverage,
  answer: JobAnswer,
  record: (result: RunResult) => SeedRecord,
  file: string | undefined,
): number {
  if ('threw' in answer) {
    sums.seeds++;
    sums.bad++;
    console.log(`seed ${answer.seed} threw ${answer.threw}`);
    return 0;
  }
  tell(answer.result);
  const line = record(answer.result);
  if (file !== undefined) appendRecord(file, line);
  addTo(sums, coverage, line);
  return line.operations;
}

/** What a file of records comes to, program by program. */
export function totals(file: string): void {
  const all = readRecords(file);
  const byProgram = new Map(all.map(({ program }) => [program, all.filter((each) => each.program === program)]));
  for (const [program, records] of byProgram) {
    const coverage = new Coverage();
    const sums = noSums();
    for (const record of new Map(records.map((each) => [each.seed, each])).values()) addTo(sums, coverage, record);
    const seeds = records.map(({ seed }) => seed);
    const hours = records.reduce((sum, { realMs }) => sum + realMs, 0) / 3_600_000;
    console.log(
      `program ${program} of commit ${[...new Set(records.map(({ commit }) => commit))].join(', ')}, seeds ${Math.min(...seeds)} to ${Math.max(...seeds)}, ${hours.toFixed(2)} hours of a thread`,
    );
    console.log(tableOf(sums, coverage, undefined).join('\n'));
    for (const { seed, violations } of records)
      if (violations.length > 0) console.log(`seed ${seed}: ${violations[0]}`);
  }
}
