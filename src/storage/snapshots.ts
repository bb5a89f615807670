import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { compareHalves, type Halves } from '../records/log-record.ts';
import { RecordError } from '../records/pack.ts';
import { DamageError, refuseNewer } from './errors.ts';
import { namesIn, snapshotName, snapshotZxid, TEMP, unlinkIfThere, withFile } from './files.ts';
import type { Mark } from './mark.ts';
import {
  encodeChunk,
  encodeHead,
  encodeTrailer,
  HEAD_BYTES,
  SnapshotParser,
  TRAILER_BYTES,
} from './snapshot-format.ts';

export const SYNC_EVERY = 4 * 1024 * 1024;
const READ = 1024 * 1024;
const REMEDY =
  'Nothing was changed. Move this snapshot away only if the log reaches back to an older one; otherwise restore the directory from a copy';

/** Snapshots in a folder, newest first. */
export async function listSnapshots(disk: Disk, folder: string): Promise<{ name: string; zxid: Halves }[]> {
  const found: { name: string; zxid: Halves }[] = [];
  for (const name of await namesIn(disk, folder)) {
    const zxid = snapshotZxid(name);
    if (zxid !== undefined) found.push({ name, zxid });
  }
  return found.sort((a, b) => compareHalves(b.zxid, a.zxid));
}

/** Where the records of a snapshot come from. */
export interface SnapshotSource {
  readonly mark: Mark;
  /** The next records, some `maxBytes` of them; undefined when there are no more. */
  next(maxBytes: number): Uint8Array | undefined;
  /** True when what was given is not a whole snapshot. */
  gaveUp(): boolean;
  /** Waited for between two chunks. */
  rest(): Promise<void> | undefined;
}

/**
 * Writes a snapshot from a pull source, slice by slice: to a temporary name, flushed every 4 MiB, read again and verified, then
 * named by `publish`, which may refuse. Undefined when it is not there in the end.
 */
export async function writeSnapshotFile(
  disk: Disk,
  folder: string,
  source: SnapshotSource,
  publish: (rename: () => Promise<void>) => Promise<boolean>,
): Promise<{ path: string; bytes: number } | undefined> {
  const path = `${folder}/${snapshotName(source.mark.zxid)}`;
  const temp = path + TEMP;
  try {
    await unlinkIfThere(disk, temp);
    const bytes = await withFile(disk, temp, { create: true, exclusive: true }, (file) => writeInto(file, source));
    if (bytes !== undefined) {
      await readSnapshotFile(disk, temp, () => {});
      const rename = async (): Promise<void> => {
        await disk.rename(temp, path);
        await disk.syncDir(folder);
      };
      if (await publish(rename)) return { path, bytes };
    }
    await unlinkIfThere(disk, temp);
    return undefined;
  } catch (error) {
    await unlinkIfThere(disk, temp).catch(() => {}); // on a full disk each try would leave less room; a start removes it too
    throw error;
  }
}

/** Bytes written; undefined when the source gave up. */
async function writeInto(file: DiskFile, source: SnapshotSource): Promise<number | undefined> {
  await file.write(encodeHead(source.mark), 0);
  let at = HEAD_BYTES;
  let unsynced = 0;
  let chunks = 0;
  for (let records = source.next(65536); records !== undefined; records = source.next(65536)) {
    if (records.length === 0) continue;
    const chunk = encodeChunk(records);
    await file.write(chunk, at);
    at += chunk.length;
    chunks++;
    unsynced += chunk.length;
    if (unsynced > SYNC_EVERY) {
      await file.sync();
      unsynced = 0;
    }
    await source.rest();
  }
  if (source.gaveUp()) return undefined;
  await file.write(encodeTrailer(chunks, at), at);
  await file.sync();
  return at + TRAILER_BYTES;
}

/** Reads a snapshot whole, verifying every byte; chunks are handed out as they come. @throws DamageError */
export async function readSnapshotFile(
  disk: Disk,
  path: string,
  onChunk: (chunk: Buffer) => void,
  rest: () => Promise<void> | undefined = () => undefined,
): Promise<Mark> {
  let at = 0;
  const bad = (reason: string, cause?: unknown): never => {
    throw new DamageError({ file: path, offset: at, reason, remedy: REMEDY }, { cause });
  };
  let taking = false;
  const parser = new SnapshotParser((records) => {
    taking = true;
    onChunk(records);
    taking = false;
  });
  try {
    return await withFile(disk, path, { readonly: true }, async (file) => {
      const size = await file.size();
      while (at < size) {
        await rest();
        const piece = Buffer.alloc(Math.min(READ, size - at));
        const got = await file.read(piece, at);
        if (got === 0) break;
        parser.push(piece.subarray(0, got));
        at += got;
      }
      const { mark, isWhole } = parser;
      return mark !== undefined && isWhole ? mark : bad('the snapshot ends early');
    });
  } catch (error) {
    if (error instanceof DiskError && error.code === 'EIO') bad('it cannot be read (EIO)', error);
    refuseNewer(error, path);
    if (error instanceof RecordError && !taking) bad(error.message, error);
    throw error;
  }
}
