import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../patience.ts';

export const BIN = fileURLToPath(new URL('../../../bin/zoosh.js', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An ensemble of this machine, not a port at which nobody listens. */
const isServer = (word = ''): boolean => /^127\.0\.0\.1:\d{4,}|^local\//.test(word);
/** Who says so himself, or speaks as to zkCli, is left alone. */
const SAID = /^(?:--connect-timeout|--compat|-server)/;
/** Words that begin with a server or with options: one that is there may take longer to answer than a person waits. */
export function patiently(words: readonly string[]): readonly string[] {
  const [first = ''] = words;
  const isMeant = isServer(first) || (first.startsWith('-') && words.some((word) => isServer(word)));
  if (!isMeant || words.some((word) => SAID.test(word))) return words;
  return ['--connect-timeout', `${PATIENCE_MS / 2000}s`, ...words];
}

const NOBODY = 65534;
/** Where tests run as root, as somebody who owns nothing; who is not root cannot be anybody else. */
export const asNobody = (args: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  zoosh(args, '', env, process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {});
/** A temporary folder is its owner's alone: this and the one above it may be looked into by others. */
export function openToAll(dir: string): void {
  for (const each of [dir, dirname(dir)]) chmodSync(each, 0o755);
}

/** Runs the built binary without a terminal; what a user's files or environment say does not reach it. */
export function zoosh(
  args: readonly string[],
  input = '',
  env: Record<string, string> = {},
  as: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...patiently(args)], {
      ...as,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
        ZOOSH_HOME: '/nonexistent',
        LANG: 'C.UTF-8',
        ...env,
      },
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

/**
 * Begins the built binary without a terminal or input; it is killed when it does not end. What it waits for is waited for
 * with patience, one thing after another.
 */
export function zooshProcess(args: readonly string[]): Running {
  const child = spawn(process.execPath, [BIN, ...patiently(args)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ZOOSH_CODE_CACHE: process.env.ZOOSH_CODE_CACHE ?? 'off',
      ZOOSH_HOME: '/nonexistent',
      LANG: 'C.UTF-8',
    },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 3 * PATIENCE_MS);
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
