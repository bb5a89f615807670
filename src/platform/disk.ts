import * as fs from 'node:fs';
import { makeFolders } from '../base/make-folders.ts';
import { type Disk, DiskError, type DiskFile, type OpenOptions } from '../ports/disk.ts';

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'EIO';

class NodeFile implements DiskFile {
  readonly path: string;
  private readonly fd: number;
  constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
  }
  private wrap<T>(
    doing: string,
    start: (done: (error: NodeJS.ErrnoException | null, value: T) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      start((error, value) => {
        if (error) reject(new DiskError(codeOf(error), this.path, doing));
        else resolve(value);
      });
    });
  }
  async read(into: Uint8Array, at: number): Promise<number> {
    let got = 0;
    while (got < into.length) {
      const n = await this.wrap<number>('read', (done) =>
        fs.read(this.fd, into, got, into.length - got, at + got, done),
      );
      if (n === 0) break;
      got += n;
    }
    return got;
  }
  /** One promise and no more: every transaction waits for it. */
  write(bytes: Uint8Array, at: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let put = 0;
      const go = (): void => {
        if (put === bytes.length) resolve();
        else fs.write(this.fd, bytes, put, bytes.length - put, at + put, wrote);
      };
      const wrote = (error: NodeJS.ErrnoException | null, count: number): void => {
        if (error !== null || count === 0)
          return reject(new DiskError(error === null ? 'EIO' : codeOf(error), this.path, 'write'));
        put += count;
        go();
      };
      go();
    });
  }
  sync(): Promise<void> {
    return this.wrap('sync', (done) => fs.fdatasync(this.fd, (error) => done(error, undefined)));
  }
  size(): Promise<number> {
    return this.wrap('stat', (done) => fs.fstat(this.fd, (error, stats) => done(error, stats?.size ?? 0)));
  }
  truncate(length: number): Promise<void> {
    return this.wrap('truncate', (done) => fs.ftruncate(this.fd, length, (error) => done(error, undefined)));
  }
  close(): Promise<void> {
    return this.wrap('close', (done) => fs.close(this.fd, (error) => done(error, undefined)));
  }
}

async function guarded<T>(doing: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new DiskError(codeOf(error), path, doing);
  }
}

/** The disk port over node:fs. `dsync` opens with O_DSYNC, so that a write returns when its bytes are on the disk. */
export const nodeDisk: Disk = {
  open: (path, options: OpenOptions) => {
    let flags = options.readonly === true ? fs.constants.O_RDONLY : fs.constants.O_RDWR;
    if (options.create === true) flags |= fs.constants.O_CREAT;
    if (options.exclusive === true) flags |= fs.constants.O_EXCL;
    if (options.dsync === true) flags |= fs.constants.O_DSYNC;
    return new Promise((resolve, reject) => {
      fs.open(path, flags, 0o600, (error, fd) => {
        if (error) reject(new DiskError(codeOf(error), path, 'open'));
        else resolve(new NodeFile(path, fd));
      });
    });
  },
  rename: (from, to) => guarded('rename', from, () => fs.promises.rename(from, to)),
  unlink: (path) => guarded('remove', path, () => fs.promises.unlink(path)),
  readdir: (path) => guarded('list', path, () => fs.promises.readdir(path)),
  mkdir: async (path) => {
    await guarded('make folder', path, async () => makeFolders(path, fs, 0o700));
  },
  syncDir: (path) =>
    guarded('sync folder', path, async () => {
      const folder = await fs.promises.open(path, 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    }),
  exists: async (path) => {
    try {
      await fs.promises.access(path);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return false;
      throw new DiskError(code, path, 'look at'); // it may be there: who takes it for lost gives up what it holds
    }
  },
  free: (path) =>
    guarded('ask free space of', path, async () => {
      const { bavail, bsize } = await fs.promises.statfs(path);
      return bavail * bsize;
    }),
};
