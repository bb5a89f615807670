import type { Disk } from '../ports/disk.ts';
import { DAMAGED, namesIn, STAGED, snapshotName, snapshotZxid, unlinkIfThere } from './files.ts';
import { isOrigin, type Mark } from './mark.ts';

/**
 * Brings the snapshots of a folder to what the identity record says since a history was installed: that at `mark` has its
 * name, all others are gone, or set aside where they may be the last copy. Done again after a crash in the middle.
 */
export async function settleAdoption(
  disk: Disk,
  folder: string,
  mark: Mark,
  staged: string | undefined,
  setsAside: boolean,
): Promise<void> {
  const own = isOrigin(mark) ? undefined : snapshotName(mark.zxid);
  if (staged !== undefined && own !== undefined) {
    await disk.rename(staged, `${folder}/${own}`);
    await disk.syncDir(folder);
  }
  for (const name of await namesIn(disk, folder))
    if (name !== own && snapshotZxid(name) !== undefined) await removeOld(disk, folder, name, setsAside);
  await disk.syncDir(folder);
}

export async function removeOld(disk: Disk, folder: string, name: string, setsAside: boolean): Promise<void> {
  if (setsAside) await disk.rename(`${folder}/${name}`, `${folder}/${name}${DAMAGED}`);
  else await unlinkIfThere(disk, `${folder}/${name}`);
}

/** Removes what came from a leader and never became ours. */
export async function removeStaged(disk: Disk, folder: string): Promise<void> {
  for (const name of await namesIn(disk, folder))
    if (name.endsWith(STAGED)) await unlinkIfThere(disk, `${folder}/${name}`);
}

/** Removes what was found damaged: another history took its place. */
export async function removeDamaged(disk: Disk, folder: string): Promise<void> {
  for (const name of await namesIn(disk, folder))
    if (name.endsWith(DAMAGED)) await unlinkIfThere(disk, `${folder}/${name}`);
}
