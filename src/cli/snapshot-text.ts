/** What Apache's SnapshotFormatter prints of a snapshot, and the JSON of ncdu. */
import { nameOf } from '../base/path.ts';
import { createsOf, ownerOf, type SnapshotView, statLong, walkTree } from '../offline/snapshot-view.ts';
import { visibleLine } from '../out/data.ts';
import { packageVersion } from '../platform/version.ts';
import { AT } from '../tree/rows.ts';
import type { OfflineOutput } from './offline-output.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number): string => String(n).padStart(2, '0');
/** `Thu Jan 01 00:00:00 UTC 1970`. */
export function javaDate(ms: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return `${ms}ms`;
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':');
  return `${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${two(at.getUTCDate())} ${time} UTC ${at.getUTCFullYear()}`;
}
const id = (n: bigint): string => `0x${BigInt.asUintN(64, n).toString(16).padStart(14, '0')}`;
const hex = (n: bigint): string => `0x${BigInt.asUintN(64, n).toString(16)}`;
/** Every node with its Stat, and its data or only how much it is; then sessions. */
export async function listSnapshot(view: SnapshotView, withData: boolean, out: OfflineOutput): Promise<void> {
  const { tree } = view;
  out.line(`ZNode Details (count=${tree.nodeCount.toLocaleString('en-US')}):`);
  for (const { row, path } of walkTree(tree)) {
    const data = tree.data(row);
    out.line('----');
    out.line(visibleLine(path));
    out.line(`  cZxid = ${id(statLong(tree, row, AT.czxid))}`);
    out.line(`  ctime = ${javaDate(Number(statLong(tree, row, AT.ctime)))}`);
    out.line(`  mZxid = ${id(statLong(tree, row, AT.mzxid))}`);
    out.line(`  mtime = ${javaDate(tree.mtime(row))}`);
    out.line(`  pZxid = ${id(statLong(tree, row, AT.pzxid))}`);
    out.line(`  cversion = ${createsOf(tree, row)}`);
    out.line(`  dataVersion = ${tree.version(row)}`);
    out.line(`  aclVersion = ${tree.aversion(row)}`);
    out.line(`  ephemeralOwner = ${id(ownerOf(tree, row))}`);
    out.line(withData ? `  data = ${data?.toString('base64') ?? ''}` : `  dataLength = ${data?.length ?? 0}`);
    await out.rest();
  }
  out.line('----');
  out.line('Session Details (sid, timeout, ephemeralCount):');
  for (const { id: session, timeoutMs, ephemerals } of view.sessions) {
    out.line(`${hex(session)}, ${timeoutMs}, ${ephemerals}`);
    await out.rest();
  }
  out.line('----');
  if (view.zxid !== undefined) out.line(`Last zxid: ${hex(view.zxid)}`);
}

/** The format of `ncdu -f`: a folder is a list whose first entry is the folder itself. */
export async function snapshotAsNcdu({ tree }: SnapshotView, now: number, out: OfflineOutput): Promise<void> {
  out.raw(`[1,0,${JSON.stringify({ progname: 'zoosh', progver: packageVersion(), timestamp: now })}`);
  let ino = 1000;
  const walk = walkTree(tree, ({ row }) => tree.firstChild(row) !== 0 && out.raw(']'));
  for (const { row, path } of walk) {
    const size = Math.max(0, tree.dataLength(row));
    const name = path === '/' ? '/' : nameOf(path);
    const isFolder = tree.firstChild(row) !== 0;
    out.raw(`,${isFolder ? '[' : ''}${JSON.stringify({ name, asize: size, dsize: size, dev: 0, ino: ++ino })}`);
    await out.rest();
  }
  out.line(']');
}
