import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { LockError, lockFile } from './lock-file.ts';

/** Held until released; the kernel lets go of it with the process. */
export interface DirectoryLock {
  /** Why servers in other containers that have the directory do not see the lock, in a clause; undefined: they do. */
  readonly weakness: string | undefined;
  release(): void;
}

/** Of these whoever writes hears soon enough, and who only reads is in nobody's way. */
const NO_PLACE = new Set(['EROFS', 'ENOTDIR']);

/**
 * Makes this process the only server of a directory, or returns undefined when another one is. On Linux an abstract socket
 * named by device and inode, which no file system can fail to hold, and which those in other network namespaces do not see;
 * everywhere a {@link lockFile} besides, where the file system can hold one. Two machines that share a directory see neither.
 * @throws LockError; the errno's Error when the directory is not there
 */
export async function lockDirectory(path: string): Promise<DirectoryLock | undefined> {
  const name = socketOf(path);
  const near = process.platform === 'linux' ? await lockName(`\0${name}`) : { release() {} };
  if (near === undefined) return undefined;
  try {
    const far = await lockFile(path);
    if (far === undefined) {
      near.release();
      return undefined;
    }
    return {
      weakness: undefined,
      release: () => {
        far.release();
        near.release();
      },
    };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (error instanceof LockError || code === 'EMFILE' || code === 'ENFILE') {
      near.release();
      throw error;
    }
    const weakness = NO_PLACE.has(code) ? undefined : `no socket can be made in it (${code})`;
    return { weakness, release: near.release };
  }
}

/** The abstract socket of a directory, without what marks it as abstract. */
export function socketOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `zoosh-data-${dev}-${ino}`;
}

function lockName(name: string): Promise<{ release(): void } | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve({ release: () => void server.close() });
    });
  });
}
