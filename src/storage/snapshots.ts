import { crc32 } from 'node:zlib';
import { type Disk, DiskError } from '../ports/disk.ts';
import { compareHalves, type Halves } from '../records/log-record.ts';
import { DamageError } from './errors.ts';
import { namesIn, snapshotName, snapshotZxid, TEMP, unlinkIfThere, withFile } from './files.ts';

const MAGIC = 0x7a6f6f53;
const HEAD = 32;
const CHUNK_HEAD = 8;
const TRAILER = 24;
const END_MARK = 0xffff_ffff;
const SYNC_EVERY = 4 * 1024 * 1024;
const MAX_CHUNK = 256 * 1024 * 1024;

/** Snapshots in a folder, newest first. */
export async function listSnapshots(disk: Disk, folder: string): Promise<{ name: string; zxid: Halves }[]> {
  const found: { name: string; zxid: Halves }[] = [];
  for (const name of await namesIn(disk, folder)) {
    const zxid = snapshotZxid(name);
    if (zxid !== undefined) found.push({ name, zxid });
  }
  return found.sort((a, b) => compareHalves(b.zxid, a.zxid));
}

/**
 * Writes a snapshot from a pull source, slice by slice, with what `rest` asks for between two of them: to a temporary name, flushed every 4 MiB, read again and verified,
 * then renamed. Undefined when the source gave up. Layout: head, chunks (length, checksum, bytes), trailer.
 */
export async function writeSnapshotFile(
  disk: Disk,
  folder: string,
  zxid: Halves,
  chain: Halves,
  next: (maxBytes: number) => Uint8Array | undefined,
  gaveUp: () => boolean,
  rest: () => Promise<void> | undefined = () => undefined,
): Promise<{ path: string; bytes: number } | undefined> {
  const path = `${folder}/${snapshotName(zxid)}`;
  const temp = path + TEMP;
  try {
    return await writeThrough(disk, folder, path, temp, zxid, chain, next, gaveUp, rest);
  } catch (error) {
    await unlinkIfThere(disk, temp).catch(() => {}); // on a full disk each try would leave less room; a start removes it too
    throw error;
  }
}

async function writeThrough(
  disk: Disk,
  folder: string,
  path: string,
  temp: string,
  zxid: Halves,
  chain: Halves,
  next: (maxBytes: number) => Uint8Array | undefined,
  gaveUp: () => boolean,
  rest: () => Promise<void> | undefined,
): Promise<{ path: string; bytes: number } | undefined> {
  await unlinkIfThere(disk, temp);
  let at = HEAD;
  const whole = await withFile(disk, temp, { create: true, exclusive: true }, async (file) => {
    const head = Buffer.alloc(HEAD);
    head.writeUInt32BE(MAGIC, 0);
    head.writeUInt32BE(1, 4);
    head.writeInt32BE(zxid.hi, 8);
    head.writeInt32BE(zxid.lo | 0, 12);
    head.writeInt32BE(chain.hi, 16);
    head.writeInt32BE(chain.lo | 0, 20);
    head.writeUInt32BE(crc32(head.subarray(0, 28)), 28);
    await file.write(head, 0);
    let unsynced = 0;
    let chunks = 0;
    for (let chunk = next(65536); chunk !== undefined; chunk = next(65536)) {
      if (chunk.length === 0) continue;
      const framed = Buffer.alloc(CHUNK_HEAD + chunk.length);
      framed.writeUInt32BE(chunk.length, 0);
      framed.writeUInt32BE(crc32(chunk), 4);
      framed.set(chunk, CHUNK_HEAD);
      await file.write(framed, at);
      at += framed.length;
      chunks++;
      unsynced += framed.length;
      if (unsynced > SYNC_EVERY) {
        await file.sync();
        unsynced = 0;
      }
      await rest();
    }
    if (gaveUp()) return false;
    const trailer = Buffer.alloc(TRAILER);
    trailer.writeUInt32BE(END_MARK, 0);
    trailer.writeUInt32BE(chunks, 4);
    trailer.writeBigUInt64BE(BigInt(at), 8);
    trailer.writeUInt32BE(crc32(trailer.subarray(0, 20)), 20);
    await file.write(trailer, at);
    at += TRAILER;
    await file.sync();
    return true;
  });
  if (!whole) {
    await unlinkIfThere(disk, temp);
    return undefined;
  }
  await readSnapshotFile(disk, temp, () => {});
  await disk.rename(temp, path);
  await disk.syncDir(folder);
  return { path, bytes: at };
}

/** Reads a snapshot whole, verifying every byte; chunks are handed out as they come. @throws DamageError */
export async function readSnapshotFile(
  disk: Disk,
  path: string,
  onChunk: (chunk: Buffer) => void,
): Promise<{ zxid: Halves; chain: Halves }> {
  const bad = (reason: string, offset: number): never => {
    throw new DamageError({
      file: path,
      offset,
      reason,
      remedy:
        'Nothing was changed. Move this snapshot away only if the log reaches back to an older one; otherwise restore the directory from a copy',
    });
  };
  try {
    return await withFile(disk, path, { readonly: true }, async (file) => {
      const size = await file.size();
      const head = Buffer.alloc(HEAD);
      if ((await file.read(head, 0)) < HEAD) bad('the snapshot has no whole head', 0);
      if (
        head.readUInt32BE(28) !== crc32(head.subarray(0, 28)) ||
        head.readUInt32BE(0) !== MAGIC ||
        head.readUInt32BE(4) !== 1
      )
        bad('the head of the snapshot is wrong', 0);
      let at = HEAD;
      const frame = Buffer.alloc(CHUNK_HEAD);
      for (let chunks = 0; ; chunks++) {
        if ((await file.read(frame, at)) < CHUNK_HEAD) bad('the snapshot ends early', at);
        const length = frame.readUInt32BE(0);
        if (length === END_MARK) {
          const trailer = Buffer.alloc(TRAILER);
          const got = await file.read(trailer, at);
          const sound =
            got === TRAILER &&
            trailer.readUInt32BE(20) === crc32(trailer.subarray(0, 20)) &&
            trailer.readUInt32BE(4) === chunks &&
            trailer.readBigUInt64BE(8) === BigInt(at);
          if (!sound || at + TRAILER !== size) bad('the end of the snapshot is wrong', at);
          break;
        }
        if (length > MAX_CHUNK || at + CHUNK_HEAD + length > size) bad('a part runs past the end', at);
        const chunk = Buffer.alloc(length);
        await file.read(chunk, at + CHUNK_HEAD);
        if (crc32(chunk) !== frame.readUInt32BE(4)) bad('a checksum is wrong', at);
        onChunk(chunk);
        at += CHUNK_HEAD + length;
      }
      return {
        zxid: { hi: head.readInt32BE(8), lo: head.readUInt32BE(12) },
        chain: { hi: head.readInt32BE(16), lo: head.readInt32BE(20) },
      };
    });
  } catch (error) {
    if (error instanceof DiskError && error.code === 'EIO') bad('it cannot be read (EIO)', 0);
    throw error;
  }
}
