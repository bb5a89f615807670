import type { Random } from '../base/random.ts';
import type { Disk } from '../ports/disk.ts';
import type { Config } from '../records/txns.ts';
import { acceptLoss } from '../storage/accept-loss.ts';
import { DamageError } from '../storage/errors.ts';
import type { Mark } from '../storage/mark.ts';
import { openStorage } from '../storage/open.ts';
import { encodeChunk, encodeHead, encodeTrailer, HEAD_BYTES } from '../storage/snapshot-format.ts';
import type { Storage } from '../storage/storage.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { AT } from '../tree/rows.ts';
import { digest, SnapshotCursor, SnapshotLoader } from '../tree/snapshot.ts';

/** Where a history goes: directories without one, in which `zoosh-1` is made. */
export interface HistoryPlace {
  readonly dataDir: string;
  readonly logDir: string;
  readonly sid: number;
}
export interface HistoryOptions {
  readonly random: Random;
  /** ms since 1970. */
  readonly now: number;
  /** The largest transaction, bytes. */
  readonly maxTxnBytes: number;
  /** The ensemble that is given up for this one: its directories may be met, and do not end the server. Default: there is none. */
  readonly succeeds?: string;
}
export interface NewHistory {
  /** Hexadecimal, random. */
  readonly ensembleId: string;
  readonly epoch: number;
}

/**
 * Makes a zoosh history that begins with this tree: a snapshot at `mark`, and a record that makes its server an ensemble of
 * itself. Verified by reading it again. @throws DamageError, StorageRefusal, DiskError
 */
export async function makeHistory(
  disk: Disk,
  tree: DataTree,
  mark: Mark,
  place: HistoryPlace,
  { random, now, maxTxnBytes, succeeds }: HistoryOptions,
): Promise<NewHistory> {
  tree.zxidHi = mark.zxid.hi;
  tree.zxidLo = mark.zxid.lo;
  tree.chained(mark.chain.hi, mark.chain.lo);
  const made = digest(tree);
  const written = await open(disk, place, random);
  await stage(written, tree, mark);
  await written.close();
  const loader = new SnapshotLoader(0);
  const storage = await open(disk, place, random, loader);
  try {
    if (digest(loader.finish()) !== made)
      throw new DamageError({ file: place.dataDir, reason: 'the snapshot was read again and is not what was written' });
    const { incarnation } = storage.identity;
    const ensembleId = Buffer.from(random.bytes(16)).toString('hex');
    const config: Config = {
      members: [{ sid: place.sid, role: 'participant', incarnation, addresses: [], client: null }],
      maxTxnBytes,
    };
    const epoch = await acceptLoss(storage, {
      ensembleId,
      succeeds: succeeds ?? null,
      config,
      time: Math.max(now, tree.time),
    });
    return { ensembleId, epoch };
  } finally {
    await storage.close();
  }
}

/** Who belongs to the ensemble is said by records of its own; members of another are none of it. */
export function clearConfig(tree: DataTree): void {
  const row = tree.find('/zookeeper/config');
  tree.putData(row, Buffer.alloc(0));
  tree.rows.setStat(row, AT.version, 0);
}

export function timedOf(tree: DataTree): { containers: number; ttls: number } {
  let containers = 0;
  for (const row of tree.timed) if (tree.isContainer(row)) containers++;
  return { containers, ttls: tree.timed.size - containers };
}

function open(
  disk: Disk,
  { dataDir, logDir, sid }: HistoryPlace,
  random: Random,
  loader?: SnapshotLoader,
): Promise<Storage> {
  return openStorage({
    disk,
    dataDir,
    logDir,
    sid,
    random,
    forceSync: true,
    zeroAheadBytes: 0,
    ignoreApacheData: true,
    onSnapshotChunk: (chunk) => loader?.push(chunk),
    onSnapshotEnd: () => {},
    onEnvelope: () => {},
  });
}

/** The whole state at `mark` becomes the history of a storage that has none. */
async function stage(storage: Storage, tree: DataTree, mark: Mark): Promise<void> {
  const generation = storage.log.generation + 1;
  const staged = storage.stage(generation, mark);
  const cursor = new SnapshotCursor(tree);
  await staged.write(encodeHead(mark));
  let chunks = 0;
  let at = HEAD_BYTES;
  for (let records = cursor.next(65536); records !== undefined; records = cursor.next(65536)) {
    if (records.length === 0) continue;
    const chunk = encodeChunk(records);
    await staged.write(chunk);
    chunks++;
    at += chunk.length;
  }
  await staged.write(encodeTrailer(chunks, at));
  await staged.finish();
  await storage.storeEpochs(mark.zxid.hi, mark.zxid.hi, generation);
}
