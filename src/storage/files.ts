import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import type { Halves } from '../records/log-record.ts';

const hex = (n: number, digits: number): string => (n >>> 0).toString(16).padStart(digits, '0');
const hexHalves = (h: Halves): string =>
  h.hi === 0 ? (h.lo >>> 0).toString(16) : (h.hi >>> 0).toString(16) + hex(h.lo, 8);

/** Ends the name of what is being written and counts for nothing yet. */
export const TEMP = '.tmp';
/** Ends the name of a snapshot that was found damaged and set aside. */
export const DAMAGED = '.damaged';
/** Ends the name of a snapshot received from a leader that is not ours yet. */
export const STAGED = '.staged';
/** A folder beside ours in which an import or a restoration is under way, or was when it was interrupted. */
export const UNFINISHED = 'zoosh-1.importing';

/** `log.<zxid it continues from>.<salt>`: two files may continue from one zxid, never with one salt. */
export const logName = (entry: { readonly fromZxid: Halves; readonly salt: Halves }): string =>
  `log.${hexHalves(entry.fromZxid)}.${hex(entry.salt.hi, 8)}${hex(entry.salt.lo, 8)}`;
export const isLogName = (name: string): boolean => /^log\.[0-9a-f]{1,16}\.[0-9a-f]{16}$/.test(name);

/** `snapshot.<zxid>`, hexadecimal without leading zeros. */
export const snapshotName = (zxid: Halves): string => `snapshot.${hexHalves(zxid)}`;
/** The zxid of a snapshot's name, or undefined when it is not one. */
export function snapshotZxid(name: string): Halves | undefined {
  const found = /^snapshot\.([0-9a-f]{1,16})$/.exec(name)?.[1];
  if (found === undefined) return undefined;
  const digits = found.padStart(16, '0');
  return { hi: Number.parseInt(digits.slice(0, 8), 16) | 0, lo: Number.parseInt(digits.slice(8), 16) };
}

/** The folder above, for syncing what was made in it. */
export const folderOf = (path: string): string => {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
};

/** Runs `use` with an open file and closes it whatever happens. */
export async function withFile<T>(
  disk: Disk,
  path: string,
  options: Parameters<Disk['open']>[1],
  use: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const file = await disk.open(path, options);
  try {
    return await use(file);
  } finally {
    await file.close().catch(() => undefined); // what counts was synced or read; closing tells nothing more
  }
}

/** A whole small file. Larger than `limit` is refused with EFBIG, before anything is allocated. */
export const readWhole = (disk: Disk, path: string, limit: number): Promise<Buffer> =>
  withFile(disk, path, { readonly: true }, async (file) => {
    const size = await file.size();
    if (size > limit) throw new DiskError('EFBIG', path, `read ${size} bytes of`);
    const bytes = Buffer.alloc(size);
    const got = await file.read(bytes, 0);
    return bytes.subarray(0, got);
  });

/** Replaces `path` by `bytes` as a whole: either the old or the new is there after a power cut, the new once resolved. */
export async function writeWhole(disk: Disk, folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const temp = path + TEMP;
  await unlinkIfThere(disk, temp); // never write into a file that a crash left: its length is not ours
  await withFile(disk, temp, { create: true, exclusive: true }, async (file) => {
    await file.write(bytes, 0);
    await file.sync();
  });
  await disk.rename(temp, path);
  await disk.syncDir(folder);
}

export async function unlinkIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
  }
}

/** Names in a folder; none when it is not there. */
export async function namesIn(disk: Disk, folder: string): Promise<string[]> {
  try {
    return await disk.readdir(folder);
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return [];
    throw error;
  }
}
