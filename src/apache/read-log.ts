import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { Reader } from '../protocol/bytes.ts';
import { adler32 } from './adler.ts';
import { ApacheDamage } from './damage.ts';
import { END_MARK, FILE_VERSION, FileHeader, HEADER_BYTES, LOG_MAGIC, TXN_HEADER_BYTES } from './records.ts';

const WINDOW = 4 * 1024 * 1024;
/** Before each transaction: its checksum in 8 bytes, its length in 4. */
const HEAD_BYTES = 12;
/** No transaction is larger: what a length claims makes nobody allocate more. */
const MAX_TXN = 64 * 1024 * 1024;
/** Looking for what follows a bad place may check so many bytes against checksums, and is then taken for found. */
const LOOK_BUDGET = 256 * 1024 * 1024;

/** One transaction as it lies in a log. */
export interface LogEntry {
  /** Of its checksum, in the file. */
  readonly offset: number;
  /** Where the next begins. */
  readonly end: number;
  /** Header, record and digest; a view that is good until the next entry. */
  readonly bytes: Buffer;
  /** Its checksum is right. */
  readonly isWhole: boolean;
}
/** Where the log ends in its file. */
export interface LogFileEnd {
  readonly at: number;
  /** A last transaction was begun there and never became whole: acknowledged to nobody, unless the file itself was cut. */
  readonly isTorn: boolean;
  readonly entries: number;
  readonly size: number;
}

/**
 * Hands out the transactions of a log file in order, and tells where it ends: at zeros, at the end of the file, or at a
 * transaction that was never whole. When another follows such a place the place is damaged. The taker decides about entries whose
 * checksum is wrong; `rest` is waited for between two. @throws ApacheDamage, DiskError
 */
export async function readLogFile(
  disk: Disk,
  path: string,
  take: (entry: LogEntry) => void,
  rest: () => Promise<void> | undefined = () => undefined,
): Promise<LogFileEnd> {
  const file = await disk.open(path, { readonly: true });
  try {
    return await new LogScan(path, file, await file.size(), take, rest).run();
  } catch (error) {
    if (error instanceof DiskError && error.code === 'EIO')
      throw new ApacheDamage(path, undefined, 'it cannot be read (EIO)');
    throw error;
  } finally {
    await file.close().catch(() => undefined);
  }
}

/** Why there is no entry where one might be. */
interface Stop {
  readonly reason: string;
  /** It may have been begun and never written whole. */
  readonly isTorn: boolean;
}
const ENDS: Stop = { reason: '', isTorn: false };
const torn = (reason: string): Stop => ({ reason, isTorn: true });

class LogScan {
  private readonly path: string;
  private readonly file: DiskFile;
  private readonly size: number;
  private readonly take: (entry: LogEntry) => void;
  private readonly pause: () => Promise<void> | undefined;
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;
  private entries = 0;

  constructor(
    path: string,
    file: DiskFile,
    size: number,
    take: (entry: LogEntry) => void,
    pause: () => Promise<void> | undefined,
  ) {
    this.path = path;
    this.file = file;
    this.size = size;
    this.take = take;
    this.pause = pause;
  }
  /** Bytes [at, at + length) of the file, fewer at its end. */
  private async bytes(at: number, length: number): Promise<Buffer> {
    const end = Math.min(this.size, at + length);
    if (at < this.windowAt || end > this.windowAt + this.window.length) {
      const next = Buffer.alloc(Math.max(0, Math.min(Math.max(length, WINDOW), this.size - at)));
      const got = await this.file.read(next, at);
      this.window = next.subarray(0, got);
      this.windowAt = at;
    }
    return this.window.subarray(at - this.windowAt, Math.max(0, end - this.windowAt));
  }

  async run(): Promise<LogFileEnd> {
    const head = await this.bytes(0, HEADER_BYTES);
    if (head.length === 0) return this.end(0, false); // made, and never written
    if (isZero(head)) return this.rest(0, torn('the head of the file is missing'));
    if (head.length < HEADER_BYTES) throw new ApacheDamage(this.path, 0, 'the head of the file is not whole');
    const { magic, version } = FileHeader.read(new Reader(head));
    if (magic !== LOG_MAGIC) throw new ApacheDamage(this.path, 0, 'it does not begin as a transaction log does');
    if (version !== FILE_VERSION) throw new ApacheDamage(this.path, 4, `a log of version ${version}`);
    for (let at = HEADER_BYTES; ; ) {
      const next = await this.entry(at);
      if (typeof next !== 'number') return this.rest(at, next);
      at = next;
      const pause = this.pause();
      if (pause !== undefined) await pause;
    }
  }
  /** Takes the entry at `at`; where the next begins, or why there is none. */
  private async entry(at: number): Promise<number | Stop> {
    const head = await this.bytes(at, HEAD_BYTES);
    if (head.length === 0) return ENDS;
    if (head.length < HEAD_BYTES) return torn('a transaction is not whole');
    const checksum = head.readBigInt64BE(0);
    const length = head.readInt32BE(8);
    if (length === 0) return checksum === 0n ? ENDS : torn('a transaction is gone');
    if (length < 0 || length > MAX_TXN) return { reason: `a transaction of ${length} bytes`, isTorn: false };
    const body = await this.bytes(at + HEAD_BYTES, length + 1);
    if (body.length < length + 1) return torn('a transaction is not whole');
    const mark = body[length];
    // what was never written is zero; anything else was something once
    if (mark !== END_MARK) return { reason: 'a transaction without its end', isTorn: mark === 0 };
    const bytes = body.subarray(0, length);
    const end = at + HEAD_BYTES + length + 1;
    this.entries++;
    this.take({ offset: at, end, bytes, isWhole: checksum === BigInt(adler32(bytes)) });
    return end;
  }
  /** The log ends at `at`, unless something follows or what stands there was written whole once. */
  private async rest(at: number, { reason, isTorn }: Stop): Promise<LogFileEnd> {
    const from = reason === '' ? await this.pastZeros(at) : at + 1;
    const found = from >= this.size ? undefined : await this.follower(from);
    const what = reason === '' ? 'transactions are gone' : reason;
    if (found !== undefined) {
      const follows = found === 'perhaps' ? 'others may follow' : `another follows at offset ${found}`;
      throw new ApacheDamage(this.path, at, `${what}, and ${follows}`);
    }
    if (reason !== '' && !isTorn) throw new ApacheDamage(this.path, at, what);
    return this.end(at, isTorn);
  }
  private end(at: number, isTorn: boolean): LogFileEnd {
    return { at, isTorn, entries: this.entries, size: this.size };
  }
  private async pastZeros(from: number): Promise<number> {
    for (let at = from; at < this.size; at += WINDOW) {
      const part = await this.bytes(at, WINDOW);
      for (let i = 0; i < part.length; i++)
        // the checksum of a transaction begins with four bytes of zero
        if (part[i] !== 0) return Math.max(from, at + i - HEAD_BYTES);
    }
    return this.size;
  }
  /** Where the first whole transaction at or behind `from` begins. */
  private async follower(from: number): Promise<number | 'perhaps' | undefined> {
    let budget = LOOK_BUDGET;
    const least = HEAD_BYTES + TXN_HEADER_BYTES + 1;
    for (let at = from; at + least <= this.size; ) {
      const part = await this.bytes(at, WINDOW);
      const stop = part.length - HEAD_BYTES;
      for (let i = 0; i <= stop; i++) {
        if (part[i] !== 0 || part[i + 1] !== 0 || part[i + 2] !== 0 || part[i + 3] !== 0) continue;
        const length = part.readInt32BE(i + 8);
        if (length < TXN_HEADER_BYTES || length > MAX_TXN || at + i + HEAD_BYTES + length + 1 > this.size) continue;
        const sum = part.readUInt32BE(i + 4);
        const start = i + HEAD_BYTES;
        let body = part.subarray(start, start + length + 1);
        if (body.length <= length) {
          budget -= 4096; // a look at the disk
          const mark = Buffer.alloc(1);
          await this.file.read(mark, at + start + length);
          if (mark[0] !== END_MARK && budget > 0) continue;
          body = Buffer.alloc(length + 1);
          await this.file.read(body, at + start);
        }
        if (body[length] !== END_MARK) continue;
        budget -= length;
        if (budget <= 0) return 'perhaps';
        if (adler32(body, 0, length) === sum) return at + i;
      }
      at += Math.max(1, stop + 1);
    }
    return undefined;
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
