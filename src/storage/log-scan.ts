import { assert } from '../base/assert.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import {
  compareHalves,
  decodeFileHeader,
  GROUP_HEADER,
  type GroupHeader,
  groupBodyIsWhole,
  groupHeaderAt,
  type Halves,
  isZero,
  LENGTH_BYTES,
  mask,
  SECTOR,
  type Tip,
  verifyBody,
} from '../records/log-record.ts';
import { RecordError } from '../records/pack.ts';
import { DamageError, refuseNewer } from './errors.ts';
import { withFile } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import type { Mark } from './mark.ts';

const WINDOW = 8 * 1024 * 1024;
/** For who rests between two reads: what is read at a time is verified at a time, and everything else waits. */
const SMALL_WINDOW = 256 * 1024;

/** The log and the snapshot must be of one history where they meet. @throws DamageError */
export function sameHistory(file: string, offset: number, chain: Halves, snapshot: Mark): void {
  if (chain.hi === snapshot.chain.hi && (chain.lo | 0) === (snapshot.chain.lo | 0)) return;
  throw new DamageError({
    file,
    offset,
    reason: 'the newest snapshot is of another history than the log',
    otherHistory: true,
  });
}

/** One file, group by group, through a window that never holds more than one group and a few MiB. */
export class FileScan {
  at = SECTOR;
  /** Where the last whole group lies in what was read, and how it is masked. */
  private last: { readonly buffer: Buffer; readonly offset: number; readonly header: GroupHeader } | undefined;
  readonly notes: string[] = [];
  private readonly disk: Disk;
  private readonly path: string;
  private readonly entry: LogFileEntry;
  private readonly newest: boolean;
  private readonly tip: Tip;
  private readonly from: Mark;
  private readonly onEnvelope: (bytes: Buffer, start: number, end: number) => void;
  private readonly onCommitted: (upTo: Halves) => void;
  /** Between two reads; whoever is in no hurry waits there. */
  private readonly rest: () => Promise<void> | undefined;
  private readonly step: number;
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;
  private size = 0;
  private read: (into: Buffer, at: number) => Promise<number> = async () => 0;

  constructor(
    disk: Disk,
    path: string,
    entry: LogFileEntry,
    newest: boolean,
    tip: Tip,
    from: Mark,
    onEnvelope: (bytes: Buffer, start: number, end: number) => void,
    onCommitted: (upTo: Halves) => void,
    rest?: () => Promise<void> | undefined,
  ) {
    this.disk = disk;
    this.path = path;
    this.entry = entry;
    this.newest = newest;
    this.tip = tip;
    this.from = from;
    this.onEnvelope = onEnvelope;
    this.onCommitted = onCommitted;
    this.rest = rest ?? (() => undefined);
    this.step = rest === undefined ? WINDOW : SMALL_WINDOW;
  }
  private damaged(offset: number, reason: string, mayHaveAcked?: Halves): never {
    throw new DamageError({
      file: this.path,
      offset,
      reason,
      intact: { hi: this.tip.hi, lo: this.tip.lo },
      ...(mayHaveAcked === undefined ? {} : { mayHaveAcked }),
    });
  }
  /** The last group, byte for byte as it was written and verified; undefined when there is none. */
  lastGroup(): Buffer | undefined {
    if (this.last === undefined) return undefined;
    const { buffer, offset, header } = this.last;
    const group = Buffer.from(buffer.subarray(offset, offset + header.extent));
    if (header.seed !== 0) mask(group, GROUP_HEADER, header.extent, header.seed);
    assert(groupBodyIsWhole(group, 0, header), 'the last group of the log is not what it was when it was read');
    return group;
  }
  /** Bytes [at, at + length) of the file, fewer at its end. */
  private async bytes(at: number, length: number): Promise<{ buffer: Buffer; offset: number; have: number }> {
    if (at < this.windowAt || at + length > this.windowAt + this.window.length) {
      const want = Math.min(Math.max(length, this.step), Math.max(0, this.size - at));
      await this.rest();
      const next = Buffer.alloc(want);
      const got = await this.read(next, at);
      this.window = next.subarray(0, got);
      this.windowAt = at;
    }
    const offset = at - this.windowAt;
    return { buffer: this.window, offset, have: Math.min(length, this.window.length - offset) };
  }

  async run(): Promise<void> {
    try {
      await this.scan();
    } catch (error) {
      if (error instanceof DiskError && error.code === 'EIO') this.damaged(this.at, 'it cannot be read (EIO)');
      throw error;
    }
  }
  private async scan(): Promise<void> {
    await withFile(this.disk, this.path, { readonly: true }, async (file) => {
      this.size = await file.size();
      this.read = (into, at) => file.read(into, at);
      await this.header();
      const limit = this.entry.end ?? this.size;
      if (limit > this.size) this.damaged(this.size, `it ends at ${this.size}, ${limit} bytes were written`);
      this.size = limit;
      while (this.at < limit && (await this.group(limit)));
      if (!this.newest && this.at !== limit) this.damaged(this.at, 'a closed file ends early');
    });
  }
  private async header(): Promise<void> {
    const { buffer, offset } = await this.bytes(0, SECTOR);
    try {
      const head = decodeFileHeader(buffer.subarray(offset, offset + SECTOR));
      const { salt, fromZxid, fromChain } = this.entry;
      const same = (a: Halves, b: Halves): boolean => a.hi === b.hi && (a.lo | 0) === (b.lo | 0);
      if (!same(head.salt, salt) || !same(head.fromZxid, fromZxid) || !same(head.fromChain, fromChain))
        this.damaged(0, 'its head is not that of the file listed');
    } catch (error) {
      refuseNewer(error, this.path);
      if (error instanceof RecordError) this.damaged(0, error.message);
      throw error;
    }
  }
  /** Reads the group at `at`; false at the end of the log. */
  private async group(limit: number): Promise<boolean> {
    const start = this.at;
    const seen = await this.bytes(start, SECTOR);
    const header = groupHeaderAt(seen.buffer, seen.offset, this.entry.salt, start);
    if (header === undefined) {
      if (!this.newest) this.damaged(start, 'no group where one was written');
      const zero = isZero(seen.buffer, seen.offset, seen.offset + seen.have);
      const later = await this.laterGroup(start + SECTOR, limit);
      if (later !== undefined)
        this.damaged(start, `the group here is ${zero ? 'gone' : 'not readable'} and others follow`, later.last);
      if (!zero) this.damaged(start, 'the head of the last group is not readable');
      if (!(await this.zeroFrom(start, limit)))
        this.notes.push(`${this.path}: a group at ${start} that was never whole is cut`);
      return false;
    }
    if (start + header.extent > limit) {
      if (!this.newest) this.damaged(start, 'a group runs past the end of its file', header.last);
      await this.torn(start, header, limit);
      return false;
    }
    const { buffer, offset } = await this.bytes(start, header.extent);
    if (!groupBodyIsWhole(buffer, offset, header)) {
      let missing = false;
      for (let at = SECTOR; at < header.extent; at += SECTOR)
        missing ||= isZero(buffer, offset + at, offset + at + SECTOR);
      if (!this.newest || !missing) this.damaged(start, 'the checksum of a group is wrong', header.last);
      await this.torn(start, header, limit);
      return false;
    }
    this.deliver(buffer, offset, header, start);
    this.last = { buffer, offset, header };
    this.at = start + header.extent;
    return true;
  }
  private async torn(start: number, header: GroupHeader, limit: number): Promise<void> {
    const later = await this.laterGroup(start + SECTOR, limit);
    if (later !== undefined) this.damaged(start, 'a group is not whole and others follow', later.last);
    this.notes.push(
      `${this.path}: the last group, at ${start}, was never whole on the disk and is cut (${header.count} records)`,
    );
  }
  private deliver(buffer: Buffer, offset: number, header: GroupHeader, start: number): void {
    const body = offset + GROUP_HEADER;
    const end = body + header.bodyBytes;
    if (header.seed !== 0) mask(buffer, body, offset + header.extent, header.seed);
    const before = { ...this.tip };
    try {
      verifyBody(buffer, body, end, header, this.tip);
    } catch (error) {
      refuseNewer(error, this.path);
      if (!(error instanceof RecordError)) throw error;
      Object.assign(this.tip, before); // nothing of a damaged group is handed out
      this.damaged(start, error.message, header.last);
    }
    this.onCommitted(header.committed);
    const { zxid } = this.from;
    if (compareHalves(this.tip, zxid) < 0) return;
    const partly = compareHalves(before, zxid) < 0;
    for (let at = body; at < end; ) {
      const length = buffer.readUInt32BE(at);
      const record = at + LENGTH_BYTES;
      at = record + length;
      const own = { hi: buffer.readInt32BE(record + 4), lo: buffer.readUInt32BE(record + 8) };
      if (partly && compareHalves(own, zxid) === 0)
        sameHistory(this.path, start, { hi: buffer.readInt32BE(at - 8), lo: buffer.readInt32BE(at - 4) }, this.from);
      if (compareHalves(own, zxid) > 0) this.onEnvelope(buffer, record, at);
    }
  }
  /** A valid group with this file's salt after a bad place means that the bad place was once whole. */
  private async laterGroup(from: number, limit: number): Promise<GroupHeader | undefined> {
    for (let at = from; at + GROUP_HEADER <= limit; at += SECTOR) {
      const { buffer, offset } = await this.bytes(at, SECTOR);
      if (buffer[offset] === 0 && buffer[offset + 1] === 0) continue;
      const header = groupHeaderAt(buffer, offset, this.entry.salt, at);
      if (header !== undefined) return header;
    }
    return undefined;
  }
  private async zeroFrom(from: number, limit: number): Promise<boolean> {
    for (let at = from; at < limit; at += SECTOR) {
      const { buffer, offset, have } = await this.bytes(at, SECTOR);
      if (!isZero(buffer, offset, offset + have)) return false;
    }
    return true;
  }
}
