/** The ways into the shell: a prompt, one command, commands from -c, a file or standard input, the playground. */
import { packageVersion } from '../platform/version.ts';
import type { Target } from '../shell/session.ts';
import type { Globals } from './globals.ts';
import { type Host, type HostOptions, openHost } from './host.ts';
import { isTypedByPerson } from './safety.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Opens a shell, runs `work`, ends the session whatever happened. Signals interrupt the command, then the program. */
async function withHost(options: HostOptions, work: (host: Host) => Promise<number>): Promise<number> {
  const host = openHost(options);
  let signalled: number | undefined;
  const handlers = Object.entries(SIGNALS).map(([signal, status]) => {
    const handler = (): void => {
      if (signalled !== undefined) process.exit(status); // the second one means it
      signalled = status;
      host.shell.leaving ??= { status };
      if (!host.shell.interrupt() && options.interactive && signal !== 'SIGINT') process.exit(status);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  try {
    const status = await work(host);
    return signalled ?? status;
  } finally {
    for (const [signal, handler] of handlers) process.removeListener(signal, handler);
    await host.close();
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
  const playground = await startPlayground(words, globals.connectTimeout);
  if (playground === undefined) {
    process.stdout.write(`${PLAYGROUND_USAGE}\n`);
    return 0;
  }
  const { target, keeps } = playground;
  try {
    return await promptOrScript(globals, { target }, [
      `A ZooKeeper server of your own on ${target.server}, ${keeps === undefined ? 'its data goes away at the end' : `data in ${keeps}`}.`,
      'Try: create /bar hello-bar, then ls / and get /bar. Tab completes, help explains, Ctrl-D leaves.',
    ]);
  } finally {
    await playground.stop();
  }
}
