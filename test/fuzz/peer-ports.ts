/**
 * `npm run fuzz:peers [-- INPUTS]`: malformed inputs on the peer ports of real processes, a million if nothing is said, a tenth
 * of them under a secret. Wants a machine that does nothing else beside: 100 ms are the bound for a member's loop.
 */
import { randomInt } from 'node:crypto';
import { besiege, show } from './peer-siege.ts';

const BLOCK_MS = 100;
const GROWTH_MIB = 96;
const all = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const secretly = Math.floor(all / 10);
for (const [how, secret, inputs] of [
  ['in the clear', false, all - secretly],
  ['by members of a secret, and before they prove it', true, secretly],
] as const) {
  let told = 0;
  const progress = (done: number): void => {
    if (done < told + inputs / 20) return;
    told = done;
    console.error(`${done} of ${inputs}, ${how}`);
  };
  const report = await besiege({ inputs, seed, secret, progress });
  console.log(`peer ports (seed ${seed}), ${how}: ${show(report)}`);
  for (const [what, found, bound] of [
    ['a loop was blocked for so many ms', Math.max(...report.blocksMs), BLOCK_MS],
    ['memory grew by so many MiB', Math.max(...report.grownMiB), GROWTH_MIB],
  ] as const)
    if (found >= bound) {
      console.error(`${what}: ${found}; at most ${bound} are allowed`);
      process.exitCode = 1;
    }
}
