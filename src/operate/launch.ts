import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { makeFolders } from '../base/make-folders.ts';
import { UP } from './come-up.ts';
import { endChild } from './end-child.ts';
import { type Found, PID_OPTION, type PidFile } from './pid-file.ts';
import { whyNot } from './whose.ts';

/** A server that is to run in the background. */
export interface Launch {
  readonly program: string;
  /** Up to the words of `start`, V8's options among them. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly pidFile: PidFile;
  /** What it says goes here; what an earlier one said is kept as `.1`. */
  readonly outFile: string;
  /** How long to wait until it has read its files and opened its ports, ms. One that reads still goes on by itself then. */
  readonly waitMs: number;
}
export type Launched =
  | { readonly state: 'started'; readonly pid: number; readonly isReady: boolean }
  | { readonly state: 'failed'; readonly code: number; readonly said: string }
  /** For its output, or its pid file. */
  | { readonly state: 'no place'; readonly why: string };

/** Of what a server said before it failed, bytes. */
const MOST_SAID = 16 * 1024;
/** Whoever reads much says so every second; who has said nothing for so long does not get on any more, ms. */
const QUIET_MS = 10_000;
/** The exit code of a server that cannot start. */
const NOT_STARTED = 40;

/** The command as it is run, for `print-cmd`, too. */
export const launchWords = ({ args, pidFile }: Pick<Launch, 'args' | 'pidFile'>): string[] => [
  ...args,
  PID_OPTION,
  pidFile.path,
  '--tell-up',
];

/** Starts a server in a session of its own. */
export async function launch(options: Launch): Promise<Launched> {
  const { program, env, pidFile, outFile, waitMs } = options;
  const out = openOut(outFile);
  if (typeof out === 'string') return { state: 'no place', why: out };
  const child = spawn(program, launchWords(options), {
    detached: true,
    env,
    stdio: ['ignore', out, out, 'pipe'],
  });
  closeSync(out);
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
    child.once('error', () => resolve(126));
  });
  const { pid } = child;
  if (pid === undefined) return { state: 'failed', code: await ended, said: `${program} cannot be run\n` };
  let before: Found;
  try {
    before = pidFile.find();
    pidFile.write(pid);
  } catch (error) {
    child.kill('SIGKILL'); // nobody could ever stop it by the file
    await ended;
    return {
      state: 'no place',
      why: `the pid file ${pidFile.path} cannot be written: ${whyNot(pidFile.path, error)}; ZOOPIDFILE says where it may be`,
    };
  }
  const up = child.stdio[3] as Readable;
  up.on('error', () => {});
  let heard: number | undefined;
  let text = '';
  const isUp = new Promise<'up'>((resolve) =>
    up.setEncoding('utf8').on('data', (piece: string) => {
      heard = performance.now();
      text = (text + piece).slice(-UP.length);
      if (text === UP) resolve('up');
    }),
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, waitMs, 'late');
  });
  const came = await Promise.race([isUp, late, ended]);
  clearTimeout(timer);
  if (typeof came === 'number') {
    pidFile.takeBack(pid, before);
    return { state: 'failed', code: came, said: tail(outFile) };
  }
  up.destroy();
  if (came === 'late' && (heard === undefined || performance.now() - heard > QUIET_MS)) {
    await endChild(child);
    pidFile.takeBack(pid, before);
    const why = `it has not come up after ${waitMs / 1000}s and does not get on: it was ended\n`;
    return { state: 'failed', code: NOT_STARTED, said: `${tail(outFile)}${why}` };
  }
  child.unref();
  pidFile.keep(pid);
  return { state: 'started', pid, isReady: came === 'up' };
}

/** A descriptor, or why there is none. */
function openOut(outFile: string): number | string {
  try {
    makeFolders(dirname(outFile), { mkdirSync, statSync });
    keep(outFile);
    return openSync(outFile, 'a', 0o640);
  } catch (error) {
    return `${outFile} cannot be written: ${whyNot(outFile, error)}; ZOO_LOG_DIR says where it may be`;
  }
}

/** The last output stays for who asks why an earlier server ended. */
function keep(outFile: string): void {
  try {
    if (statSync(outFile).size > 0) renameSync(outFile, `${outFile}.1`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** The end of a text file, whole lines; empty for one that is not there. */
export function tail(file: string, bytes = MOST_SAID): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = statSync(file);
      const from = Math.max(0, size - bytes);
      const part = Buffer.alloc(Math.min(size, bytes));
      const got = readSync(fd, part, 0, part.length, from);
      const text = part.toString('utf8', 0, got);
      return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}
