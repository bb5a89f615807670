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
  tipAt,
  verifyBody,
} from '../records/log-record.ts';
import { RecordError } from '../records/pack.ts';
import { type Damage, DamageError } from './errors.ts';
import { logName, withFile } from './files.ts';
import type { LogFileEntry } from './identity.ts';

const WINDOW = 8 * 1024 * 1024;
/** For looking at headers only; a multiple of a sector. */
const LOOK = 256 * 1024;

/** What reading the log found. */
export interface LogEnd {
  readonly tip: Tip;
  readonly committed: Halves;
  /** Where the last file ends: what lies behind was never acknowledged. */
  readonly end: number;
  /** Where its last group begins; `end` when it has none. */
  readonly lastGroup: number;
  readonly notes: readonly string[];
}

/**
 * Verifies every listed log file and hands out each envelope after `from`, in order. What a crash left of a group that was
 * never synced is cut; anything else that is wrong is a DamageError (foundations.md 3, 13.5).
 */
export async function readLogs(
  disk: Disk,
  folder: string,
  logs: readonly LogFileEntry[],
  from: { readonly zxid: Halves; readonly chain: Halves },
  onEnvelope: (bytes: Buffer, start: number, end: number) => void,
): Promise<LogEnd> {
  const first = logs[0];
  if (first === undefined)
    return { tip: tipAt(from.zxid, from.chain), committed: from.zxid, end: 0, lastGroup: 0, notes: [] };
  if (compareHalves(first.fromZxid, from.zxid) > 0)
    throw new DamageError({
      file: `${folder}/${logName(first)}`,
      reason: 'it begins after the newest snapshot ends',
      intact: from.zxid,
    });
  const tip = tipAt(first.fromZxid, first.fromChain);
  const notes: string[] = [];
  let committed = from.zxid;
  let end = SECTOR;
  let lastGroup = SECTOR;
  for (let i = 0; i < logs.length; i++) {
    const entry = logs[i] as LogFileEntry;
    const path = `${folder}/${logName(entry)}`;
    if (!(await disk.exists(path)))
      throw new DamageError({
        file: path,
        reason: 'this log file is listed and is not there (is the log volume mounted?)',
        intact: { hi: tip.hi, lo: tip.lo },
      });
    if (
      compareHalves(entry.fromZxid, tip) !== 0 ||
      entry.fromChain.hi !== tip.chainHi ||
      entry.fromChain.lo !== tip.chainLo
    )
      throw new DamageError({
        file: path,
        reason: 'it does not continue the file before',
        intact: { hi: tip.hi, lo: tip.lo },
      });
    if (compareHalves(entry.fromZxid, from.zxid) === 0) sameChain(path, 0, entry.fromChain, from);
    const scan = new FileScan(disk, path, entry, i === logs.length - 1, tip, from, onEnvelope);
    try {
      await scan.run();
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      throw new DamageError(withLoss(error.damage, await highestHeader(disk, folder, logs.slice(i), scan.at)));
    }
    end = scan.at;
    lastGroup = scan.lastGroup;
    if (compareHalves(scan.committed, committed) > 0) committed = scan.committed;
    notes.push(...scan.notes);
  }
  if (compareHalves(tip, from.zxid) < 0)
    throw new DamageError({
      file: `${folder}/${logName(logs.at(-1) as LogFileEntry)}`,
      reason: 'the log ends before the newest snapshot',
      intact: from.zxid,
    });
  if (compareHalves(committed, tip) > 0) committed = { hi: tip.hi, lo: tip.lo };
  return { tip, committed, end, lastGroup, notes };
}

/**
 * Writes the last group of the newest file again, as it is. The process before may have ended within its write, or a write
 * or sync may have failed: then the system may hold in memory what never reached the disk, and a sync would not bring it
 * there. What was read and believed must be durable before anything is built on it.
 */
export async function settleLastGroup(
  disk: Disk,
  folder: string,
  logs: readonly LogFileEntry[],
  { lastGroup, end }: LogEnd,
): Promise<void> {
  const newest = logs.at(-1);
  if (newest === undefined || lastGroup === end) return;
  await withFile(disk, `${folder}/${logName(newest)}`, { dsync: true }, async (file) => {
    const group = Buffer.alloc(end - lastGroup);
    await file.read(group, lastGroup);
    await file.write(group, lastGroup);
  });
}

/** The log and the snapshot must be of one history where they meet. @throws DamageError */
function sameChain(
  file: string,
  offset: number,
  chain: Halves,
  snapshot: { readonly zxid: Halves; readonly chain: Halves },
): void {
  if (chain.hi === snapshot.chain.hi && (chain.lo | 0) === (snapshot.chain.lo | 0)) return;
  throw new DamageError({ file, offset, reason: 'the newest snapshot is of another history than the log' });
}

const withLoss = (damage: Damage, highest: Halves | undefined): Damage => {
  const known = damage.mayHaveAcked;
  if (highest === undefined || (known !== undefined && compareHalves(known, highest) >= 0)) return damage;
  return { ...damage, mayHaveAcked: highest };
};

/**
 * The last zxid that any readable group header names, from `at` of the first of these files on: what this server may have
 * acknowledged, though the groups themselves are not trusted.
 */
async function highestHeader(
  disk: Disk,
  folder: string,
  logs: readonly LogFileEntry[],
  at: number,
): Promise<Halves | undefined> {
  let highest: Halves | undefined;
  let from = at;
  for (const entry of logs) {
    try {
      await withFile(disk, `${folder}/${logName(entry)}`, { readonly: true }, async (file) => {
        const end = Math.min(entry.end ?? Number.POSITIVE_INFINITY, await file.size());
        const window = Buffer.alloc(Math.min(LOOK, Math.max(0, end - from)));
        for (let start = from; start < end; start += LOOK) {
          const got = await file.read(window, start);
          for (let offset = 0; offset < got; offset += SECTOR) {
            if (window[offset] === 0) continue;
            const header = groupHeaderAt(window.subarray(0, got), offset, entry.salt, start + offset);
            if (header !== undefined && (highest === undefined || compareHalves(header.last, highest) > 0))
              highest = header.last;
          }
        }
      });
    } catch (error) {
      if (!(error instanceof DiskError)) throw error; // what cannot be read tells nothing
    }
    from = SECTOR;
  }
  return highest;
}

/** One file, group by group, through a window that never holds more than one group and a few MiB. */
class FileScan {
  at = SECTOR;
  lastGroup = SECTOR;
  committed: Halves = { hi: 0, lo: 0 };
  readonly notes: string[] = [];
  private readonly disk: Disk;
  private readonly path: string;
  private readonly entry: LogFileEntry;
  private readonly newest: boolean;
  private readonly tip: Tip;
  private readonly from: { readonly zxid: Halves; readonly chain: Halves };
  private readonly onEnvelope: (bytes: Buffer, start: number, end: number) => void;
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
    from: { readonly zxid: Halves; readonly chain: Halves },
    onEnvelope: (bytes: Buffer, start: number, end: number) => void,
  ) {
    this.disk = disk;
    this.path = path;
    this.entry = entry;
    this.newest = newest;
    this.tip = tip;
    this.from = from;
    this.onEnvelope = onEnvelope;
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
  /** Bytes [at, at + length) of the file, fewer at its end. */
  private async bytes(at: number, length: number): Promise<{ buffer: Buffer; offset: number; have: number }> {
    if (at < this.windowAt || at + length > this.windowAt + this.window.length) {
      const want = Math.min(Math.max(length, WINDOW), Math.max(0, this.size - at));
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
    this.lastGroup = start;
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
      if (error instanceof RecordError) this.damaged(start, error.message, header.last);
      throw error;
    }
    if (compareHalves(header.committed, this.committed) > 0) this.committed = header.committed;
    const { zxid } = this.from;
    if (compareHalves(this.tip, zxid) < 0) return;
    const partly = compareHalves(before, zxid) < 0;
    for (let at = body; at < end; ) {
      const length = buffer.readUInt32BE(at);
      const record = at + LENGTH_BYTES;
      at = record + length;
      const own = { hi: buffer.readInt32BE(record + 4), lo: buffer.readUInt32BE(record + 8) };
      if (partly && compareHalves(own, zxid) === 0)
        sameChain(this.path, start, { hi: buffer.readInt32BE(at - 8), lo: buffer.readInt32BE(at - 4) }, this.from);
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
