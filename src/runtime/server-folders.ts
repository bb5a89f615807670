import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { makeFolders } from '../base/make-folders.ts';
import type { DirectoryLock } from '../platform/lock.ts';
import type { ServerConfig } from '../server/config.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { doubtAbout, tryDirectory } from './directory.ts';
import type { Logger } from './log.ts';
import { DataDirError, makeDataDirectory } from './start.ts';

/**
 * Keeps every other server out of a dataLogDir of its own: with a dataDir of another it would take up the same history there,
 * and both would write on. Undefined where the log lies in dataDir, which the server itself locks.
 * @throws DataDirError when it is not there and may not be made, or cannot be; StorageRefusal (42) when another has it
 */
export async function holdLogDirectory(
  config: ServerConfig,
  logger: Pick<Logger, 'warn'>,
): Promise<DirectoryLock | undefined> {
  const { dataDir, dataLogDir } = config;
  makeServerFolders(config);
  if (isOne(dataDir, dataLogDir)) return undefined;
  const lock = await tryDirectory(dataLogDir);
  if (lock === undefined)
    throw new StorageRefusal(
      42,
      `another zoosh server uses ${dataLogDir}. Stop it, or give this one a dataDir and a dataLogDir of its own${await doubtAbout(dataLogDir)}`,
    );
  if (lock.weakness !== undefined)
    logger.warn(
      `the lock of ${dataLogDir} is not seen from other containers: ${lock.weakness}. Give the directory to one container alone`,
    );
  return lock;
}

/**
 * dataDir and dataLogDir are there afterwards, and this user may use them: told before anything else in them is tried, which
 * would be named in their place. @throws DataDirError
 */
export function makeServerFolders(config: ServerConfig): void {
  makeDataDirectory(config);
  check('the data directory', config.dataDir);
  makeLogDirectory(config);
  check('the log directory', config.dataLogDir);
}

const NOT_ALLOWED = new Set(['EACCES', 'EPERM']);
const ALL = constants.R_OK | constants.W_OK | constants.X_OK;

function check(what: string, folder: string): void {
  // the folder above what the server writes may be another's
  const own = join(folder, 'zoosh-1');
  const path = existsSync(own) ? own : folder;
  let why: string;
  try {
    if (statSync(path).isDirectory()) return accessSync(path, ALL);
    why = 'it is not a folder';
  } catch (error) {
    const isOthers = NOT_ALLOWED.has((error as NodeJS.ErrnoException).code ?? '');
    why = isOthers ? `user ${process.geteuid?.()} may not read and write it; make it that user's` : fileWords(error);
  }
  throw new DataDirError(40, `${what} ${path} cannot be used: ${why}`);
}

/** A volume that is not mounted is no place for a log that was meant to be on it. */
function makeLogDirectory({ dataLogDir, dataDirMustExist }: ServerConfig): void {
  if (existsSync(dataLogDir)) return;
  if (dataDirMustExist)
    throw new DataDirError(
      40,
      `the log directory ${dataLogDir} does not exist, and datadir.autocreate=false; correct dataLogDir, or see that its volume is mounted`,
    );
  try {
    makeFolders(dataLogDir, { mkdirSync, statSync }, 0o700);
  } catch (error) {
    throw new DataDirError(40, `the log directory ${dataLogDir} cannot be made: ${fileWords(error)}`);
  }
}

/** Those that are there, each once: a lock of one that is called twice would keep its own holder out. */
export function lockable(dirs: readonly string[]): string[] {
  const all = dirs.filter((dir) => existsSync(dir));
  return all.filter((dir, at) => !all.slice(0, at).some((before) => isOne(before, dir)));
}

/** Also where one is a link to the other, or mounted twice. */
function isOne(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true;
  const [one, other] = [statSync(a), statSync(b)];
  return one.dev === other.dev && one.ino === other.ino;
}
