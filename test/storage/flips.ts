/** A worker's job: flips a bit of every byte of a file, or every so many, one at a time, and opens the directory each time. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../src/base/random.ts';
import { DamageError } from '../../src/storage/errors.ts';
import { openStorage } from '../../src/storage/open.ts';
import { SimDisk } from '../sim/disk.ts';

export interface FlipJob {
  /** The whole directory, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly path: string;
  readonly from: number;
  readonly end: number;
  readonly step: number;
}
export type FlipCounts = Record<'refused' | 'opened' | 'other', number>;

/**
 * Opens a directory whose tree nobody needs. What is refused was not changed, so one disk serves for as many damages as are
 * undone again; one that is opened after all was, and must not be used again.
 */
async function verified(disk: SimDisk): Promise<keyof FlipCounts> {
  try {
    await openStorage({
      disk: disk.plug(),
      zeroAheadBytes: 0,
      dataDir: '/data',
      logDir: '/log',
      sid: 1,
      random: seededRandom(3),
      forceSync: true,
      ignoreApacheData: false,
      onSnapshotChunk() {},
      onSnapshotEnd() {},
      onEnvelope() {},
    });
    return 'opened';
  } catch (error) {
    return error instanceof DamageError ? 'refused' : 'other';
  }
}

async function flips({ files, path, from, end, step }: FlipJob): Promise<FlipCounts> {
  const disk = SimDisk.of(files, seededRandom(4));
  const counts = { refused: 0, opened: 0, other: 0 };
  const raw = disk.raw(path);
  const before = Buffer.from(raw);
  for (let at = from; at < end && counts.opened + counts.other === 0; at += step) {
    raw[at] = (raw[at] as number) ^ (1 << (at % 8));
    counts[await verified(disk)]++;
    raw[at] = before[at] as number;
  }
  assert.ok(disk.raw(path).equals(before));
  assert.equal(await verified(disk), 'opened');
  return counts;
}

// settled before the thread is ended by whoever hears it
flips(workerData as FlipJob).then((counts) => parentPort?.postMessage(counts));
