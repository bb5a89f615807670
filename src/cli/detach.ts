import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolders } from '../base/make-folders.ts';
import { endChild } from '../operate/end-child.ts';
import { whyNot } from '../operate/whose.ts';
import { StartError } from '../runtime/start-error.ts';
import { ownCommand } from './local-ensembles.ts';

const POLL_MS = 20;
const READY_MS = 60_000;
const NO_QUORUM = 45;

/** A server that runs on its own now. */
export interface Detached {
  readonly server: string;
  readonly pid: number;
  readonly log: string;
}

/** @throws StartError (40) */
function openLog(log: string): number {
  try {
    makeFolders(dirname(log), { mkdirSync, statSync }, 0o700);
    return openSync(log, 'w', 0o600);
  } catch (error) {
    throw new StartError(
      40,
      `the log of a server in the background, ${log}, cannot be written: ${whyNot(log, error)}; ZOOSH_HOME says where it may be`,
    );
  }
}

/**
 * Runs `zoosh start WORDS` in a session of its own, its output going to `log`, and waits until it says that it is ready.
 * Returns its exit code when it ends before, after saying why.
 */
export async function startDetached(words: readonly string[], log: string): Promise<Detached | number> {
  const fd = openLog(log);
  const { program, args } = ownCommand();
  const child = spawn(program, [...args, 'start', ...words], { detached: true, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  let code: number | undefined;
  child.once('exit', (ended) => {
    code = ended ?? 128;
  });
  child.once('error', () => {
    code = 126;
  });
  const end = performance.now() + READY_MS;
  for (;;) {
    const text = readFileSync(log, 'utf8');
    const server = /^ready (\S+)$/m.exec(text)?.[1];
    if (server !== undefined) {
      child.unref();
      return { server, pid: child.pid as number, log };
    }
    if (code !== undefined) {
      process.stderr.write(text);
      return code;
    }
    if (performance.now() > end) {
      await endChild(child);
      process.stderr.write(`${text}error: it does not serve after ${READY_MS / 1000} s\n`);
      return NO_QUORUM;
    }
    await sleep(POLL_MS);
  }
}
