import type { Disk } from '../ports/disk.ts';
import { compareHalves, type Halves, SECTOR, type Tip, tipAt } from '../records/log-record.ts';
import { type Damage, DamageError } from './errors.ts';
import { logName, withFile } from './files.ts';
import type { LogFileEntry } from './identity.ts';
import type { LogFiles } from './log-list.ts';
import { FileScan, sameHistory } from './log-scan.ts';
import { mayHaveAcked } from './loss.ts';
import type { Mark } from './mark.ts';

/** What reading the log found. */
export interface LogEnd {
  readonly tip: Tip;
  readonly committed: Halves;
  /** Where the last file ends: what lies behind was never acknowledged. */
  readonly end: number;
  /** The last group of that file as it was read and verified; undefined when it has none. */
  readonly lastGroup: Buffer | undefined;
  readonly notes: readonly string[];
}

/**
 * Verifies every listed log file and hands out each envelope after `from`, in order, and between them up to where the log is
 * known committed (which may be beyond what was handed out). What a crash left of a group that was
 * never synced is cut; anything else that is wrong is a DamageError (foundations.md 3, 13.5).
 */
export async function readLogs(
  disk: Disk,
  folder: string,
  logs: LogFiles,
  from: Mark,
  onEnvelope: (bytes: Buffer, start: number, end: number) => void,
  onCommitted: (upTo: Halves) => void = () => {},
): Promise<LogEnd> {
  const first = logs[0];
  if (first === undefined)
    return { tip: tipAt(from.zxid, from.chain), committed: from.zxid, end: 0, lastGroup: undefined, notes: [] };
  if (compareHalves(first.fromZxid, from.zxid) > 0)
    throw new DamageError({
      file: `${folder}/${logName(first)}`,
      reason: 'it begins after the newest snapshot ends',
      intact: from.zxid,
    });
  const tip = tipAt(first.fromZxid, first.fromChain);
  const notes: string[] = [];
  let committed = from.zxid;
  onCommitted(committed);
  let end = SECTOR;
  let lastGroup: Buffer | undefined;
  for (let i = 0; i < logs.length; i++) {
    const entry = logs[i] as LogFileEntry;
    const path = `${folder}/${logName(entry)}`;
    if (!(await disk.exists(path)))
      throw new DamageError({
        file: path,
        reason:
          'this log file is listed and is not there (is the log volume mounted? zoo.cfg names a log directory of its own by dataLogDir, and to a tool it is named by --log-dir)',
        intact: { hi: tip.hi, lo: tip.lo },
      });
    if (
      compareHalves(entry.fromZxid, tip) !== 0 ||
      entry.fromChain.hi !== tip.chainHi ||
      entry.fromChain.lo !== tip.chainLo
    )
      throw new DamageError({
        file: path,
        reason: 'it does not continue the file before',
        intact: { hi: tip.hi, lo: tip.lo },
      });
    if (compareHalves(entry.fromZxid, from.zxid) === 0) sameHistory(path, 0, entry.fromChain, from);
    const scan = new FileScan(disk, path, entry, i === logs.length - 1, tip, from, onEnvelope, (upTo) => {
      if (compareHalves(upTo, committed) <= 0) return;
      committed = upTo;
      onCommitted(upTo);
    });
    try {
      await scan.run();
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      throw new DamageError(withLoss(error.damage, await mayHaveAcked(disk, folder, logs)));
    }
    end = scan.at;
    if (i === logs.length - 1) lastGroup = scan.lastGroup();
    notes.push(...scan.notes);
  }
  if (compareHalves(tip, from.zxid) < 0)
    throw new DamageError({
      file: `${folder}/${logName(logs.at(-1) as LogFileEntry)}`,
      reason: 'the log ends before the newest snapshot',
      intact: from.zxid,
    });
  if (compareHalves(committed, tip) > 0) committed = { hi: tip.hi, lo: tip.lo };
  return { tip, committed, end, lastGroup, notes };
}

/**
 * Writes the last group of the newest file again, as it is. The process before may have ended within its write, or a write
 * or sync may have failed: then the system may hold in memory what never reached the disk, and a sync would not bring it
 * there. What was read and believed must be durable before anything is built on it; it is not read again for that, since a
 * second read may give something else, which nobody verifies.
 */
export async function settleLastGroup(
  disk: Disk,
  folder: string,
  logs: LogFiles,
  { lastGroup, end }: LogEnd,
): Promise<void> {
  const newest = logs.at(-1);
  if (newest === undefined || lastGroup === undefined) return;
  await withFile(disk, `${folder}/${logName(newest)}`, { dsync: true }, (file) =>
    file.write(lastGroup, end - lastGroup.length),
  );
}

const withLoss = (damage: Damage, highest: Halves | undefined): Damage => {
  const known = damage.mayHaveAcked;
  if (highest === undefined || (known !== undefined && compareHalves(known, highest) >= 0)) return damage;
  return { ...damage, mayHaveAcked: highest };
};
