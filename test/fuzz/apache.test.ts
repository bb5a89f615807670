/** Files that no Apache server wrote: each is refused in a sentence with its place, or read; nothing else, and at once. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { fuzzApache, SLOW_MS } from './apache-inputs.ts';

const INPUTS = amount(250_000, 2_000);
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));

test(`${INPUTS} malformed data directories: refused or read, nothing else, at once`, async () => {
  const { outcomes, slowestMs } = await fuzzApache(INPUTS, seed);
  const sorted = [...outcomes].sort((a, b) => b[1] - a[1]);
  console.log(
    `seed ${seed}: slowest ${slowestMs.toFixed(0)} ms; ${sorted.length} outcomes: ${sorted
      .slice(0, 40)
      .map(([name, count]) => `${name} ${count}`)
      .join('; ')}`,
  );
  assert.ok(slowestMs < SLOW_MS, `ZOOSH_SEED=${seed}: ${slowestMs} ms`);
  assert.ok((outcomes.get('read') ?? 0) > INPUTS / 20 && sorted.length > 20, `${sorted.length} outcomes`);
});
