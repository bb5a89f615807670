import { statSync } from 'node:fs';
import { createServer } from 'node:net';

/** Held until disposed; the kernel lets go of it with the process. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Makes this process the only server of a directory, or returns undefined when another one is. On Linux an abstract socket
 * named by device and inode; elsewhere a socket file in the directory would be needed and none is taken.
 */
export function lockDirectory(path: string): Promise<DirectoryLock | undefined> {
  if (process.platform !== 'linux') return Promise.resolve({ release() {} });
  const { dev, ino } = statSync(path);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(`\0zoosh-data-${dev}-${ino}`, () => {
      server.unref();
      resolve({ release: () => server.close() });
    });
  });
}
