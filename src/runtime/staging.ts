import { PackReader } from '../records/pack.ts';
import type { MessageOf } from '../records/peer-messages.ts';
import { readEnvelope } from '../records/txns.ts';
import { type Numbered, numberedOf } from '../server/replica.ts';
import { DataTree } from '../tree/data-tree.ts';
import { SnapshotLoader } from '../tree/snapshot.ts';
import { type Entry, isSame, type Mark, ORIGIN } from '../zab/types.ts';

/** A history that comes in beside the old one, as the storage keeps it (foundations.md 13.4). */
export interface StagedFiles {
  readonly log: { append(envelope: Uint8Array, hi: number, lo: number): void };
  /** What an earlier link brought of it: bytes that lie there, and their CRC-32. Their records were handed out when it resolves. */
  resume(): Promise<{ readonly offset: number; readonly checksum: number }>;
  /** Bytes of the leader's snapshot file, in order. Resolves when the next may come. */
  write(bytes: Uint8Array): Promise<void>;
  /** The file is whole, verified and durable when it resolves. */
  finish(): Promise<void>;
}
export interface StagingSurroundings {
  readonly generation: number;
  readonly at: Mark;
  readonly seed: number;
  /** Bytes of the file that the leader sends for one ask. */
  readonly windowBytes: number;
  /** Opens the staged files; `onChunk` is given the records of the snapshot as they are verified. */
  stage(onChunk: (chunk: Uint8Array) => void): StagedFiles;
  /** Asks the leader for the snapshot file from `offset` on. */
  ask(offset: number): void;
  /** Asks it to go on behind what is there; undefined with a leader that only begins anew. */
  readonly resume: ((offset: number, checksum: number) => void) | undefined;
  done(): void;
  /** `bytes`: of the whole snapshot file, 0 while that is not known. */
  failed(error: Error, bytes: number): void;
}

/** A learner's side of SNAP: writes the file that comes in, builds the tree of it on the way, and keeps what is appended behind. */
export class Staging {
  readonly generation: number;
  readonly at: Mark;
  private readonly around: StagingSurroundings;
  private readonly files: StagedFiles;
  private readonly loader: SnapshotLoader;
  private readonly numbered: Numbered[] = [];
  private received = 0;
  /** Of these, what came over an earlier link. */
  private before = 0;
  /** That is being read back: the leader was not asked for anything yet. */
  private readsBack = false;
  private total = 0;
  /** Up to where the leader was asked for the file. */
  private askedTo: number;
  private writing: Promise<void> = Promise.resolve();
  private ended = false;
  private chain: { hi: number; lo: number };

  constructor(around: StagingSurroundings) {
    this.around = around;
    this.generation = around.generation;
    this.at = around.at;
    this.askedTo = around.windowBytes;
    this.loader = new SnapshotLoader(around.seed);
    this.chain = { hi: around.at.chainHi, lo: around.at.chainLo };
    this.files = around.stage((chunk) => this.loader.push(chunk));
    if (isSame(this.at, ORIGIN)) this.finish();
    else if (around.resume === undefined) around.ask(0);
    else this.resume(around.resume);
  }
  private resume(ask: (offset: number, checksum: number) => void): void {
    this.readsBack = true;
    this.writing = this.files.resume().then(({ offset, checksum }) => {
      if (this.ended) return;
      this.readsBack = false;
      this.before = this.received = offset;
      this.askedTo = offset + this.around.windowBytes;
      if (offset === 0) this.around.ask(0);
      else ask(offset, checksum);
    });
    this.writing.catch((error: Error) => this.fail(error));
  }
  /**
   * This link brought something of the snapshot, and nothing was wrong with it: another may go on behind that. After one on which the
   * leader was asked and that brought nothing all begins anew, as the leader may have another file.
   */
  get mayGoOn(): boolean {
    return !this.ended && (this.readsBack || this.received > this.before);
  }
  private finish(): void {
    const { around } = this;
    this.writing = this.writing
      .then(() => this.files.finish())
      .then(
        () => {
          if (!this.ended) around.done();
        },
        (error: Error) => this.fail(error),
      );
  }
  private fail(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.around.failed(error, this.total);
  }
  chunk({ at, offset, total, bytes }: MessageOf<'CHUNK'>): void {
    if (this.ended || !isSame(at, this.at) || offset !== this.received) return;
    this.received += bytes.length;
    this.total = total;
    const copy = Buffer.from(bytes);
    this.writing = this.writing.then(() => (this.ended ? undefined : this.files.write(copy)));
    this.writing.catch((error: Error) => this.fail(error));
    if (this.received >= total) return this.finish();
    if (this.received < this.askedTo) return;
    this.askedTo += this.around.windowBytes;
    this.writing.then(
      () => {
        if (!this.ended) this.around.ask(this.received);
      },
      () => undefined, // told above
    );
  }
  /** Entries behind the snapshot. @throws RecordError when they do not follow */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const numbered = decode(entry, this.chain);
      this.chain = { hi: numbered.chainHi, lo: numbered.chainLo };
      this.numbered.push(numbered);
      this.files.log.append(entry.bytes, entry.epoch, entry.counter);
    }
  }
  /** The state that the snapshot holds, and what waits behind it. @throws RecordError */
  take(): { readonly tree: DataTree; readonly numbered: readonly Numbered[] } {
    const tree = isSame(this.at, ORIGIN) ? new DataTree(this.around.seed) : this.loader.finish();
    return { tree, numbered: this.numbered };
  }
  drop(): void {
    this.ended = true;
  }
}

/** The transaction of an entry that follows `chain`. @throws RecordError */
export function decode(entry: Entry, chain: { readonly hi: number; readonly lo: number }): Numbered {
  return numberedOf(readEnvelope(new PackReader(entry.bytes as Buffer), chain));
}
