import { resolve } from 'node:path';
import { ApacheDamage } from '../apache/damage.ts';
import { fileWords } from '../base/file-words.ts';
import { nameOf } from '../base/path.ts';
import { kindOf, viewSnapshot } from '../offline/snapshot-view.ts';
import { nodeDisk } from '../platform/disk.ts';
import { DiskError } from '../ports/disk.ts';
import { Reader } from '../protocol/bytes.ts';
import { Stat } from '../protocol/data.ts';
import type { SnapshotNodes } from '../shell/command.ts';
import { Failure, usage } from '../shell/failure.ts';
import type { NodeRecord } from '../shell/node-record.ts';
import { DamageError } from '../storage/errors.ts';
import type { DataTree } from '../tree/data-tree.ts';

const STAT_BYTES = 68;
/** Nodes given between two looks at whether anybody still wants them. */
const AT_A_TIME = 1000;

/**
 * A subtree of a snapshot that a server of ours wrote, or one of Apache's. All of it is read and verified before the first node
 * is given; the tree lies outside of the JavaScript heap. @throws Failure (2, 10, 44)
 */
export async function snapshotNodes(file: string, root: string): Promise<SnapshotNodes> {
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

async function load(file: string): Promise<DataTree> {
  try {
    const kind = kindOf(file);
    if (kind !== 'zoosh snapshot' && kind !== 'Apache snapshot')
      throw usage(
        `${file} is not a snapshot of a server`,
        'they are zoosh-1/snapshot.ZXID, or version-2/snapshot.ZXID, in its dataDir',
      );
    const view = await viewSnapshot(nodeDisk, resolve(file));
    const [needed] = view.open;
    if (needed !== undefined)
      throw new Failure(44, 'Damaged', `${file} is of no one moment: ${needed}`, {
        hint: 'import-apache reads the logs, too',
      });
    return view.served();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof DiskError || (typeof code === 'string' && /^E[A-Z]+$/.test(code)))
      throw usage(`cannot read ${file}: ${fileWords(error)}`);
    if (!(error instanceof DamageError) && !(error instanceof ApacheDamage)) throw error;
    const reason = error instanceof DamageError ? error.damage.reason : error.reason;
    throw new Failure(44, 'Damaged', `${file} is damaged: ${reason}`, {
      hint: 'an older snapshot beside it may be whole',
      cause: error,
    });
  }
}

function recordAt(tree: DataTree, row: number, path: string): NodeRecord {
  const bytes = Buffer.alloc(STAT_BYTES);
  tree.writeStat(row, bytes, 0);
  const ttlMs = tree.ttlMs(row);
  const stat = Stat.read(new Reader(bytes));
  const isEphemeral = stat.ephemeralOwner !== 0n;
  return {
    path,
    data: tree.data(row),
    acl: tree.acl(row).map(({ perms, scheme, id }) => ({ perms, scheme, id })),
    kind: tree.isContainer(row) ? 'container' : ttlMs > 0 ? 'ttl' : isEphemeral ? 'ephemeral' : 'persistent',
    ...(ttlMs > 0 && { ttlMs }),
    stat,
  };
}
