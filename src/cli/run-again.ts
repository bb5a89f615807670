import { spawn } from 'node:child_process';
import { makeLeash } from './child-leash.ts';
import { exitOf } from './interrupt.ts';
import { ownCommand } from './local-ensembles.ts';

/**
 * A service manager tells every process of a service: one that is ending already is not told again in its last moments, in
 * which a signal would make an orderly end look like another, ms.
 */
const HAND_ON_MS = 200;
const LIMIT = '--max-old-space-size';

/** What stands before the script's name for a program with so much memory, MiB. */
export const memoryWords = (mib: number | undefined): string[] => {
  const others = process.execArgv.filter((word) => !word.startsWith(LIMIT));
  return mib === undefined ? others : [...others, `${LIMIT}=${mib}`];
};

/**
 * Runs this program again with V8's limit at `mib`, since a running one cannot change it; undefined when it has that limit
 * already. Signals are handed on, and it ends with this process, however that ends. Resolves with its exit code.
 */
export async function runAgain(mib: number | undefined): Promise<number | undefined> {
  if (mib === undefined || process.execArgv.includes(`${LIMIT}=${mib}`)) return undefined;
  const { program, args } = ownCommand();
  const leash = makeLeash();
  const child = spawn(program, [...memoryWords(mib), args.at(-1) as string, ...process.argv.slice(2)], {
    env: { ...process.env, ...leash.env },
    stdio: 'inherit',
  });
  leash.holds(child.pid);
  // a terminal tells the whole group by itself, and a second Ctrl-C would mean something else
  const own: readonly NodeJS.Signals[] = process.stdin.isTTY === true ? [] : ['SIGINT', 'SIGHUP'];
  const handed: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGUSR2', ...own];
  for (const signal of handed) process.on(signal, () => setTimeout(() => child.kill(signal), HAND_ON_MS));
  if (process.stdin.isTTY === true) for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(126));
    child.once('exit', (status, signal) => resolve(exitOf(status, signal)));
  });
  leash.free();
  return code;
}
