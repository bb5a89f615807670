import type { Random } from '../base/random.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import { encodeFileHeader, GROUP_HEADER, type Halves, LENGTH_BYTES, SECTOR, sealGroup } from '../records/log-record.ts';
import { PackWriter } from '../records/pack.ts';
import { logName } from './files.ts';
import type { IdentityStore, LogFileEntry } from './identity.ts';

const KEEP_BUFFER = 8 * 1024 * 1024;

/** Draws a salt and makes a log file: header and directory entry are durable when it resolves. */
export async function makeLogFile(
  disk: Disk,
  folder: string,
  random: Random,
  fromZxid: Halves,
  fromChain: Halves,
  dsync: boolean,
): Promise<{ entry: LogFileEntry; file: DiskFile }> {
  const salt = Buffer.from(random.bytes(8));
  const entry: LogFileEntry = {
    salt: { hi: salt.readInt32BE(0), lo: salt.readInt32BE(4) },
    fromZxid,
    fromChain,
    end: null,
  };
  const path = `${folder}/${logName(entry)}`;
  const file = await disk.open(path, { create: true, exclusive: true, dsync });
  await file.write(encodeFileHeader(entry), 0);
  if (dsync) await file.sync();
  await disk.syncDir(folder);
  return { entry, file };
}

/**
 * The log of transactions. What arrives in one turn becomes one group: one positional O_DSYNC write; what arrives while it
 * is under way is the next. A failed write is final: nothing later is ever reported to be on the disk (D10).
 */
export class TxnLog {
  onPersisted: (generation: number, hi: number, lo: number) => void = () => {};
  onFailed: (error: Error) => void = () => {};
  readonly generation = 1;
  bytesSinceRoll = 0;
  private readonly disk: Disk;
  private readonly folder: string;
  private readonly identity: IdentityStore;
  private readonly random: Random;
  private readonly dsync: boolean;
  private readonly zeroStep: number;
  private file: DiskFile;
  private entry: LogFileEntry;
  private position = SECTOR;
  /** The file holds zeros (or groups) up to here. */
  private zeroed = SECTOR;
  private zeroing: Promise<void> | undefined;
  private gathering = new PackWriter(262144);
  private spare = new PackWriter(262144);
  private committedAt = GROUP_HEADER;
  private count = 0;
  private first: Halves = { hi: 0, lo: 0 };
  private last: Halves;
  /** The last zxid in a group that is written. */
  private onDisk: Halves;
  private chainBefore: Halves;
  private chain: Halves;
  private committed: Halves = { hi: 0, lo: 0 };
  private busy = false;
  private wanted = false;
  private failed = false;
  /** A roll is under way: no write may begin. */
  private holding = false;
  private idleWaiters: (() => void)[] = [];

  constructor(
    disk: Disk,
    folder: string,
    identity: IdentityStore,
    random: Random,
    made: { entry: LogFileEntry; file: DiskFile },
    dsync: boolean,
    zeroAheadBytes: number,
  ) {
    this.zeroStep = zeroAheadBytes;
    this.disk = disk;
    this.folder = folder;
    this.identity = identity;
    this.random = random;
    this.dsync = dsync;
    this.file = made.file;
    this.entry = made.entry;
    this.last = made.entry.fromZxid;
    this.onDisk = this.last;
    this.chain = made.entry.fromChain;
    this.chainBefore = this.chain;
    this.gathering.at = GROUP_HEADER;
    this.fillAhead();
  }
  /** Positioned for the next envelope; anything written after the last {@link commitEnvelope} is dropped. */
  writer(): PackWriter {
    const to = this.gathering;
    to.at = this.committedAt;
    to.room(LENGTH_BYTES);
    to.at += LENGTH_BYTES;
    return to;
  }
  /** The envelope in `writer().bytes[start, at)` belongs to the group. */
  commitEnvelope(start: number, hi: number, lo: number): void {
    const { bytes, at } = this.gathering;
    bytes.writeUInt32BE(at - start, start - LENGTH_BYTES);
    if (this.count === 0) {
      this.first = { hi, lo };
      this.chainBefore = this.chain;
    }
    this.last = { hi, lo };
    this.chain = { hi: bytes.readInt32BE(at - 8), lo: bytes.readInt32BE(at - 4) };
    this.count++;
    this.committedAt = at;
  }
  append(envelope: Uint8Array, hi: number, lo: number): void {
    const to = this.writer();
    const start = to.at;
    to.room(envelope.length);
    to.bytes.set(envelope, start);
    to.at = start + envelope.length;
    this.commitEnvelope(start, hi, lo);
  }
  get pending(): number {
    return this.count;
  }
  /** Writes what has gathered, now or as soon as the write under way is done. */
  flush(hi: number, lo: number): void {
    this.committed = { hi, lo };
    if (this.count === 0) return;
    this.wanted = true;
    if (!this.busy && !this.failed && !this.holding) this.writeGroup();
  }
  private writeGroup(): void {
    this.busy = true;
    this.wanted = false;
    const group = this.gathering;
    const bodyBytes = this.committedAt - GROUP_HEADER;
    group.at = this.committedAt;
    group.room(SECTOR);
    const { last, count, position } = this;
    const out = sealGroup(
      group.bytes,
      bodyBytes,
      this.entry.salt,
      position,
      count,
      this.first,
      last,
      this.committed,
      this.chainBefore,
    );
    this.gathering = this.spare;
    this.spare = group;
    this.committedAt = GROUP_HEADER;
    this.count = 0;
    const end = position + out.length;
    const write = (): Promise<void> => this.file.write(out, position);
    // the zeros under way must not land on this group
    const written = end > this.zeroed && this.zeroing !== undefined ? this.zeroing.then(write) : write();
    written.then(
      () => {
        this.position = end;
        this.onDisk = last;
        if (end > this.zeroed) this.zeroed = end;
        this.bytesSinceRoll += out.length;
        if (group.bytes.length > KEEP_BUFFER) this.spare = new PackWriter(262144);
        this.onPersisted(this.generation, last.hi, last.lo);
        this.busy = false;
        this.fillAhead();
        if (this.wanted && !this.holding) this.writeGroup();
        else this.release();
      },
      (error: Error) => this.fail(error),
    );
  }
  private fail(error: Error): void {
    this.failed = true;
    this.busy = false;
    this.onFailed(error);
    this.release();
  }
  private release(): void {
    for (const go of this.idleWaiters.splice(0)) go();
  }
  /** Zeros are written ahead, so that a group write changes no metadata of the file. */
  private fillAhead(): void {
    if (
      !this.dsync ||
      this.zeroStep === 0 ||
      this.failed ||
      this.zeroing !== undefined ||
      this.zeroed - this.position > this.zeroStep
    )
      return;
    const from = Math.max(this.zeroed, this.busy ? this.position + this.spare.bytes.length : this.position);
    if (from > this.zeroed) return;
    const { path } = this.file;
    this.zeroing = (async () => {
      const file = await this.disk.open(path, {});
      try {
        await file.write(Buffer.alloc(this.zeroStep), from);
        await file.sync();
        if (this.file.path === path) this.zeroed = from + this.zeroStep;
      } finally {
        await file.close();
      }
    })().then(
      () => {
        this.zeroing = undefined;
      },
      () => {
        this.zeroing = undefined; // only speed is lost; a full disk shows at the next group
      },
    );
  }
  private async quiet(): Promise<void> {
    while (this.busy) await new Promise<void>((go) => this.idleWaiters.push(go));
    await this.zeroing;
  }
  /** Goes on in a new file (foundations.md 13.5). Groups that gather meanwhile are written there. */
  async roll(): Promise<void> {
    this.holding = true;
    await this.quiet();
    if (this.failed) return;
    try {
      const from = this.onDisk;
      const chain = this.count > 0 ? this.chainBefore : this.chain;
      const made = await makeLogFile(this.disk, this.folder, this.random, from, chain, this.dsync);
      const end = this.position;
      await this.identity.update((now) => ({
        ...now,
        logs: [...now.logs.map((log) => (log.end === null ? { ...log, end } : log)), made.entry],
      }));
      await this.file.close();
      this.file = made.file;
      this.entry = made.entry;
      this.position = SECTOR;
      this.zeroed = SECTOR;
      this.bytesSinceRoll = 0;
    } catch (error) {
      this.fail(error as Error);
      throw error;
    }
    this.holding = false;
    this.fillAhead();
    if (this.count > 0) this.writeGroup();
  }
  async close(): Promise<void> {
    await this.quiet();
    while (this.count > 0 && !this.failed) {
      this.writeGroup();
      await this.quiet();
    }
    await this.file.close();
  }
}
