/** The thread that reads the files of keys of a server that serves meanwhile: to open them takes long, on purpose. */
import { parentPort, workerData } from 'node:worker_threads';
import { readClientKeys } from './client-keys.ts';
import { type KeyJob, type KeyJobDone, opened } from './keys-apart.ts';
import { readPeerKeys } from './peer-keys.ts';

const job = workerData as KeyJob;
let done: KeyJobDone;
try {
  const read =
    job.whose === 'clients'
      ? await readClientKeys(opened(job.tls, job.passwords), job.now)
      : await readPeerKeys(opened(job.tls, job.passwords), job.hosts, job.now);
  done = { read };
} catch (error) {
  done = { failed: (error as Error).message };
}
parentPort?.postMessage(done);
