/** A bounded batch of the simulator; `npm run sim` runs as many as one likes. ZOOSH_SEED is the first seed. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import type { Job } from './run/job.ts';
import { runJobs } from './run/pool.ts';
import type { RunResult } from './run/run.ts';
import type { SwarmLimits } from './run/swarm.ts';

const first = Number(process.env.ZOOSH_SEED ?? 1);
const THREADS = Math.min(2, availableParallelism());

async function batch(count: number, limits: SwarmLimits, from = first): Promise<RunResult[]> {
  const jobs: Job[] = Array.from({ length: count }, (_, i) => ({ seed: from + i, limits, mask: [] }));
  const results: RunResult[] = [];
  await runJobs(jobs, THREADS, (answer) => {
    if ('threw' in answer) assert.fail(`seed ${answer.seed}: ${answer.threw}`);
    const { plan, violations, lines } = answer.result;
    assert.deepEqual(violations, [], `npm run sim -- --seed ${plan.seed}\n${lines.slice(-40).join('\n')}`);
    results.push(answer.result);
    return true;
  });
  assert.equal(results.length, count);
  return results;
}
const sum = (results: readonly RunResult[], figure: (result: RunResult) => number): number =>
  results.reduce((total, each) => total + figure(each), 0);

test('calm ensembles answer everything as one server would', async () => {
  const results = await batch(amount(3, 2), { profile: 'calm', voters: 3, chaosMs: 4000 });
  const done = sum(results, ({ operations }) => operations.done);
  console.log(`calm: ${done} operations done in ${sum(results, ({ events }) => events)} events`);
  assert.ok(done > 1000);
  assert.equal(
    sum(results, ({ operations }) => operations.lost),
    0,
  );
});

test('swarms of faults: nothing acknowledged is lost, nothing stale is told, everything comes back', async () => {
  const results = await batch(amount(8, 6), { voters: 3, chaosMs: 6000 });
  const faults = sum(results, (each) => each.faults.length);
  const leaders = sum(results, (each) => each.leaders);
  console.log(
    `swarms: ${sum(results, ({ operations }) => operations.done)} operations done, ${faults} faults, ${leaders} leaders (seeds from ${first})`,
  );
  assert.ok(faults > 40 && leaders > 8);
});

test('one seed is one history', async () => {
  const limits = { voters: 3, chaosMs: 2000 };
  const [once, again, other] = [await batch(1, limits, 2), await batch(1, limits, 2), await batch(1, limits, 3)];
  assert.equal(once[0]?.hash, again[0]?.hash);
  assert.notEqual(once[0]?.hash, other[0]?.hash);
});
