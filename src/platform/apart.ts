/** Work that would hold the loop up, in a thread of its own. */
import { Worker } from 'node:worker_threads';

/** Old space of the thread, MiB. */
const MOST_MIB = 256;

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
    const settle = (run: () => void): void => {
      clearTimeout(timer);
      run();
      void thread.terminate();
    };
    const timer = setTimeout(() => settle(() => reject(new Error(`not done in ${mostMs} ms`))), mostMs);
    thread.once('message', (message: T) => settle(() => resolve(message)));
    thread.on('error', (error) => settle(() => reject(error)));
    thread.once('exit', () => settle(() => reject(new Error('it ended without a word'))));
    // a server that stops does not wait for it
    thread.unref();
    timer.unref();
  });
}
