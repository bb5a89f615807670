/** First starts that lose power, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { type CutAnswer, cutAt, undisturbed } from './start.ts';

export interface FirstStartJob {
  readonly seed: number;
  /** Takes each `of`-th step, from `part` on. */
  readonly part: number;
  readonly of: number;
}
export interface FirstStartAnswer {
  readonly calls: readonly number[];
  readonly cuts: readonly CutAnswer[];
}

async function all({ seed, part, of }: FirstStartJob): Promise<FirstStartAnswer> {
  const { calls } = await undisturbed(seed);
  const steps = calls.flatMap((most, i) => Array.from({ length: most }, (_, k) => ({ victim: i + 1, call: k + 1 })));
  const cuts: CutAnswer[] = [];
  for (const [i, step] of steps.entries()) if (i % of === part) cuts.push(await cutAt({ seed, ...step }));
  return { calls, cuts };
}
if (parentPort !== null) parentPort.postMessage(await all(workerData as FirstStartJob));
