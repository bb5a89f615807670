import type { Disk } from '../ports/disk.ts';
import { compareHalves, type Halves } from '../records/log-record.ts';
import { DAMAGED, logName, namesIn, unlinkIfThere } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import type { IdentityStore } from './identity-store.ts';
import type { LogFiles } from './log-list.ts';
import { listSnapshots } from './snapshots.ts';

/**
 * Keeps the newest `retain` snapshots (two at least), those pinned, and every log file needed after the oldest of them. Files
 * leave the list before they leave the disk. With two snapshots verified, nobody needs what was found damaged before them.
 * Returns the names removed.
 */
export async function purgeFiles(
  disk: Disk,
  folders: { readonly data: string; readonly log: string },
  store: IdentityStore,
  retain: number,
  pinned: (name: string) => boolean,
): Promise<string[]> {
  const snapshots = await listSnapshots(disk, folders.data);
  const kept = snapshots.slice(0, Math.max(2, retain));
  const oldest = kept.at(-1);
  if (oldest === undefined || kept.length < 2) return [];
  let gone: readonly LogFileEntry[] = [];
  if (unneeded(store.current.logs, oldest.zxid) > 0)
    await store.update((now) => {
      // counted when its turn has come: a roll or a cut may have come before
      gone = now.logs.slice(0, unneeded(now.logs, oldest.zxid));
      return { ...now, logs: now.logs.slice(gone.length) };
    });
  const removed: string[] = [];
  const remove = async (folder: string, name: string): Promise<void> => {
    await unlinkIfThere(disk, `${folder}/${name}`);
    removed.push(name);
  };
  for (const { name } of snapshots.slice(kept.length)) if (!pinned(name)) await remove(folders.data, name);
  for (const entry of gone) await remove(folders.log, logName(entry));
  for (const folder of new Set([folders.data, folders.log]))
    for (const name of await namesIn(disk, folder)) if (name.endsWith(DAMAGED)) await remove(folder, name);
  return removed;
}

/** How many files at the beginning hold nothing after `zxid`. */
function unneeded(logs: LogFiles, zxid: Halves): number {
  let drop = 0;
  while (drop + 1 < logs.length && compareHalves((logs[drop + 1] as LogFileEntry).fromZxid, zxid) <= 0) drop++;
  return drop;
}
