import { assert } from '../base/assert.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import { compareHalves } from '../records/log-record.ts';
import { RecordError } from '../records/pack.ts';
import { logName, STAGED, snapshotName, unlinkIfThere } from './files.ts';
import { type LogPlace, makeLogFile } from './log-file.ts';
import { StagedList } from './log-list.ts';
import { isOrigin, type Mark, sameMark, showMark } from './mark.ts';
import { SnapshotParser } from './snapshot-format.ts';
import { readSnapshotFile, SYNC_EVERY } from './snapshots.ts';
import { type LogEvents, TxnLog } from './txn-log.ts';

export const stagedName = (mark: Mark): string => snapshotName(mark.zxid) + STAGED;

/**
 * A history that comes in beside the old one (foundations.md 13.4): a snapshot, and a log that goes on from it. It counts for
 * nothing until the identity record that installs it is written; a start before that removes it.
 */
export class StagedHistory {
  readonly generation: number;
  /** Where the snapshot stands. At the origin there is none. */
  readonly at: Mark;
  /** Takes what comes behind the snapshot at once; writes it, and reports it, only after {@link finish}. */
  readonly log: TxnLog;
  readonly list = new StagedList();
  private readonly disk: Disk;
  private readonly dataFolder: string;
  private readonly place: LogPlace;
  private readonly parser: SnapshotParser;
  private file: DiskFile | undefined;
  private position = 0;
  /** Bytes that were read back from the disk. */
  private checked = 0;
  private unsynced = 0;
  /** Writes one after another; the first waits until what was staged before is gone. */
  private turn: Promise<void>;
  private dropped = false;
  private finished = false;

  constructor(
    generation: number,
    at: Mark,
    dataFolder: string,
    place: LogPlace,
    events: LogEvents,
    ready: Promise<void>,
    onRecords: (records: Buffer) => void,
  ) {
    this.generation = generation;
    this.at = at;
    this.disk = place.disk;
    this.dataFolder = dataFolder;
    this.place = place;
    this.parser = new SnapshotParser(onRecords);
    this.log = new TxnLog(place, this.list, events, generation, at);
    this.turn = ready;
  }
  get path(): string {
    return `${this.dataFolder}/${stagedName(this.at)}`;
  }
  /** Durable and verified: it may be installed. */
  get isFinished(): boolean {
    return this.finished && !this.dropped;
  }
  /** Bytes of the snapshot that have come. */
  get received(): number {
    return this.position;
  }

  /** Grows with every part of the snapshot that comes, and with every part of it that is read back. */
  get progress(): number {
    return this.position + this.checked;
  }

  private inTurn(run: () => Promise<void>): Promise<void> {
    const done = this.turn.then(async () => {
      if (this.dropped) throw new Error('the staged history was dropped');
      await run();
    });
    this.turn = done.catch(() => undefined);
    return done;
  }
  /**
   * The next bytes of the leader's snapshot file, in pieces of any size; they are not kept by reference. The records of each
   * chunk are handed out once it is verified. Waiting for it before the next piece keeps memory bounded.
   * @throws RecordError when the bytes are not a snapshot, DiskError
   */
  write(piece: Uint8Array): Promise<void> {
    const bytes = Buffer.from(piece);
    return this.inTurn(async () => {
      assert(!this.finished && !isOrigin(this.at), 'a staged snapshot is written that is complete');
      this.parser.push(bytes);
      this.file ??= await this.open();
      const at = this.position;
      this.position += bytes.length;
      await this.file.write(bytes, at);
      this.unsynced += bytes.length;
      if (this.unsynced > SYNC_EVERY) {
        this.unsynced = 0;
        await this.file.sync();
      }
    });
  }
  private async open(): Promise<DiskFile> {
    await unlinkIfThere(this.disk, this.path);
    return this.disk.open(this.path, { create: true, exclusive: true });
  }
  /**
   * The whole snapshot has come. When it resolves it is durable and verified, and the log behind it begins to be written.
   * @throws RecordError when it is not whole or not the one announced, DamageError when the disk did not keep it, DiskError
   */
  finish(): Promise<void> {
    return this.inTurn(async () => {
      assert(!this.finished, 'a staged snapshot is finished twice');
      if (!isOrigin(this.at)) await this.settleSnapshot();
      const file = await makeLogFile(this.place, this.at);
      await this.list.change(() => [file.entry]);
      this.finished = true;
      this.log.begin(file);
    });
  }
  private async settleSnapshot(): Promise<void> {
    const { parser, file, at, disk } = this;
    const { mark } = parser;
    if (file === undefined || mark === undefined || !parser.isWhole)
      throw new RecordError(`the snapshot of ${showMark(at)} ended after ${this.position} bytes`);
    if (!sameMark(mark, at)) {
      const other = compareHalves(mark.zxid, at.zxid) === 0 ? 'another history' : showMark(mark);
      throw new RecordError(`a snapshot of ${other} came, ${showMark(at)} was announced`);
    }
    await file.sync();
    await file.close();
    this.file = undefined;
    await readSnapshotFile(disk, this.path, (chunk) => {
      this.checked += chunk.length;
    });
    await disk.syncDir(this.dataFolder);
  }

  /** Takes and writes nothing more. Resolves when what was under way is over; what waited rejects. */
  async stop(): Promise<void> {
    this.dropped = true;
    await Promise.all([this.turn, this.log.retire()]);
    await this.file?.close().catch(() => undefined);
    this.file = undefined;
  }
  /** Removes it from the disk. What stays for an error counts for nothing, and the next start removes it. */
  async remove(): Promise<void> {
    await unlinkIfThere(this.disk, this.path).catch(() => undefined);
    for (const entry of this.list.files)
      await unlinkIfThere(this.disk, `${this.place.folder}/${logName(entry)}`).catch(() => undefined);
  }
}
