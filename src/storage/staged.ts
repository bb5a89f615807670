import { crc32 } from 'node:zlib';
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

/** Read back at once of what an earlier link brought. */
const PIECE = 1024 * 1024;
const DROPPED = 'the staged history was dropped';

/** How much of a snapshot came over an earlier link: bytes, and their CRC-32. */
export interface Begun {
  readonly offset: number;
  readonly checksum: number;
}

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
  private parser: SnapshotParser;
  private file: DiskFile | undefined;
  private position = 0;
  /** Bytes that were read back from the disk. */
  private checked = 0;
  private unsynced = 0;
  /** Bytes that lie there from an earlier link; see {@link resume}. */
  private before = 0;
  /** Writes one after another; the first waits until what was staged before is gone, or was taken over. */
  private turn: Promise<void>;
  private failed = false;
  private dropped = false;
  private finished = false;

  constructor(
    generation: number,
    at: Mark,
    dataFolder: string,
    place: LogPlace,
    events: LogEvents,
    ready: Promise<number>,
    onRecords: (records: Buffer) => void,
  ) {
    this.generation = generation;
    this.at = at;
    this.disk = place.disk;
    this.dataFolder = dataFolder;
    this.place = place;
    this.parser = new SnapshotParser(onRecords);
    this.log = new TxnLog(place, this.list, events, generation, at);
    this.turn = ready.then((before) => {
      this.before = before;
    });
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
      if (this.dropped) throw new Error(DROPPED);
      try {
        await run();
      } catch (error) {
        this.failed = true;
        throw error;
      }
    });
    this.turn = done.catch(() => undefined);
    return done;
  }
  /**
   * Before anything is written: reads back what an earlier link brought, whose records are handed out, too, and goes on behind it.
   * It rejects when it is stopped meanwhile. @throws RecordError when that is no beginning of a snapshot, DiskError
   */
  async resume(): Promise<Begun> {
    let checksum = 0;
    await this.inTurn(async () => {
      if (this.before === 0) return;
      this.file = await this.disk.open(this.path, {});
      while (this.position < this.before && !this.dropped) {
        const bytes = Buffer.alloc(Math.min(PIECE, this.before - this.position));
        const got = bytes.subarray(0, await this.file.read(bytes, this.position));
        if (got.length === 0) throw new RecordError(`${this.path} ends after ${this.position} of ${this.before} bytes`);
        this.parser.push(got);
        checksum = crc32(got, checksum);
        this.position += got.length;
      }
    });
    if (this.position < this.before) throw new Error(DROPPED);
    return { offset: this.position, checksum };
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
    this.before = 0;
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

  /**
   * Takes and writes nothing more. Resolves when what was under way is over, with how many bytes of the snapshot lie there for
   * another link to go on behind: 0 when it is whole, or something was wrong; what waited rejects. What an earlier link brought and
   * was not read back to its end lies there as it did.
   */
  async stop(): Promise<number> {
    const written = this.turn.then(() => {
      return this.failed || this.parser.isWhole ? 0 : Math.max(this.position, this.before);
    });
    this.dropped = true;
    const [begun] = await Promise.all([written, this.log.retire()]);
    await this.file?.close().catch(() => undefined);
    this.file = undefined;
    this.parser = new SnapshotParser(() => {}); // it holds what was built of the records
    return begun;
  }
  /** Removes it from the disk. What stays for an error counts for nothing, and the next start removes it. */
  async remove(): Promise<void> {
    await unlinkIfThere(this.disk, this.path).catch(() => undefined);
    for (const entry of this.list.files)
      await unlinkIfThere(this.disk, `${this.place.folder}/${logName(entry)}`).catch(() => undefined);
  }
}
