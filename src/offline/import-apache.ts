import type { LoadedApache } from '../apache/load.ts';
import { settled } from '../apache/settle.ts';
import type { Disk } from '../ports/disk.ts';
import { apachePassword } from '../protocol/apache-password.ts';
import { halvesOf } from '../records/log-record.ts';
import { StorageRefusal } from '../storage/errors.ts';
import type { Mark } from '../storage/mark.ts';
import { sessionSecret } from '../tree/sessions.ts';
import { clearConfig, type HistoryOptions, type HistoryPlace, makeHistory, timedOf } from './new-history.ts';
import { EPOCHS_AHEAD, LAST_EPOCH } from './restore-backup.ts';

export interface ImportOptions extends HistoryOptions {
  /** The highest epoch that the Apache server promised or took part in. */
  readonly epoch: number;
  /** Sessions and their ephemerals live on, for one timeout each unless their clients come back with Apache's passwords. */
  readonly keepSessions?: boolean;
}
export interface Imported {
  readonly nodes: number;
  readonly containers: number;
  readonly ttls: number;
  readonly sessions: number;
  readonly ephemerals: number;
  readonly sessionsDropped: number;
  readonly ephemeralsDropped: number;
  readonly ensembleId: string;
  /** The last transaction of Apache's, and the one that stands for the import. */
  readonly lastZxid: bigint;
  readonly zxid: bigint;
  readonly epoch: number;
}

/**
 * The epoch in which a history goes on that got as far as `lastZxid`, and whose server promised `epoch`. @throws StorageRefusal (44)
 * where these cannot be: every epoch is an election, and 65,536 are left for those to come
 */
export function newEpoch(lastZxid: bigint, epoch: number): number {
  const last = Math.max(epoch, Number(BigInt.asUintN(64, lastZxid) >> 32n));
  if (last < LAST_EPOCH - EPOCHS_AHEAD) return last + 1;
  throw new StorageRefusal(
    44,
    `epoch ${last} cannot be: no ensemble had so many elections. Where acceptedEpoch or currentEpoch says so it is damaged: take the member's that is right, or move it away`,
  );
}

/**
 * Makes a zoosh history from what an Apache server held: a snapshot at one zxid above all that any client has seen, and a record
 * that makes its server an ensemble of itself. Sessions end with it, unless they are to be kept, so their ephemerals are gone and
 * whoever watches the parents is told. Verified by reading it again.
 */
export async function importApache(
  disk: Disk,
  { state }: LoadedApache,
  place: HistoryPlace,
  options: ImportOptions,
): Promise<Imported> {
  const { random } = options;
  const lastZxid = state.zxid;
  const zxid = (BigInt(newEpoch(lastZxid, options.epoch)) << 32n) | 1n;
  const dropped =
    options.keepSessions === true
      ? state.keepSessions(zxid, (id) => sessionSecret(apachePassword(id)))
      : state.dropSessions(zxid);
  clearConfig(state.tree);
  const tree = settled(state);
  const mark: Mark = { zxid: halvesOf(zxid), chain: halvesOf(Buffer.from(random.bytes(8)).readBigInt64BE(0)) };
  tree.time = state.time;
  for (const [server, id] of state.highest) tree.sessions.highest.set(server, id);
  const made = await makeHistory(disk, tree, mark, place, options);
  return {
    nodes: tree.rows.count,
    ...timedOf(tree),
    sessions: tree.sessions.size,
    ephemerals: tree.ephemerals,
    sessionsDropped: dropped.sessions,
    ephemeralsDropped: dropped.ephemerals,
    lastZxid,
    zxid,
    ...made,
  };
}
