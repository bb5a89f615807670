/** Files, standard input and programs, as the shell's lines name them. */

import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, fstatSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileWords } from '../base/file-words.ts';
import type { RunningProgram } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { unwritable } from '../shell/file-reason.ts';
import type { Outlet } from '../shell/shell-ports.ts';
import { BYTES_HINT, textOf } from '../shell/utf8.ts';
import type { TerminalHolder } from './ask.ts';
import { makeLeash } from './child-leash.ts';
import { exitOf, SIGNALS } from './interrupt.ts';

export const isRegularFile = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
};

/** A script's text. @throws Failure (2) */
export function readScript(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw usage(`cannot read ${file}: ${fileWords(error)}`);
  }
  return textOf(bytes, file, BYTES_HINT).replace(/^\ufeff/, '');
}

export const isFile = (word: string): boolean => {
  try {
    return statSync(word).isFile();
  } catch {
    return false;
  }
};

/** All of standard input. @throws Failure (2) */
export function readStdin(): Uint8Array {
  if (process.stdin.isTTY === true)
    throw usage('@- reads standard input, which is the terminal', 'redirect it from a file');
  try {
    return readFileSync(0);
  } catch (error) {
    throw usage(`standard input cannot be read: ${fileWords(error)}`);
  }
}

/** Where a script's own lines come from, it gives no data. @throws Failure (2) */
export function refuseStdin(): never {
  throw usage(
    'standard input is the script itself',
    '@FILE or a heredoc (<<END) gives data in a script, and zoosh FILE.zk leaves standard input free',
  );
}

/** Standard input as it comes. @throws Failure (2) */
export function streamStdin(): AsyncIterable<Uint8Array> {
  if (process.stdin.isTTY === true)
    throw usage('- reads standard input, which is the terminal', 'redirect it from a file');
  return process.stdin;
}

/** @throws Failure (2) */
export function openFile(file: string, append: boolean): Outlet {
  const checked = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unwritable(file, error);
    }
  };
  const fd = checked(() => openSync(file, append ? 'a' : 'w'));
  return {
    async write(bytes) {
      for (let at = 0; at < bytes.length; ) at += checked(() => writeSync(fd, bytes, at));
      return true;
    },
    async end() {
      checked(() => closeSync(fd));
      return 0;
    },
  };
}

/** The user's editor. vi without a terminal draws into nowhere, and waits. @throws Failure (2, 126, 127) */
export function userEditor(): string {
  const named = process.env.VISUAL || process.env.EDITOR;
  if (named) return runnable(named);
  if (process.stdin.isTTY === true && process.stdout.isTTY === true) return 'vi';
  throw usage(
    'edit: there is no terminal for an editor, and neither VISUAL nor EDITOR names a program that needs none',
    'set PATH @FILE writes what a file holds',
  );
}

/** Said before it is run, since the operating system's shell would say it in its own words first. @throws Failure (126, 127) */
function runnable(editor: string): string {
  const [program = ''] = editor.trim().split(/\s/, 1);
  // more than a name, or a system that finds programs in another way: its shell knows what it is
  if (process.platform === 'win32' || !/^[\w./+-]+$/.test(program)) return editor;
  const places = program.includes('/') ? [program] : (process.env.PATH ?? '').split(':').map((at) => join(at, program));
  if (places.some((file) => isFile(file) && mayRun(file))) return editor;
  const isThere = places.some(isFile);
  throw new Failure(
    isThere ? 126 : 127,
    'EditorFailed',
    `${editor} ${isThere ? 'cannot be executed' : 'is not there'}`,
    {
      hint: 'VISUAL or EDITOR in the environment names another editor',
    },
  );
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a line of the operating system's shell; the terminal is its own meanwhile. Its status. */
export const runOs = (
  line: string,
  signal: AbortSignal,
  holder: TerminalHolder | undefined,
  isBeside?: boolean,
): Promise<number> => startOs(line, 'inherit', signal, holder, isBeside).ended;

/** Begins one that reads what is written. */
export function pipeOs(
  line: string,
  signal: AbortSignal,
  holder: TerminalHolder | undefined,
  isBeside?: boolean,
): Outlet {
  const { stdin, ended } = startOs(line, 'pipe', signal, holder, isBeside);
  ended.catch(() => {}); // told when it is waited for
  let isOpen = true;
  stdin?.on('error', () => {}); // it may end before it has read everything
  stdin?.once('close', () => {
    isOpen = false;
  });
  return {
    write: (bytes) =>
      new Promise((resolve) => {
        if (!isOpen || stdin === null) return resolve(false);
        const settle = (): void => {
          stdin.off('drain', settle).off('close', settle);
          resolve(isOpen);
        };
        if (stdin.write(bytes)) return resolve(true);
        stdin.once('drain', settle).once('close', settle);
      }),
    end() {
      stdin?.end();
      return ended;
    },
  };
}

/** `isBeside`: what it prints goes to standard error, since standard output has records of JSON. */
function startOs(
  line: string,
  input: 'inherit' | 'pipe',
  signal: AbortSignal,
  holder: TerminalHolder | undefined,
  isBeside = false,
): { readonly stdin: Writable | null; readonly ended: Promise<number> } {
  holder?.pause();
  const child = spawn('/bin/sh', ['-c', line], { stdio: [input, isBeside ? 2 : 'inherit', 'inherit'] });
  const ended = new Promise<number>((resolve, reject) => {
    const stop = (): void => {
      child.kill('SIGINT');
    };
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => reject(new Failure(126, 'CannotRun', `cannot run ${line}: ${error.message}`)));
    child.on('close', (code, killed) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? (killed === null ? 1 : 130));
    });
  }).finally(() => holder?.resume());
  return { stdin: child.stdin, ended };
}

export interface ProgramOptions {
  readonly words: readonly string[];
  /** Beside our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Interrupts it. */
  readonly signal: AbortSignal;
  /** The exit code of the signal by which this program was told to end, if it was. */
  readonly leaving: () => number | undefined;
}

const CANNOT_RUN: Readonly<Record<string, string>> = {
  EACCES: 'it may not be executed (chmod +x FILE, or name what runs it: sh FILE)',
  ENOEXEC: 'it is not a program (a script begins with a line such as #!/bin/sh)',
};

/** Begins a program with our standard streams. @throws Failure (126, 127) */
export function startProgram(
  { words, env, signal, leaving }: ProgramOptions,
  holder: TerminalHolder | undefined,
): Promise<RunningProgram> {
  const [program = '', ...args] = words;
  // all of a group of its own can be ended; at a terminal it stays in ours, since another group could not read from it
  const isShared = process.stdin.isTTY === true;
  holder?.pause();
  const leash = makeLeash(); // who is killed holds nothing for it any more
  const all = { ...process.env, ...env, ...leash.env };
  const child = spawn(program, args, { env: all, stdio: 'inherit', detached: !isShared });
  leash.holds(child.pid);
  const kill = (name: string): void => {
    try {
      if (isShared) child.kill(name as NodeJS.Signals);
      else if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // nothing of it is left
    }
  };
  const stop = (): void => {
    const isInterrupt = (leaving() ?? SIGNALS.SIGINT) === SIGNALS.SIGINT;
    // a terminal sends Ctrl-C to the child as well
    if (!isInterrupt || !isShared) kill(isInterrupt ? 'SIGINT' : 'SIGTERM');
  };
  const killNow = (): void => kill('SIGKILL'); // we end before it: it must not go on without what we held for it
  const ended = new Promise<number>((resolve) => {
    child.on('exit', (code, killed) => resolve(exitOf(code, killed)));
  }).finally(() => {
    leash.free();
    signal.removeEventListener('abort', stop);
    process.removeListener('exit', killNow);
    holder?.resume();
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      holder?.resume();
      const isAbsent = error.code === 'ENOENT';
      const why = isAbsent ? 'not found' : (CANNOT_RUN[error.code ?? ''] ?? fileWords(error));
      reject(new Failure(isAbsent ? 127 : 126, 'CannotRun', `cannot run ${program}: ${why}`));
    });
    child.once('spawn', () => {
      child.on('error', () => {}); // a signal that could not be sent
      process.once('exit', killNow);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      resolve({ ended, kill });
    });
  });
}
