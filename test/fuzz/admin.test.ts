/** Malformed requests at the admin server: no crash, no blocked loop, nothing that a client beside notices. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { lateIf, timely } from '../patience.ts';
import { besiegeAdmin, showAdmin, WANTED } from './admin-siege.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
/** Of its own time, ms, in one turn of the loop; on a machine that is busy the same work takes more of it. */
const BLOCK_MS = amount(100, 250);
const COUNT = amount(20_000, 2_000);

test(`${COUNT} malformed requests at the admin server: a client beside notices nothing`, async () => {
  await timely(async () => {
    const found = await besiegeAdmin(COUNT, seed);
    console.log(`admin server (seed ${seed}): ${showAdmin(found)}`);
    const { inputs, outcomes, writes, ranMs } = found;
    const text = [...outcomes.keys()].join('; ');
    assert.ok(inputs >= COUNT && writes > 10);
    for (const each of WANTED) assert.ok((outcomes.get(each) ?? 0) > 0, `${each}: ${text}`);
    assert.doesNotMatch(text, /not HTTP|\b500\b/);
    return lateIf(ranMs >= BLOCK_MS, `it ran for ${ranMs} ms without a break`);
  });
});
