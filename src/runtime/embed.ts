import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import type { DirectoryLock } from '../platform/lock.ts';
import { checkConfig, parseAssignment } from '../server/config.ts';
import { type LogLevel, makeLogger } from './log.ts';
import { holdLogDirectory } from './server-folders.ts';
import { type RunningServer, startServer } from './start.ts';
import { StartError } from './start-error.ts';

export interface EmbedOptions {
  /** Default 0: a free one. */
  readonly port?: number;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Where its data lives; default a temporary folder that goes away when it stops. */
  readonly dataDir?: string;
  /** Keys of zoo.cfg, e.g. `{ maxSessionTimeout: '60000' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines on standard error; default `warn`. */
  readonly logLevel?: LogLevel;
  /**
   * The disk failed under the log and nothing more is acknowledged; default ends the process with 40, since whoever goes
   * on would only see requests that never end.
   */
  readonly onFailed?: (error: Error) => void;
}

/** A server in this process. `await using` stops it. */
export interface EmbeddedServer extends RunningServer {
  /** What clients connect to: `127.0.0.1:39441`. */
  readonly connectString: string;
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'zoosh-'));
  } catch (error) {
    throw new StartError(
      40,
      `no temporary folder can be made in ${tmpdir()}: ${fileWords(error)}. Set TMPDIR, or say where the data is to be`,
    );
  }
}

/**
 * Starts a standalone server in this process.
 * @throws ConfigError for a setting that does not fit, StartError (port in use), StorageRefusal (directory in use, damage)
 */
export async function startEmbedded(options: EmbedOptions = {}): Promise<EmbeddedServer> {
  const { port = 0, host = '127.0.0.1', settings = {}, logLevel = 'warn' } = options;
  const temporary = options.dataDir === undefined ? temporaryFolder() : undefined;
  const remove = (): void => {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  };
  process.once('exit', remove);
  let held: DirectoryLock | undefined;
  const cleanUp = (): void => {
    held?.release();
    process.removeListener('exit', remove);
    remove();
  };
  try {
    const all = {
      clientPort: String(port),
      clientPortAddress: host,
      dataDir: options.dataDir ?? temporary,
      ...settings,
    };
    const config = checkConfig(
      Object.entries(all).map(([key, value]) => parseAssignment(`${key}=${value}`, `setting ${key}`)),
    );
    const logger = makeLogger(logLevel, 'text');
    for (const note of config.notes) logger.warn(note);
    const fail = (error: Error): void => {
      logger.error(`the transaction log cannot be written: ${error.message}`);
      process.exit(40);
    };
    held = await holdLogDirectory(config, logger);
    const server = await startServer({ config, logger, onFailed: options.onFailed ?? fail });
    const shown = server.host.includes(':') ? `[${server.host}]` : server.host;
    const stop = async (): Promise<void> => {
      await server.stop();
      cleanUp();
    };
    return {
      host: server.host,
      port: server.port,
      securePort: server.securePort,
      connectString: `${shown}:${server.port}`,
      serving: server.serving,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    cleanUp();
    throw error;
  }
}
