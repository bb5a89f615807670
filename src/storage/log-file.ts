import type { Random } from '../base/random.ts';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { encodeFileHeader, SECTOR } from '../records/log-record.ts';
import { logName, unlinkIfThere, withFile } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import type { Mark } from './mark.ts';

/** Where log files lie, and how they are written. */
export interface LogPlace {
  readonly disk: Disk;
  readonly folder: string;
  readonly random: Random;
  /** Writes return when they are on the disk. */
  readonly dsync: boolean;
  /** Bytes of zeros kept ahead of the end; 0: none. */
  readonly zeroAheadBytes: number;
}

/** Draws a salt and makes a log file: header and directory entry are durable when it resolves. Nothing is left of a failed one. */
export async function makeLogFile(place: LogPlace, from: Mark): Promise<LogFile> {
  const { disk, folder, random, dsync } = place;
  const salt = Buffer.from(random.bytes(8));
  const entry: LogFileEntry = {
    salt: { hi: salt.readInt32BE(0), lo: salt.readInt32BE(4) },
    fromZxid: from.zxid,
    fromChain: from.chain,
    end: null,
  };
  const path = `${folder}/${logName(entry)}`;
  const file = await disk.open(path, { create: true, exclusive: true, dsync });
  try {
    await file.write(encodeFileHeader(entry), 0);
    if (dsync) await file.sync();
    await disk.syncDir(folder);
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlinkIfThere(disk, path).catch(() => undefined); // each try on a full disk would leave less room
    throw error;
  }
  return new LogFile(place, entry, file);
}

/**
 * Gives back what lies behind the end of a closed file: the zeros written ahead, groups that were cut, what a crash left of one that
 * was never whole. Only once the record that says where the file ends is durable in both copies: from then on no start reads
 * anything behind it, whether these bytes went, or came back with a power cut. A failure costs room and nothing else, and the
 * next start tries again.
 */
export async function trimClosed({ disk, folder }: LogPlace, entry: LogFileEntry): Promise<void> {
  const { end } = entry;
  if (end === null) return;
  try {
    await withFile(disk, `${folder}/${logName(entry)}`, {}, async (file) => {
      if ((await file.size()) > end) await file.truncate(end);
    });
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}

/** The file that the log is written to: where the next group goes, and zeros ahead, so that its write changes no metadata. */
export class LogFile {
  readonly entry: LogFileEntry;
  /** Where the next group goes; what lies before it is on the disk. */
  position = SECTOR;
  private readonly place: LogPlace;
  private readonly file: DiskFile;
  /** The file holds zeros, or groups, up to here. */
  private zeroed = SECTOR;
  private zeroing: Promise<void> | undefined;
  private zeroingFailed = false;

  constructor(place: LogPlace, entry: LogFileEntry, file: DiskFile) {
    this.place = place;
    this.entry = entry;
    this.file = file;
  }
  /** Writes a group at {@link position}, which moves with {@link wrote}. */
  write(group: Buffer): Promise<void> {
    const at = this.position;
    const write = (): Promise<void> => this.file.write(group, at);
    // the zeros under way must not land on this group
    return at + group.length > this.zeroed && this.zeroing !== undefined ? this.zeroing.then(write) : write();
  }
  wrote(bytes: number): void {
    this.position += bytes;
    if (this.position > this.zeroed) this.zeroed = this.position;
  }
  /** Writes zeros ahead while fewer than a step of them are left; `underWay` bytes are being written at {@link position}. */
  fillAhead(underWay: number): void {
    const { dsync, zeroAheadBytes: step, disk } = this.place;
    const from = this.zeroed;
    if (!dsync || step === 0 || this.zeroingFailed || this.zeroing !== undefined) return;
    if (from - this.position > step || this.position + underWay > from) return;
    const { path } = this.file;
    this.zeroing = (async () => {
      const file = await disk.open(path, {});
      try {
        await file.write(Buffer.alloc(step), from);
        await file.sync();
        this.zeroed = from + step;
      } finally {
        await file.close();
      }
    })().then(
      () => {
        this.zeroing = undefined;
      },
      () => {
        this.zeroing = undefined;
        this.zeroingFailed = true; // only speed is lost; a full disk shows at the next group
      },
    );
  }
  /** Resolves when no zeros are being written. */
  async idle(): Promise<void> {
    await this.zeroing;
  }
  async close(): Promise<void> {
    await this.zeroing;
    await this.file.close();
  }
}
