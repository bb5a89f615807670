/**
 * A backup: a snapshot of ours behind a page that says what it is of. Integers are big-endian.
 *
 * ```
 * page      0 magic  4 format  8 length of the description  12 checksum of all of the page but this  16 description, packed
 * 4096      a snapshot file as it lies in a data directory, to the end of the file
 * ```
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from '../ports/disk.ts';
import { showHalves } from '../records/log-record.ts';
import { pack, RecordError, unpack } from '../records/pack.ts';
import { DamageError, StorageRefusal } from '../storage/errors.ts';
import { folderOf, unlinkIfThere, withFile } from '../storage/files.ts';
import type { Mark } from '../storage/mark.ts';
import { SnapshotParser } from '../storage/snapshot-format.ts';
import { SYNC_EVERY } from '../storage/snapshots.ts';
import { SnapshotSurvey } from '../tree/survey.ts';

export const BACKUP_MAGIC = 0x7a42_414b; // zBAK
const FORMAT = 1;
/** Of the file these come before the snapshot. */
export const PAGE = 4096;
const BODY_AT = 16;
const READ = 1024 * 1024;

/** What the server that is backed up says of itself. */
export interface BackupSource {
  /** Undefined when it was not asked by its control socket. */
  readonly server: number | undefined;
  /** The highest epoch that it had promised anybody. */
  readonly epoch: number;
  /** ms since 1970. */
  readonly takenAt: number;
  /** Of the program that ran it, as it names itself. */
  readonly version: string;
}
/** What a backup says of itself. */
export interface BackupDescription extends BackupSource {
  readonly format: number;
  /** Everything up to this one is in it, and nothing after; hexadecimal. */
  readonly zxid: string;
  readonly ensembleId: string;
  /** Of nodes and sessions, as `zoosh ensemble digest` and the control socket tell it at that zxid. */
  readonly digest: string;
  readonly nodes: number;
  readonly ephemerals: number;
  readonly containers: number;
  readonly ttls: number;
  readonly dataBytes: number;
  readonly sessions: number;
  /** Of the snapshot in it, and their SHA-256, hexadecimal. */
  readonly bytes: number;
  readonly sha256: string;
}

const TEXTS = ['version', 'zxid', 'ensembleId', 'digest', 'sha256'] as const;
const COUNTS = [
  'format',
  'epoch',
  'takenAt',
  'nodes',
  'ephemerals',
  'containers',
  'ttls',
  'dataBytes',
  'sessions',
  'bytes',
] as const;

function encodePage(description: BackupDescription): Buffer {
  const { server, ...rest } = description;
  const body = pack({ ...rest, server: server ?? null });
  const page = Buffer.alloc(PAGE);
  page.writeUInt32BE(BACKUP_MAGIC, 0);
  page.writeUInt32BE(FORMAT, 4);
  page.writeUInt32BE(body.length, 8);
  page.set(body, BODY_AT);
  page.writeUInt32BE(checksumOf(page), 12);
  return page;
}
const checksumOf = (page: Buffer): number => crc32(page.subarray(BODY_AT), crc32(page.subarray(0, 12)));

/** @throws RecordError */
function decodePage(page: Buffer): BackupDescription {
  if (page.length < PAGE || page.readUInt32BE(12) !== checksumOf(page))
    throw new RecordError('its first page is wrong');
  const format = page.readUInt32BE(4);
  if (page.readUInt32BE(0) !== BACKUP_MAGIC) throw new RecordError('it is not a backup');
  if (format !== FORMAT) throw new RecordError(`format ${format}; this program reads ${FORMAT}`);
  const raw = unpack(page.subarray(BODY_AT, BODY_AT + Math.min(page.readUInt32BE(8), PAGE - BODY_AT))) as Record<
    string,
    unknown
  > | null;
  const fits =
    raw !== null &&
    typeof raw === 'object' &&
    TEXTS.every((key) => typeof raw[key] === 'string') &&
    COUNTS.every((key) => Number.isSafeInteger(raw[key]) && (raw[key] as number) >= 0) &&
    (raw.server === null || Number.isSafeInteger(raw.server));
  if (!fits) throw new RecordError('its first page does not say what it must');
  return { ...raw, server: raw.server ?? undefined } as unknown as BackupDescription;
}

/** Looks at a snapshot that comes in pieces: whether it is whole, and what is in it. */
class Content {
  bytes = 0;
  private readonly hash = createHash('sha256');
  private readonly survey = new SnapshotSurvey();
  private readonly parser: SnapshotParser;

  constructor(onRecords: (records: Buffer) => void) {
    this.parser = new SnapshotParser((records) => {
      this.survey.push(records);
      onRecords(records);
    });
  }
  /** Keeps `piece`. @throws RecordError */
  push(piece: Buffer): void {
    this.hash.update(piece);
    this.bytes += piece.length;
    this.parser.push(piece);
  }
  /** @throws RecordError when it is not whole */
  end(source: BackupSource): { readonly mark: Mark; readonly description: BackupDescription } {
    const { survey, bytes, parser } = this;
    const { mark } = parser;
    if (mark === undefined || !parser.isWhole || !survey.isWhole) throw new RecordError('the snapshot ends early');
    const { ensembleId, digest, nodes, ephemerals, containers, ttls, bytes: dataBytes, sessions } = survey;
    const counts = { nodes, ephemerals, containers, ttls, dataBytes, sessions, bytes };
    const description = {
      ...{ format: FORMAT, zxid: showHalves(mark.zxid), ensembleId, digest, ...counts },
      ...{ sha256: this.hash.digest('hex'), ...source },
    };
    return { mark, description };
  }
}

/** Writes a backup: beside `path` first, and under that name only when it is on the disk, whole, and was read again. */
export class BackupWriter {
  private readonly disk: Disk;
  private readonly path: string;
  private readonly temp: string;
  private readonly file: DiskFile;
  private readonly content = new Content(() => {});
  private unsynced = 0;

  private constructor(disk: Disk, path: string, temp: string, file: DiskFile) {
    this.disk = disk;
    this.path = path;
    this.temp = temp;
    this.file = file;
  }
  /** `temp` lies in the same folder; nothing of that name may be there. The file is its owner's alone. @throws DiskError */
  static async create(disk: Disk, path: string, temp: string): Promise<BackupWriter> {
    const file = await disk.open(temp, { create: true, exclusive: true });
    return new BackupWriter(disk, path, temp, file);
  }
  /** Bytes of the snapshot that have come. */
  get received(): number {
    return this.content.bytes;
  }
  private came<T>(what: () => T): T {
    try {
      return what();
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const reason = `what came is no whole snapshot: ${error.message}`;
      throw new DamageError({ file: this.path, reason, remedy: 'Nothing was written' }, { cause: error });
    }
  }
  /** The next bytes of the snapshot; waiting for it before the next keeps memory bounded. @throws DamageError, DiskError */
  async write(piece: Buffer): Promise<void> {
    const at = PAGE + this.content.bytes;
    this.came(() => this.content.push(piece));
    await this.file.write(piece, at);
    this.unsynced += piece.length;
    if (this.unsynced > SYNC_EVERY) {
      this.unsynced = 0;
      await this.file.sync();
    }
  }
  /** The whole snapshot has come. @throws DamageError when it is not whole, or the disk did not keep it */
  async finish(source: BackupSource): Promise<BackupDescription> {
    const { description } = this.came(() => this.content.end(source));
    await this.file.write(encodePage(description), 0);
    await this.file.sync();
    await this.file.close();
    await readBackup(this.disk, this.temp);
    if (await this.disk.exists(this.path)) throw new StorageRefusal(42, `${this.path} was made meanwhile`);
    await this.disk.rename(this.temp, this.path);
    await this.disk.syncDir(folderOf(this.path));
    return description;
  }
  /** Removes what is not finished. */
  async discard(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await unlinkIfThere(this.disk, this.temp);
  }
}

/**
 * Reads a backup, or a snapshot file alone, which says less of itself, and verifies every byte. Records are handed out chunk by
 * chunk; what was handed out counts only when it resolves. @throws DamageError, DiskError
 */
export function readBackup(
  disk: Disk,
  path: string,
  onRecords: (records: Buffer) => void = () => {},
): Promise<{ readonly mark: Mark; readonly description: BackupDescription; readonly isBackup: boolean }> {
  return withFile(disk, path, { readonly: true }, async (file) => {
    const size = await file.size();
    try {
      const page = Buffer.alloc(Math.min(PAGE, size));
      await file.read(page, 0);
      const isBackup = page.length >= 4 && page.readUInt32BE(0) === BACKUP_MAGIC;
      const said = isBackup ? decodePage(page) : undefined;
      const content = new Content(onRecords);
      for (let at = isBackup ? PAGE : 0; at < size; ) {
        const piece = Buffer.alloc(Math.min(READ, size - at));
        const got = await file.read(piece, at);
        if (got === 0) break;
        content.push(piece.subarray(0, got));
        at += got;
      }
      const { server, epoch, takenAt, version } = said ?? { server: undefined, epoch: 0, takenAt: 0, version: '' };
      const { mark, description } = content.end({ server, epoch, takenAt, version });
      if (said === undefined) return { mark, description: { ...description, epoch: mark.zxid.hi }, isBackup };
      for (const key of [...TEXTS, ...COUNTS])
        if (said[key] !== description[key]) throw new RecordError(`its ${key} is not what its first page says`);
      return { mark, description, isBackup };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      throw new DamageError({ file: path, reason: error.message, remedy: 'Nothing was changed' }, { cause: error });
    }
  });
}
