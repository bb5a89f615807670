import { isDigestScheme } from '../base/digest-schemes.ts';
import { KEEPER_CODES } from '../base/errors.ts';
import type { Reader, Writer } from '../protocol/bytes.ts';
import { PERM } from '../protocol/data.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { ADD_WATCH, EVENT, WATCHER_TYPE } from '../protocol/events.ts';
import { type MultiPart, OPERATIONS } from '../protocol/operations.ts';
import type { DataTree } from '../tree/data-tree.ts';
import { AT } from '../tree/rows.ts';
import { type Identity, isAllowed, maskDigests } from './acl.ts';
import type { ClientConnection } from './connection.ts';
import { begin, event, finish, header, MOST_REPLY } from './reply.ts';
import type { WatchManager } from './watches.ts';

/** What a read needs: the applied state and the watch tables. */
export interface ReadContext {
  readonly tree: DataTree;
  readonly watches: WatchManager;
}

const { NoNode, NoAuth, BadArguments, MarshallingError, NoWatcher, RuntimeInconsistency } = KEEPER_CODES;

/** So many reads behind a write may be of large nodes, whose data has more than so many bytes. */
const MOST_LARGE = 16;
export const LARGE = 16 * 1024;
/** Children whose list takes its time. */
const MANY = 2000;
/** The node that a read names first; 0: none, or none can be read from it. */
function rowOf(tree: DataTree, from: Reader): number {
  try {
    const length = from.length();
    return length <= 0 ? 0 : tree.findBytes(from.bytes, from.at, from.at + length);
  } catch (fault) {
    if (fault instanceof ProtocolError) return 0; // told when it is done
    throw fault;
  }
}
/**
 * A read that may look at very many nodes whatever its answer has room for, or one answer too many that is large. Of those only one may
 * stand behind a write of the same client: all that do are answered at once when it is applied. `grows`: a write before it is large.
 */
export function isCostly(tree: DataTree, type: number, from: Reader, before: number, grows: boolean): boolean {
  switch (type) {
    case OPERATIONS.getData.code: {
      if (before < MOST_LARGE) return false;
      const row = grows ? 0 : rowOf(tree, from);
      return grows || (row !== 0 && tree.dataLength(row) > LARGE);
    }
    case OPERATIONS.getChildren.code:
    case OPERATIONS.getChildren2.code: {
      const row = rowOf(tree, from);
      return row !== 0 && tree.children(row) > MANY;
    }
    case OPERATIONS.getAllChildrenNumber.code:
    case OPERATIONS.getEphemerals.code:
    case OPERATIONS.multiRead.code:
    case OPERATIONS.setWatches.code:
    case OPERATIONS.setWatches2.code:
      return true;
    default:
      return false;
  }
}

const STAT_BYTES = 68;
/** Of a part of a multiRead that is an error: its head, and the error. */
const ERROR_PART = 13;
/** Of the head that ends them. */
const LAST_HEAD = 9;
/** Children that the parts of a multiRead may list before the next is refused: some tens of ms. The first may list all that there are. */
const MOST_LISTED = 500_000;

const mayRead = (tree: DataTree, row: number, identities: readonly Identity[]): boolean =>
  tree.aclId(row) === 0 || isAllowed(tree.acl(row), PERM.read, identities);
const plain = ({ tree }: ReadContext, to: Writer, xid: number, err: number): void =>
  header(to, xid, tree.zxidHi, tree.zxidLo, err);
const open = ({ tree }: ReadContext, to: Writer, xid: number): number => begin(to, xid, tree.zxidHi, tree.zxidLo, 0);

function putStat(tree: DataTree, to: Writer, row: number): void {
  to.room(STAT_BYTES);
  tree.writeStat(row, to.bytes, to.at);
  to.at += STAT_BYTES;
}
/** This and the next two: false when it would go beyond `end`, where the reply must be over; part of it may be written then. */
function putData(tree: DataTree, to: Writer, row: number, end: number): boolean {
  const length = tree.dataLength(row);
  const bytes = 4 + Math.max(0, length);
  if (to.at + bytes > end) return false;
  to.room(bytes);
  to.put(length);
  if (length <= 0) return true;
  tree.writeData(row, to.bytes, to.at);
  to.at += length;
  return true;
}
function putChildren(tree: DataTree, to: Writer, row: number, end: number): boolean {
  const count = tree.children(row);
  to.int32(count);
  const first = tree.firstChild(row);
  const prefix = tree.prefixLength(row);
  // names of one node are mostly of one length: no growing step by step to megabytes
  if (count > 1000) to.room(Math.min(count * (4 + tree.pathLength(first) - prefix), MOST_REPLY));
  for (let child = first; child !== 0; child = tree.nextSibling(child)) {
    const length = tree.pathLength(child) - prefix;
    if (to.at + 4 + length > end) return false;
    to.room(4 + length);
    to.put(length);
    tree.writePathFrom(child, prefix, length, to.bytes, to.at);
    to.at += length;
  }
  return to.at <= end;
}

/** Paths of a session's ephemerals that begin with `prefix`; no string is made, since there may be very many. */
function putEphemerals(tree: DataTree, to: Writer, session: bigint, prefix: Uint8Array, end: number): boolean {
  const first = tree.firstEphemeral(session);
  const countAt = to.at;
  let count = 0;
  to.int32(0);
  for (let row = first; row !== 0; row = tree.nextEphemeral(row)) {
    if (!tree.pathStartsWith(row, prefix)) continue;
    const length = tree.pathLength(row);
    if (to.at + 4 + length > end) return false;
    to.room(4 + length);
    to.put(length);
    tree.writePathFrom(row, 0, length, to.bytes, to.at);
    to.at += length;
    count++;
  }
  const { at } = to;
  to.at = countAt;
  to.put(count);
  to.at = at;
  return true;
}

/**
 * Answers getData, exists and getChildren without building a string, an object or a closure: the path is looked up as the
 * bytes it came in. Throws ProtocolError when the request cannot be decoded.
 */
export function readPath(
  context: ReadContext,
  connection: ClientConnection,
  to: Writer,
  xid: number,
  type: number,
  from: Reader,
): void {
  const { tree, watches } = context;
  const length = from.length();
  const start = from.at;
  const end = start + Math.max(0, length);
  from.at = end;
  const watch = from.bool();
  if (length < 0) return plain(context, to, xid, MarshallingError);
  const row = tree.findBytes(from.bytes, start, end);
  const isExists = type === OPERATIONS.exists.code;
  if (row === 0) {
    if (!isExists) return plain(context, to, xid, NoNode);
    if (from.bytes.subarray(start, end).includes(0)) return plain(context, to, xid, BadArguments);
    if (watch) watches.addData(connection, from.bytes.utf8Slice(start, end));
    return plain(context, to, xid, NoNode);
  }
  if (!mayRead(tree, row, connection.identities)) return plain(context, to, xid, NoAuth);
  const isData = type === OPERATIONS.getData.code;
  const at = open(context, to, xid);
  const most = at + MOST_REPLY - STAT_BYTES;
  if (!isExists && !(isData ? putData(tree, to, row, most) : putChildren(tree, to, row, most)))
    return tooLong(context, to, at, xid);
  if (type !== OPERATIONS.getChildren.code) putStat(tree, to, row);
  finish(to, at);
  if (watch) {
    const path = from.bytes.utf8Slice(start, end); // the empty one names the root, and no event is about it, as in ZooKeeper
    if (isData || isExists) watches.addData(connection, path);
    else watches.addChild(connection, path);
  }
}
/** In place of what was written of it. */
function tooLong(context: ReadContext, to: Writer, at: number, xid: number): void {
  to.at = at;
  plain(context, to, xid, MarshallingError);
}

/** The rarer reads, through the described records. True when the operation is one of them. */
export function readOther(
  context: ReadContext,
  connection: ClientConnection,
  to: Writer,
  xid: number,
  type: number,
  from: Reader,
): boolean {
  const { tree, watches } = context;
  const { identities } = connection;
  switch (type) {
    case OPERATIONS.getAcl.code: {
      const { path } = OPERATIONS.getAcl.request.read(from);
      const row = path === null ? 0 : tree.find(path);
      if (row === 0) plain(context, to, xid, path === null ? MarshallingError : NoNode);
      else if (!isAllowed(tree.acl(row), PERM.read | PERM.admin, identities)) plain(context, to, xid, NoAuth);
      else {
        const acl = isAllowed(tree.acl(row), PERM.admin, identities) ? tree.acl(row) : maskDigests(tree.acl(row));
        const at = open(context, to, xid);
        to.int32(acl.length);
        for (const { perms, scheme, id } of acl) {
          to.int32(perms);
          to.text(scheme);
          to.text(id);
        }
        putStat(tree, to, row);
        finish(to, at);
      }
      return true;
    }
    case OPERATIONS.getAllChildrenNumber.code: {
      const { path } = OPERATIONS.getAllChildrenNumber.request.read(from);
      const row = path === null ? 0 : tree.find(path);
      if (row === 0) plain(context, to, xid, path === null ? MarshallingError : NoNode);
      else if (!mayRead(tree, row, identities)) plain(context, to, xid, NoAuth);
      else {
        const at = open(context, to, xid);
        to.int32(tree.descendants(row));
        finish(to, at);
      }
      return true;
    }
    case OPERATIONS.getEphemerals.code: {
      const { prefixPath } = OPERATIONS.getEphemerals.request.read(from);
      const prefix = prefixPath === null || prefixPath.trim() === '' ? '/' : prefixPath;
      const at = open(context, to, xid);
      if (putEphemerals(tree, to, connection.session, Buffer.from(prefix), at + MOST_REPLY)) finish(to, at);
      else tooLong(context, to, at, xid);
      return true;
    }
    case OPERATIONS.whoAmI.code: {
      const at = open(context, to, xid);
      to.int32(identities.length);
      for (const { scheme, id } of identities) {
        to.text(scheme);
        to.text(isDigestScheme(scheme) ? (id.split(':')[0] as string) : id);
      }
      finish(to, at);
      return true;
    }
    case OPERATIONS.addWatch.code: {
      const { path, mode } = OPERATIONS.addWatch.request.read(from);
      if (path === null || (mode !== ADD_WATCH.persistent && mode !== ADD_WATCH.persistentRecursive)) {
        plain(context, to, xid, MarshallingError);
        return true;
      }
      if (mode === ADD_WATCH.persistent) watches.addPersistent(connection, path);
      else watches.addRecursive(connection, path);
      const at = open(context, to, xid);
      to.int32(0);
      finish(to, at);
      return true;
    }
    case OPERATIONS.removeWatches.code:
    case OPERATIONS.checkWatches.code: {
      const { path, type: kind } = OPERATIONS.removeWatches.request.read(from);
      const known = path !== null && kind >= WATCHER_TYPE.children && kind <= WATCHER_TYPE.persistentRecursive;
      const found =
        known &&
        (type === OPERATIONS.checkWatches.code
          ? watches.has(connection, path, kind)
          : watches.remove(connection, path, kind));
      plain(context, to, xid, known ? (found ? 0 : NoWatcher) : MarshallingError);
      return true;
    }
    case OPERATIONS.setWatches.code:
    case OPERATIONS.setWatches2.code:
      setWatches(context, connection, to, xid, type, from);
      return true;
    case OPERATIONS.multiRead.code:
      multiRead(context, connection, to, xid, from);
      return true;
    default:
      return false;
  }
}

/** After a reconnect: what was missed is told at once, the rest is watched again (semantics.md 7.5). */
function setWatches(
  context: ReadContext,
  connection: ClientConnection,
  to: Writer,
  xid: number,
  type: number,
  from: Reader,
): void {
  const { tree, watches } = context;
  const wide = type === OPERATIONS.setWatches2.code ? OPERATIONS.setWatches2.request.read(from) : undefined;
  const request = wide ?? OPERATIONS.setWatches.request.read(from);
  const persistent = wide === undefined ? [] : wide.persistentWatches;
  const recursive = wide === undefined ? [] : wide.persistentRecursiveWatches;
  const { dataWatches, existWatches, childWatches, relativeZxid } = request;
  const lists = [dataWatches, existWatches, childWatches, persistent, recursive];
  // one that is null cannot be read, and those before it are taken
  const readable = lists.indexOf(null);
  const taken = lists.map((list, at) => (readable < 0 || at < readable ? (list ?? []) : []));
  const [data = [], exist = [], child = [], standing = [], deep = []] = taken;
  const tell = (kind: number, path: string, row: number): void => {
    if (row === 0 || mayRead(tree, row, connection.identities)) event(to, kind, path, -1, -1);
  };
  for (const each of data) {
    const path = each ?? '';
    const row = tree.find(path);
    if (row === 0) tell(EVENT.NodeDeleted, path, 0);
    else if (tree.isAfter(row, AT.mzxid, relativeZxid)) tell(EVENT.NodeDataChanged, path, row);
    else watches.addData(connection, path);
  }
  for (const each of exist) {
    const path = each ?? '';
    const row = tree.find(path);
    if (row === 0) watches.addData(connection, path);
    else tell(EVENT.NodeCreated, path, row);
  }
  for (const each of child) {
    const path = each ?? '';
    const row = tree.find(path);
    if (row === 0) tell(EVENT.NodeDeleted, path, 0);
    else if (tree.isAfter(row, AT.pzxid, relativeZxid)) tell(EVENT.NodeChildrenChanged, path, row);
    else watches.addChild(connection, path);
  }
  for (const path of standing) watches.addPersistent(connection, path ?? '');
  for (const path of deep) watches.addRecursive(connection, path ?? '');
  plain(context, to, xid, readable < 0 ? 0 : MarshallingError);
}

/** Bytes of the parts of one answer: the requests for them are a few bytes each. What comes behind that is not read. */
const MOST_READ = 16 * 1024 * 1024;

/** Several reads from one state, each with its own outcome. */
function multiRead(context: ReadContext, connection: ClientConnection, to: Writer, xid: number, from: Reader): void {
  const { tree } = context;
  const { getData, getChildren } = OPERATIONS;
  const parts = OPERATIONS.multiRead.request.read(from);
  const isRead = ({ type, request }: MultiPart): boolean =>
    (type === getData.code || type === getChildren.code) && (request as { path: string | null }).path !== null;
  if (!parts.every(isRead)) return plain(context, to, xid, MarshallingError);
  const at = open(context, to, xid);
  const most = at + MOST_REPLY - parts.length * ERROR_PART - LAST_HEAD - STAT_BYTES;
  let isFull = false;
  let listed = 0;
  const head = (type: number, done: boolean, err: number): void => {
    to.int32(type);
    to.bool(done);
    to.int32(err);
  };
  for (const { type, request } of parts) {
    const hasRoom = !isFull && to.at - at < MOST_READ;
    const row = hasRoom ? tree.find((request as { path: string }).path) : 0;
    let err: number = hasRoom ? NoNode : RuntimeInconsistency;
    if (row !== 0) err = mayRead(tree, row, connection.identities) ? 0 : NoAuth;
    const partAt = to.at;
    if (err === 0) {
      head(type, false, 0);
      const isData = type === getData.code;
      if (isData ? putData(tree, to, row, most) : putChildren(tree, to, row, most)) {
        if (isData) putStat(tree, to, row);
        else {
          listed += tree.children(row);
          isFull = listed > MOST_LISTED;
        }
        continue;
      }
      to.at = partAt;
      isFull = true;
      err = RuntimeInconsistency;
    }
    head(-1, false, err);
    to.int32(err);
  }
  head(-1, true, -1);
  finish(to, at);
}
