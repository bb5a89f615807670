import '../base/buffer.ts';
import { assert } from '../base/assert.ts';
import { type AclList, type Config, OPEN_ACL, READ_ACL } from '../records/txns.ts';
import { AclTable } from './acls.ts';
import { IndexTable } from './index-table.ts';
import { MemberNotes } from './members.ts';
import { QuotaBook } from './quota.ts';
import { AT, F, Rows } from './rows.ts';
import { SessionTable } from './sessions.ts';
import { Slabs } from './slabs.ts';

/** Told before a node changes for the first time since a snapshot began. */
export type BeforeChange = (row: number) => void;

const CONTAINER_HI = -0x8000_0000;
/** Rows looked at with each transaction while there are pages to clear. */
const TIDY_ROWS = 8;
/** Counts of nodes below others that are known. */
const MOST_COUNTED = 1000;

/**
 * The replicated state. A node is a numbered row; its first 68 bytes are its Stat as it goes onto the wire. Paths and data
 * lie in slabs of our own, children hang together through their rows: the JavaScript heap holds nothing per node.
 */
export class DataTree {
  readonly rows = new Rows();
  readonly slabs = new Slabs();
  readonly acls = new AclTable();
  readonly sessions = new SessionTable();
  readonly quotas: QuotaBook;
  readonly index: IndexTable;
  /** Containers and nodes with a time to live: what the reaper looks at. */
  readonly timed = new Set<number>();
  /** Nodes with a time to live that came and went, as far as this table has seen. */
  readonly ttlNodes = { made: 0, gone: 0 };
  readonly root: number;
  /** Of the last transaction applied. */
  zxidHi = 0;
  zxidLo = 0;
  time = 0;
  private lastHi = 0;
  private lastLo = 0;
  ensembleId = '';
  config: Config | undefined;
  readonly members = new MemberNotes();
  ephemerals = 0;
  /** Bytes of paths and data. */
  dataBytes = 0;
  /** Number of the snapshot being written, or of the last one. */
  mark = 0;
  beforeChange: BeforeChange | undefined;
  /** By row, at this zxid. */
  private readonly counted = { hi: 0, lo: 0, below: new Map<number, number>() };
  private scratch = Buffer.alloc(4096);
  private tidyAt = 1;

  /** `seed` salts the hash of paths. `fresh` false: an empty table, for a snapshot to fill. */
  constructor(seed = 0, fresh = true) {
    this.index = new IndexTable(this.rows, this.slabs, seed);
    this.quotas = new QuotaBook(this);
    this.root = 0;
    if (!fresh) return;
    const none = Buffer.alloc(0);
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      const length = this.encode(path);
      const parent = path === '/' ? 0 : this.findBytes(this.scratch, 0, Math.max(1, path.lastIndexOf('/')));
      const isConfig = path === '/zookeeper/config';
      const row = this.addRow(this.scratch, length, parent, none, isConfig ? READ_ACL : OPEN_ACL, 0, 0);
      if (isConfig) this.rows.setStat(row, AT.aversion, -1);
      if (path === '/') this.root = row;
    }
    this.refreshCversions();
  }
  /** The chain of hashes at the last transaction applied. */
  get chainHi(): number {
    return this.lastHi;
  }
  get chainLo(): number {
    return this.lastLo;
  }
  /** Tells the chain at the last transaction, after it was applied. */
  chained(hi: number, lo: number): void {
    this.lastHi = hi;
    this.lastLo = lo;
    this.members.chained(this.zxidHi, this.zxidLo >>> 0, hi, lo);
  }
  private refreshCversions(): void {
    for (let row = 1; row < this.rows.high; row++) this.showCversion(row);
  }
  /** After a snapshot filled the table. */
  adoptRoot(): void {
    (this as { root: number }).root = this.find('/');
  }

  // --- finding -----------------------------------------------------------------------------------------------------

  /** The row of the path in `bytes[start, end)`, 0 when there is none. The empty path is the root. */
  findBytes(bytes: Uint8Array, start: number, end: number): number {
    return start === end ? this.root : this.index.find(bytes, start, end);
  }
  find(path: string): number {
    const length = this.encode(path);
    return length === 0 ? this.root : this.index.find(this.scratch, 0, length);
  }
  /** Puts the path's UTF-8 into the scratch buffer. */
  private encode(path: string): number {
    const length = path.length;
    if (length * 3 > this.scratch.length) this.scratch = Buffer.alloc(length * 6);
    const scratch = this.scratch;
    if (length < 64) {
      let i = 0;
      for (; i < length; i++) {
        const unit = path.charCodeAt(i);
        if (unit > 0x7f) break;
        scratch[i] = unit;
      }
      if (i === length) return length;
    }
    return scratch.utf8Write(path, 0);
  }

  // --- reading -----------------------------------------------------------------------------------------------------

  /** Copies the 68 bytes of the Stat. */
  writeStat(row: number, out: Uint8Array, at: number): void {
    const page = this.rows.page(row);
    const from = this.rows.offset(row);
    for (let i = 0; i < 68; i++) out[at + i] = page[from + i] as number;
  }
  /** Bytes of data, -1 for null. */
  dataLength(row: number): number {
    return this.rows.get(row, F.dataLength);
  }
  writeData(row: number, out: Buffer, at: number): void {
    const length = this.rows.get(row, F.dataLength);
    if (length <= 0) return;
    const ref = this.rows.get(row, F.dataRef);
    const page = this.slabs.page(ref);
    const from = this.slabs.offset(ref);
    if (length > 160) page.copy(out, at, from, from + length);
    else for (let i = 0; i < length; i++) out[at + i] = page[from + i] as number;
  }
  /** A copy of the data. */
  data(row: number): Buffer | null {
    const length = this.rows.get(row, F.dataLength);
    if (length < 0) return null;
    const out = Buffer.alloc(length);
    this.writeData(row, out, 0);
    return out;
  }
  aclId(row: number): number {
    return this.rows.get(row, F.acl);
  }
  acl(row: number): AclList {
    return this.acls.list(this.rows.get(row, F.acl));
  }
  version(row: number): number {
    return this.rows.stat(row, AT.version);
  }
  aversion(row: number): number {
    return this.rows.stat(row, AT.aversion);
  }
  children(row: number): number {
    return this.rows.stat(row, AT.numChildren);
  }
  /** Creates below the node, ever. */
  creates(row: number): number {
    return this.isEphemeral(row) ? 0 : this.rows.get(row, F.creates);
  }
  /** As stored: 0n, a session, CONTAINER_OWNER or ttlOwner(ms). */
  owner(row: number): bigint {
    const hi = this.rows.get(row, F.ownerHi);
    const lo = this.rows.get(row, F.ownerLo);
    return hi === 0 && lo === 0 ? 0n : (BigInt(hi) << 32n) | BigInt(lo >>> 0);
  }
  isContainer(row: number): boolean {
    return this.rows.get(row, F.ownerHi) === CONTAINER_HI && this.rows.get(row, F.ownerLo) === 0;
  }
  /** ms to live, 0 for a node without that. */
  ttlMs(row: number): number {
    const hi = this.rows.get(row, F.ownerHi);
    return hi >>> 24 === 0xff ? (hi & 0xff) * 0x1_0000_0000 + (this.rows.get(row, F.ownerLo) >>> 0) : 0;
  }
  isEphemeral(row: number): boolean {
    const hi = this.rows.get(row, F.ownerHi);
    if (hi === 0 && this.rows.get(row, F.ownerLo) === 0) return false;
    return hi >>> 24 !== 0xff && !this.isContainer(row);
  }
  mtime(row: number): number {
    return this.rows.stat(row, AT.mtime) * 0x1_0000_0000 + (this.rows.stat(row, AT.mtime + 4) >>> 0);
  }
  /** Is the zxid at offset `at` of the Stat (AT.mzxid, AT.pzxid) later than this one? */
  isAfter(row: number, at: number, zxid: bigint): boolean {
    const own = (BigInt(this.rows.stat(row, at)) << 32n) | BigInt(this.rows.stat(row, at + 4) >>> 0);
    return own > zxid;
  }
  parent(row: number): number {
    return this.rows.get(row, F.parent);
  }
  firstChild(row: number): number {
    return this.isEphemeral(row) ? 0 : this.rows.get(row, F.firstChild);
  }
  nextSibling(row: number): number {
    return this.rows.get(row, F.next);
  }
  pathOf(row: number): string {
    const ref = this.rows.get(row, F.pathRef);
    const at = this.slabs.offset(ref);
    return this.slabs.page(ref).utf8Slice(at, at + this.rows.get(row, F.pathLength));
  }
  /** UTF-8 bytes of the path. */
  pathLength(row: number): number {
    return this.rows.get(row, F.pathLength);
  }
  /** Bytes in the paths of a node's children before their names. */
  prefixLength(row: number): number {
    return row === this.root ? 1 : this.rows.get(row, F.pathLength) + 1;
  }
  /** Copies `length` bytes of the path, those from `start` on. */
  writePathFrom(row: number, start: number, length: number, out: Buffer, at: number): void {
    const ref = this.rows.get(row, F.pathRef);
    const page = this.slabs.page(ref);
    const from = this.slabs.offset(ref) + start;
    for (let i = 0; i < length; i++) out[at + i] = page[from + i] as number;
  }
  /** Nodes below, at any depth. What was counted is known until the next transaction: a request for it is a few bytes. */
  descendants(row: number): number {
    if (row === this.root) return this.rows.count - 1;
    const { counted } = this;
    if (counted.hi !== this.zxidHi || counted.lo !== this.zxidLo || counted.below.size > MOST_COUNTED) {
      counted.below.clear();
      counted.hi = this.zxidHi;
      counted.lo = this.zxidLo;
    }
    const known = counted.below.get(row);
    if (known !== undefined) return known;
    const count = this.countBelow(row);
    counted.below.set(row, count);
    return count;
  }
  private countBelow(row: number): number {
    let count = 0;
    for (let at = this.firstChild(row); at !== 0; ) {
      count++;
      let next = this.firstChild(at);
      while (next === 0 && at !== row) {
        next = this.rows.get(at, F.next);
        if (next === 0) {
          at = this.rows.get(at, F.parent);
          if (at === row) return count;
        }
      }
      at = next;
    }
    return count;
  }
  /** As four-letter words count: the root twice. */
  get nodeCount(): number {
    return this.rows.count + 1;
  }

  // --- changing (for apply and the loader) ---------------------------------------------------------------------------

  /** Before the first change of a node since a snapshot began, its old state is written. */
  guard(row: number): void {
    if (this.beforeChange !== undefined && this.rows.get(row, F.mark) !== this.mark) this.beforeChange(row);
  }
  showCversion(row: number): void {
    const creates = this.creates(row);
    this.rows.setStat(row, AT.cversion, (2 * creates - this.children(row)) | 0);
  }
  putData(row: number, data: Uint8Array | null): void {
    const { rows, slabs } = this;
    const before = rows.get(row, F.dataLength);
    const length = data === null ? 0 : data.length;
    let ref = rows.get(row, F.dataRef);
    if (before > 0 && (length === 0 || !slabs.fits(ref, length))) {
      slabs.release(ref);
      ref = -1;
    } else if (before <= 0) ref = -1;
    if (length > 0) {
      if (ref === -1) ref = slabs.allocate(length);
      const page = slabs.page(ref);
      const at = slabs.offset(ref);
      if (length > 64) page.set(data as Uint8Array, at);
      else for (let i = 0; i < length; i++) page[at + i] = (data as Uint8Array)[i] as number;
    }
    rows.set(row, F.dataRef, ref);
    rows.set(row, F.dataLength, data === null ? -1 : length);
    rows.setStat(row, AT.dataLength, length);
    this.dataBytes += length - Math.max(0, before);
  }
  /** A step of clearing pages that are nearly empty: looks at the next rows, in a circle. Changes no state, only where it lies. */
  tidy(): void {
    const { rows, slabs } = this;
    for (let i = 0; i < TIDY_ROWS && slabs.retiredCount > 0; i++) {
      const row = this.tidyAt;
      this.tidyAt = row + 1 < rows.high ? row + 1 : 1;
      const length = rows.get(row, F.pathLength);
      if (length === 0) continue;
      const path = rows.get(row, F.pathRef);
      if (slabs.isRetired(path)) rows.set(row, F.pathRef, slabs.move(path, length));
      const bytes = rows.get(row, F.dataLength);
      if (bytes <= 0) continue;
      const data = rows.get(row, F.dataRef);
      if (slabs.isRetired(data)) rows.set(row, F.dataRef, slabs.move(data, bytes));
    }
  }
  /** A row with its path, data, ACL and owner, in the index and below its parent; the Stat's zxids and times are the caller's. */
  addRow(
    path: Uint8Array,
    pathLength: number,
    parent: number,
    data: Uint8Array | null,
    acl: AclList,
    ownerHi: number,
    ownerLo: number,
  ): number {
    const { rows, slabs } = this;
    const row = rows.allocate();
    const ref = slabs.allocate(pathLength);
    const page = slabs.page(ref);
    const at = slabs.offset(ref);
    for (let i = 0; i < pathLength; i++) page[at + i] = path[i] as number;
    rows.set(row, F.pathRef, ref);
    rows.set(row, F.pathLength, pathLength);
    rows.set(row, F.acl, this.acls.intern(acl));
    rows.set(row, F.ownerHi, ownerHi);
    rows.set(row, F.ownerLo, ownerLo);
    rows.set(row, F.mark, this.mark); // not part of a snapshot that runs
    this.putData(row, data);
    this.dataBytes += pathLength;
    this.index.insert(row);
    if (parent !== 0) {
      this.linkChild(row, parent);
      rows.setStat(parent, AT.numChildren, this.children(parent) + 1);
    }
    this.noteOwner(row);
    return row;
  }
  linkChild(row: number, parent: number): void {
    const { rows } = this;
    const first = rows.get(parent, F.firstChild);
    rows.set(row, F.parent, parent);
    rows.set(row, F.next, first);
    if (first !== 0) rows.set(first, F.prev, row);
    rows.set(parent, F.firstChild, row);
  }
  private noteOwner(row: number): void {
    const { rows } = this;
    if (rows.get(row, F.ownerHi) === 0 && rows.get(row, F.ownerLo) === 0) return;
    if (!this.isEphemeral(row)) {
      this.timed.add(row);
      if (this.ttlMs(row) > 0) this.ttlNodes.made++;
      return;
    }
    rows.setStat64(row, AT.owner, rows.get(row, F.ownerHi), rows.get(row, F.ownerLo));
    this.ephemerals++;
    const session = this.sessions.ownerOf(this.owner(row));
    const head = session.firstEphemeral;
    rows.set(row, F.firstChild, head);
    if (head !== 0) rows.set(head, F.creates, row);
    session.firstEphemeral = row;
    session.ephemeralCount++;
  }
  /** A node without children becomes an ephemeral of this session, which must exist: for importers. */
  own(row: number, session: bigint): void {
    const { rows } = this;
    assert(this.children(row) === 0 && this.owner(row) === 0n, 'a node that can be no ephemeral');
    rows.set(row, F.ownerHi, Number(BigInt.asIntN(32, session >> 32n)));
    rows.set(row, F.ownerLo, Number(BigInt.asIntN(32, session)));
    rows.set(row, F.firstChild, 0);
    rows.set(row, F.creates, 0);
    this.noteOwner(row);
  }
  private forgetOwner(row: number): void {
    const { rows } = this;
    if (rows.get(row, F.ownerHi) === 0 && rows.get(row, F.ownerLo) === 0) return;
    if (!this.isEphemeral(row)) {
      this.timed.delete(row);
      if (this.ttlMs(row) > 0) this.ttlNodes.gone++;
      return;
    }
    this.ephemerals--;
    const session = this.sessions.ownerOf(this.owner(row));
    const next = rows.get(row, F.firstChild);
    const prev = rows.get(row, F.creates);
    if (prev === 0) session.firstEphemeral = next;
    else rows.set(prev, F.firstChild, next);
    if (next !== 0) rows.set(next, F.creates, prev);
    session.ephemeralCount--;
  }
  removeRow(row: number): void {
    const { rows, slabs } = this;
    assert(this.children(row) === 0, 'a node with children was removed');
    this.forgetOwner(row);
    this.index.remove(row);
    const parent = rows.get(row, F.parent);
    const next = rows.get(row, F.next);
    const prev = rows.get(row, F.prev);
    if (prev === 0) rows.set(parent, F.firstChild, next);
    else rows.set(prev, F.next, next);
    if (next !== 0) rows.set(next, F.prev, prev);
    rows.setStat(parent, AT.numChildren, this.children(parent) - 1);
    this.acls.release(rows.get(row, F.acl));
    if (rows.get(row, F.dataLength) > 0) slabs.release(rows.get(row, F.dataRef));
    this.dataBytes -= Math.max(0, rows.get(row, F.dataLength)) + rows.get(row, F.pathLength);
    slabs.release(rows.get(row, F.pathRef));
    rows.release(row);
  }
  /** The scratch buffer after encoding `path`, for apply. */
  encoded(path: string): { bytes: Buffer; length: number } {
    const length = this.encode(path);
    return { bytes: this.scratch, length };
  }
  /** A session's ephemerals, in no order: the first, or 0, and the one after another. */
  firstEphemeral(session: bigint): number {
    return this.sessions.get(session)?.firstEphemeral ?? 0;
  }
  nextEphemeral(row: number): number {
    return this.rows.get(row, F.firstChild);
  }
  /** Paths of a session's ephemerals, in no order. */
  ephemeralsOf(session: bigint): string[] {
    const paths: string[] = [];
    for (let row = this.firstEphemeral(session); row !== 0; row = this.nextEphemeral(row)) paths.push(this.pathOf(row));
    return paths;
  }
  /** True when the path of `row` begins with these bytes. */
  pathStartsWith(row: number, bytes: Uint8Array): boolean {
    if (this.rows.get(row, F.pathLength) < bytes.length) return false;
    const ref = this.rows.get(row, F.pathRef);
    const page = this.slabs.page(ref);
    const from = this.slabs.offset(ref);
    for (let i = 0; i < bytes.length; i++) if (page[from + i] !== bytes[i]) return false;
    return true;
  }
  /** How many of a session's ephemerals each row is the parent of. */
  ephemeralParents(session: bigint): Map<number, number> {
    const { rows } = this;
    const counts = new Map<number, number>();
    for (let row = this.sessions.get(session)?.firstEphemeral ?? 0; row !== 0; row = rows.get(row, F.firstChild)) {
      const parent = rows.get(row, F.parent);
      counts.set(parent, (counts.get(parent) ?? 0) + 1);
    }
    return counts;
  }
}
