import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { nameOf } from '../base/path.ts';
import { nodeDisk } from '../platform/disk.ts';
import { DiskError } from '../ports/disk.ts';
import { Reader } from '../protocol/bytes.ts';
import { Stat } from '../protocol/data.ts';
import type { SnapshotNodes } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import { fileReason } from '../shell/file-reason.ts';
import type { NodeRecord } from '../shell/node-record.ts';
import { DamageError } from '../storage/errors.ts';
import { readSnapshotFile } from '../storage/snapshots.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { SnapshotLoader } from '../tree/snapshot.ts';

const STAT_BYTES = 68;
/** Nodes given between two looks at whether anybody still wants them. */
const AT_A_TIME = 1000;
/** How a snapshot of ours begins, and one of Apache's. */
const OWN = 0x7a6f6f53;
const APACHE = 0x5a4b534e;

/**
 * A subtree of a snapshot that a server of ours wrote. All of it is read and verified before the first node is given; the
 * tree lies outside of the JavaScript heap. @throws Failure (2, 10, 44)
 */
export async function snapshotNodes(file: string, root: string): Promise<SnapshotNodes> {
  refuseOthers(file);
  const tree = await load(file);
  const top = tree.find(root);
  if (top === 0)
    throw new Failure(10, 'NoNode', `node does not exist in ${file}: ${root}`, {
      path: root,
      hint: `snap:${file}:/ is all of it`,
    });
  return async function* nodes({ signal, skip, isAlone }) {
    let given = 0;
    const ahead = [top];
    for (let row = ahead.pop(); row !== undefined; row = ahead.pop()) {
      if (given++ % AT_A_TIME === 0) {
        await new Promise((done) => setImmediate(done));
        signal.throwIfAborted();
      }
      const path = tree.pathOf(row);
      if (skip?.(path) === true) continue;
      yield recordAt(tree, row, path);
      if (isAlone) return;
      const children: { readonly name: string; readonly row: number }[] = [];
      for (let child = tree.firstChild(row); child !== 0; child = tree.nextSibling(child))
        children.push({ name: nameOf(tree.pathOf(child)), row: child });
      children.sort((a, b) => (a.name < b.name ? 1 : -1)); // the first by name is taken first
      for (const child of children) ahead.push(child.row);
    }
  };
}

/** @throws Failure (2) for what is no snapshot of ours, whole or not */
function refuseOthers(file: string): void {
  const mark = Buffer.alloc(4);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, mark, 0, 4, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw usage(`cannot read ${file}: ${fileReason(error)}`);
  }
  const magic = mark.readUInt32BE(0);
  if (magic === APACHE)
    throw usage(`${file} is a snapshot of Apache ZooKeeper; only those of zoosh servers are read here`);
  if (magic !== OWN)
    throw usage(`${file} is no snapshot of a zoosh server`, 'they are zoosh-1/snapshot.ZXID in its dataDir');
}

async function load(file: string): Promise<DataTree> {
  const loader = new SnapshotLoader(0);
  try {
    await readSnapshotFile(nodeDisk, resolve(file), (chunk) => loader.push(chunk), nextTurn);
    return loader.finish();
  } catch (error) {
    if (error instanceof DiskError) throw usage(`cannot read ${file}: ${fileReason(error)}`);
    const { name, message } = error as Error;
    if (!(error instanceof DamageError) && name !== 'RecordError') throw error;
    const reason = error instanceof DamageError ? error.damage.reason : message;
    throw new Failure(44, 'Damaged', `${file} is damaged: ${reason}`, {
      hint: 'an older snapshot beside it may be whole',
      cause: error,
    });
  }
}

/** Ctrl-C is heard between two pieces. */
const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

function recordAt(tree: DataTree, row: number, path: string): NodeRecord {
  const bytes = Buffer.alloc(STAT_BYTES);
  tree.writeStat(row, bytes, 0);
  const ttlMs = tree.ttlMs(row);
  return {
    path,
    data: tree.data(row),
    acl: tree.acl(row).map(({ perms, scheme, id }) => ({ perms, scheme, id })),
    kind: tree.isContainer(row) ? 'container' : ttlMs > 0 ? 'ttl' : tree.isEphemeral(row) ? 'ephemeral' : 'persistent',
    ...(ttlMs > 0 && { ttlMs }),
    stat: Stat.read(new Reader(bytes)),
  };
}
