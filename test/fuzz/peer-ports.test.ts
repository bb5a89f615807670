/** Malformed inputs on the peer ports of real processes: no crash, no election, no write beside that fails. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { MESSAGE_TYPES } from '../../src/records/peer-messages.ts';
import { amount } from '../amount.ts';
import { lateIf, timely } from '../patience.ts';
import type { Attack } from './peer-attack.ts';
import { besiege, show } from './peer-siege.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
/** What a machine that does something else beside may take from a loop, ms; the command allows less. */
const BLOCK_MS = 1000;
const GROWTH_MIB = 96;

for (const [how, secret, inputs] of [
  ['in the clear', false, amount(6_000, 800)],
  ['by members of a secret, and before they prove it', true, amount(1_500, 300)],
] as const)
  test(`${inputs} malformed inputs on peer ports, ${how}: the ensemble goes on as if nothing was`, async () => {
    // the same attack again where a member was late or large: of what it was told it is so every time
    await timely(async () => {
      const lacks = (attack: Attack, writes: number): string[] => [
        ...MESSAGE_TYPES.filter((type) => (attack.types.get(type) ?? 0) <= amount(3, 0)),
        ...(attack.outcomes.size > 40 ? [] : [`${attack.outcomes.size} outcomes`]),
        ...((attack.outcomes.get('read, and nothing came of it') ?? 0) > inputs / 50 ? [] : ['read']),
        ...(writes > 10 ? [] : [`${writes} writes`]),
      ];
      const enough = (attack: Attack, writes: number): boolean => lacks(attack, writes).length === 0;
      const report = await besiege({ inputs, seed, secret, enough });
      console.log(`peer ports (seed ${seed}), ${how}: ${show(report, 15)}`);
      const { attack } = report;
      assert.ok(report.inputs >= inputs);
      assert.deepEqual(lacks(attack, report.writes), []);
      const { blocksMs, grownMiB } = report;
      const isLate = Math.max(...blocksMs) >= BLOCK_MS || Math.max(...grownMiB) >= GROWTH_MIB;
      return lateIf(isLate, `blocked for ${blocksMs} ms, grown by ${grownMiB} MiB`);
    });
  });
