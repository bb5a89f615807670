import type { LoadedApache } from '../apache/load.ts';
import { settled } from '../apache/settle.ts';
import type { Random } from '../base/random.ts';
import type { Disk } from '../ports/disk.ts';
import { halvesOf } from '../records/log-record.ts';
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

/** Where the history goes: directories without one, in which `zoosh-1` is made. */
export interface ImportPlace {
  readonly dataDir: string;
  readonly logDir: string;
  readonly sid: number;
}
export interface ImportOptions {
  readonly random: Random;
  /** ms since 1970. */
  readonly now: number;
  /** The highest epoch that the Apache server promised or took part in. */
  readonly epoch: number;
  /** The largest transaction, bytes. */
  readonly maxTxnBytes: number;
}
export interface Imported {
  readonly nodes: number;
  readonly containers: number;
  readonly ttls: number;
  readonly sessionsDropped: number;
  readonly ephemeralsDropped: number;
  readonly ensembleId: string;
  /** The last transaction of Apache's, and the one that stands for the import. */
  readonly lastZxid: bigint;
  readonly zxid: bigint;
  readonly epoch: number;
}

/**
 * Makes a zoosh history from what an Apache server held: a snapshot at one zxid above all that any client has seen, and a record
 * that makes its server an ensemble of itself. Sessions end with it, so their ephemerals are gone and whoever watches
 * the parents is told. Verified by reading it again.
 */
export async function importApache(
  disk: Disk,
  { state }: LoadedApache,
  place: ImportPlace,
  options: ImportOptions,
): Promise<Imported> {
  const { random } = options;
  const lastZxid = state.zxid;
  const zxid = (BigInt(Math.max(options.epoch, Number(lastZxid >> 32n)) + 1) << 32n) | 1n;
  const dropped = state.dropSessions(zxid);
  clearConfig(state.tree);
  const tree = settled(state);
  const mark: Mark = { zxid: halvesOf(zxid), chain: halvesOf(Buffer.from(random.bytes(8)).readBigInt64BE(0)) };
  tree.zxidHi = mark.zxid.hi;
  tree.zxidLo = mark.zxid.lo;
  tree.time = state.time;
  tree.chained(mark.chain.hi, mark.chain.lo);
  for (const [server, id] of state.highest) tree.sessions.highest.set(server, id);
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
      maxTxnBytes: options.maxTxnBytes,
    };
    const epoch = await acceptLoss(storage, { ensembleId, config, time: Math.max(options.now, state.time) });
    return {
      nodes: tree.rows.count,
      ...timedOf(tree),
      sessionsDropped: dropped.sessions,
      ephemeralsDropped: dropped.ephemerals,
      ensembleId,
      lastZxid,
      zxid,
      epoch,
    };
  } finally {
    await storage.close();
  }
}

function timedOf(tree: DataTree): { containers: number; ttls: number } {
  let containers = 0;
  for (const row of tree.timed) if (tree.isContainer(row)) containers++;
  return { containers, ttls: tree.timed.size - containers };
}

/** Who belongs to the ensemble is said by our own records; Apache's members are none of it. */
function clearConfig(tree: DataTree): void {
  const row = tree.find('/zookeeper/config');
  tree.putData(row, Buffer.alloc(0));
  tree.rows.setStat(row, AT.version, 0);
}

function open(
  disk: Disk,
  { dataDir, logDir, sid }: ImportPlace,
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
