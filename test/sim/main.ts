/** `npm run sim`: one seed in full, or many at once. */
import { parseArgs } from 'node:util';
import { Coverage, FAULT_KINDS, type FaultKind } from './run/coverage.ts';
import { runJobs } from './run/pool.ts';
import { serverNode } from './run/program.ts';
import { type RunResult, run } from './run/run.ts';
import { PROFILES, type Profile, planOf, type SwarmLimits } from './run/swarm.ts';

const USAGE = `npm run sim -- --seed S            one seed, its time line, its trace hash
npm run sim -- --seeds N [--from S] N seeds on two threads
  --profile P   one of ${PROFILES.join(', ')}
  --faults K,K  only these kinds of faults
  --voters N    so many voters in each
  --threads N   default 2
  --mask F,F    leave these faults out (names as the time line gives them)
  --plan        with --seed: what the seed drew
  --quiet       with --seed: no time line
  --keep-going  do not stop at the first violation`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    profile: { type: 'string' },
    faults: { type: 'string' },
    voters: { type: 'string' },
    threads: { type: 'string', default: '2' },
    mask: { type: 'string', default: '' },
    quiet: { type: 'boolean', default: false },
    plan: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const limits: SwarmLimits = {
  ...(values.profile === undefined ? {} : { profile: values.profile as Profile }),
  ...(values.voters === undefined ? {} : { voters: Number(values.voters) }),
  ...(values.faults === undefined
    ? {}
    : {
        allowed: FAULT_KINDS.filter((kind) =>
          (values.faults as string).split(',').some((each) => kind.startsWith(each)),
        ),
      }),
};
const mask = values.mask === '' ? [] : values.mask.split(',');

function tell(result: RunResult): void {
  const { plan, hash, violations, operations, simulatedMs, realMs, faults, leaders } = result;
  const { done, refused, lost } = operations;
  console.log(
    `seed ${plan.seed} ${plan.profile} ${plan.voters}+${plan.observers}: ${hash}, ${done + refused} operations and ${lost} without an answer, ${leaders} leaders, ${faults.length} faults, ${Math.round((simulatedMs.warmUp + simulatedMs.chaos + simulatedMs.heal) / 1000)} s in ${(realMs / 1000).toFixed(1)} s`,
  );
  for (const { rule, at, text } of violations.slice(0, 3)) console.log(`  ${rule} at ${at.toFixed(2)}: ${text}`);
}

async function one(seed: number): Promise<boolean> {
  const options = values.quiet === true ? {} : { onLine: (line: string) => console.log(line) };
  const result = await run({ plan: planOf(seed, limits), boot: serverNode, mask: new Set(mask), ...options });
  if (values.plan === true) console.log(JSON.stringify(result.plan, undefined, 1));
  tell(result);
  return result.violations.length === 0;
}

async function many(seeds: number): Promise<boolean> {
  const coverage = new Coverage();
  const from = Number(values.from);
  const jobs = Array.from({ length: seeds }, (_, i) => ({ seed: from + i, limits, mask }));
  const sums = { seeds: 0, bad: 0, operations: 0, leaders: 0, simulatedMs: 0, realMs: 0, events: 0 };
  const began = performance.now();
  await runJobs(jobs, Number(values.threads), (answer) => {
    sums.seeds++;
    if ('threw' in answer) {
      sums.bad++;
      console.log(`seed ${answer.seed} threw ${answer.threw}`);
    } else {
      const { result } = answer;
      tell(result);
      coverage.add(result.coverage);
      if (result.violations.length > 0) sums.bad++;
      sums.operations += result.operations.done + result.operations.refused;
      sums.leaders += result.leaders;
      sums.realMs += result.realMs;
      sums.events += result.events;
    }
    return values['keep-going'] === true || sums.bad === 0;
  });
  const took = (performance.now() - began) / 1000;
  for (const kind of FAULT_KINDS) {
    const injected = coverage.injected.get(kind) ?? 0;
    if (injected > 0)
      console.log(
        `${kind.padEnd(24)} ${injected} injected, ${coverage.effective.get(kind as FaultKind) ?? 0} effective`,
      );
  }
  for (const [mark, count] of coverage.marks) console.log(`${mark.padEnd(24)} ${count}`);
  console.log(
    `${sums.seeds} seeds, ${sums.bad} with violations, ${sums.operations} operations, ${sums.leaders} leaders in ${took.toFixed(0)} s, ${Math.round((sums.operations / sums.realMs) * 1000)} checked operations per core-second`,
  );
  return sums.bad === 0 && sums.seeds === seeds;
}

if (values.help === true) console.log(USAGE);
else {
  const good = values.seed !== undefined ? await one(Number(values.seed)) : await many(Number(values.seeds ?? 10));
  process.exit(good ? 0 : 1);
}
