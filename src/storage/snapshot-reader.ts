import type { Disk, DiskFile } from '../ports/disk.ts';
import { snapshotName } from './files.ts';
import { isOrigin, type Mark, sameMark, showMark } from './mark.ts';
import { decodeHead, HEAD_BYTES } from './snapshot-format.ts';

/** A snapshot file for sending, in pieces; it is not purged before it is closed. */
export interface SnapshotReader {
  readonly mark: Mark;
  /** Bytes of the file; 0 for the origin, which has none. */
  readonly size: number;
  /** Bytes [offset, offset + length), fewer at the end. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens the snapshot at `mark`; `closed` is called once. Rejects when there is none, or one of another history. */
export async function openSnapshotFile(
  disk: Disk,
  folder: string,
  mark: Mark,
  closed: () => void,
): Promise<SnapshotReader> {
  if (isOrigin(mark)) {
    closed();
    return { mark, size: 0, read: async () => Buffer.alloc(0), close: async () => {} };
  }
  const path = `${folder}/${snapshotName(mark.zxid)}`;
  let file: DiskFile | undefined;
  try {
    file = await disk.open(path, { readonly: true });
    const head = Buffer.alloc(HEAD_BYTES);
    const got = await file.read(head, 0);
    if (!sameMark(decodeHead(head.subarray(0, got)), mark))
      throw new Error(`${path} is not the snapshot of ${showMark(mark)}`);
    return new OpenSnapshot(file, mark, await file.size(), closed);
  } catch (error) {
    closed();
    await file?.close().catch(() => undefined);
    throw error;
  }
}

class OpenSnapshot implements SnapshotReader {
  readonly mark: Mark;
  readonly size: number;
  private readonly file: DiskFile;
  private readonly closed: () => void;
  private open = true;

  constructor(file: DiskFile, mark: Mark, size: number, closed: () => void) {
    this.file = file;
    this.mark = mark;
    this.size = size;
    this.closed = closed;
  }
  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.size - offset)));
    return bytes.subarray(0, await this.file.read(bytes, offset));
  }
  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    this.closed();
    await this.file.close();
  }
}
