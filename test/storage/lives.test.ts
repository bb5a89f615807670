/** Everything a member does with its storage, at random, until power is cut at any call; then the directory is opened again. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { inWorkers } from '../sim/workers.ts';
import type { LivesCounts } from './lives-job.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const HISTORIES = 40;

test(`${HISTORIES * 25} lives of a member end at any call of the disk: each begins with what the one before had promised`, async () => {
  const seeds = Array.from({ length: HISTORIES }, (_, i) => seed + i);
  const halves = [seeds.slice(0, HISTORIES / 2), seeds.slice(HISTORIES / 2)];
  const sum: LivesCounts = {};
  for (const counts of await inWorkers<LivesCounts>(new URL('./lives-job.js', import.meta.url), halves))
    for (const [what, count] of Object.entries(counts)) sum[what] = (sum[what] ?? 0) + count;
  console.log(`lives (seed ${seed}): ${JSON.stringify(sum)}`);
  for (const what of ['truncated', 'installed', 'the newer one of two', 'dropped', 'purged', 'snapshots'])
    assert.ok((sum[what] ?? 0) > 20, what);
});
