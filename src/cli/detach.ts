import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolders } from '../base/make-folders.ts';
import { UP } from '../operate/come-up.ts';
import { endChild } from '../operate/end-child.ts';
import { whyNot } from '../operate/whose.ts';
import { StartError } from '../runtime/start-error.ts';
import { ownCommand } from './local-ensembles.ts';

const POLL_MS = 20;
const READY_MS = 60_000;
/** A member whose ports are open serves within so long if there is a quorum that it can join. */
const QUORUM_MS = 5000;
/** Whoever reads much says so every second (operate/come-up.ts); who has said nothing for so long does not get on, ms. */
const QUIET_MS = 10_000;
const NO_QUORUM = 45;

/** A server that runs on its own now. */
export interface Detached {
  readonly server: string;
  readonly pid: number;
  readonly log: string;
  /** Why it does not serve yet, a phrase. */
  readonly waits?: string;
}
export interface DetachHow {
  /** What it says goes here. */
  readonly log: string;
  /** Where it will serve, as far as that is known before. */
  readonly server: string;
  /** Of an ensemble: it may have to wait for others. */
  readonly isMember: boolean;
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
 * Runs `zoosh start WORDS` in a session of its own, its output going to `log`, and waits until it says that it is ready. As
 * with `zoosh server start`, a member that runs and waits for the others counts as started, and so does one that still reads
 * its files; one that does not get on is ended. Returns its exit code when it ends before, after saying why.
 */
export async function startDetached(words: readonly string[], how: DetachHow): Promise<Detached | number> {
  const { log } = how;
  const fd = openLog(log);
  const { program, args } = ownCommand();
  const child = spawn(program, [...args, 'start', ...words, '--tell-up'], {
    detached: true,
    stdio: ['ignore', fd, fd, 'pipe'],
  });
  closeSync(fd);
  let code: number | undefined;
  child.once('exit', (ended) => {
    code = ended ?? 128;
  });
  child.once('error', () => {
    code = 126;
  });
  const up = child.stdio[3] as Readable;
  let heard = Number.NEGATIVE_INFINITY;
  let upAt: number | undefined;
  let tail = '';
  up.on('error', () => {});
  up.setEncoding('utf8').on('data', (piece: string) => {
    heard = performance.now();
    tail = (tail + piece).slice(-UP.length);
    if (tail === UP) upAt ??= heard;
  });
  const started = (server: string, waits?: string): Detached => {
    up.destroy();
    child.unref();
    return { server, pid: child.pid as number, log, ...(waits !== undefined && { waits }) };
  };
  const end = performance.now() + READY_MS;
  for (;;) {
    const text = readFileSync(log, 'utf8');
    const server = /^ready (\S+)$/m.exec(text)?.[1];
    if (server !== undefined) return started(server);
    if (code !== undefined) {
      process.stderr.write(text);
      return code;
    }
    const now = performance.now();
    if (how.isMember && upAt !== undefined && now > upAt + QUORUM_MS)
      return started(how.server, 'it waits for a quorum; start the other members');
    if (now > end) {
      if (upAt === undefined && now - heard < QUIET_MS) return started(how.server, 'it still reads its files');
      await endChild(child);
      process.stderr.write(
        `${text}error: it did not serve within ${READY_MS / 1000}s, and was ended; ${log} has what it said\n`,
      );
      return NO_QUORUM;
    }
    await sleep(POLL_MS);
  }
}
