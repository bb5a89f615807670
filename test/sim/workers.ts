import { Worker } from 'node:worker_threads';

/** A thread that has answered and still runs so long after it ends by itself no more, ms. */
const LATE_MS = 5000;

/**
 * Runs `script` once per entry of `data`, each in a thread of its own, and gives what each posts first. Under node:test every
 * promise is tracked, which doubles the time of what awaits millions of them; a thread of its own is not.
 */
export function inWorkers<T>(script: URL, data: readonly unknown[]): Promise<T[]> {
  return Promise.all(
    data.map(
      (workerData) =>
        new Promise<T>((resolve, reject) => {
          const worker = new Worker(script, { workerData });
          worker.once('message', (answer: T) => {
            resolve(answer);
            // one that is told to end in the moment in which it ends by itself may do neither, and its process stays
            const late = setTimeout(() => void worker.terminate(), LATE_MS);
            worker.once('exit', () => clearTimeout(late));
          });
          worker.once('error', reject);
          worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
        }),
    ),
  );
}
