/** The thread that reads the files of keys of a server that serves meanwhile: to open them takes long, on purpose. */
import { parentPort, workerData } from 'node:worker_threads';
import { readClientKeys } from './client-keys.ts';
import type { KeyJob, KeyJobDone } from './keys-apart.ts';
import { readPeerKeys } from './peer-keys.ts';

const job = workerData as KeyJob;
let done: KeyJobDone;
try {
  const read =
    job.whose === 'clients' ? await readClientKeys(job.tls, job.now) : await readPeerKeys(job.tls, job.hosts, job.now);
  done = { read };
} catch (error) {
  done = { failed: (error as Error).message };
}
parentPort?.postMessage(done);
