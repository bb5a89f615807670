/** Logs and snapshots that no server of ours wrote: each is refused in a sentence, quickly, or read. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { inWorkers } from '../sim/workers.ts';
import type { FuzzJob, FuzzReport } from './storage-job.ts';

const INPUTS = amount(100_000, 8_000);
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));

for (const what of ['log', 'snapshot'] as const)
  test(`${INPUTS} malformed inputs for the ${what}: refused or read, nothing else, at once`, async () => {
    const jobs: FuzzJob[] = [0, 1].map((half) => ({ what, seed: seed + half, inputs: INPUTS / 2 }));
    const reports = await inWorkers<FuzzReport>(new URL('./storage-job.js', import.meta.url), jobs);
    const outcomes = new Map<string, number>();
    for (const report of reports)
      for (const [name, count] of Object.entries(report.outcomes))
        outcomes.set(name, (outcomes.get(name) ?? 0) + count);
    const decoded = reports.reduce((sum, report) => sum + report.decoded, 0);
    const longest = Math.max(...reports.map((report) => report.longestMs));
    const sorted = [...outcomes].sort((a, b) => b[1] - a[1]);
    console.log(
      `${what} (seed ${seed}): ${decoded} came to the decoder with right checksums; longest ${longest.toFixed(1)} ms; ${sorted.length} outcomes: ${sorted.map(([name, count]) => `${name} ${count}`).join('; ')}`,
    );
    const crashes = reports.flatMap((report) => report.crashes);
    assert.equal(crashes.length, 0, `ZOOSH_SEED=${seed}: ${crashes.length} crashes, one: ${crashes[0]}`);
    assert.ok(decoded >= INPUTS / 2 && longest <= 100, `${decoded} decoded, ${longest} ms`);
    assert.ok((outcomes.get('read') ?? 0) > 100 && sorted.length > 20);
  });
