/** Work that would hold the loop up, in a thread of its own. */
import { Worker } from 'node:worker_threads';

/** Old space of the thread, MiB. */
const MOST_MIB = 256;
/** A thread that has answered and runs so long after it is ended, ms. */
const LATE_MS = 5000;

/**
 * Starts a module as a thread, with `given` as its workerData, and resolves to the one message that it posts. Rejects with
 * what ended it instead, or with an Error when it was not done in `mostMs`; then it is ended.
 */
export function apart<T>(module: URL, given: unknown, mostMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(module, {
      workerData: given,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MOST_MIB },
    });
    const end = (): void => void thread.terminate();
    const settle = (run: () => void, mostLeft = 0): void => {
      clearTimeout(timer);
      run();
      if (mostLeft === 0) return end();
      const late = setTimeout(end, mostLeft).unref();
      thread.once('exit', () => clearTimeout(late));
    };
    const timer = setTimeout(() => settle(() => reject(new Error(`not done in ${mostMs} ms`))), mostMs);
    // it ends by itself: told to in the same moment it may do neither, and whoever waits for it waits for ever
    thread.once('message', (message: T) => settle(() => resolve(message), LATE_MS));
    thread.on('error', (error) => settle(() => reject(error)));
    thread.once('exit', () => settle(() => reject(new Error('it ended without a word'))));
    // a server that stops does not wait for it
    thread.unref();
    timer.unref();
  });
}
