/** Takes the lock file of the directory that it is sent, or releases it, and answers whether it has one. */
import { type LockFile, lockFile } from '../../src/platform/lock-file.ts';

let lock: LockFile | undefined;
process.on('message', async (word: string) => {
  if (word === 'release') {
    lock?.release();
    lock = undefined;
  } else lock = await lockFile(word);
  process.send?.(lock !== undefined);
});
