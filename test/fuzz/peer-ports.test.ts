/** Malformed inputs on the peer ports of real processes: no crash, no election, no write beside that fails. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { MESSAGE_TYPES } from '../../src/records/peer-messages.ts';
import { amount } from '../amount.ts';
import { besiege, show } from './peer-siege.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
/** What a machine that does something else beside may take from a loop, ms; the command allows less. */
const BLOCK_MS = 1000;

for (const [how, secret, inputs] of [
  ['in the clear', false, amount(6_000, 1_500)],
  ['by members of a secret, and before they prove it', true, amount(1_500, 400)],
] as const)
  test(`${inputs} malformed inputs on peer ports, ${how}: the ensemble goes on as if nothing was`, async () => {
    const report = await besiege({ inputs, seed, secret });
    console.log(`peer ports (seed ${seed}), ${how}: ${show(report, 15)}`);
    const { attack } = report;
    assert.ok(report.inputs >= inputs && report.writes > 10);
    for (const type of MESSAGE_TYPES) assert.ok((attack.types.get(type) ?? 0) > amount(3, 0), type);
    assert.ok(attack.outcomes.size > 40, `${attack.outcomes.size} outcomes`);
    assert.ok((attack.outcomes.get('read, and nothing came of it') ?? 0) > inputs / 50);
    assert.ok(Math.max(...report.blocksMs) < BLOCK_MS, `${report.blocksMs}`);
    assert.ok(Math.max(...report.grownMiB) < 96, `${report.grownMiB} MiB`);
  });
