/** `node dist/test/fuzz/peer-ports.js [INPUTS]`: malformed inputs on the peer ports of real processes, a tenth of them under a secret. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { besiege, show } from './peer-siege.ts';

const BLOCK_MS = 100;
const GROWTH_MIB = 96;
const all = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
for (const [how, secret, inputs] of [
  ['in the clear', false, all - Math.floor(all / 10)],
  ['by members of a secret, and before they prove it', true, Math.floor(all / 10)],
] as const) {
  const report = await besiege({ inputs, seed, secret });
  console.log(`peer ports (seed ${seed}), ${how}: ${show(report)}`);
  assert.ok(Math.max(...report.blocksMs) < BLOCK_MS, 'a loop was blocked');
  assert.ok(Math.max(...report.grownMiB) < GROWTH_MIB, 'memory grew');
}
