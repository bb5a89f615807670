/** Files in memory behind the disk port, for readers; and a folder of golden files, unpacked. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type Disk, DiskError, type DiskFile } from '../../src/ports/disk.ts';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/apache-3.8/', import.meta.url));
/** Names to bytes of what Debian's server wrote; `dump.json` is what a client saw then. */
export function goldenFiles(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of readdirSync(GOLDEN)) {
    const bytes = readFileSync(join(GOLDEN, name));
    if (name.endsWith('.packed')) files.set(name.slice(0, -'.packed'.length), gunzipSync(bytes));
    else files.set(name, bytes);
  }
  return files;
}

const no = (): never => {
  throw new Error('a reader writes');
};

/** Reads only; paths are `FOLDER/NAME`. */
export function memoryDisk(folder: string, files: ReadonlyMap<string, Buffer>): Disk {
  const find = (path: string): Buffer => {
    const bytes = path.startsWith(`${folder}/`) ? files.get(path.slice(folder.length + 1)) : undefined;
    if (bytes === undefined) throw new DiskError('ENOENT', path, 'open');
    return bytes;
  };
  return {
    open: async (path) => {
      const bytes = find(path);
      const file: DiskFile = {
        path,
        read: async (into, at) => bytes.copy(into, 0, at, at + into.length),
        size: async () => bytes.length,
        close: async () => {},
        write: no,
        sync: no,
        truncate: no,
      };
      return file;
    },
    readdir: async (path) => {
      if (path !== folder) throw new DiskError('ENOENT', path, 'list');
      return [...files.keys()];
    },
    exists: async (path) => path.startsWith(`${folder}/`) && files.has(path.slice(folder.length + 1)),
    rename: no,
    unlink: no,
    mkdir: no,
    syncDir: no,
    free: no,
  };
}
