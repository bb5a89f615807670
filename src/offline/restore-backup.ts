import type { Random } from '../base/random.ts';
import type { Disk } from '../ports/disk.ts';
import { halvesOf, showHalves } from '../records/log-record.ts';
import { DamageError, StorageRefusal } from '../storage/errors.ts';
import type { Mark } from '../storage/mark.ts';
import { NO_SINK, removeEphemerals } from '../tree/apply.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { SnapshotLoader } from '../tree/snapshot.ts';
import { type BackupDescription, readBackup } from './backup-file.ts';
import { clearConfig, type HistoryPlace, makeHistory } from './new-history.ts';

/**
 * So far beyond the backup's goes the new ensemble's epoch: clients that saw later epochs than the backup's, as many as elections
 * can have begun since, are not turned away for ever by a server that seems to be behind them.
 */
export const EPOCHS_AHEAD = 65_536;
/** A zxid has 31 bits for it. */
export const LAST_EPOCH = 0x7fff_ffff;

/** A backup that was read and verified. */
export interface ReadBackup {
  readonly description: BackupDescription;
  /** False: a snapshot file without a description around it. */
  readonly isBackup: boolean;
  readonly tree: DataTree;
}
export interface RestoreOptions {
  readonly random: Random;
  /** ms since 1970. */
  readonly now: number;
  readonly maxTxnBytes: number;
  /** Known besides the backup: the new epoch is beyond it as well. */
  readonly epoch: number;
}
export interface Restored {
  readonly nodes: number;
  readonly sessionsDropped: number;
  readonly ephemeralsDropped: number;
  readonly ensembleId: string;
  /** The transaction that stands for the restoration. */
  readonly zxid: string;
  readonly epoch: number;
}

/** @throws DamageError, DiskError */
export async function loadBackup(disk: Disk, file: string): Promise<ReadBackup> {
  const loader = new SnapshotLoader(0);
  const { description, isBackup } = await readBackup(disk, file, (records) => loader.push(records));
  return { description, isBackup, tree: loader.finish() };
}

/**
 * Makes the history of a new ensemble from a backup. Sessions end with it, and their ephemerals; nobody of the old ensemble belongs
 * to it. @throws StorageRefusal, DamageError, DiskError
 */
export async function restoreBackup(
  disk: Disk,
  { tree, description }: ReadBackup,
  place: HistoryPlace,
  { random, now, maxTxnBytes, epoch }: RestoreOptions,
): Promise<Restored> {
  const first = firstEpoch(description, epoch);
  const mark: Mark = {
    zxid: halvesOf((BigInt(first) << 32n) | 1n),
    chain: halvesOf(Buffer.from(random.bytes(8)).readBigInt64BE(0)),
  };
  const dropped = { sessionsDropped: tree.sessions.size, ephemeralsDropped: tree.ephemerals };
  for (const { id } of [...tree.sessions.all()]) {
    removeEphemerals(tree, mark.zxid.hi, mark.zxid.lo, id, Number.POSITIVE_INFINITY, NO_SINK);
    tree.sessions.remove(id);
  }
  if (tree.ephemerals !== 0) throw new DamageError({ file: place.dataDir, reason: 'an ephemeral without a session' });
  clearConfig(tree);
  const most = Math.max(maxTxnBytes, tree.config?.maxTxnBytes ?? 0);
  tree.config = undefined;
  tree.ensembleId = '';
  tree.members.clear();
  // whoever comes up with a directory of that one is refused, and no more: the operator gave it up (foundations.md 13.15)
  const succeeds = description.ensembleId === '' ? 'unknown' : description.ensembleId;
  const made = await makeHistory(disk, tree, mark, place, { random, now, maxTxnBytes: most, succeeds });
  return { nodes: tree.rows.count, ...dropped, ...made, zxid: showHalves(mark.zxid) };
}

/** @throws StorageRefusal when the epochs are used up */
function firstEpoch({ epoch, zxid }: BackupDescription, known: number): number {
  const first = Math.max(epoch, Number(BigInt(zxid) >> 32n), known) + EPOCHS_AHEAD;
  if (first >= LAST_EPOCH)
    throw new StorageRefusal(43, `there is no epoch ${EPOCHS_AHEAD} beyond ${first - EPOCHS_AHEAD}`);
  return first;
}
