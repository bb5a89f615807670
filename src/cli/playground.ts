import { startEmbedded } from '../runtime/embed.ts';
import { StartError } from '../runtime/start-error.ts';
import type { ExitCode } from '../shell/exit-codes.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Target } from '../shell/session.ts';
import { parseNumber, plural } from '../shell/units.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { refuseDryRun } from './dry-run.ts';
import type { Globals } from './globals.ts';
import { readOptions } from './options.ts';

export const PLAYGROUND_USAGE = `usage: zoosh playground [-n N] [--data DIR] [--port PORT]
A server in this process, and a prompt on it. With standard input from a pipe or a file, runs that as a script.
  -n N         an ensemble of so many servers instead, each a process of its own
  --data DIR   keep the data there; otherwise it goes away at the end
  --port PORT  where the (first) server listens on 127.0.0.1; otherwise a free port`;

export interface Playground {
  readonly target: Target;
  /** Lines above the first prompt. */
  readonly banner: readonly string[];
  stop(): Promise<void>;
}

/** Reads the words after `playground` and starts the server. Undefined: help was asked for. @throws Failure */
export async function startPlayground(
  words: readonly string[],
  globals: Globals,
  options: Target['options'],
  signal: AbortSignal,
): Promise<Playground | undefined> {
  const { n, data, port, help } = wordsOf(words);
  if (help === true) return undefined;
  // its own server goes away with what was tried; a folder that is kept would be made
  if (data !== undefined) refuseDryRun('playground --data', globals);
  const number = port === undefined ? 0 : Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw usage(`--port is a number up to 65535, not ${port}`);
  if (n !== undefined)
    return startEnsemble(parseNumber(n, '-n'), data, port === undefined ? undefined : number, options, signal);
  try {
    const server = await startEmbedded({
      port: number,
      settings: OWN_SETTINGS,
      ...(data !== undefined && { dataDir: data }),
    });
    if (signal.aborted) {
      await server.stop();
      throw signal.reason;
    }
    return {
      target: ownTarget(server.connectString, options),
      banner: serverBanner(server.connectString, data),
      stop: () => server.stop(),
    };
  } catch (error) {
    if (error instanceof StartError || error instanceof StorageRefusal)
      throw new Failure(error.exitCode as ExitCode, 'NotStarted', error.message);
    throw error;
  }
}

/** Nobody else is there whom the words for operators could help. */
const OWN_SETTINGS = { '4lw.commands.whitelist': '*' };

/** What was changed in one playground is not to be taken back in the next. */
export const ownTarget = (server: string, options: Target['options']): Target => ({
  server,
  profile: 'playground',
  label: server,
  options,
});

const fate = (data: string | undefined): string =>
  data === undefined ? 'its data ends with it' : `its data is kept in ${data}`;

/** What stands above the first prompt; `data`: the directory it is kept in. */
export const serverBanner = (server: string, data?: string): readonly string[] => [
  `A ZooKeeper server of your own on ${server}; ${fate(data)}.`,
  'Try: create /bar hello-bar, ls /, get /bar. Tab completes, Ctrl-D leaves.',
];
export const ensembleBanner = (voters: number, data?: string): readonly string[] => [
  `An ensemble of ${plural(voters, 'server')} of your own, each a process; ${fate(data)}.`,
  'Try: create /bar hello-bar, ensemble status, ensemble kill leader, get /bar,',
  'ensemble start 1, ensemble partition 1,2 / 3, ensemble heal.',
  'Tab completes, Ctrl-D leaves.',
];

async function startEnsemble(
  voters: number,
  data: string | undefined,
  basePort: number | undefined,
  options: Target['options'],
  signal: AbortSignal,
): Promise<Playground> {
  const { startThrowaway } = await import('./throwaway.ts');
  const { ensemble, env, stop } = await startThrowaway({
    name: 'playground',
    voters,
    observers: 0,
    basePort,
    memory: false,
    data,
    settings: [],
    timeoutMs: undefined,
    lateHint: 'zoosh start ensemble --timeout DUR gives members longer, --keep leaves their logs',
    signal,
  });
  Object.assign(process.env, env); // for `ensemble` at the prompt, and for what is run from there
  return {
    target: ownTarget(ensemble.connect, options),
    banner: ensembleBanner(voters, data),
    stop,
  };
}

function wordsOf(words: readonly string[]): { n?: string; data?: string; port?: string; help?: boolean } {
  try {
    return readOptions({
      args: [...words],
      options: {
        n: { type: 'string', short: 'n' },
        data: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw usage((error as Error).message, 'zoosh playground --help');
  }
}
