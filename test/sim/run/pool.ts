import { Worker } from 'node:worker_threads';
import type { Job, JobAnswer } from './job.ts';

/** Of real time in which this process ran: a seed that takes longer hangs. */
const LONGEST_S = 180;
/** Room for what dies young, MiB: most of what a simulation makes lives for one event. */
const YOUNG_MIB = 192;

/** Runs jobs on so many threads; `answered` is told of each as it comes and may say that no further is wanted. */
export async function runJobs(
  jobs: readonly Job[],
  threads: number,
  answered: (answer: JobAnswer) => boolean,
): Promise<void> {
  let next = 0;
  let wanted = true;
  const one = async (): Promise<void> => {
    let worker: Worker | undefined;
    try {
      while (wanted && next < jobs.length) {
        const job = jobs[next++] as Job;
        const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MIB };
        worker ??= new Worker(new URL('./job.js', import.meta.url), { resourceLimits });
        const answer = await ask(worker, job);
        if ('threw' in answer) {
          // what a run left behind may hurt the next
          await worker.terminate();
          worker = undefined;
        }
        if (!answered(answer)) wanted = false;
      }
    } finally {
      await worker?.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, one));
}

function ask(worker: Worker, job: Job): Promise<JobAnswer> {
  return new Promise((resolve) => {
    const { seed } = job;
    const done = (answer: JobAnswer): void => {
      clearInterval(late);
      worker.off('message', done);
      worker.off('error', died);
      worker.off('exit', ended);
      resolve(answer);
    };
    const died = (error: Error): void => done({ seed, threw: `the thread died: ${error.stack ?? error.message}` });
    const ended = (code: number): void => done({ seed, threw: `the thread ended with ${code}` });
    // a process that was stopped and goes on has not been busy meanwhile
    let seconds = 0;
    const late = setInterval(() => {
      if (++seconds > LONGEST_S) done({ seed, threw: `it took longer than ${LONGEST_S} s` });
    }, 1000);
    worker.on('message', done);
    worker.on('error', died);
    worker.on('exit', ended);
    worker.postMessage(job);
  });
}
