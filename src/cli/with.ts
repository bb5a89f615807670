import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Failure, usage } from '../shell/failure.ts';
import { parseNumber, parseTimed } from '../shell/units.ts';
import { makeLeash } from './child-leash.ts';
import { refuseDryRun } from './dry-run.ts';
import type { Globals } from './globals.ts';
import { abortOnSignals, exitOf, Interrupted, SIGNALS } from './interrupt.ts';
import { ownCommand } from './local-ensembles.ts';
import { readOptions } from './options.ts';
import { startThrowaway } from './throwaway.ts';
import { showUsage } from './width.ts';

export const WITH_USAGE = `usage: zoosh with [-n 3] [--observers 0] [--memory] [--seed FILE] [--set KEY=VALUE]... [--timeout 30s] -- CMD [ARG...]
Starts an ensemble on free ports, runs CMD, and ends the ensemble with it, whatever happens; its exit code is that of CMD.
CMD finds what to connect to in ZOOSH_SERVER, ZK_SERVER and ZOOKEEPER_CONNECT; zoosh ensemble within it means this one.
  -n N             members that vote
  --observers N    members that do not
  --memory         files in memory (/dev/shm) where that is there
  --seed FILE      a file of zoosh commands that is run first
  --set KEY=VALUE  a setting of every member; repeatable
  --timeout DUR    how long a quorum may take`;

const OPTIONS = {
  n: { type: 'string', short: 'n' },
  observers: { type: 'string' },
  memory: { type: 'boolean' },
  seed: { type: 'string' },
  set: { type: 'string', multiple: true },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const parse = (args: readonly string[]) => {
  try {
    return readOptions({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw usage((error as Error).message, 'zoosh with --help');
  }
};

/** `zoosh with ... -- CMD ARG...`. Returns the exit code. @throws Failure when CMD was not begun */
export async function runWith(words: readonly string[], globals: Globals): Promise<number> {
  const end = words.indexOf('--');
  const values = parse(end < 0 ? words : words.slice(0, end));
  if (values.help === true) {
    showUsage(WITH_USAGE);
    return 0;
  }
  const [program, ...args] = end < 0 ? [] : words.slice(end + 1);
  if (program === undefined) throw usage('with: say what to run, after --', 'zoosh with -n 3 -- ./test.sh');
  refuseDryRun('with', globals);
  const { seed } = values;
  if (seed !== undefined && !existsSync(seed)) throw usage(`with: cannot read ${seed}: there is no such file`);
  using interrupts = abortOnSignals();
  const { signal } = interrupts;
  let throwaway: Awaited<ReturnType<typeof startThrowaway>>;
  try {
    throwaway = await startThrowaway({
      name: 'with',
      voters: values.n === undefined ? 3 : parseNumber(values.n, '-n'),
      observers: values.observers === undefined ? 0 : parseNumber(values.observers, '--observers'),
      basePort: undefined,
      memory: values.memory === true,
      data: undefined,
      settings: values.set ?? [],
      timeoutMs: values.timeout === undefined ? undefined : parseTimed(values.timeout, '--timeout'),
      lateHint: '--timeout DUR gives its members longer',
      signal,
    });
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    throw error;
  }
  try {
    const env = { ...process.env, ...throwaway.env };
    if (seed !== undefined) {
      const own = ownCommand();
      // what it prints is not what was asked for
      const status = await runChild(own.program, [...own.args, 'run', seed], env, ['ignore', 2, 2], signal);
      if (status !== 0) return status;
    }
    return await runChild(program, args, env, ['inherit', 'inherit', 'inherit'], signal);
  } finally {
    await throwaway.stop();
  }
}

/** Runs a program to its end; its code, or 128 and its signal. It ends when this program is told to end, or is killed. */
function runChild(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdio: ('inherit' | 'ignore' | number)[],
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const leash = makeLeash();
    const child = spawn(program, args, { env: { ...env, ...leash.env }, stdio });
    leash.holds(child.pid);
    const stop = (): void => {
      // a terminal sends Ctrl-C to the child as well; any other signal reaches only us
      const { exitCode } = signal.reason as Interrupted;
      if (exitCode !== SIGNALS.SIGINT || process.stdin.isTTY !== true)
        child.kill(exitCode === SIGNALS.SIGINT ? 'SIGINT' : 'SIGTERM');
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = error.code === 'ENOENT';
      const exit = isAbsent ? 127 : 126;
      reject(new Failure(exit, 'CannotRun', `cannot run ${program}: ${isAbsent ? 'not found' : error.code}`));
    });
    child.on('exit', (code, killed) => {
      leash.free();
      signal.removeEventListener('abort', stop);
      resolve(exitOf(code, killed));
    });
  });
}
