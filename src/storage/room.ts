import type { Disk } from '../ports/disk.ts';
import { DAMAGED, isLogName, namesIn, snapshotZxid, withFile } from './files.ts';

/** Bytes on the volume of the snapshots. */
export interface Room {
  readonly free: number;
  /** What the history here takes of it; the log counts only where it lies in the same folder. */
  readonly own: number;
}

export async function roomOf(disk: Disk, folders: { readonly data: string; readonly log: string }): Promise<Room> {
  const { data, log } = folders;
  let own = 0;
  for (const name of await namesIn(disk, data)) {
    const isOurs = snapshotZxid(name) !== undefined || name.endsWith(DAMAGED) || (data === log && isLogName(name));
    if (isOurs) own += await withFile(disk, `${data}/${name}`, { readonly: true }, (file) => file.size());
  }
  return { free: await disk.free(data), own };
}
