/** `node dist/test/sim/locks.js [SEEDS [FIRST]]`: locks under trouble, each seed one history. Ends with 1 when two held at once. */
import type { Contention } from './locks/contention.ts';
import type { LockJob } from './locks/job.ts';
import { inWorkers } from './workers.ts';

const [seeds = 1000, first = 1] = process.argv.slice(2).map(Number);
const began = performance.now();
const half = Math.ceil(seeds / 2);
const jobs: LockJob[] = [
  { from: first, count: half },
  { from: first + half, count: seeds - half },
].filter(({ count }) => count > 0);
const all = (await inWorkers<Contention[]>(new URL('./locks/job.js', import.meta.url), jobs)).flat();
const sum = (of: (each: Contention) => number): number => all.reduce((total, each) => total + of(each), 0);
console.log(
  `${all.length} seeds from ${first}: held ${sum((each) => each.acquired)} times, lost ${sum((each) => each.lost)} times; holders cut off ${sum((each) => each.cutOff)} times, paused ${sum((each) => each.paused)} times; ${sum((each) => each.leaders)} leaders; ${Math.round((performance.now() - began) / 1000)} s`,
);
for (const { seed, faults } of all) if (faults.length > 0) console.log(`seed ${seed}\n${faults.join('\n')}`);
process.exitCode = all.length === seeds && all.every(({ faults }) => faults.length === 0) ? 0 : 1;
