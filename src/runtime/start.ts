import { existsSync, mkdirSync } from 'node:fs';
import { lockDirectory } from '../platform/lock.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { startControlled } from './controlled.ts';
import { ServerNode } from './node.ts';
import type { RunningServer, StartOptions } from './node-options.ts';
import { StartError } from './start-error.ts';

export type { RunningServer, StartOptions };

/** The data directory is not there and may not be made, or cannot be. */
export class DataDirError extends StartError {}

/** Makes and locks the directory and starts the server that the configuration describes. @throws StartError, StorageRefusal, DamageError */
export async function startServer(options: StartOptions, withFaults = true): Promise<RunningServer> {
  const { config } = options;
  if (!existsSync(config.dataDir)) {
    if (config.dataDirMustExist)
      throw new DataDirError(
        40,
        `the data directory ${config.dataDir} does not exist, and datadir.autocreate=false; correct the path, or run zoosh server initialize`,
      );
    try {
      mkdirSync(config.dataDir, { recursive: true });
    } catch (error) {
      throw new DataDirError(
        40,
        `the data directory ${config.dataDir} cannot be made: ${(error as NodeJS.ErrnoException).code}`,
      );
    }
  }
  const lock = await lockDirectory(config.dataDir);
  if (lock === undefined)
    throw new StorageRefusal(
      42,
      `another zoosh server uses ${config.dataDir}. Stop it, or give this one a dataDir of its own`,
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
