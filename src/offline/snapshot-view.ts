import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { ApacheDamage } from '../apache/damage.ts';
import { storedOwner } from '../apache/digest.ts';
import { zxidInName } from '../apache/names.ts';
import { type Compression, readSnapshot } from '../apache/read-snapshot.ts';
import { SNAPSHOT_MAGIC } from '../apache/records.ts';
import { ReplayedTree } from '../apache/replayed-tree.ts';
import { faultsOf, settled } from '../apache/settle.ts';
import { isSnappyStream } from '../apache/snappy.ts';
import { nameOf } from '../base/path.ts';
import type { Disk } from '../ports/disk.ts';
import { bigOf } from '../records/log-record.ts';
import { RecordError } from '../records/pack.ts';
import { DamageError } from '../storage/errors.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { F } from '../tree/rows.ts';
import { BACKUP_MAGIC, type BackupDescription } from './backup-file.ts';
import { loadBackup } from './restore-backup.ts';

const OWN_MAGIC = 0x7a6f_6f53;
const OWN_LOG_MAGIC = 0x5a4c_4f47;
const LOG_MAGIC = 0x5a4b_4c47;
const GZIP = 0x1f8b;

/** What a file is, by how it begins. */
export type FileKind = 'zoosh backup' | 'zoosh snapshot' | 'zoosh log' | 'Apache snapshot' | 'Apache log' | 'unknown';

/** @throws Error with the code of the system when it cannot be read */
export function kindOf(file: string): FileKind {
  const head = Buffer.alloc(8);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, head, 0, 8, 0);
  } catch (error) {
    throw Object.assign(error as Error, { path: file }); // which nobody says of what is open
  } finally {
    closeSync(fd);
  }
  const magic = head.readUInt32BE(0);
  if (magic === BACKUP_MAGIC) return 'zoosh backup';
  if (magic === OWN_MAGIC) return 'zoosh snapshot';
  if (magic === OWN_LOG_MAGIC) return 'zoosh log';
  if (magic === LOG_MAGIC) return 'Apache log';
  if (magic === SNAPSHOT_MAGIC || head.readUInt16BE(0) === GZIP || isSnappyStream(head)) return 'Apache snapshot';
  return 'unknown';
}

/** A log of ours that was being begun when its server ended: it has its name and room, and nothing but zeros in it. */
export function isUnbegunLog(file: string): boolean {
  if (!/^log\.[0-9a-f]+\.[0-9a-f]+$/.test(basename(file))) return false;
  const zeros = Buffer.alloc(1 << 20);
  const piece = Buffer.alloc(1 << 20);
  const fd = openSync(file, 'r');
  try {
    for (;;) {
      const got = readSync(fd, piece);
      if (got === 0) return true;
      if (piece.compare(zeros, 0, got, 0, got) !== 0) return false;
    }
  } finally {
    closeSync(fd);
  }
}

/** A backup that was compressed since; the file must begin as gzip's do. */
export function isPackedBackup(file: string): boolean {
  const head = Buffer.alloc(4096);
  const fd = openSync(file, 'r');
  try {
    const got = readSync(fd, head, 0, head.length, 0);
    if (head.readUInt16BE(0) !== GZIP) return false;
    const begin = gunzipSync(head.subarray(0, got), { finishFlush: constants.Z_SYNC_FLUSH });
    return begin.length >= 4 && [BACKUP_MAGIC, OWN_MAGIC].includes(begin.readUInt32BE(0));
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

export interface ViewedSession {
  readonly id: bigint;
  readonly timeoutMs: number;
  readonly ephemerals: number;
}
/** A snapshot as the tools look at it, Apache's and ours alike. */
export interface SnapshotView {
  readonly file: string;
  readonly kind: FileKind;
  readonly compression: Compression;
  /** As the file says it, or its name; undefined when neither does. */
  readonly zxid: bigint | undefined;
  /** As it was written. */
  readonly tree: DataTree;
  /** The same tree as a server shows it. */
  served(): DataTree;
  readonly sessions: readonly ViewedSession[];
  /** Apache's digest of the tree when the snapshot had been written. */
  readonly digest: { readonly zxid: bigint; readonly digest: bigint } | undefined;
  /** What a backup says of itself. */
  readonly backup?: BackupDescription | undefined;
  /** What an Apache snapshot lacks without the logs behind it, clauses. */
  readonly open: readonly string[];
}

/** Reads a snapshot whole and verifies every byte. @throws ApacheDamage, DamageError, DiskError */
export async function viewSnapshot(disk: Disk, file: string): Promise<SnapshotView> {
  const kind = kindOf(file);
  if (kind === 'zoosh snapshot' || kind === 'zoosh backup') {
    try {
      const { tree, description, isBackup } = await loadBackup(disk, file);
      const sessions = [...tree.sessions.all()].map(({ id, timeoutMs, ephemeralCount: ephemerals }) => ({
        id,
        timeoutMs,
        ephemerals,
      }));
      return {
        ...{ file, kind, compression: 'none', zxid: BigInt(description.zxid), tree, served: () => tree, sessions },
        ...{ digest: undefined, open: [], backup: isBackup ? description : undefined },
      };
    } catch (error) {
      if (error instanceof RecordError)
        throw new DamageError({ file, reason: error.message, remedy: 'Nothing was changed' });
      throw error;
    }
  }
  const zxid = zxidInName(nameOf(file));
  const state = new ReplayedTree(zxid ?? 0x7fff_ffff_ffff_ffffn);
  const { parser, compression } = await readSnapshot(disk, file, state);
  if (state.tree.root === 0) throw new ApacheDamage(file, undefined, 'a snapshot without a root');
  const open = faultsOf(state);
  const sessions = [...state.sessions].map(([id, timeoutMs]) => ({
    id,
    timeoutMs,
    ephemerals: state.ephemeralsOf(id),
  }));
  return {
    file,
    kind: 'Apache snapshot',
    compression,
    zxid: zxid ?? parser.lastZxid,
    tree: state.tree,
    served: () => settled(state),
    sessions,
    digest: parser.digest,
    open,
  };
}

/** One node while the tree is walked. */
export interface ViewedNode {
  readonly row: number;
  /** The root's is 0. */
  readonly depth: number;
  readonly path: string;
}
/** A node, or the root, and all below it: parents before children, children by name. `leave` is told when all below one was given. */
export function* walkTree(
  tree: DataTree,
  leave: (node: ViewedNode) => void = () => {},
  top: ViewedNode = { row: tree.root, depth: 0, path: '/' },
): Generator<ViewedNode> {
  const ahead: (ViewedNode & { left?: boolean })[] = [top];
  for (let node = ahead.pop(); node !== undefined; node = ahead.pop()) {
    if (node.left === true) {
      leave(node);
      continue;
    }
    yield node;
    ahead.push({ ...node, left: true });
    const children: ViewedNode[] = [];
    for (let row = tree.firstChild(node.row); row !== 0; row = tree.nextSibling(row))
      children.push({ row, depth: node.depth + 1, path: tree.pathOf(row) });
    ahead.push(...children.sort((a, b) => (a.path < b.path ? 1 : -1)));
  }
}

/** What kinds of nodes there are, and how much they hold. */
export function countTree(tree: DataTree): {
  nodes: number;
  ephemerals: number;
  containers: number;
  ttls: number;
  bytes: number;
  depth: number;
} {
  let [ephemerals, containers, bytes, depth] = [0, 0, 0, 0];
  for (const { row, depth: at } of walkTree(tree)) {
    bytes += Math.max(0, tree.dataLength(row));
    depth = Math.max(depth, at);
    const { hi, lo } = storedOwner(tree, row);
    if (tree.isContainer(row)) containers++;
    else if ((hi !== 0 || lo !== 0) && tree.ttlMs(row) === 0) ephemerals++;
  }
  return { nodes: tree.rows.count, ephemerals, containers, ttls: tree.timed.size - containers, bytes, depth };
}

/** Creates below a node, ever: what Apache's tools call its cversion. */
export const createsOf = (tree: DataTree, row: number): number =>
  tree.isEphemeral(row) ? 0 : tree.rows.get(row, F.creates);
/** A zxid or a time of a node, by its place in the Stat. */
export const statLong = (tree: DataTree, row: number, at: number): bigint =>
  bigOf({ hi: tree.rows.stat(row, at), lo: tree.rows.stat(row, at + 4) });
/** The session that owns a node, or what says which kind it is, as Apache stores it. */
export const ownerOf = (tree: DataTree, row: number): bigint => bigOf(storedOwner(tree, row));
