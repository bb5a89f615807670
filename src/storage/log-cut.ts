import type { DiskFile } from '../ports/disk.ts';
import {
  compareHalves,
  GROUP_HEADER,
  type GroupHeader,
  groupBodyIsWhole,
  groupHeaderAt,
  type Halves,
  LENGTH_BYTES,
  mask,
  SECTOR,
  sameHalves,
  sealGroup,
  tipAt,
  verifyEnvelope,
} from '../records/log-record.ts';
import { RecordError } from '../records/pack.ts';
import { DamageError, refuseNewer } from './errors.ts';
import { logName, withFile } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import type { LogPlace } from './log-file.ts';
import type { LogFiles } from './log-list.ts';
import { type Mark, sameMark, showMark } from './mark.ts';

const WINDOW = 256 * 1024;

/** Where a log is to be cut (foundations.md 13.4). */
export interface Cut {
  /** What the new file continues from: the target, or the record before the group that the target lies in. */
  readonly from: Mark;
  /** New end of the last file that stays; undefined: it ends where it did. */
  readonly end: number | undefined;
  /** The group that is cut in two: its records up to the target, to be written to the new file. */
  readonly kept: Kept | undefined;
}
interface Kept {
  readonly body: Buffer;
  readonly count: number;
  readonly first: Halves;
  readonly committed: Halves;
  readonly chainBefore: Halves;
}

/** Files that stay when the log is cut at `to`, the last of them perhaps with a new end. */
export const filesBefore = (files: LogFiles, to: Halves, end: number | undefined): LogFileEntry[] => {
  const stay = files.filter(({ fromZxid }) => compareHalves(fromZxid, to) < 0);
  const last = stay.at(-1);
  if (last !== undefined && end !== undefined) stay[stay.length - 1] = { ...last, end };
  return stay;
};

/**
 * Looks up where `to` lies. `end` is where the newest file ends. Changes nothing.
 * @throws DamageError when the log does not hold exactly that mark, or a group cannot be read
 */
export async function findCut(place: LogPlace, files: LogFiles, end: number, to: Mark): Promise<Cut> {
  const exact = files.find(({ fromZxid }) => sameHalves(fromZxid, to.zxid));
  if (exact !== undefined) {
    if (!sameHalves(exact.fromChain, to.chain)) absent(`${place.folder}/${logName(exact)}`, to);
    return { from: to, end: undefined, kept: undefined };
  }
  const entry = files.findLast(({ fromZxid }) => compareHalves(fromZxid, to.zxid) < 0);
  if (entry === undefined) absent(place.folder, to);
  const path = `${place.folder}/${logName(entry)}`;
  return withFile(place.disk, path, { readonly: true }, (file) => new Search(file, entry, entry.end ?? end, to).run());
}

function absent(file: string, to: Mark, offset?: number): never {
  throw new DamageError({
    file,
    ...(offset === undefined ? {} : { offset }),
    reason: `the log is to be cut at ${showMark(to)}, which it does not hold`,
  });
}

/** The kept records as a group for the new file. */
export function sealKept(kept: Kept, salt: Halves, to: Mark): Buffer {
  const group = Buffer.alloc(GROUP_HEADER + kept.body.length + SECTOR);
  kept.body.copy(group, GROUP_HEADER);
  const committed = compareHalves(kept.committed, to.zxid) < 0 ? kept.committed : to.zxid;
  const { body, count, first, chainBefore } = kept;
  return sealGroup(group, body.length, salt, SECTOR, count, first, to.zxid, committed, chainBefore);
}

/** Walks the groups of one file up to the one that the target lies in. */
class Search {
  private readonly file: DiskFile;
  private readonly entry: LogFileEntry;
  private readonly end: number;
  private readonly to: Mark;
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;

  constructor(file: DiskFile, entry: LogFileEntry, end: number, to: Mark) {
    this.file = file;
    this.entry = entry;
    this.end = end;
    this.to = to;
  }
  private async bytes(at: number, length: number): Promise<Buffer> {
    if (at < this.windowAt || at + length > this.windowAt + this.window.length) {
      const next = Buffer.alloc(Math.min(Math.max(length, WINDOW), this.end - at));
      this.window = next.subarray(0, await this.file.read(next, at));
      this.windowAt = at;
    }
    return this.window.subarray(at - this.windowAt, at - this.windowAt + length);
  }
  async run(): Promise<Cut> {
    const { to, entry } = this;
    let before = entry.fromZxid;
    for (let at = SECTOR; at < this.end; ) {
      const header = groupHeaderAt(await this.bytes(at, GROUP_HEADER), 0, entry.salt, at);
      if (header === undefined || at + header.extent > this.end) this.damaged(at, 'no group where one was written');
      if (compareHalves(header.last, to.zxid) > 0) {
        const mark = { zxid: before, chain: header.chainBefore };
        if (sameMark(mark, to)) return { from: to, end: at, kept: undefined };
        return { from: mark, end: at, kept: await this.keep(at, header, mark) };
      }
      before = header.last;
      at += header.extent;
    }
    absent(this.file.path, to, this.end);
  }
  private async keep(at: number, header: GroupHeader, before: Mark): Promise<Kept> {
    const group = Buffer.from(await this.bytes(at, header.extent));
    if (group.length < header.extent || !groupBodyIsWhole(group, 0, header))
      this.damaged(at, 'the checksum of a group is wrong');
    if (header.seed !== 0) mask(group, GROUP_HEADER, header.extent, header.seed);
    const tip = tipAt(before.zxid, before.chain);
    let next = GROUP_HEADER;
    for (let count = 1; count <= header.count && compareHalves(tip, this.to.zxid) < 0; count++) {
      const start = next + LENGTH_BYTES;
      next = start + group.readUInt32BE(next);
      try {
        verifyEnvelope(group, start, next, tip);
      } catch (error) {
        refuseNewer(error, this.file.path);
        if (error instanceof RecordError) this.damaged(at, error.message);
        throw error;
      }
      const { first, committed, chainBefore } = header;
      if (sameMark({ zxid: tip, chain: { hi: tip.chainHi, lo: tip.chainLo } }, this.to))
        return { body: group.subarray(GROUP_HEADER, next), count, first, committed, chainBefore };
    }
    absent(this.file.path, this.to, at);
  }
  private damaged(offset: number, reason: string): never {
    throw new DamageError({ file: this.file.path, offset, reason });
  }
}
