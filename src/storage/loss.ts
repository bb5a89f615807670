import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { compareHalves, type GroupHeader, groupHeaderAt, type Halves, isZero, SECTOR } from '../records/log-record.ts';
import { logName, withFile } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import type { LogFiles } from './log-list.ts';
import { later } from './mark.ts';

/** For looking at headers only; a multiple of a sector. */
const LOOK = 256 * 1024;

/**
 * The highest zxid that the owner of this log may have acknowledged, by where its newest file begins and the headers of the
 * groups in it, though the groups themselves are not trusted. Undefined when it cannot be told: the newest file is not there,
 * or its last header is not readable (foundations.md 13.17). Rejects when it is there and cannot be looked at now. A last group that was never whole was never acknowledged.
 */
export async function mayHaveAcked(disk: Disk, folder: string, files: LogFiles): Promise<Halves | undefined> {
  const newest = files.at(-1);
  if (newest === undefined) return undefined;
  try {
    return await withFile(disk, `${folder}/${logName(newest)}`, { readonly: true }, (file) => ending(file, newest));
  } catch (error) {
    // what cannot be looked at for another reason may be whole: nobody forgets what it promised for want of a descriptor
    if (error instanceof DiskError && (error.code === 'ENOENT' || error.code === 'EIO')) return undefined;
    throw error;
  }
}

interface Found {
  readonly at: number;
  readonly header: GroupHeader;
}

async function ending(file: DiskFile, entry: LogFileEntry): Promise<Halves | undefined> {
  const size = await file.size();
  let highest = entry.fromZxid;
  let before = highest;
  let last: Found | undefined;
  const window = Buffer.alloc(Math.min(LOOK, size));
  for (let start = SECTOR; start < size; start += LOOK) {
    const got = await file.read(window, start);
    for (let offset = 0; offset < got; offset += SECTOR) {
      if (window[offset] === 0) continue;
      const header = groupHeaderAt(window.subarray(0, got), offset, entry.salt, start + offset);
      if (header === undefined) continue;
      before = highest;
      highest = later(highest, header.last);
      last = { at: start + offset, header };
    }
  }
  const sector = Buffer.alloc(SECTOR);
  const next = last === undefined ? SECTOR : last.at + last.header.extent;
  const got = next < size ? await file.read(sector, next) : 0;
  if (!isZero(sector, 0, got)) return undefined;
  return last !== undefined && (await isTorn(file, last, size)) ? before : highest;
}

/** A sector of the group is missing or was never written: so it never was on the disk as a whole. */
async function isTorn(file: DiskFile, { at, header }: Found, size: number): Promise<boolean> {
  if (at + header.extent > size) return true;
  const group = Buffer.alloc(header.extent);
  await file.read(group, at);
  for (let sector = SECTOR; sector < header.extent; sector += SECTOR)
    if (isZero(group, sector, sector + SECTOR)) return true;
  return false;
}

/** True when none of the listed files is there: more likely a volume that is not mounted than so many lost files. */
export async function allMissing(disk: Disk, folder: string, files: LogFiles): Promise<boolean> {
  for (const entry of files) if (await disk.exists(`${folder}/${logName(entry)}`)) return false;
  return files.length > 0;
}

/** The first file that is needed to go on from `from`; -1 when the log begins later. */
export const firstNeeded = (files: LogFiles, from: Halves): number =>
  files.findLastIndex(({ fromZxid }) => compareHalves(fromZxid, from) <= 0);
