import { join } from 'node:path';
import { ApacheDamage, FormatError } from '../apache/damage.ts';
import type { ApacheFolders, LoadedApache } from '../apache/load.ts';
import { logsAmong, type NumberedFile, snapshotsAmong, zxidInName } from '../apache/names.ts';
import { readLogFile } from '../apache/read-log.ts';
import { decodeHeader } from '../apache/txn.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { namesIn, readWhole, withFile, writeWhole } from '../storage/files.ts';
import { VERSION_2 } from './apache-place.ts';

/**
 * Lies in the folder of a server whose history was imported from Apache's files: what of them was taken. A file of Apache's that
 * goes beyond it was written by a server of theirs that ran on, and what it took is not in the history that stands beside it.
 * Directories that were imported before there was such a note are not looked at: what was taken is not known any more.
 */
const NAME = 'imported';
const MOST_BYTES = 65536;
/** Before each transaction of Apache's: its checksum and its length, zeros where there is none. */
const HEAD_BYTES = 12;
const OURS = 'zoosh-1';

export interface ImportNote {
  /** The last transaction that was taken. */
  readonly zxid: bigint;
  /** The newest files that were there, whether they were of use or not. */
  readonly snapshot: string | undefined;
  readonly log: string | undefined;
  /** Where the last transaction of that log ends; undefined when it was not read so far. */
  readonly logEnd: number | undefined;
}
/** Why what was imported is not all that there is. */
export interface Beyond {
  /** Of Apache's. */
  readonly file: string;
  /** Up to where it goes; undefined when that cannot be told. */
  readonly zxid: bigint | undefined;
  /** Up to where the import went. */
  readonly imported: bigint;
}

const hex = (zxid: bigint): string => `0x${BigInt.asUintN(64, zxid).toString(16)}`;

/** Of what was read and not changed yet. */
export const noteOf = ({ state, newest: { snapshot, log } }: LoadedApache): ImportNote => ({
  zxid: state.zxid,
  snapshot,
  log: log?.name,
  logEnd: log?.end,
});

/** Puts the note into the folder of a history that is made. */
export async function writeImportNote(disk: Disk, dataDir: string, { zxid, ...note }: ImportNote): Promise<void> {
  const folder = join(dataDir, OURS);
  const text = `${JSON.stringify({ format: 1, zxid: hex(zxid), ...note })}\n`;
  await writeWhole(disk, folder, join(folder, NAME), Buffer.from(text));
}

/** Undefined where there is none, or none that can be read: then nothing is known, as before there were notes. */
async function noteIn(disk: Disk, dataDir: string): Promise<ImportNote | undefined> {
  try {
    const bytes = await readWhole(disk, join(dataDir, OURS, NAME), MOST_BYTES);
    const { zxid, snapshot, log, logEnd } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    if (typeof zxid !== 'string' || !/^0x[0-9a-f]{1,16}$/.test(zxid)) return undefined;
    return {
      zxid: BigInt.asIntN(64, BigInt(zxid)),
      snapshot: typeof snapshot === 'string' ? snapshot : undefined,
      log: typeof log === 'string' ? log : undefined,
      logEnd: Number.isSafeInteger(logEnd) ? (logEnd as number) : undefined,
    };
  } catch (error) {
    if (error instanceof DiskError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether an Apache server went on beside a history that was imported; a look at names and at twelve bytes, as a rule. @throws DiskError */
export async function beyondImport(disk: Disk, dataDir: string, logDir: string): Promise<Beyond | undefined> {
  const note = await noteIn(disk, dataDir);
  if (note === undefined) return undefined;
  const [data, log] = [join(dataDir, VERSION_2), join(logDir, VERSION_2)];
  return (
    (await beyondNote(disk, { data, log }, note)) ??
    (data === log ? undefined : beyondNote(disk, { data: log, log: data }, note))
  );
}

/** What goes beyond a note in the folders that it was made of. @throws DiskError */
export async function beyondNote(disk: Disk, folders: ApacheFolders, note: ImportNote): Promise<Beyond | undefined> {
  const { zxid: imported } = note;
  const isNew = (known: string | undefined) => (file: NumberedFile) =>
    file.zxid > imported && file.zxid > (known === undefined ? 0n : (zxidInName(known) ?? 0n));
  const logs = logsAmong(await namesIn(disk, folders.log));
  for (const { name } of logs.toReversed().filter(isNew(note.log))) {
    const found = await endOf(disk, join(folders.log, name), imported);
    if (found !== undefined) return found;
  }
  const snapshot = snapshotsAmong(await namesIn(disk, folders.data)).findLast(isNew(note.snapshot));
  if (snapshot !== undefined) return { file: join(folders.data, snapshot.name), zxid: snapshot.zxid, imported };
  const same = logs.find(({ name }) => name === note.log);
  if (same === undefined || note.logEnd === undefined) return undefined;
  const path = join(folders.log, same.name);
  return (await goesOn(disk, path, note.logEnd)) ? endOf(disk, path, imported) : undefined;
}

/** Something stands behind what was the last transaction: another, or one that never was whole. */
const goesOn = (disk: Disk, path: string, end: number): Promise<boolean> =>
  withFile(disk, path, { readonly: true }, async (file) => {
    const head = Buffer.alloc(HEAD_BYTES);
    await file.read(head, end);
    return head.some((byte) => byte !== 0);
  });

/** Where a log ends, when that is beyond `imported`. */
async function endOf(disk: Disk, file: string, imported: bigint): Promise<Beyond | undefined> {
  let zxid = imported;
  try {
    await readLogFile(disk, file, ({ bytes, isWhole }) => {
      if (!isWhole) return;
      const { zxid: own } = decodeHeader(bytes);
      if (own > zxid) zxid = own;
    });
  } catch (error) {
    if (!(error instanceof ApacheDamage || error instanceof FormatError)) throw error;
    return { file, zxid: zxid > imported ? zxid : undefined, imported };
  }
  return zxid > imported ? { file, zxid, imported } : undefined;
}

/** What is so, and what to do about it. */
export function beyondSentence({ file, zxid, imported }: Beyond, dataDir: string): string {
  const upTo = zxid === undefined ? 'is newer' : `goes to zxid ${hex(zxid)}`;
  return `${file} ${upTo}, and what was imported into ${join(dataDir, OURS)} ends at ${hex(imported)}: an Apache server ran on after the import, and what it took since is not in ${OURS}. Stop that server. To have it, move ${OURS} away and import again, or import with --to into another directory (what a zoosh server took meanwhile is not there then); to go on without it, move ${VERSION_2} away or say --ignore-apache-data`;
}
