import type { AclEntry, AclList } from '../records/txns.ts';
import { OPEN_ACL, READ_ACL } from '../records/txns.ts';
import { DataTree } from '../tree/data-tree.ts';
import { AT, F } from '../tree/rows.ts';
import { FormatError } from './damage.ts';
import { isOldTimed, isOpen, pathFault, put64, putTime, read64 } from './node-fields.ts';
import type { StatPersisted } from './records.ts';
import type { SnapshotTaker } from './snapshot-parser.ts';
import type { Change, LoggedTxn } from './txn.ts';

/** Stands for the open ACL in snapshots, and is in no table. */
const OPEN_KEY = -1n;
const NOBODY: AclList = Object.freeze([]);
const SLASH = 47;
/** A table that claims more is no table: it would take all memory. */
const MAX_SESSIONS = 4_000_000;
const FIXED = ['/zookeeper', '/zookeeper/quota', '/zookeeper/config'];
const CONFIG = '/zookeeper/config';

/**
 * The tree of an Apache server, from a snapshot that holds more than its name says, and the log behind it: every transaction
 * may have been applied already, so that doing it again must do no harm (semantics.md 20). Ephemerals are nodes like others
 * here, but for the owner in their Stat: an old transaction may put a child below a node that is an ephemeral only later.
 */
export class ReplayedTree implements SnapshotTaker {
  readonly tree = new DataTree(0, false);
  /** Timeouts of the sessions that are alive, ms. */
  readonly sessions = new Map<bigint, number>();
  /** The last transaction; in the beginning up to where the snapshot goes by its name. */
  zxid: bigint;
  /** Of the last transaction, ms since 1970; 0 before one. */
  time = 0;
  /** Transactions replayed. */
  count = 0;
  /** The highest session id per server id: none is ever given again. */
  readonly highest = new Map<number, bigint>();
  private readonly acls = new Map<bigint, AclList>([[OPEN_KEY, OPEN_ACL]]);
  /** Nodes whose ACL the snapshot's table had not yet; a transaction of the log says it. */
  private readonly closed = new Map<number, bigint>();
  private readonly owned = new Map<bigint, Set<number>>();
  /** Nodes with a time to live as 3.5.3 wrote it; the digest is of that, so they become like others only at the end. */
  readonly oldTimed = new Set<number>();

  constructor(zxid: bigint) {
    this.zxid = zxid;
  }

  /** The tree of a server before its first transaction. */
  static fresh(): ReplayedTree {
    const made = new ReplayedTree(0n);
    made.add(Buffer.from('/'), 1, 0, Buffer.alloc(0), OPEN_ACL, 0n);
    made.tree.adoptRoot();
    made.begun();
    return made;
  }

  // --- the snapshot ------------------------------------------------------------------------------------------------

  session(id: bigint, timeoutMs: number): void {
    if (this.sessions.size >= MAX_SESSIONS) throw new FormatError(`more than ${MAX_SESSIONS} sessions`);
    this.sessions.set(id, timeoutMs);
    this.noteId(id);
  }
  private noteId(id: bigint): void {
    const server = Number(BigInt.asUintN(64, id) >> 56n);
    const high = this.highest.get(server);
    if (high === undefined || id > high) this.highest.set(server, id);
  }
  acl(key: bigint, acl: readonly AclEntry[]): void {
    this.acls.set(key, isOpen(acl) ? OPEN_ACL : acl);
  }
  node(path: Buffer, data: Buffer | null, aclKey: bigint, stat: StatPersisted): void {
    const { tree } = this;
    if (path.length === 0) {
      if (tree.root !== 0) throw new FormatError('a second root');
      this.place(Buffer.from('/'), 0, data, aclKey, stat);
      tree.adoptRoot();
      return;
    }
    const fault = pathFault(path);
    if (fault !== undefined) throw new FormatError(`a node whose path ${fault}`);
    const slash = path.lastIndexOf(SLASH);
    const parent = tree.root === 0 ? 0 : tree.findBytes(path, 0, slash);
    if (parent === 0) throw new FormatError(`${path} comes without its parent`);
    if (tree.findBytes(path, 0, path.length) !== 0) throw new FormatError(`${path} comes twice`);
    this.place(path, parent, data, aclKey, stat);
  }
  private place(path: Buffer, parent: number, data: Buffer | null, aclKey: bigint, stat: StatPersisted): number {
    const { rows } = this.tree;
    const acl = this.acls.get(aclKey);
    const row = this.add(path, path.length, parent, data, acl ?? NOBODY, stat.ephemeralOwner);
    if (acl === undefined) this.closed.set(row, aclKey);
    put64(rows, row, AT.czxid, stat.czxid);
    put64(rows, row, AT.mzxid, stat.mzxid);
    put64(rows, row, AT.pzxid, stat.pzxid);
    putTime(rows, row, AT.ctime, stat.ctime);
    putTime(rows, row, AT.mtime, stat.mtime);
    rows.setStat(row, AT.version, stat.version);
    rows.setStat(row, AT.aversion, stat.aversion);
    rows.set(row, F.creates, stat.cversion);
    return row;
  }
  /** The snapshot is whole. Trees before 3.5 lack nodes that ours must have. @throws FormatError */
  begun(): void {
    const { tree } = this;
    if (tree.root === 0) throw new FormatError('a snapshot without a root');
    for (const path of FIXED) {
      if (tree.find(path) !== 0) continue;
      const bytes = Buffer.from(path);
      const parent = tree.find(path.slice(0, path.lastIndexOf('/')));
      const row = this.add(bytes, bytes.length, parent, Buffer.alloc(0), path === CONFIG ? READ_ACL : OPEN_ACL, 0n);
      if (path === CONFIG) tree.rows.setStat(row, AT.aversion, -1);
    }
  }

  // --- the log -------------------------------------------------------------------------------------------------------

  /** Applies what may have been applied already. */
  replay({ header, txn }: LoggedTxn): void {
    const { zxid, time, session } = header;
    switch (txn.op) {
      case 'createSession':
        this.session(session, txn.timeoutMs);
        break;
      case 'closeSession':
        this.close(session, txn.paths ?? [], zxid);
        break;
      case 'multi':
        if (txn.parts.some(({ op }) => op === 'error')) break;
        for (const part of txn.parts) this.change(part, zxid, time);
        break;
      default:
        this.change(txn, zxid, time);
    }
    this.zxid = zxid;
    this.time = Math.max(this.time, time);
    this.count++;
  }
  private change(change: Change, zxid: bigint, time: number): void {
    const { tree } = this;
    switch (change.op) {
      case 'create':
        return this.create(change, zxid, time);
      case 'delete':
        return this.remove(change.path, zxid);
      case 'setData': {
        const row = this.present(change.path, zxid);
        if (row === 0) return;
        tree.putData(row, change.data);
        put64(tree.rows, row, AT.mzxid, zxid);
        putTime(tree.rows, row, AT.mtime, time);
        tree.rows.setStat(row, AT.version, change.version);
        return;
      }
      case 'setAcl': {
        const row = this.present(change.path, zxid);
        if (row === 0) return;
        this.setAcl(row, change.acl);
        tree.rows.setStat(row, AT.aversion, change.aversion);
        return;
      }
      case 'check':
      case 'error':
        return;
    }
  }
  private create(txn: Change & { op: 'create' }, zxid: bigint, time: number): void {
    const { tree } = this;
    const { rows } = tree;
    const path = Buffer.from(txn.path);
    // Apache's servers took such a path from nobody; here it would be a node that no client can reach
    const fault = pathFault(path);
    if (fault !== undefined) throw new FormatError(`a node is created whose path ${fault}`);
    const parent = tree.findBytes(path, 0, path.lastIndexOf(SLASH));
    if (parent === 0) return; // deleted since, and in the snapshot already as it was then
    const creates = txn.creates === -1 ? rows.get(parent, F.creates) + 1 : txn.creates;
    if (creates > rows.get(parent, F.creates)) {
      rows.set(parent, F.creates, creates);
      put64(rows, parent, AT.pzxid, zxid);
    }
    const there = tree.findBytes(path, 0, path.length);
    if (there !== 0) {
      if (this.present(txn.path, zxid) === there) this.setAcl(there, txn.acl);
      return;
    }
    const row = this.add(path, path.length, parent, txn.data, txn.acl, txn.owner);
    for (const at of [AT.czxid, AT.mzxid, AT.pzxid]) put64(rows, row, at, zxid);
    for (const at of [AT.ctime, AT.mtime]) putTime(rows, row, at, time);
  }
  /** The node at the path; 0 when there is none, or only one that was made after this transaction. */
  private present(path: string, zxid: bigint): number {
    const { tree } = this;
    const row = tree.find(path);
    return row === 0 || read64(tree.rows, row, AT.czxid) > zxid ? 0 : row;
  }
  private setAcl(row: number, acl: AclList): void {
    const { tree } = this;
    const before = tree.aclId(row);
    tree.rows.set(row, F.acl, tree.acls.intern(isOpen(acl) ? OPEN_ACL : acl));
    tree.acls.release(before);
    this.closed.delete(row);
  }
  private remove(path: string, zxid: bigint): void {
    const { tree } = this;
    if (path.length < 2 || path[0] !== '/') return;
    const parent = tree.find(path.slice(0, path.lastIndexOf('/')));
    if (parent === 0) return;
    this.raise(parent, zxid); // also when it is not there: what is deleted later may be gone from the snapshot
    const row = tree.find(path);
    if (row !== 0) this.drop(row);
  }
  private raise(row: number, zxid: bigint): void {
    const { rows } = this.tree;
    if (zxid > read64(rows, row, AT.pzxid)) put64(rows, row, AT.pzxid, zxid);
  }
  /** Takes a node out, and what is below it: that belongs to a later node of the same path, and its own creation follows. */
  private drop(top: number): void {
    const { tree } = this;
    const all = [top];
    for (let at = 0; at < all.length; at++)
      for (let child = tree.rows.get(all[at] as number, F.firstChild); child !== 0; child = tree.nextSibling(child))
        all.push(child);
    for (const row of all.reverse()) {
      const owner = this.sessionOf(row);
      if (owner !== 0n) this.owned.get(owner)?.delete(row);
      this.closed.delete(row);
      this.oldTimed.delete(row);
      tree.removeRow(row);
    }
  }
  private close(session: bigint, paths: readonly string[], zxid: bigint): void {
    const { tree } = this;
    for (const path of paths) this.remove(path, zxid);
    for (const row of [...(this.owned.get(session) ?? [])]) {
      if (tree.rows.get(row, F.pathLength) === 0) continue; // went with one above it
      this.raise(tree.parent(row), zxid);
      this.drop(row);
    }
    this.owned.delete(session);
    this.sessions.delete(session);
  }
  private add(
    path: Buffer,
    length: number,
    parent: number,
    data: Uint8Array | null,
    acl: AclList,
    owner: bigint,
  ): number {
    const { tree } = this;
    const list = isOpen(acl) ? OPEN_ACL : acl;
    const hi = Number(BigInt.asIntN(32, owner >> 32n));
    const lo = Number(BigInt.asIntN(32, owner));
    const isEphemeral = owner !== 0n && !this.isTimed(owner);
    const row = tree.addRow(path, length, parent, data, list, isEphemeral ? 0 : hi, isEphemeral ? 0 : lo);
    if (!isEphemeral) return row;
    tree.rows.setStat64(row, AT.owner, hi, lo);
    if (isOldTimed(owner) && !this.sessions.has(owner)) {
      this.oldTimed.add(row);
      return row;
    }
    this.owned.set(owner, (this.owned.get(owner) ?? new Set()).add(row));
    return row;
  }
  /** A container's owner, or that of a node with a time to live; without these types, one of such a session (semantics.md 11). */
  private isTimed(owner: bigint): boolean {
    if (owner === -0x8000_0000_0000_0000n) return true;
    return BigInt.asUintN(64, owner) >> 40n === 0xff_0000n && !this.sessions.has(owner);
  }
  /** The session that owns the node as an ephemeral, or 0n. */
  sessionOf(row: number): bigint {
    return this.oldTimed.has(row) ? 0n : read64(this.tree.rows, row, AT.owner);
  }

  // --- the end -------------------------------------------------------------------------------------------------------

  /** How many ephemerals there are. */
  get ephemerals(): number {
    let count = 0;
    for (const rows of this.owned.values()) count += rows.size;
    return count;
  }
  ephemeralsOf(session: bigint): number {
    return this.owned.get(session)?.size ?? 0;
  }
  /** A node whose ACL nobody has said, and the number it goes by; undefined when there is none. */
  get withoutAcl(): { readonly path: string; readonly key: bigint } | undefined {
    const [first] = this.closed;
    return first === undefined ? undefined : { path: this.tree.pathOf(first[0]), key: first[1] };
  }
  /**
   * Sessions live on with what they own, `secretOf` each; those that cannot end as by {@link dropSessions}: no session of ours has
   * such an id, or one of its nodes has children.
   */
  keepSessions(zxid: bigint, secretOf: (id: bigint) => Uint8Array): { sessions: number; ephemerals: number } {
    const { tree } = this;
    const dropped = { sessions: 0, ephemerals: 0 };
    for (const session of new Set([...this.owned.keys(), ...this.sessions.keys()])) {
      const timeoutMs = this.sessions.get(session);
      const rows = this.owned.get(session) ?? new Set();
      if (timeoutMs !== undefined && isOurs(session, timeoutMs) && [...rows].every((row) => tree.children(row) === 0)) {
        tree.sessions.add(session, timeoutMs, secretOf(session));
        for (const row of rows) tree.own(row, session);
        continue;
      }
      dropped.sessions++;
      dropped.ephemerals += rows.size;
      this.close(session, [], zxid);
    }
    return dropped;
  }
  /**
   * Ends all sessions as one transaction numbered `zxid`: their ephemerals are gone, and who asks their parents learns of it.
   */
  dropSessions(zxid: bigint): { sessions: number; ephemerals: number } {
    const dropped = { sessions: this.sessions.size, ephemerals: this.ephemerals };
    for (const session of new Set([...this.owned.keys(), ...this.sessions.keys()])) this.close(session, [], zxid);
    return dropped;
  }
}

/** An id that is no mark of a container or of a time to live, and a time that a session can have. */
const isOurs = (id: bigint, timeoutMs: number): boolean =>
  id !== 0n && id !== -0x8000_0000_0000_0000n && BigInt.asUintN(64, id) >> 56n !== 0xffn && timeoutMs > 0;
