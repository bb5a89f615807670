import { parseArgs } from 'node:util';
import { startEmbedded } from '../runtime/embed.ts';
import { StartError } from '../runtime/start-error.ts';
import type { ExitCode } from '../shell/exit-codes.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { Target } from '../shell/session.ts';
import { StorageRefusal } from '../storage/errors.ts';

export const PLAYGROUND_USAGE = `usage: zoosh playground [--data DIR] [--port PORT]
A server in this process, and a prompt on it. With standard input from a pipe or a file, runs that as a script.
  --data DIR   keep the data there; otherwise it goes away at the end
  --port PORT  where the server listens on 127.0.0.1; otherwise a free port`;

export interface Playground {
  readonly target: Target;
  readonly keeps: string | undefined;
  stop(): Promise<void>;
}

/** Reads the words after `playground` and starts the server. Undefined: help was asked for. @throws Failure */
export async function startPlayground(
  words: readonly string[],
  connectTimeoutMs: number,
): Promise<Playground | undefined> {
  const { data, port, help } = options(words);
  if (help === true) return undefined;
  const number = port === undefined ? 0 : Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw usage(`--port is a number up to 65535, not ${port}`);
  try {
    const server = await startEmbedded({ port: number, ...(data !== undefined && { dataDir: data }) });
    return {
      target: { server: server.connectString, profile: 'playground', options: { connectTimeoutMs } },
      keeps: data,
      stop: () => server.stop(),
    };
  } catch (error) {
    if (error instanceof StartError || error instanceof StorageRefusal)
      throw new Failure(error.exitCode as ExitCode, 'NotStarted', error.message);
    throw error;
  }
}

function options(words: readonly string[]): { data?: string; port?: string; help?: boolean } {
  try {
    return parseArgs({
      args: [...words],
      options: { data: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }).values;
  } catch (error) {
    throw usage((error as Error).message, 'zoosh playground --help');
  }
}
