import { basename, join } from 'node:path';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { folderOf, TEMP, unlinkIfThere } from '../storage/files.ts';

/**
 * Makes the file `into`, which nobody has yet, with what `write` puts into it, as a whole: a part of a copy under the name of the
 * whole would be taken for it. Until then it lies beside it under a name that no server takes for a log; what was cut off before goes.
 * @throws DiskError (EEXIST) when it is there
 */
export async function writeWholeCopy(
  disk: Disk,
  into: string,
  write: (file: DiskFile) => Promise<void>,
): Promise<void> {
  if (await disk.exists(into)) throw new DiskError('EEXIST', into, 'make');
  const folder = folderOf(into);
  const temp = join(folder, `.${basename(into)}${TEMP}`);
  await unlinkIfThere(disk, temp);
  const file = await disk.open(temp, { create: true, exclusive: true });
  try {
    await write(file);
    await file.sync();
    await file.close();
    await disk.rename(temp, into);
    await disk.syncDir(folder);
  } catch (error) {
    await file.close().catch(() => undefined);
    await disk.unlink(temp).catch(() => undefined);
    throw error;
  }
}
