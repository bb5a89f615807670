/** Named histories: what bit real users, told again. `node dist/test/sim/hist.js ID` tells one of them. ZOOSH_SEED: the seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { type TaleAnswer, talesOf } from './hist/job.ts';
import { inWorkers } from './workers.ts';

const seed = Number(process.env.ZOOSH_SEED ?? 1);

test('named histories end well', async () => {
  const all = talesOf().map(([id]) => id);
  // the others run in the long tests
  const ids = all.filter((_, i) => i % amount(1, 4) === 0);
  const halves = [0, 1].map((odd) => ids.filter((_, i) => i % 2 === odd));
  const answers = (
    await inWorkers<TaleAnswer[]>(
      new URL('./hist/job.js', import.meta.url),
      halves.map((part) => ({ ids: part, seed })),
    )
  ).flat();
  for (const { id, violations, lines } of answers)
    assert.deepEqual(violations, [], `node dist/test/sim/hist.js ${id} --from ${seed}\n${lines.join('\n')}`);
  assert.deepEqual(answers.map(({ id }) => id).sort(), ids.sort());
  const sum = answers.reduce((all, each) => all + each.transactions, 0);
  console.log(`${answers.length} histories of ${sum} transactions (seed ${seed})`);
  assert.ok(answers.length >= amount(20, 5) && answers.every(({ transactions }) => transactions > 4));
});
