import { storedOwner } from '../apache/digest.ts';
import { readSnapshot } from '../apache/read-snapshot.ts';
import { FILE_VERSION, FileHeader, LOG_MAGIC } from '../apache/records.ts';
import { ReplayedTree } from '../apache/replayed-tree.ts';
import { OPEN_KEY, SnapshotWriter } from '../apache/snapshot-writer.ts';
import type { SessionId, Zxid } from '../base/ids.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import { Writer } from '../protocol/bytes.ts';
import { bigOf } from '../records/log-record.ts';
import type { AclList } from '../records/txns.ts';
import { StorageRefusal } from '../storage/errors.ts';
import { namesIn, withFile } from '../storage/files.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { AT, F } from '../tree/rows.ts';
import type { OwnState } from './own-state.ts';
import { LAST_EPOCH } from './restore-backup.ts';

const CHUNK = 64 * 1024;
const CONFIG = '/zookeeper/config';

export interface Exported {
  readonly file: string;
  readonly nodes: number;
  readonly containers: number;
  readonly ttls: number;
  readonly sessionsDropped: number;
  readonly ephemeralsDropped: number;
  /** The last transaction of ours, and what the files say: an epoch above all that was promised. */
  readonly lastZxid: bigint;
  readonly zxid: bigint;
}

/** The last transaction of a tree. */
export const lastZxidOf = (tree: DataTree): bigint => bigOf({ hi: tree.zxidHi, lo: tree.zxidLo });

/**
 * Writes a `version-2` folder that an Apache server of 3.4 or later starts from: one exact snapshot, an empty log and the epoch files. Sessions
 * and their ephemerals are left out, and their parents changed with the last zxid, so that who watches them is told.
 */
export async function exportApache(disk: Disk, { tree, identity }: OwnState, folder: string): Promise<Exported> {
  const lastZxid = lastZxidOf(tree);
  const epoch = Math.max(identity.acceptedEpoch, tree.zxidHi) + 1;
  if (epoch > LAST_EPOCH) throw new StorageRefusal(43, `there is no epoch beyond ${LAST_EPOCH}`);
  const zxid = (BigInt(epoch) << 32n) | 1n;
  const file = `${folder}/snapshot.${zxid.toString(16)}`;
  const temp = `${file}.tmp`;
  const log = `${folder}/log.${zxid.toString(16)}`;
  const source = new Nodes(tree, zxid);
  for (const name of (await halfExport(disk, folder)) ?? []) await disk.unlink(`${folder}/${name}`);
  await disk.mkdir(folder);
  try {
    await write(disk, source, folder, { temp, file, log, zxid, epoch });
  } catch (error) {
    // what is not whole keeps nobody from trying again
    for (const path of [temp, file, log, `${folder}/acceptedEpoch`, `${folder}/currentEpoch`])
      await disk.unlink(path).catch(() => undefined);
    throw error;
  }
  let containers = 0;
  for (const row of tree.timed) if (tree.isContainer(row)) containers++;
  return {
    file,
    nodes: source.count,
    containers,
    ttls: tree.timed.size - containers,
    sessionsDropped: tree.sessions.size,
    ephemeralsDropped: tree.ephemerals,
    lastZxid,
    zxid,
  };
}

/**
 * What an export that was cut off left in a folder; undefined where other files lie, or none. An empty log without a snapshot is all
 * that Apache's server would find there, and it starts from none such: nobody gets an empty tree for half an export.
 */
export async function halfExport(disk: Disk, folder: string): Promise<string[] | undefined> {
  const names = await namesIn(disk, folder);
  const log = names.find((name) => /^log\.[0-9a-f]{1,8}00000001$/.test(name));
  if (log === undefined) return undefined;
  const own = new Set([log, `${log.replace('log', 'snapshot')}.tmp`, 'acceptedEpoch', 'currentEpoch']);
  if (!names.every((name) => own.has(name))) return undefined;
  const size = await withFile(disk, `${folder}/${log}`, { readonly: true }, (file) => file.size());
  return size <= emptyLog().length ? names : undefined;
}

interface Named {
  readonly temp: string;
  readonly file: string;
  readonly log: string;
  readonly zxid: bigint;
  readonly epoch: number;
}

async function write(disk: Disk, source: Nodes, folder: string, named: Named): Promise<void> {
  const { temp, file, log, zxid, epoch } = named;
  // first, so that half of it is no start for anybody
  await writeSmall(disk, log, emptyLog());
  await disk.syncDir(folder);
  await writeSmall(disk, `${folder}/acceptedEpoch`, String(epoch));
  await writeSmall(disk, `${folder}/currentEpoch`, String(epoch));
  const to = await disk.open(temp, { create: true });
  try {
    await to.truncate(0);
    await source.writeTo(to);
    await to.sync();
  } finally {
    await to.close();
  }
  // read again before it is anybody's: what is on the disk is whole and a tree
  const { parser } = await readSnapshot(disk, temp, new ReplayedTree(zxid));
  if (parser.nodes !== source.count) throw new StorageRefusal(44, `${temp} was read again and is not what was written`);
  await disk.rename(temp, file);
  await disk.syncDir(folder);
}

/** A log with its head and no transaction: a snapshot alone may be one whose logs were left behind, and this one needs none. */
function emptyLog(): Buffer {
  const to = new Writer();
  FileHeader.write(to, { magic: LOG_MAGIC, version: FILE_VERSION, dbid: 0n });
  return to.take();
}

export async function writeSmall(disk: Disk, path: string, text: string | Uint8Array): Promise<void> {
  const file = await disk.open(path, { create: true });
  try {
    await file.truncate(0);
    await file.write(typeof text === 'string' ? Buffer.from(text) : text, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The nodes of a tree of ours as Apache's snapshots have them, ephemerals left out. */
class Nodes {
  count = 0;
  private readonly tree: DataTree;
  private readonly zxid: bigint;
  private readonly keys = new Map<number, bigint>([[0, OPEN_KEY]]);
  private readonly acls = new Map<bigint, AclList>();

  constructor(tree: DataTree, zxid: bigint) {
    this.tree = tree;
    this.zxid = zxid;
    for (let row = 1; row < tree.rows.high; row++) {
      const id = tree.rows.get(row, F.pathLength) === 0 ? 0 : tree.aclId(row);
      if (this.keys.has(id)) continue;
      const key = BigInt(this.keys.size);
      this.keys.set(id, key);
      this.acls.set(key, tree.acls.list(id));
    }
  }
  async writeTo(file: DiskFile): Promise<void> {
    const { tree } = this;
    const to = new SnapshotWriter(new Map(), this.acls);
    const ahead = [tree.root];
    let at = 0;
    const put = async (bytes: Buffer): Promise<void> => {
      await file.write(bytes, at);
      at += bytes.length;
    };
    for (let row = ahead.pop(); row !== undefined; row = ahead.pop()) {
      let lost = false;
      for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child))
        if (tree.isEphemeral(child)) lost = true;
        else ahead.push(child);
      this.write(to, row, lost);
      if (to.pending > CHUNK) await put(to.take());
    }
    await put(to.end());
  }
  private write(to: SnapshotWriter, row: number, lostChildren: boolean): void {
    const { tree } = this;
    const { rows } = tree;
    const path = tree.pathOf(row);
    const long = (at: number): bigint => bigOf({ hi: rows.stat(row, at), lo: rows.stat(row, at + 4) });
    // who the members are is our own ensemble's affair
    const data = path === CONFIG ? Buffer.alloc(0) : tree.data(row);
    to.node(row === tree.root ? Buffer.alloc(0) : Buffer.from(path), data, this.keys.get(tree.aclId(row)) as bigint, {
      czxid: long(AT.czxid) as Zxid,
      mzxid: long(AT.mzxid) as Zxid,
      ctime: Number(long(AT.ctime)),
      mtime: Number(long(AT.mtime)),
      version: tree.version(row),
      cversion: tree.creates(row) | 0,
      aversion: tree.aversion(row),
      ephemeralOwner: bigOf(storedOwner(tree, row)) as SessionId,
      pzxid: (lostChildren ? this.zxid : long(AT.pzxid)) as Zxid,
    });
    this.count++;
  }
}
