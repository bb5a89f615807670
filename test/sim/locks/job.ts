/** Locks under trouble, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Contention, contention } from './contention.ts';

export interface LockJob {
  readonly from: number;
  readonly count: number;
}
async function all({ from, count }: LockJob): Promise<Contention[]> {
  const done: Contention[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const result = await contention(seed);
    done.push(result);
    if (result.faults.length > 0) break;
  }
  return done;
}
if (parentPort !== null) parentPort.postMessage(await all(workerData as LockJob));
