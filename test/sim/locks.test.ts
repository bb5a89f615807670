/** Never do two believe that they hold a lock. 1,000 seeds: `node dist/test/sim/locks.js`. ZOOSH_SEED is the first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { goOnUntil } from '../patience.ts';
import type { Contention } from './locks/contention.ts';
import type { LockJob } from './locks/job.ts';
import { Copy } from './planted/plant.ts';
import { inWorkers } from './workers.ts';

const first = Number(process.env.ZOOSH_SEED ?? 1);
const SEEDS = amount(200, 6);

test(`locks: ${SEEDS} histories of holders that are cut off or stand still, with clocks that drift: no two hold at once`, async () => {
  const jobs: LockJob[] = [0, 1].map((part) => ({ from: first + (part * SEEDS) / 2, count: SEEDS / 2 }));
  const all = (await inWorkers<Contention[]>(new URL('./locks/job.js', import.meta.url), jobs)).flat();
  for (const { seed, faults } of all) assert.deepEqual(faults, [], `ZOOSH_SEED=${seed}`);
  assert.equal(all.length, SEEDS);
  const sum = (of: (each: Contention) => number): number => all.reduce((total, each) => total + of(each), 0);
  const [held, lost] = [sum((each) => each.acquired), sum((each) => each.lost)];
  const [cutOff, paused] = [sum((each) => each.cutOff), sum((each) => each.paused)];
  console.log(`locks: held ${held} times, lost ${lost} times; holders cut off ${cutOff} times, paused ${paused} times`);
  assert.ok(held > 10 * SEEDS && lost > SEEDS / 2 && cutOff > 3 * SEEDS && paused > SEEDS);
});

test('a holder that believes for longer than its session is sure to live is found out', async () => {
  using copy = new Copy();
  const bug = { id: 'no-margin', file: 'recipes/tenure.js', find: 'const MARGIN = 0.1;', put: 'const MARGIN = -1;' };
  // about every second history shows it; which one does changes with everything that the simulator imports
  let seen = '';
  await goOnUntil(
    () => /both believe that they hold it/.test(seen),
    30,
    async (at) => {
      const { found, text } = await copy.look(bug, 'test/sim/locks.js', ['1', String(at + 1)]);
      if (found) seen = text;
    },
  );
  assert.match(seen, /both believe that they hold it/);
});
