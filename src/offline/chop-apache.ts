import { ApacheDamage } from '../apache/damage.ts';
import { readLogFile } from '../apache/read-log.ts';
import { decodeHeader } from '../apache/txn.ts';
import type { Disk } from '../ports/disk.ts';
import { withFile } from '../storage/files.ts';
import { writeWholeCopy } from './whole-copy.ts';

const PIECE = 1024 * 1024;

/**
 * Copies an Apache log up to the transaction `upTo`, byte for byte. Returns how many transactions the copy has.
 * @throws ApacheDamage when it is not whole up to there, RangeError when it does not hold that transaction
 */
export async function chopApacheLog(disk: Disk, path: string, into: string, upTo: bigint): Promise<number> {
  let end: number | undefined;
  let count = 0;
  try {
    await readLogFile(disk, path, (entry) => {
      if (end !== undefined) throw new Found();
      if (!entry.isWhole) throw new ApacheDamage(path, entry.offset, 'the checksum of a transaction is wrong');
      count++;
      if (decodeHeader(entry.bytes).zxid === upTo) end = entry.end;
    });
  } catch (error) {
    if (!(error instanceof Found)) throw error;
  }
  if (end === undefined) throw new RangeError(`${path} does not hold transaction 0x${upTo.toString(16)}`);
  const bytes = end;
  await withFile(disk, path, { readonly: true }, (from) =>
    writeWholeCopy(disk, into, async (to) => {
      for (let at = 0; at < bytes; ) {
        const piece = Buffer.alloc(Math.min(PIECE, bytes - at));
        await from.read(piece, at);
        await to.write(piece, at);
        at += piece.length;
      }
    }),
  );
  return count;
}
class Found extends Error {}
