import { assert } from '../base/assert.ts';
import type { Random } from '../base/random.ts';
import type { Disk } from '../ports/disk.ts';
import type { Halves } from '../records/log-record.ts';
import type { PackWriter } from '../records/pack.ts';
import { removeDamaged, removeOld, settleAdoption } from './adoption.ts';
import type { Damage } from './errors.ts';
import { logName, snapshotName, unlinkIfThere } from './files.ts';
import { FlushPace, type FlushWait } from './flush-pace.ts';
import { forgotten, type Identity, type LogFileEntry } from './identity.ts';
import type { IdentityStore } from './identity-store.ts';
import type { LogPlace } from './log-file.ts';
import { isOrigin, later, type Mark, ORIGIN, sameMark } from './mark.ts';
import { purgeFiles } from './purge.ts';
import type { StateTaker, StorageDamage } from './read-state.ts';
import { type Room, roomOf } from './room.ts';
import { type ScrubReport, scrubFiles, verifySnapshot } from './scrub.ts';
import { openSnapshotFile, type SnapshotReader } from './snapshot-reader.ts';
import { writeSnapshotFile } from './snapshots.ts';
import { StagedHistory } from './staged.ts';
import { type SeenStart, type Starts, startsWith } from './starts.ts';
import type { TxnLog } from './txn-log.ts';

export interface StorageOptions extends StateTaker {
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
  /** A member of an ensemble: damage is told instead of refused, since a leader repairs it. `onStartOver` must be there. */
  readonly heals?: boolean;
  /** Generation of the log; default 1. */
  readonly generation?: number;
  /** Undefined: every flush is begun at once. */
  readonly flushWait?: FlushWait | undefined;
}

/** What opening found. */
export interface Opened {
  readonly bootTag: string;
  readonly at: Mark;
  readonly committed: Halves;
  readonly fresh: boolean;
  readonly notes: readonly string[];
  readonly damage: StorageDamage | undefined;
  readonly newestSnapshot: Mark | undefined;
}
export interface Folders {
  readonly data: string;
  readonly log: string;
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a member keeps: the log, the snapshots, the record of who it is. */
export class Storage {
  /** Random tag of this start; on the disk once {@link isTold}. */
  readonly bootTag: string;
  /** The starts of this directory, as the record is to have them before others are told of this one. */
  private starts: Starts;
  /** End of what was handed out at the start, and the chain there. */
  readonly last: Halves;
  readonly chain: Halves;
  /** Up to where it is known committed. */
  readonly committed: Halves;
  /** The directory held nothing before. */
  readonly fresh: boolean;
  /** Sentences for the log: what was cut, which copy was used. */
  readonly notes: readonly string[];
  /** The member is repairing: its log takes nothing until a staged history is installed. */
  damage: StorageDamage | undefined;
  /** The newest verified snapshot. */
  newestSnapshot: Mark | undefined;
  /** Another object after each installation, with the same {@link TxnLog.events}. */
  log: TxnLog;
  private staged: StagedHistory | undefined;
  /** Of which another link may go on, once it stopped: with how much of its snapshot. */
  private left: { readonly history: StagedHistory; readonly stopped: Promise<number> } | undefined;
  private readonly options: StorageOptions;
  private readonly store: IdentityStore;
  private readonly place: LogPlace;
  private readonly folders: Folders;
  /** How often another history took the place of ours. */
  private installations = 0;
  private readonly pins = new Map<string, number>();
  private purging: Promise<string[]> | undefined;
  private closed = false;
  private readonly pace: FlushPace | undefined;
  /** Up to where the log is committed, when it was last to be written. */
  private flushedAt: Halves = { hi: 0, lo: 0 };
  /** Changes of what snapshots there are, one after another. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    options: StorageOptions,
    store: IdentityStore,
    log: TxnLog,
    place: LogPlace,
    folders: Folders,
    found: Opened,
  ) {
    this.options = options;
    this.store = store;
    this.log = log;
    this.place = place;
    this.folders = folders;
    this.bootTag = found.bootTag;
    this.starts = startsWith(store.current, found.bootTag, undefined);
    this.last = found.at.zxid;
    this.chain = found.at.chain;
    this.committed = found.committed;
    this.fresh = found.fresh;
    this.notes = found.notes;
    this.damage = found.damage;
    this.newestSnapshot = found.newestSnapshot;
    const { flushWait } = options;
    const write = (): void => this.log.flush(this.flushedAt.hi, this.flushedAt.lo);
    this.pace = flushWait && new FlushPace(flushWait, () => this.log.pending, write);
  }
  get identity(): Identity {
    return this.store.current;
  }
  /** The tags that this start goes under, its own last, and what stands for those dropped. */
  get toldStarts(): Starts {
    return this.starts;
  }
  /** Said once after opening, before anything is told: what the own log knows of earlier starts. */
  noteSeen(seen: SeenStart | undefined): void {
    this.starts = startsWith(this.store.current, this.bootTag, seen);
  }
  /** The record holds this start: others may be told of it. */
  get isTold(): boolean {
    return this.store.current.bootTags === this.starts.bootTags;
  }
  /**
   * Others are about to be told of this start: its tag is durable when it resolves. A start of which nobody hears leaves none, so
   * that starts in a loop, without a quorum, replace no tag that counts.
   */
  async tellStart(): Promise<void> {
    if (!this.isTold) await this.store.update((now) => ({ ...now, ...this.starts }));
  }
  private inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.turn.then(run);
    this.turn = done.catch(() => undefined);
    return done;
  }

  /**
   * Both copies are durable when it resolves, and others may be told of this start. With `install` the same write makes the finished staged history of that
   * generation ours: {@link log} is then its log, {@link damage} is gone, and old files are removed. A rejection leaves a
   * storage that must be opened again, with one history or the other.
   */
  async storeEpochs(accepted: number, current: number, install?: number): Promise<void> {
    const epochs = { ...this.starts, acceptedEpoch: accepted, currentEpoch: current };
    if (install === undefined) {
      // no new promise: synchronised without it
      if (this.left !== undefined && accepted === this.identity.acceptedEpoch) await this.dropLeft();
      await this.store.update((now) => ({ ...now, ...epochs }));
    } else await this.inTurn(() => this.install(epochs, install));
  }
  async setEnsembleId(id: string): Promise<void> {
    await this.store.update((now) => ({ ...now, ensembleId: id }));
  }
  /** Another ensemble goes on from this history, whose last record says so (foundations.md 13.15). */
  async beginEnsemble(id: string, epoch: number, succeeds: string | null): Promise<void> {
    const epochs = { acceptedEpoch: epoch, currentEpoch: epoch };
    await this.store.update((now) => ({ ...now, ...epochs, ensembleId: id, amnesiac: false, succeeds }));
  }
  /** The server lines of zoo.cfg that this start runs with. */
  async setServerLines(lines: readonly string[]): Promise<void> {
    await this.store.update((now) => ({ ...now, serverLines: lines }));
  }
  writer(): PackWriter {
    return this.log.writer();
  }
  commitEnvelope(start: number, hi: number, lo: number): void {
    this.log.commitEnvelope(start, hi, lo);
  }
  /** Writes what has gathered, in the staged log too; see {@link TxnLog.flush}. Ours may wait for more, if that was asked for. */
  flush(hi: number, lo: number): void {
    if (this.pace === undefined) this.log.flush(hi, lo);
    else {
      this.flushedAt = { hi, lo };
      this.pace.look();
    }
    this.staged?.log.flush(hi, lo);
  }
  /** The log that takes what is appended under `generation`: the staged one, or ours. */
  logOf(generation: number): TxnLog {
    const { staged, log } = this;
    if (staged?.generation === generation) return staged.log;
    // the sentence only where it is needed: this is on the way of every transaction
    if (log.generation !== generation) assert(false, `no log is of generation ${generation}`);
    return log;
  }
  /** Cuts our log; see {@link TxnLog.truncate}. */
  truncate(generation: number, to: Mark): Promise<void> {
    assert(this.damage === undefined, 'a damaged log is cut');
    return this.log.truncate(generation, to);
  }

  /**
   * Begins a history beside ours, with the leader's snapshot at `at`; `onRecords` is given the records of each chunk of it once
   * they are verified. One that was being staged is dropped. With `resumes`, {@link StagedHistory.resume} comes first.
   */
  stage(generation: number, at: Mark, onRecords: (records: Buffer) => void = () => {}, resumes = false): StagedHistory {
    const gone = this.staged === undefined ? undefined : this.dropStaged(this.staged.generation);
    const left = this.dropLeft(resumes ? at : undefined);
    const ready = Promise.all([left, gone]).then(([begun]) => begun);
    const { events } = this.log;
    this.staged = new StagedHistory(generation, at, this.folders.data, this.place, events, ready, onRecords);
    return this.staged;
  }
  /** Grows as what is staged comes in and is read back; 0 while nothing is. */
  get stagedProgress(): number {
    return this.staged?.progress ?? 0;
  }
  /**
   * As {@link dropStaged}, but what came of the snapshot stays until the next is staged, which may go on behind it. Where none can,
   * nothing stays.
   */
  async leaveStaged(generation: number): Promise<void> {
    const { staged } = this;
    if (staged?.generation !== generation) return;
    this.staged = undefined;
    const left = { history: staged, stopped: staged.stop() };
    this.left = left;
    if ((await left.stopped) === 0 && this.left === left) await this.dropLeft();
  }
  /** Bytes that were left of the snapshot at `at`; those of any other are removed. */
  private dropLeft(at?: Mark): Promise<number> {
    const { left } = this;
    this.left = undefined;
    return this.inTurn(async () => {
      if (left === undefined) return 0;
      const begun = await left.stopped;
      if (at !== undefined && sameMark(left.history.at, at) && begun > 0) return begun;
      await left.history.remove();
      return 0;
    });
  }
  /** Removes what is staged under `generation`, at any time before it is installed; what is under way for it ends first. */
  async dropStaged(generation: number): Promise<void> {
    const { staged } = this;
    if (staged?.generation !== generation) return;
    this.staged = undefined;
    const gone = staged.stop();
    await this.inTurn(async () => {
      await gone;
      // an installation that failed may count on the disk: then its files must stay
      if (!this.store.failed) await staged.remove();
    });
  }
  private async install(epochs: Pick<Identity, 'acceptedEpoch' | 'currentEpoch'>, generation: number): Promise<void> {
    const { staged, store, place, folders } = this;
    assert(staged?.generation === generation && staged.isFinished, 'installed what is not there');
    await this.log.retire();
    let old: readonly LogFileEntry[] = [];
    await store.update((now) => {
      old = now.logs;
      const { files } = staged.list;
      return { ...now, ...epochs, logs: files, adoptedSnapshot: staged.at.zxid, owed: null, amnesiac: false };
    });
    staged.log.list = store.list;
    this.log = staged.log;
    this.staged = undefined;
    this.damage = undefined;
    this.installations++;
    this.newestSnapshot = isOrigin(staged.at) ? undefined : staged.at;
    await settleAdoption(place.disk, folders.data, staged.at, staged.path, false);
    await this.removeLogs(old);
    for (const folder of new Set([folders.data, folders.log])) await removeDamaged(place.disk, folder);
    await store.update((now) => ({ ...now, adoptedSnapshot: null }));
  }
  private async removeLogs(files: readonly LogFileEntry[]): Promise<void> {
    for (const entry of files) await unlinkIfThere(this.place.disk, `${this.folders.log}/${logName(entry)}`);
  }

  /**
   * Draws a new incarnation, durably, and forgets everything that was promised under the old one. The storage is of no use
   * afterwards: close it and open it again, as an amnesiac's.
   */
  async newIncarnation(): Promise<string> {
    const incarnation = hex(this.options.random.bytes(16));
    await this.inTurn(async () => {
      await this.log.retire();
      await this.store.update((now) => forgotten(now, incarnation));
    });
    return incarnation;
  }
  /** What there is room for, once what is being removed is gone. */
  room(): Promise<Room> {
    return this.inTurn(() => roomOf(this.place.disk, this.folders));
  }
  /**
   * There is no room for two histories: ours is given up before the other is there. What this member must hold again before it
   * counts is stored first (foundations.md 13.4). It is repairing afterwards, with nothing intact; the caller starts over.
   */
  async giveUpHistory(): Promise<void> {
    await this.inTurn(async () => {
      const end = this.log.durable.zxid;
      await this.log.retire();
      const mayHaveAcked = later(this.damage?.mayHaveAcked ?? end, end);
      let old: readonly LogFileEntry[] = [];
      await this.store.update((now) => {
        old = now.logs;
        const zxid = later(now.owed?.zxid ?? mayHaveAcked, mayHaveAcked);
        return { ...now, owed: { epoch: now.currentEpoch, zxid }, logs: [], adoptedSnapshot: ORIGIN.zxid };
      });
      this.damage = { intact: ORIGIN, mayHaveAcked, sentences: ['its files were given up for a repair'] };
      this.installations++;
      this.newestSnapshot = undefined;
      await this.removeLogs(old);
      await settleAdoption(this.place.disk, this.folders.data, ORIGIN, undefined, false);
      for (const folder of new Set([this.folders.data, this.folders.log])) await removeDamaged(this.place.disk, folder);
    });
  }

  /** Undefined when the source gave up, or another history took the place of that which it is of. */
  writeSnapshot(
    zxid: Halves,
    chain: Halves,
    next: (maxBytes: number) => Uint8Array | undefined,
    gaveUp: () => boolean,
    rest: () => Promise<void> | undefined = () => undefined,
  ): Promise<{ path: string; bytes: number } | undefined> {
    const { installations } = this;
    const mark = { zxid, chain };
    const stale = (): boolean => this.installations !== installations || this.damage !== undefined;
    if (stale()) return Promise.resolve(undefined);
    const source = { mark, next, gaveUp: () => gaveUp() || stale(), rest };
    return writeSnapshotFile(this.place.disk, this.folders.data, source, (rename) =>
      this.inTurn(async () => {
        if (stale()) return false;
        await rename();
        this.newestSnapshot = mark;
        return true;
      }),
    );
  }
  /** The snapshot file at `at`, for a learner; the origin has one of no bytes. Rejects when there is none of that history. */
  openSnapshot(at: Mark): Promise<SnapshotReader> {
    const name = snapshotName(at.zxid);
    this.pins.set(name, (this.pins.get(name) ?? 0) + 1);
    return openSnapshotFile(this.place.disk, this.folders.data, at, () => {
      const left = (this.pins.get(name) ?? 1) - 1;
      if (left === 0) this.pins.delete(name);
      else this.pins.set(name, left);
    });
  }
  /** See {@link purgeFiles}. While one purge is under way another joins it; one that is repairing, or closed, removes nothing. */
  purge(retain: number): Promise<string[]> {
    this.purging ??= this.inTurn(async () => {
      // the directory may be another storage's by now: a second write of the record would be of the same number
      if (this.closed || this.damage !== undefined || this.identity.adoptedSnapshot !== null) return [];
      return purgeFiles(this.place.disk, this.folders, this.store, retain, (name) => this.pins.has(name));
    }).finally(() => {
      this.purging = undefined;
    });
    return this.purging;
  }
  /**
   * Verifies closed log files and snapshots once more (D8). A damaged snapshot is set aside: another should be taken soon. For
   * a damaged log file the storage is to be opened again.
   */
  async scrub(rest: () => Promise<void> | undefined): Promise<ScrubReport> {
    const { place, folders } = this;
    const { installations } = this;
    const watches = new Map<string, () => boolean>();
    const looks = (name: string): (() => boolean) => {
      const isRenewed = this.looks(name);
      watches.set(name, isRenewed);
      return isRenewed;
    };
    const report = await scrubFiles(place.disk, folders.data, folders.log, () => this.identity.logs, looks, rest);
    await this.setAside(report.snapshots, report.newest, installations, (name) => watches.get(name)?.() === true);
    return report;
  }
  /** Says from now on whether the snapshot of that name is another file by then: none but the newest is ever written again. */
  private looks(name: string): () => boolean {
    const { newestSnapshot: before } = this;
    return () => {
      const { newestSnapshot: now } = this;
      return now !== undefined && now !== before && snapshotName(now.zxid) === name;
    };
  }
  /** Damaged snapshots get another name, unless another file or another history took their place. */
  private setAside(
    names: readonly string[],
    newest: Mark | undefined,
    installations: number,
    isRenewed: (name: string) => boolean,
  ): Promise<void> {
    const { disk } = this.place;
    const { data } = this.folders;
    return this.inTurn(async () => {
      if (names.length === 0 || this.isOver(installations)) return;
      for (const name of names) {
        if (isRenewed(name)) continue;
        if (await disk.exists(`${data}/${name}`)) await removeOld(disk, data, name, true);
        const known = this.newestSnapshot;
        if (known !== undefined && snapshotName(known.zxid) === name) this.newestSnapshot = newest;
      }
      await disk.syncDir(data);
    });
  }
  /** The history that a file is of was replaced, or is to be by a repair. */
  private isOver(installations: number): boolean {
    return this.installations !== installations || this.damage !== undefined;
  }
  /**
   * Verifies the snapshot at `at` once more. What is wrong with it is told, and it is set aside as the scrub does: another should be
   * taken at once. Undefined when it is whole, and when it is no more because another took its place: see {@link newestSnapshot}.
   */
  async verifySnapshot(at: Mark, rest: () => Promise<void> | undefined): Promise<Damage | undefined> {
    const { installations } = this;
    const { disk } = this.place;
    const name = snapshotName(at.zxid);
    const isRenewed = this.looks(name);
    const path = `${this.folders.data}/${name}`;
    const found = await verifySnapshot(disk, path, at, rest);
    if (found === undefined) return undefined;
    const isThere = await this.inTurn(() => disk.exists(path));
    if (this.isOver(installations)) return undefined;
    if (isThere) {
      if (found === 'gone' || isRenewed()) return undefined; // one that was written meanwhile
      await this.setAside([name], undefined, installations, isRenewed);
      return found;
    }
    // a purge leaves the newest, and a scrub that sets it aside says so itself and knows of another or of none
    const { newestSnapshot: newest } = this;
    if (newest === undefined || !sameMark(newest, at)) return undefined;
    this.newestSnapshot = undefined;
    return found === 'gone' ? { file: path, reason: 'it is not there' } : found;
  }
  /** Nothing is written any more once it has resolved: the directory may be opened again. */
  async close(): Promise<void> {
    this.closed = true;
    await this.staged?.stop();
    await this.left?.stopped;
    await this.log.close();
    await this.turn;
    await this.store.close();
  }
}
