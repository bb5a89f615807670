import { type DirectoryLock, lockDirectory, socketOf } from '../platform/lock.ts';
import { isLockFileHeld, LOCK_FILE, LockError } from '../platform/lock-file.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { StartError } from './start-error.ts';

/**
 * Keeps every other server and tool out of a data directory until released; undefined when one is in there.
 * @throws StartError (40) when that cannot be told
 */
export async function tryDirectory(dataDir: string): Promise<DirectoryLock | undefined> {
  try {
    return await lockDirectory(dataDir);
  } catch (error) {
    if (error instanceof LockError) throw new StartError(40, error.message);
    throw error;
  }
}

/**
 * A sentence behind a refusal, or nothing: any user of the machine can have a directory's abstract socket, and a server that
 * has it listens at the lock file, too, where there can be one. It is refused all the same: somebody may have removed the file.
 */
export async function doubtAbout(dataDir: string): Promise<string> {
  if (process.platform !== 'linux' || (await isLockFileHeld(dataDir).catch(() => true))) return '';
  return `. If none runs (nobody listens at ${LOCK_FILE} in it), \`ss -xlp\` as root names who has its socket @${socketOf(dataDir)}`;
}

/** For a tool, beside which no server may run. @throws StorageRefusal (42) when one does; StartError (40) */
export async function holdDirectory(dataDir: string): Promise<DirectoryLock> {
  const lock = await tryDirectory(dataDir);
  if (lock !== undefined) return lock;
  throw new StorageRefusal(42, `a zoosh server uses ${dataDir}. Stop it first${await doubtAbout(dataDir)}`);
}
