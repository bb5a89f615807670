/** Development: seeds of a server alone. */
import { serverNode } from './program.ts';
import { run } from './run.ts';
import { planOf } from './swarm.ts';

for (const seed of process.argv.slice(2).map(Number)) {
  const show = process.env.SHOW !== undefined ? { onLine: (line: string) => console.log(line) } : {};
  const result = await run({
    plan: planOf(seed, {
      voters: Number(process.env.N ?? 3),
      ...(process.env.PROFILE ? { profile: process.env.PROFILE as never } : {}),
    }),
    boot: serverNode,
    ...show,
  });
  const { hash, events, operations, checked, simulatedMs, realMs, faults, violations, plan } = result;
  console.log(
    seed,
    plan.profile,
    hash,
    events,
    operations,
    checked,
    simulatedMs,
    Math.round(realMs),
    'ms',
    faults.length,
    'faults',
    `${((realMs / events) * 1000).toFixed(1)} us/event`,
  );
  for (const each of violations.slice(0, 3)) console.log(each);
}
