/** A thread of the simulator: runs the seeds it is sent, one after another. */
import { parentPort } from 'node:worker_threads';
import { serverNode } from './program.ts';
import { type RunResult, run } from './run.ts';
import { planOf, type SwarmLimits } from './swarm.ts';

/** What a thread is asked for. */
export interface Job {
  readonly seed: number;
  readonly limits: SwarmLimits;
  /** Names of faults to leave out. */
  readonly mask: readonly string[];
}
export type JobAnswer =
  | { readonly seed: number; readonly result: RunResult }
  | { readonly seed: number; readonly threw: string };

parentPort?.on('message', async ({ seed, limits, mask }: Job) => {
  try {
    const result = await run({ plan: planOf(seed, limits), boot: serverNode, mask: new Set(mask) });
    parentPort?.postMessage({ seed, result } satisfies JobAnswer);
  } catch (error) {
    const threw = error instanceof Error ? (error.stack ?? error.message) : String(error);
    parentPort?.postMessage({ seed, threw } satisfies JobAnswer);
  }
});
