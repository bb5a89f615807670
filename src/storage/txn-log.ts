import { assert } from '../base/assert.ts';
import type { DiskError } from '../ports/disk.ts';
import { compareHalves, type Halves, SECTOR, sealGroup } from '../records/log-record.ts';
import type { PackWriter } from '../records/pack.ts';
import { isDiskFull, isShortage } from './errors.ts';
import { logName, unlinkIfThere } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import { filesBefore, findCut, sealKept } from './log-cut.ts';
import { type LogFile, type LogPlace, makeLogFile, trimClosed } from './log-file.ts';
import { Gathering, type Group } from './log-group.ts';
import type { LogList } from './log-list.ts';
import { type Mark, sameMark, showMark } from './mark.ts';

/** What a log tells. */
export interface LogEvents {
  /** A durable write begins, of so many transactions, into a file that ends so far. At most one is under way. */
  writing(count: number, fileBytes: number): void;
  /** Everything up to here is on the disk. `generation` is the one that the log was in when the write began. */
  persisted(generation: number, hi: number, lo: number): void;
  /** The disk failed under the log; nothing later is ever reported, unless {@link TxnLog.recover} brings it back. */
  failed(error: Error, generation: number): void;
}

/**
 * The log of transactions. What arrives in one turn becomes one group: one positional O_DSYNC write; what arrives while it
 * is under way is the next. A failed write is final: nothing later is ever reported to be on the disk (D10), but for a full
 * disk, where {@link recover} writes what is unknown again, elsewhere.
 */
export class TxnLog {
  readonly events: LogEvents;
  /** Names what the log holds: another after each cut. */
  generation: number;
  /** Written since it went on in another file, or was to. */
  bytesSinceRoll = 0;
  /** Which files it lies in. */
  list: LogList;
  private readonly place: LogPlace;
  private file: LogFile | undefined;
  private readonly gathering = new Gathering();
  private writing: Group | undefined;
  /** The group whose write failed: whether it is on the disk nobody knows. */
  private unknown: Group | undefined;
  /** The end of the log, on the disk or not. */
  private last: Halves;
  private chain: Halves;
  /** Where the log on the disk ends once all that the disk was asked for is done. */
  private given: Mark;
  private onDisk: Mark;
  /** A cut of files that is not done. */
  private cutAt: Mark | undefined;
  private committed: Halves = { hi: 0, lo: 0 };
  private wanted = false;
  private failure: Error | undefined;
  /** No write may begin while it is not 0: the files change, or there is none yet. */
  private held = 0;
  /** Takes and writes nothing more: another log is in its place. */
  private retired = false;
  /** Changes of files, one after another. */
  private turn: Promise<unknown> = Promise.resolve();
  /** What lies behind the ends of files that were closed is given back; no write waits for it. */
  private trimming: Promise<void> = Promise.resolve();
  private waiters: (() => void)[] = [];

  /** Without a file it gathers until {@link begin}. */
  constructor(place: LogPlace, list: LogList, events: LogEvents, generation: number, at: Mark, file?: LogFile) {
    this.place = place;
    this.list = list;
    this.events = events;
    this.generation = generation;
    this.last = at.zxid;
    this.chain = at.chain;
    this.given = at;
    this.onDisk = at;
    this.file = file;
    // zeros come with the first group: a server that is started in vain, again and again, leaves none
    if (file === undefined) this.held = 1;
  }
  get onPersisted(): LogEvents['persisted'] {
    return this.events.persisted;
  }
  set onPersisted(told: LogEvents['persisted']) {
    this.events.persisted = told;
  }
  get onFailed(): LogEvents['failed'] {
    return this.events.failed;
  }
  set onFailed(told: LogEvents['failed']) {
    this.events.failed = told;
  }
  begin(file: LogFile): void {
    this.file = file;
    this.held--;
    this.pump();
  }
  /** Everything up to here is on the disk. */
  get durable(): Mark {
    return this.onDisk;
  }

  /** Positioned for the next envelope; anything written after the last {@link commitEnvelope} is dropped. */
  writer(): PackWriter {
    assert(!this.retired, 'a log that is not ours any more takes nothing');
    return this.gathering.writer();
  }
  /** The envelope in `writer().bytes[start, at)` belongs to the group. */
  commitEnvelope(start: number, hi: number, lo: number): void {
    const zxid = { hi, lo };
    this.last = zxid;
    this.chain = this.gathering.commit(start, zxid, this.chain);
  }
  /** Copies an envelope that another member made. It must follow the last one; whoever received it has verified that. */
  append(envelope: Uint8Array, hi: number, lo: number): void {
    const to = this.writer();
    to.room(envelope.length);
    const start = to.at;
    to.bytes.set(envelope, start);
    to.at += envelope.length;
    this.commitEnvelope(start, hi, lo);
  }
  /** Envelopes that no write has begun for. */
  get pending(): number {
    return this.gathering.count;
  }
  /** Writes what has gathered, now or as soon as the write under way is done; `hi`, `lo`: up to where the log is committed. */
  flush(hi: number, lo: number): void {
    this.committed = { hi, lo };
    if (this.gathering.isEmpty) return;
    this.wanted = true;
    this.pump();
  }
  private pump(): void {
    if (!this.wanted || this.writing !== undefined || this.held > 0) return;
    if (this.failure !== undefined || this.retired || this.file === undefined) return;
    const { gathering } = this;
    const more = gathering.completed > 0; // then what is wanted is more than the next group
    const group = gathering.take();
    this.wanted = more && !gathering.isEmpty;
    if (group !== undefined) this.write(group, this.file);
  }
  private write(group: Group, file: LogFile): void {
    this.writing = group;
    this.given = { zxid: group.last, chain: group.chain };
    group.makeRoom(SECTOR);
    const { generation, committed } = this;
    const { bytes, bodyBytes, count, first, last, chainBefore } = group;
    const { salt } = file.entry;
    const out = sealGroup(bytes, bodyBytes, salt, file.position, count, first, last, committed, chainBefore);
    this.events.writing(count, file.position);
    file.write(out).then(
      () => this.wrote(group, file, out.length, generation),
      (error: Error) => {
        this.writing = undefined;
        this.unknown = group;
        this.fail(error);
      },
    );
  }
  private wrote(group: Group, file: LogFile, bytes: number, generation: number): void {
    const { last, chain } = group;
    file.wrote(bytes);
    this.onDisk = { zxid: last, chain };
    this.bytesSinceRoll += bytes;
    this.gathering.recycle(group);
    if (!this.retired) this.events.persisted(generation, last.hi, last.lo);
    this.writing = undefined;
    file.fillAhead(0);
    this.pump();
    this.release();
  }
  private fail(error: Error): void {
    this.failure = error;
    if (!this.retired) this.events.failed(error, this.generation);
    this.release();
  }
  private release(): void {
    if (this.waiters.length > 0) for (const go of this.waiters.splice(0)) go();
  }
  private change(): Promise<void> {
    return new Promise<void>((go) => this.waiters.push(go));
  }
  private async quiet(): Promise<void> {
    while (this.writing !== undefined) await this.change();
    await this.file?.idle();
  }
  /** Runs when no write is under way and lets none begin before it is over. */
  private alone<T>(run: (file: LogFile) => Promise<T>): Promise<T | undefined> {
    this.held++;
    const done = this.turn.then(async () => {
      try {
        await this.quiet();
        return this.file === undefined ? undefined : await run(this.file);
      } finally {
        this.held--;
        this.pump();
        this.release();
      }
    });
    this.turn = done.catch(() => undefined);
    return done;
  }
  /** A change of files that fails leaves what is durable unknown, like a write. */
  private async mustSucceed<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      this.fail(error as Error);
      throw error;
    }
  }

  /**
   * Goes on in a new file (foundations.md 13.5). Groups that gather meanwhile are written there. Resolves with why it stays in
   * the present one for now, where descriptors ran out before anything was changed.
   */
  roll(): Promise<DiskError | undefined> {
    return this.alone(async (file) => {
      if (this.failure !== undefined || this.retired) return undefined;
      return this.mustSucceed(() => this.goOn(file));
    });
  }
  private async goOn(file: LogFile): Promise<DiskError | undefined> {
    let next: LogFile;
    try {
      next = await makeLogFile(this.place, this.onDisk);
    } catch (error) {
      if (!isShortage(error)) throw error;
      this.bytesSinceRoll = 0; // or every write would try again
      return error;
    }
    const end = file.position;
    await this.list.change((files) => [
      ...files.map((each) => (each.end === null ? { ...each, end } : each)),
      next.entry,
    ]);
    await this.take(next);
    return undefined;
  }
  /** Writes go to `next` from now on. The list is durable that says so, and where the file before it ends. */
  private async take(next: LogFile): Promise<void> {
    const before = this.file;
    this.file = next;
    this.bytesSinceRoll = 0;
    await before?.close().catch(() => undefined); // what counts is on the disk
    const closed = this.list.files.at(-2);
    if (closed !== undefined) this.trimming = this.trimming.then(() => trimClosed(this.place, closed));
  }

  /**
   * Cuts the log behind `to`, which it holds. What is appended after the call, at once if wanted, comes behind the cut and
   * is reported under `generation`. When it resolves the cut is durable, and so is everything up to `to`. A log that failed
   * rejects and is left as it is.
   * @throws DamageError when the files do not hold that mark
   */
  truncate(generation: number, to: Mark): Promise<void> {
    assert(!this.retired, 'a log that is not ours any more is cut');
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const below = compareHalves(to.zxid, this.given.zxid) < 0;
    if (below) {
      this.gathering.clear();
      this.given = to;
      this.cutAt = to;
    } else this.dropGathered(to);
    this.generation = generation;
    this.last = to.zxid;
    this.chain = to.chain;
    if (!below) return this.reached(generation, to);
    return this.alone(async (file) => {
      if (this.failure !== undefined) throw this.failure;
      if (this.cutAt !== to) return; // a later call cut further
      await this.mustSucceed(() => this.cut(file, to));
    });
  }
  /** Drops what has gathered beyond `to`, for which no write has begun. */
  private dropGathered(to: Mark): void {
    if (sameMark(to, this.given)) this.gathering.clear();
    else {
      assert(this.gathering.cut(to), `the log is to be cut at ${showMark(to)}, which it does not hold`);
      this.wanted = true;
    }
    this.pump();
  }
  private async reached(generation: number, { zxid }: Mark): Promise<void> {
    while (this.generation === generation && (this.cutAt !== undefined || compareHalves(this.onDisk.zxid, zxid) < 0)) {
      if (this.failure !== undefined) throw this.failure;
      await this.change();
    }
  }
  /** Kept records of a group that is cut go to the new file; one write of the list makes it so; then what is beyond leaves the disk. */
  private async cut(file: LogFile, to: Mark): Promise<void> {
    const { list, place } = this;
    const found = await findCut(place, list.files, file.position, to);
    const next = await makeLogFile(place, found.from);
    if (found.kept !== undefined) {
      const group = sealKept(found.kept, next.entry.salt, to);
      await next.write(group);
      next.wrote(group.length);
    }
    let dropped: LogFileEntry[] = [];
    await list.change((files) => {
      dropped = files.filter(({ fromZxid }) => compareHalves(fromZxid, to.zxid) >= 0);
      return [...filesBefore(files, to.zxid, found.end), next.entry];
    });
    this.onDisk = to;
    if (this.cutAt === to) this.cutAt = undefined; // otherwise the next cut was asked for meanwhile
    await this.take(next);
    // what stays for an error here is on no list, and the next start removes it
    for (const entry of dropped) await unlinkIfThere(place.disk, `${place.folder}/${logName(entry)}`).catch(() => {});
  }

  /** The log cannot be written for want of room, and {@link recover} may help. */
  get isFull(): boolean {
    return isDiskFull(this.failure);
  }
  /**
   * After the disk was full: goes on in a new file from what is known to be durable. The group whose write failed is written
   * there again, and reported only then; a cut that failed is made. Rejects, and changes nothing that counts, while there is
   * still no room. What failed otherwise stays so.
   */
  recover(): Promise<void> {
    return this.alone(async (file) => {
      if (this.failure === undefined) return;
      if (!this.isFull || this.retired) throw this.failure;
      await this.list.recover();
      const { cutAt, unknown, onDisk } = this;
      const beyond = cutAt === undefined ? 1 : compareHalves(cutAt.zxid, onDisk.zxid);
      if (cutAt !== undefined && beyond < 0) await this.cut(file, cutAt);
      else {
        const stays = await this.goOn(file);
        if (stays !== undefined) throw stays;
      }
      if (unknown !== undefined && beyond > 0) {
        if (cutAt !== undefined) unknown.cut(cutAt);
        this.gathering.putBack(unknown);
      }
      this.unknown = undefined;
      this.cutAt = undefined;
      this.failure = undefined;
      this.given = this.onDisk;
      this.wanted = this.pending > 0;
    });
  }

  /** Takes nothing more and writes nothing more; what was gathered is dropped. Resolves when the disk is at rest. */
  async retire(): Promise<void> {
    this.retired = true;
    this.gathering.clear();
    await this.turn;
    await this.quiet();
    await this.file?.close();
    this.file = undefined;
    await this.trimming;
  }
  /** Writes what has gathered and closes. */
  async close(): Promise<void> {
    await this.turn;
    await this.quiet();
    while (this.pending > 0 && this.failure === undefined && !this.retired && this.held === 0) {
      this.wanted = true;
      this.pump();
      await this.quiet();
    }
    await this.file?.close();
    this.file = undefined;
    await this.trimming;
  }
}
