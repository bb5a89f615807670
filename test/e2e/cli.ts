import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../patience.ts';

export const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built binary without a terminal; what a user's files or environment say does not reach it. */
export function zoosh(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8', ...env },
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`zoosh ${args.join(' ')} did not end in ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('latin1');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? (signal === null ? 1 : 128), stdout, stderr });
    });
  });
}

export interface Running {
  readonly ended: Promise<number>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

/** Begins the built binary without a terminal or input; it is killed when it does not end. */
export function zooshProcess(args: readonly string[]): Running {
  const child = spawn(process.execPath, [BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? (signal === null ? 1 : 128));
    });
  });
  return { ended, stdout: () => stdout, stderr: () => stderr, kill: (signal) => void child.kill(signal) };
}
