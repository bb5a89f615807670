import { InvariantError } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { compareHalves, type Halves } from '../records/log-record.ts';
import { type PackWriter, RecordError } from '../records/pack.ts';
import { DamageError, StorageRefusal } from './errors.ts';
import { isLogName, logName, namesIn, TEMP, unlinkIfThere } from './files.ts';
import { findIdentity, type Identity, IdentityStore, identityPlaces, type LogFileEntry } from './identity.ts';
import { readLogs, settleLastGroup } from './recover.ts';
import { listSnapshots, readSnapshotFile, writeSnapshotFile } from './snapshots.ts';
import { makeLogFile, TxnLog } from './txn-log.ts';

export interface StorageOptions {
  readonly disk: Disk;
  /** The operator's directories; our files lie in `zoosh-1` below them. */
  readonly dataDir: string;
  readonly logDir: string;
  readonly sid: number;
  readonly random: Random;
  readonly forceSync: boolean;
  /** Bytes of zeros kept ahead of the log's end, so that a write changes no metadata; 0: none. */
  readonly zeroAheadBytes: number;
  readonly ignoreApacheData: boolean;
  /** Parts of the newest snapshot, in order; then the end of them; then every envelope after it. */
  onSnapshotChunk(chunk: Buffer): void;
  onSnapshotEnd(): void;
  onEnvelope(bytes: Buffer, start: number, end: number): void;
  onCommitted?(hi: number, lo: number): void;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a member keeps: the log, the snapshots, the record of who it is. */
export class Storage {
  /** Random tag of this start, durable. */
  readonly bootTag: string;
  readonly last: Halves;
  readonly chain: Halves;
  readonly committed: Halves;
  /** The directory held nothing before. */
  readonly fresh: boolean;
  /** Sentences for the log: what was cut, which copy was used. */
  readonly notes: readonly string[];
  readonly log: TxnLog;
  private readonly options: StorageOptions;
  private readonly store: IdentityStore;
  private readonly dataFolder: string;
  private readonly logFolder: string;
  private purging: Promise<string[]> | undefined;

  constructor(
    options: StorageOptions,
    store: IdentityStore,
    log: TxnLog,
    found: {
      bootTag: string;
      last: Halves;
      chain: Halves;
      committed: Halves;
      fresh: boolean;
      notes: readonly string[];
    },
    folders: { data: string; log: string },
  ) {
    this.options = options;
    this.store = store;
    this.log = log;
    this.bootTag = found.bootTag;
    this.last = found.last;
    this.chain = found.chain;
    this.committed = found.committed;
    this.fresh = found.fresh;
    this.notes = found.notes;
    this.dataFolder = folders.data;
    this.logFolder = folders.log;
  }
  get identity(): Identity {
    return this.store.current;
  }
  /** Both copies are durable when it resolves. */
  async storeEpochs(accepted: number, current: number, _install?: number): Promise<void> {
    await this.store.update((now) => ({ ...now, acceptedEpoch: accepted, currentEpoch: current }));
  }
  readonly newestSnapshot: { zxid: Halves; chain: Halves } | undefined = undefined;
  truncate(_generation: number, _to: unknown): Promise<void> {
    throw new Error('later');
  }
  stage(_generation: number, _at: unknown, _onChunk: (chunk: Uint8Array) => void): never {
    throw new Error('later');
  }
  dropStaged(_generation: number): void {}
  openSnapshot(_at: unknown): never {
    throw new Error('later');
  }
  async setServerLines(lines: readonly string[]): Promise<void> {
    await this.store.update((now) => ({ ...now, serverLines: lines }));
  }
  async setEnsembleId(id: string): Promise<void> {
    await this.store.update((now) => ({ ...now, ensembleId: id }));
  }
  writer(): PackWriter {
    return this.log.writer();
  }
  commitEnvelope(start: number, hi: number, lo: number): void {
    this.log.commitEnvelope(start, hi, lo);
  }
  /** Undefined when the source gave up. */
  writeSnapshot(
    zxid: Halves,
    chain: Halves,
    next: (maxBytes: number) => Uint8Array | undefined,
    gaveUp: () => boolean,
    rest?: () => Promise<void> | undefined,
  ): Promise<{ path: string; bytes: number } | undefined> {
    return writeSnapshotFile(this.options.disk, this.dataFolder, zxid, chain, next, gaveUp, rest);
  }
  /**
   * Keeps the newest `retain` snapshots (two at least) and every log file needed after the oldest of them. Files leave the
   * list before they leave the disk. While one purge is under way another joins it. Returns the names removed.
   */
  purge(retain: number): Promise<string[]> {
    this.purging ??= this.purgeNow(retain).finally(() => {
      this.purging = undefined;
    });
    return this.purging;
  }
  private async purgeNow(retain: number): Promise<string[]> {
    const { disk } = this.options;
    const snapshots = await listSnapshots(disk, this.dataFolder);
    const kept = snapshots.slice(0, Math.max(2, retain));
    const oldest = kept.at(-1);
    if (oldest === undefined || kept.length < 2) return [];
    const spare = (logs: readonly LogFileEntry[]): number => {
      let drop = 0;
      while (drop + 1 < logs.length && compareHalves((logs[drop + 1] as LogFileEntry).fromZxid, oldest.zxid) <= 0)
        drop++;
      return drop;
    };
    let gone: readonly LogFileEntry[] = [];
    if (spare(this.identity.logs) > 0)
      await this.store.update((now) => {
        // counted when its turn has come: another purge or a roll may have come before
        gone = now.logs.slice(0, spare(now.logs));
        return { ...now, logs: now.logs.slice(gone.length) };
      });
    const removed: string[] = [];
    for (const { name } of snapshots.slice(kept.length)) {
      await unlinkIfThere(disk, `${this.dataFolder}/${name}`);
      removed.push(name);
    }
    for (const entry of gone) {
      await unlinkIfThere(disk, `${this.logFolder}/${logName(entry)}`);
      removed.push(logName(entry));
    }
    return removed;
  }
  async close(): Promise<void> {
    await this.log.close();
    await this.store.idle();
  }
}

async function refuseApache(disk: Disk, options: StorageOptions, ours: boolean): Promise<void> {
  if (options.ignoreApacheData || ours) return;
  for (const root of new Set([options.dataDir, options.logDir])) {
    const names = await namesIn(disk, `${root}/version-2`);
    if (names.some((name) => name.startsWith('log.') || name.startsWith('snapshot.')))
      throw new StorageRefusal(
        42,
        `${root}/version-2 holds data of an Apache ZooKeeper server and there is none of ours beside it. zoosh import-apache ${root} will import it in a later version; to start with an empty tree: --ignore-apache-data`,
      );
  }
}

/**
 * Bytes with right checksums that make no sense, in themselves or after what came before, were damaged before they were
 * written: refused like any other damage. @throws DamageError
 */
export function understood(file: string, take: () => void): void {
  try {
    take();
  } catch (error) {
    if (error instanceof RecordError) throw new DamageError({ file, reason: error.message }, { cause: error });
    if (error instanceof InvariantError)
      throw new DamageError({ file, reason: `it does not fit what came before: ${error.message}` }, { cause: error });
    throw error;
  }
}

/** Opens a member's directories: verifies everything in them, hands the state out, and goes on in a new log file. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  try {
    return await open(options);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    throw new StorageRefusal(
      40,
      `the data directory cannot be used: ${error.message}. Check that it is a folder, may be written and has room`,
      { cause: error },
    );
  }
}

async function open(options: StorageOptions): Promise<Storage> {
  const { disk, random } = options;
  const folders = { data: `${options.dataDir}/zoosh-1`, log: `${options.logDir}/zoosh-1` };
  const places = identityPlaces(folders.data, folders.log);
  const found = await findIdentity(disk, places);
  await refuseApache(disk, options, found.identity !== undefined);
  await disk.mkdir(folders.data);
  await disk.mkdir(folders.log);
  const dataNames = await namesIn(disk, folders.data);
  const logNames = await namesIn(disk, folders.log);
  let identity = found.identity;
  const fresh = identity === undefined;
  if (identity === undefined) {
    const left = [...dataNames, ...logNames].find((name) => isLogName(name) || name.startsWith('snapshot.'));
    if (left !== undefined)
      throw new DamageError({
        file: folders.data,
        reason: `it holds ${left} and no identity record`,
        identityLost: true,
        remedy: 'Nothing was changed. Restore the directory, its identity file included, from a copy',
      });
    identity = {
      write: 0,
      ensembleId: null,
      sid: options.sid,
      incarnation: hex(random.bytes(16)),
      bootTags: [],
      acceptedEpoch: 0,
      currentEpoch: 0,
      logs: [],
      owed: null,
      serverLines: [],
      adoptedSnapshot: null,
    };
  }
  if (identity.sid !== options.sid)
    throw new StorageRefusal(
      42,
      `${folders.data} belongs to server ${identity.sid}; this one is server ${options.sid}. Check myid and dataDir`,
    );
  const newest = (await listSnapshots(disk, folders.data))[0];
  let from = { zxid: { hi: 0, lo: 0 }, chain: { hi: 0, lo: 0 } };
  if (newest !== undefined) {
    const path = `${folders.data}/${newest.name}`;
    from = await readSnapshotFile(disk, path, (chunk) => understood(path, () => options.onSnapshotChunk(chunk)));
    understood(path, () => options.onSnapshotEnd());
  }
  const end = await readLogs(disk, folders.log, identity.logs, from, (bytes, start, stop) =>
    understood(folders.log, () => options.onEnvelope(bytes, start, stop)),
  );
  if (options.forceSync) await settleLastGroup(disk, folders.log, identity.logs, end);
  for (const name of dataNames) if (name.endsWith(TEMP)) await unlinkIfThere(disk, `${folders.data}/${name}`);

  const last = { hi: end.tip.hi, lo: end.tip.lo };
  const chain = { hi: end.tip.chainHi, lo: end.tip.chainLo };
  const bootTag = hex(random.bytes(8));
  const store = new IdentityStore(disk, places, identity);
  // the record comes first: a log file without one would look like a lost identity
  if (fresh) await store.update((now) => now);
  else if (!found.bothCurrent) await store.align();
  // only now: the record that no longer lists them may have been in the system's memory alone (foundations.md 13.6)
  const listed = new Set(identity.logs.map(logName));
  for (const name of logNames)
    if (isLogName(name) && !listed.has(name)) await unlinkIfThere(disk, `${folders.log}/${name}`);
  const made = await makeLogFile(disk, folders.log, random, last, chain, options.forceSync);
  await store.update((now) => ({
    ...now,
    bootTags: [...now.bootTags, bootTag],
    logs: [...now.logs.map((log) => (log.end === null ? { ...log, end: end.end } : log)), made.entry],
  }));
  const log = new TxnLog(disk, folders.log, store, random, made, options.forceSync, options.zeroAheadBytes);
  const notes = [...found.warnings, ...end.notes];
  return new Storage(options, store, log, { bootTag, last, chain, committed: end.committed, fresh, notes }, folders);
}
