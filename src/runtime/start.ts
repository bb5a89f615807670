import { existsSync, mkdirSync, statSync } from 'node:fs';
import { fileWords } from '../base/file-words.ts';
import { makeFolders } from '../base/make-folders.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { openAudit } from './audit-log.ts';
import { startControlled } from './controlled.ts';
import { doubtAbout, tryDirectory } from './directory.ts';
import { ServerNode } from './node.ts';
import type { RunningServer, StartOptions } from './node-options.ts';
import { StartError } from './start-error.ts';

export type { RunningServer, StartOptions };

/** The data directory is not there and may not be made, or cannot be. */
export class DataDirError extends StartError {}

/** Makes and locks the directory and starts the server that the configuration describes. @throws StartError, StorageRefusal, DamageError */
export async function startServer(given: StartOptions, withFaults = true): Promise<RunningServer> {
  const audit = openAudit(given.config.audit, given.logger);
  if (audit === undefined) return open(given, withFaults);
  let server: RunningServer;
  try {
    server = await open({ ...given, audit: audit.note }, withFaults);
  } catch (error) {
    audit.server('serverStart', 'failure');
    audit.close();
    throw error;
  }
  audit.server('serverStart', 'success');
  let stopped: Promise<void> | undefined;
  const ended = async (): Promise<void> => {
    audit.server('serverStop', 'invoked');
    await server.stop();
    audit.close();
  };
  const stop = (): Promise<void> => {
    stopped ??= ended();
    return stopped;
  };
  return { ...server, reopenLogs: () => audit.reopen(), stop, [Symbol.asyncDispose]: stop };
}

/** The data directory is there afterwards. @throws DataDirError */
export function makeDataDirectory({ dataDir, dataDirMustExist }: StartOptions['config']): void {
  if (existsSync(dataDir)) return;
  if (dataDirMustExist)
    throw new DataDirError(
      40,
      `the data directory ${dataDir} does not exist, and datadir.autocreate=false; correct the path, or run zoosh server initialize`,
    );
  try {
    makeFolders(dataDir, { mkdirSync, statSync });
  } catch (error) {
    throw new DataDirError(40, `the data directory ${dataDir} cannot be made: ${fileWords(error)}`);
  }
}

async function open(options: StartOptions, withFaults: boolean): Promise<RunningServer> {
  const { config } = options;
  makeDataDirectory(config);
  const lock = await tryDirectory(config.dataDir);
  if (lock === undefined)
    throw new StorageRefusal(
      42,
      `another zoosh server uses ${config.dataDir}. Stop it, or give this one a dataDir of its own${await doubtAbout(config.dataDir)}`,
    );
  if (lock.weakness !== undefined)
    options.logger.warn(
      `the lock of ${config.dataDir} is not seen from other containers: ${lock.weakness}. Give the directory to one container alone`,
    );
  try {
    const unlock = (): void => lock.release();
    if (options.control !== undefined) return await startControlled(options, unlock, options.control, withFaults);
    return await new ServerNode(options, unlock).start();
  } catch (error) {
    lock.release();
    throw error;
  }
}
