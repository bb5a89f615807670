/** Malformed requests at the admin server: no crash, no blocked loop, nothing that a client beside notices. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { lateIf, timely } from '../patience.ts';
import { besiegeAdmin } from './admin-siege.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
/** What a machine that does something else beside may take from a loop, ms. */
const BLOCK_MS = 1000;
const COUNT = amount(20_000, 2_000);

test(`${COUNT} malformed requests at the admin server: a client beside notices nothing`, async () => {
  await timely(async () => {
    const { inputs, outcomes, writes, blockMs } = await besiegeAdmin(COUNT, seed);
    const text = [...outcomes].map(([name, count]) => `${name} ${count}`).join('; ');
    console.log(
      `admin server (seed ${seed}): ${text}; ${writes} writes beside, the loop stood still ${blockMs.toFixed(1)} ms at most`,
    );
    assert.ok(inputs >= COUNT && writes > 10);
    // answered, asked for a login, unknown, the wrong method, no HTTP at all
    for (const each of ['200', '400', '401', '404', '405', 'nothing', 'waits'])
      assert.ok((outcomes.get(each) ?? 0) > 0, `${each}: ${text}`);
    assert.doesNotMatch(text, /not HTTP|\b500\b/);
    return lateIf(blockMs >= BLOCK_MS, `blocked for ${blockMs} ms`);
  });
});
