import type { Disk, DiskFile } from '../ports/disk.ts';
import { RecordError } from '../records/pack.ts';
import { snapshotName } from './files.ts';
import { isOrigin, type Mark, sameMark, showMark } from './mark.ts';
import { decodeHead, HEAD_BYTES, SnapshotParser } from './snapshot-format.ts';

/** A snapshot file for sending, in pieces; it is not purged before it is closed. */
export interface SnapshotReader {
  readonly mark: Mark;
  /** Bytes of the file; 0 for the origin, which has none. */
  readonly size: number;
  /**
   * Bytes [offset, offset + length), fewer at the end. Whoever reads from the beginning on, without gaps, gets none that are
   * known to be wrong. @throws RecordError when what was read is not the snapshot that was written
   */
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
  private readonly parser: SnapshotParser;
  /** Up to where it was read from the beginning on. */
  private verified = 0;
  private open = true;

  constructor(file: DiskFile, mark: Mark, size: number, closed: () => void) {
    this.file = file;
    this.mark = mark;
    this.size = size;
    this.closed = closed;
    this.parser = new SnapshotParser(() => {}, size);
  }
  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.size - offset)));
    const got = bytes.subarray(0, await this.file.read(bytes, offset));
    if (offset === this.verified) this.verify(got);
    return got;
  }
  /** It may have rotted since it was written: who is sent it would take all of it before it could tell. */
  private verify(bytes: Buffer): void {
    const { parser, file, size } = this;
    try {
      parser.push(bytes);
      this.verified += bytes.length;
      if (this.verified === size && !parser.isWhole) throw new RecordError('the snapshot ends early');
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      throw new RecordError(`${file.path}, offset ${this.verified}: ${error.message}`, { cause: error });
    }
  }
  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    this.closed();
    await this.file.close();
  }
}
