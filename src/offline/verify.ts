import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ApacheDamage, FormatError } from '../apache/damage.ts';
import { type ApacheFolders, loadApache } from '../apache/load.ts';
import { logsAmong, snapshotsAmong } from '../apache/names.ts';
import { readLogFile } from '../apache/read-log.ts';
import { decodeTxn } from '../apache/txn.ts';
import { plural } from '../base/counts.ts';
import { fileWords } from '../base/file-words.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { bigOf, showHalves } from '../records/log-record.ts';
import { DamageError, describeDamage } from '../storage/errors.ts';
import { namesIn } from '../storage/files.ts';
import { listSnapshots } from '../storage/snapshots.ts';
import { readOwnState } from './own-state.ts';
import { viewSnapshot } from './snapshot-view.ts';

/** What was looked at, and what is wrong with it; `reason` undefined when nothing is. */
export interface Finding {
  readonly what: string;
  readonly detail: string;
  readonly reason?: string;
  /** Nobody could look into it: whether it is whole is not known. */
  readonly unread?: true;
}
export interface Verified {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
  /** Of the state that a server would start from; undefined when it would start from none. */
  readonly state: FoundState | undefined;
}
export interface FoundState {
  readonly zxid: bigint;
  readonly nodes: number;
  readonly sessions: number;
  /** Apache's, without any log: with logs elsewhere it goes further. */
  readonly lacksLogs?: true;
}

/** What is wrong, as a clause; anything else is thrown on. */
function wrongBy(error: unknown): Pick<Finding, 'reason' | 'unread'> {
  if (error instanceof ApacheDamage) return { reason: error.message };
  if (error instanceof DamageError) return { reason: describeDamage(error.damage) };
  if (!(error instanceof DiskError)) throw error;
  const reason = `${error.path}: ${fileWords(error)}`;
  return error.code === 'EIO' ? { reason } : { reason, unread: true };
}
async function looked(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { what, detail: await look() };
  } catch (error) {
    return { what, detail: '', ...wrongBy(error) };
  }
}

/** Everything that a zoosh server has in its directories; undefined where none ever was. */
export async function verifyOwn(disk: Disk, dataDir: string, logDir: string): Promise<Verified | undefined> {
  const folder = join(dataDir, 'zoosh-1');
  if (!existsSync(folder) && !existsSync(join(logDir, 'zoosh-1'))) return undefined;
  const findings: Finding[] = [];
  let notes: readonly string[] = [];
  let state: Verified['state'];
  findings.push(
    await looked(dataDir, async () => {
      const own = await readOwnState(disk, dataDir, logDir);
      if (own === undefined) return 'no server was ever started in it';
      const { tree, identity, unsure, committed, last, replayed } = own;
      notes = own.notes;
      state = {
        zxid: bigOf({ hi: tree.zxidHi, lo: tree.zxidLo }),
        nodes: tree.rows.count,
        sessions: tree.sessions.size,
      };
      const more =
        unsure === 0 ? '' : `, ${unsure} of them not known to be committed (known to ${showHalves(committed)})`;
      return `server ${identity.sid} of ensemble ${identity.ensembleId ?? 'not founded yet'}, ${plural(identity.logs.length, 'log file')} to ${showHalves(last.zxid)}, ${plural(replayed, 'transaction')} after the newest snapshot${more}`;
    }),
  );
  for (const { name } of await listSnapshots(disk, folder))
    findings.push(await looked(join(folder, name), async () => snapshotDetail(disk, join(folder, name))));
  return { findings, notes, state };
}

/** Everything that an Apache server has in its folders. */
export async function verifyApache(disk: Disk, folders: ApacheFolders): Promise<Verified> {
  const findings: Finding[] = [];
  for (const { name } of snapshotsAmong(await namesIn(disk, folders.data)))
    findings.push(await looked(join(folders.data, name), () => snapshotDetail(disk, join(folders.data, name))));
  for (const { name } of logsAmong(await namesIn(disk, folders.log))) {
    const path = join(folders.log, name);
    findings.push(await looked(path, () => logDetail(disk, path)));
  }
  let notes: readonly string[] = [];
  let state: Verified['state'];
  findings.push(
    await looked(folders.data, async () => {
      const loaded = await loadApache(disk, folders, { acceptLoss: false, mayLackLogs: true });
      notes = loaded.notes;
      const { zxid, tree, sessions } = loaded.state;
      const isBare = loaded.newest.log === undefined;
      state = { zxid, nodes: tree.rows.count, sessions: sessions.size, ...(isBare && { lacksLogs: true }) };
      const digest = loaded.digestIsRight === true ? ', and the tree has the digest that the server told' : '';
      return `${loaded.snapshot ?? 'no snapshot'} and ${plural(loaded.replayed, 'transaction')} after it${digest}`;
    }),
  );
  return { findings, notes, state };
}

async function snapshotDetail(disk: Disk, path: string): Promise<string> {
  const { tree, sessions } = await viewSnapshot(disk, path);
  return `${plural(tree.rows.count, 'node')}, ${plural(sessions.length, 'session')}`;
}

async function logDetail(disk: Disk, path: string): Promise<string> {
  const end = await readLogFile(disk, path, ({ offset, bytes, isWhole }) => {
    if (!isWhole) throw new ApacheDamage(path, offset, 'the checksum of a transaction is wrong');
    try {
      decodeTxn(bytes);
    } catch (error) {
      throw error instanceof FormatError ? new ApacheDamage(path, offset, error.message) : error;
    }
  });
  return `${plural(end.entries, 'transaction')}${end.isTorn ? `, and one at offset ${end.at} that was never whole` : ''}`;
}
