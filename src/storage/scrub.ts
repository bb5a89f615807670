import { type Disk, DiskError } from '../ports/disk.ts';
import { sameHalves, tipAt } from '../records/log-record.ts';
import { type Damage, DamageError } from './errors.ts';
import { logName } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import type { LogFiles } from './log-list.ts';
import { FileScan } from './log-scan.ts';
import { type Mark, sameMark, showMark } from './mark.ts';
import { listSnapshots, readSnapshotFile } from './snapshots.ts';

export interface ScrubReport {
  /** Files that were read whole and are right. */
  readonly sound: number;
  readonly damage: readonly Damage[];
  /** Names of snapshots that are damaged. */
  readonly snapshots: readonly string[];
  /** The newest snapshot that is right. */
  readonly newest: Mark | undefined;
}

/** No transaction has this number: what stands before it is verified and not handed out. */
const NEVER: Mark = { zxid: { hi: 0x7fff_ffff, lo: 0xffff_ffff }, chain: { hi: 0, lo: 0 } };

/** Verifies a closed file to its end, which must be where the next begins. @throws DamageError */
export async function verifyClosed(
  disk: Disk,
  folder: string,
  entry: LogFileEntry,
  next: LogFileEntry,
  rest?: () => Promise<void> | undefined,
): Promise<void> {
  const path = `${folder}/${logName(entry)}`;
  if (!(await disk.exists(path)))
    throw new DamageError({ file: path, reason: 'this log file is listed and is not there' });
  const tip = tipAt(entry.fromZxid, entry.fromChain);
  const nothing = (): void => {};
  await new FileScan(disk, path, entry, false, tip, NEVER, nothing, nothing, rest).run();
  const end = { zxid: tip, chain: { hi: tip.chainHi, lo: tip.chainLo } };
  if (!sameMark(end, { zxid: next.fromZxid, chain: next.fromChain }))
    throw new DamageError({ file: path, reason: 'the file after it does not continue it' });
}

const isGone = (error: unknown): boolean => error instanceof DiskError && error.code === 'ENOENT';

/** Reads the snapshot that is to be at `at` once more: what is wrong with it; undefined when it is whole. */
export async function verifySnapshot(
  disk: Disk,
  path: string,
  at: Mark,
  rest: () => Promise<void> | undefined,
): Promise<Damage | 'gone' | undefined> {
  try {
    const mark = await readSnapshotFile(disk, path, () => {}, rest);
    return sameMark(mark, at) ? undefined : { file: path, reason: `it is not the snapshot of ${showMark(at)}` };
  } catch (error) {
    if (error instanceof DamageError) return error.damage;
    if (isGone(error)) return 'gone';
    throw error;
  }
}

/**
 * Reads closed log files and snapshots again and verifies them (D8); `files` says what is listed now, `looks` begins to watch for
 * another snapshot under that name, `rest` is waited for between reads of some MiB. What is purged, cut or replaced meanwhile is
 * passed over.
 */
export async function scrubFiles(
  disk: Disk,
  dataFolder: string,
  logFolder: string,
  files: () => LogFiles,
  looks: (name: string) => () => boolean,
  rest: () => Promise<void> | undefined,
): Promise<ScrubReport> {
  let sound = 0;
  const damage: Damage[] = [];
  const snapshots: string[] = [];
  let newest: Mark | undefined;
  const verify = async (run: () => Promise<void>, counts: () => boolean | Promise<boolean>): Promise<boolean> => {
    try {
      await run();
      sound++;
    } catch (error) {
      // purged since it was listed, or set aside: what is under that name by now was verified when it was written
      if (isGone(error)) return true;
      if (!(error instanceof DamageError)) throw error;
      if (!(await counts())) return true;
      damage.push(error.damage);
      return false;
    }
    return true;
  };
  const all = files();
  for (const [i, entry] of all.entries()) {
    const next = all[i + 1];
    const listed = (): boolean => files().some(({ salt, end }) => sameHalves(salt, entry.salt) && end === entry.end);
    if (next !== undefined && listed()) await verify(() => verifyClosed(disk, logFolder, entry, next, rest), listed);
  }
  for (const { name } of await listSnapshots(disk, dataFolder)) {
    const path = `${dataFolder}/${name}`;
    let mark: Mark | undefined;
    const run = async (): Promise<void> => {
      mark = await readSnapshotFile(disk, path, () => {}, rest);
    };
    const isRenewed = looks(name);
    const counts = async (): Promise<boolean> => !isRenewed() && (await disk.exists(path));
    if (!(await verify(run, counts))) snapshots.push(name);
    newest ??= mark;
  }
  return { sound, damage, snapshots, newest };
}
