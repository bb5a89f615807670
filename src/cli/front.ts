/** The ways into the shell: a prompt, one command, commands from -c, a file or standard input, the playground. */
import { setTimeout as sleep } from 'node:timers/promises';
import { packageVersion } from '../platform/version.ts';
import type { Target } from '../shell/session.ts';
import type { Globals } from './globals.ts';
import { type Host, type HostOptions, openHost } from './host.ts';
import { Interrupted, SIGNALS } from './interrupt.ts';
import { isTypedByPerson } from './safety.ts';

/** How long the end of the session may take, ms. */
const GRACE_MS = 1000;

/**
 * Opens a shell, runs `work`, ends the session whatever happened. A signal interrupts the command and ends the program
 * with the session closed, also when nothing runs; a second one ends it at once. At a prompt SIGINT ends the command only.
 */
async function withHost(options: HostOptions, work: (host: Host) => Promise<number>): Promise<number> {
  const host = await openHost(options);
  let signalled: number | undefined;
  let stop: (status: number) => void = () => {};
  const stopped = new Promise<number>((resolve) => {
    stop = resolve;
  });
  const handlers = Object.entries(SIGNALS).map(([signal, status]) => {
    const handler = (): void => {
      // the terminal is a command's own meanwhile, `!less`: its Ctrl-C is none of ours
      if (options.interactive && signal === 'SIGINT') {
        host.shell.interrupt();
        return;
      }
      if (signalled !== undefined) process.exit(status); // the second one means it
      signalled = status;
      host.shell.leaving ??= { status };
      if (host.shell.interrupt()) setTimeout(() => stop(status), host.shell.graceMs).unref();
      else stop(status);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  try {
    const status = await Promise.race([work(host), stopped]);
    return signalled ?? status;
  } finally {
    if (signalled !== undefined && options.interactive) {
      host.onPromptChange = () => {}; // the line being typed is left as it stands
      process.stdout.write('\n');
    }
    await Promise.race([host.close(), sleep(GRACE_MS, undefined, { ref: false })]);
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
    // what still waits for input or an answer must not keep the program
    if (signalled !== undefined) process.stdin.destroy();
  }
}

export function runOne(globals: Globals, said: string | undefined, words: readonly string[]): Promise<number> {
  return withHost({ globals, said, interactive: false, canAsk: isTypedByPerson(), single: true }, (host) =>
    host.shell.runWords(words),
  );
}

export async function runCommands(globals: Globals, said: string | undefined): Promise<number> {
  const { summarise } = await import('./script.ts');
  return withHost({ globals, said, interactive: false, canAsk: false }, async (host) => {
    let status = 0;
    for (const text of globals.command) {
      status = await host.shell.run(text);
      if (host.shell.leaving !== undefined || host.shell.stopped) break;
    }
    return summarise(host, status);
  });
}

export async function runFile(
  globals: Globals,
  said: string | undefined,
  file: string,
  args: readonly string[],
): Promise<number> {
  const { readScript, runText } = await import('./script.ts');
  const text = readScript(file);
  return withHost({ globals, said, interactive: false, canAsk: false, args }, (host) => runText(host, text, file));
}

export async function runPrompt(globals: Globals, said: string | undefined, isLegacy: boolean): Promise<number> {
  const banner = isLegacy && globals.quiet !== true ? ['zkCli spelling understood; the prompt is our own'] : [];
  return promptOrScript(globals, { said }, banner);
}

/** A prompt, or the script on standard input, on an ensemble of this machine. */
export const runOnEnsemble = (
  globals: Globals,
  { name, connect }: { name: string; connect: string },
): Promise<number> =>
  promptOrScript(
    globals,
    { target: { server: connect, profile: name, options: { connectTimeoutMs: globals.connectTimeout } } },
    [],
  );

async function promptOrScript(
  globals: Globals,
  where: { said?: string | undefined; target?: Target },
  banner: readonly string[],
): Promise<number> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    const { runStream } = await import('./script.ts');
    return withHost({ globals, ...where, interactive: false, canAsk: false }, (host) => runStream(host, process.stdin));
  }
  const { runRepl } = await import('./repl.ts');
  return withHost({ globals, ...where, interactive: true, canAsk: true }, (host) =>
    runRepl({
      host,
      version: packageVersion(),
      plain: process.env.TERM === 'dumb' || globals.ascii === true,
      keepsHistory: globals.history,
      banner,
    }),
  );
}

export async function runPlayground(globals: Globals, words: readonly string[]): Promise<number> {
  const { PLAYGROUND_USAGE, startPlayground } = await import('./playground.ts');
  // outside the shell's own handlers the temporary data must go away, too
  let isOurs = true;
  let isStarting = true;
  const abort = new AbortController();
  for (const [signal, status] of Object.entries(SIGNALS))
    process.on(signal, () => {
      if (isStarting) abort.abort(new Interrupted(status));
      else if (isOurs) process.exit(status);
    });
  let playground: Awaited<ReturnType<typeof startPlayground>>;
  try {
    playground = await startPlayground(words, globals.connectTimeout, abort.signal);
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    throw error;
  }
  isStarting = false;
  if (playground === undefined) {
    process.stdout.write(`${PLAYGROUND_USAGE}\n`);
    return 0;
  }
  const { target } = playground;
  isOurs = false;
  try {
    return await promptOrScript(globals, { target }, playground.banner);
  } finally {
    isOurs = true;
    await playground.stop();
  }
}
