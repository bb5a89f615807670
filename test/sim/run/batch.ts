import { Coverage, FAULT_KINDS } from './coverage.ts';
import { GATE, lacks, noSums, type Sums } from './gate.ts';
import type { Job, JobAnswer } from './job.ts';
import { runJobs } from './pool.ts';
import { serverNode } from './program.ts';
import { type RunResult, run } from './run.ts';
import { shrink } from './shrink.ts';
import { planOf, type SwarmLimits } from './swarm.ts';

/** How seeds are to be run. */
export interface Wish {
  readonly limits: SwarmLimits;
  readonly mask: readonly string[];
  readonly from: number;
  readonly threads: number;
  readonly keepGoing: boolean;
  readonly timeLine: boolean;
  readonly plan: boolean;
}
const SHRINK_MS = 600_000;
/** The gate takes further seeds while it lacks operations, but not for ever. */
const MOST_SEEDS = 5000;

function tell({ plan, hash, violations, operations, simulatedMs, realMs, faults, leaders }: RunResult): void {
  const { done, refused, lost } = operations;
  const seconds = Math.round((simulatedMs.warmUp + simulatedMs.chaos + simulatedMs.heal) / 1000);
  console.log(
    `seed ${plan.seed} ${plan.profile} ${plan.voters}+${plan.observers}: ${hash}, ${done + refused} operations and ${lost} without an answer, ${leaders} leaders, ${faults.length} faults, ${seconds} s in ${(realMs / 1000).toFixed(1)} s`,
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
  const { limits, mask, from } = wish;
  const coverage = new Coverage();
  const sums = noSums();
  const length = count === 'gate' ? MOST_SEEDS : count;
  const jobs: Job[] = Array.from({ length }, (_, i) => ({ seed: from + i, limits, mask }));
  const enough = (): boolean => count === 'gate' && lacks(sums, coverage, GATE).length === 0;
  const began = performance.now();
  await runJobs(jobs, wish.threads, (answer) => {
    sums.seeds++;
    if ('threw' in answer) {
      sums.bad++;
      console.log(`seed ${answer.seed} threw ${answer.threw}`);
    } else take(sums, coverage, answer.result);
    return (wish.keepGoing || sums.bad === 0) && !enough();
  });
  report(sums, coverage, (performance.now() - began) / 1000);
  if (count !== 'gate') return sums.bad === 0 && sums.seeds === count;
  const lacking = lacks(sums, coverage, GATE);
  for (const each of lacking) console.log(`lacking: ${each}`);
  return sums.bad === 0 && lacking.length === 0;
}
function take(sums: Sums, coverage: Coverage, result: RunResult): void {
  tell(result);
  coverage.add(result.coverage);
  if (result.violations.length > 0) sums.bad++;
  sums.operations += result.operations.done + result.operations.refused;
  sums.leaders += result.leaders;
  sums.chaosMs += result.simulatedMs.chaos;
  sums.realMs += result.realMs;
  sums.events += result.events;
}
function report(sums: Sums, coverage: Coverage, seconds: number): void {
  for (const kind of FAULT_KINDS) {
    const injected = coverage.injected.get(kind) ?? 0;
    if (injected > 0)
      console.log(`${kind.padEnd(24)} ${injected} injected, ${coverage.effective.get(kind) ?? 0} effective`);
  }
  for (const [mark, times] of coverage.marks) console.log(`${mark.padEnd(24)} ${times}`);
  const { seeds, bad, operations, leaders, chaosMs, realMs, events } = sums;
  console.log(
    `${seeds} seeds, ${bad} with violations, ${operations} operations, ${leaders} leaders in ${seconds.toFixed(0)} s: ${Math.round((operations / Math.max(1, chaosMs)) * 1000)} operations per simulated second, ${Math.round((operations / Math.max(1, realMs)) * 1000)} checked operations and ${Math.round((events / Math.max(1, realMs)) * 1000)} events per core-second`,
  );
}
