/** Files, standard input and programs, as the shell's lines name them. */
import { spawn } from 'node:child_process';
import { fstatSync, readFileSync, writeFileSync } from 'node:fs';
import { Failure, usage } from '../shell/failure.ts';
import type { TerminalHolder } from './ask.ts';

export const isRegularFile = (fd: number): boolean => {
  try {
    return fstatSync(fd).isFile();
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
    throw usage(`standard input cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Standard input as it comes. @throws Failure (2) */
export function streamStdin(): AsyncIterable<Uint8Array> {
  if (process.stdin.isTTY === true)
    throw usage('- reads standard input, which is the terminal', 'redirect it from a file');
  return process.stdin;
}

/** Resolves when standard output has room for more. */
export function drained(): Promise<void> {
  return process.stdout.writableNeedDrain
    ? new Promise((resolve) => void process.stdout.once('drain', resolve))
    : Promise.resolve();
}

/** @throws Failure (2) */
export function writeFile(file: string, bytes: Uint8Array, append: boolean): void {
  try {
    writeFileSync(file, bytes, { flag: append ? 'a' : 'w' });
  } catch (error) {
    throw usage(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Runs a line of the operating system's shell; the terminal is its own meanwhile. Its status. */
export function runOs(
  line: string,
  input: Uint8Array | undefined,
  signal: AbortSignal,
  holder: TerminalHolder | undefined,
): Promise<number> {
  holder?.pause();
  return new Promise<number>((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', line], {
      stdio: [input === undefined ? 'inherit' : 'pipe', 'inherit', 'inherit'],
    });
    const stop = (): void => {
      child.kill('SIGINT');
    };
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => reject(new Failure(126, 'CannotRun', `cannot run ${line}: ${error.message}`)));
    child.on('close', (code, killed) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? (killed === null ? 1 : 130));
    });
    child.stdin?.on('error', () => {}); // it may end before it has read everything
    child.stdin?.end(input);
  }).finally(() => holder?.resume());
}
