import { hash64, lanes } from '../base/hash.ts';
import { NewerFormatError, PackReader, PackWriter, pack, RecordError } from '../records/pack.ts';
import { readAcl, readConfig, writeAcl } from '../records/txns.ts';
import { DataTree } from './data-tree.ts';
import { writeConfigFields } from './members.ts';
import { F } from './rows.ts';
import type { SessionEntry } from './sessions.ts';

/** Old states that may wait for the disk; beyond it the snapshot is given up and tried again later. */
const MAX_COPIES = 64 * 1024 * 1024;
/** Kinds of records. */
export const HEAD = 1;
export const NODE = 2;
export const SESSION = 3;
export const END = 4;
const STAT_BYTES = 68;
const FORMAT = 2;
/** Knew servers alone only, and not where their config record stands; it is the first transaction. */
const OLD_FORMAT = 1;
/** Fields of the head, by format. */
const HEAD_FIELDS: Readonly<Record<number, number>> = { [OLD_FORMAT]: 9, [FORMAT]: 11 };

/** A node as snapshots have it. */
export function writeNode(to: PackWriter, tree: DataTree, row: number): void {
  const { rows } = tree;
  to.array(7);
  to.int(NODE);
  const path = rows.get(row, F.pathRef);
  to.textBytes(tree.slabs.page(path), tree.slabs.offset(path), rows.get(row, F.pathLength));
  // millions of nodes: nothing is allocated for one
  const length = tree.dataLength(row);
  if (length < 0) to.nil();
  else {
    to.binHead(length);
    tree.writeData(row, to.bytes, to.at);
    to.at += length;
  }
  to.binHead(STAT_BYTES);
  tree.writeStat(row, to.bytes, to.at);
  to.at += STAT_BYTES;
  writeAcl(to, tree.acl(row));
  to.int64(rows.get(row, F.ownerHi), rows.get(row, F.ownerLo));
  to.int(tree.creates(row));
}

/**
 * The tree exactly as it was when this was made, slice by slice, while transactions go on: before one changes a node not
 * written yet, that node's old state is kept aside. One at a time.
 */
export class SnapshotCursor {
  private readonly tree: DataTree;
  private readonly high: number;
  private row = 1;
  private side = new PackWriter(65536);
  private head: PackWriter | undefined;
  private readonly sessions: readonly SessionEntry[];
  private session = 0;
  private finished = false;
  private nodes = 0;
  /** Set when the old states waiting grew past their bound. */
  abandoned = false;
  readonly zxid: { hi: number; lo: number };
  readonly chain: { hi: number; lo: number };

  constructor(tree: DataTree) {
    this.tree = tree;
    this.zxid = { hi: tree.zxidHi, lo: tree.zxidLo };
    this.chain = { hi: tree.chainHi, lo: tree.chainLo };
    tree.mark++;
    this.high = tree.rows.high;
    this.head = this.writeHead();
    this.sessions = [...tree.sessions.all()]; // what an entry says never changes
    tree.beforeChange = (row) => this.keep(row);
  }
  private writeHead(): PackWriter {
    const { tree } = this;
    const to = new PackWriter(4096);
    to.array(11);
    to.int(HEAD);
    to.int(FORMAT);
    to.int64(tree.zxidHi, tree.zxidLo);
    to.int64(tree.chainHi, tree.chainLo);
    to.millis(tree.time);
    to.text(tree.ensembleId);
    to.binOrNil(tree.config === undefined ? null : pack(tree.config));
    to.array(tree.sessions.highest.size);
    for (const id of tree.sessions.highest.values()) to.big(id);
    to.int(tree.rows.count);
    tree.members.write(to);
    return to;
  }
  /** Sessions as they were, some `maxBytes` of them. */
  private nextSessions(maxBytes: number): Uint8Array {
    const to = new PackWriter(maxBytes + 128);
    for (; this.session < this.sessions.length && to.at < maxBytes; this.session++) {
      const { id, timeoutMs, secret } = this.sessions[this.session] as SessionEntry;
      to.array(4);
      to.int(SESSION);
      to.big(id);
      to.int(timeoutMs);
      to.bin(secret);
    }
    return to.bytes.subarray(0, to.at);
  }
  private keep(row: number): void {
    if (this.abandoned) return;
    if (row < this.high && this.tree.rows.get(row, F.pathLength) > 0) this.write(this.side, row);
    if (this.side.at > MAX_COPIES) this.abandon();
  }
  private write(to: PackWriter, row: number): void {
    this.tree.rows.set(row, F.mark, this.tree.mark);
    writeNode(to, this.tree, row);
    this.nodes++;
  }
  /** The next records, some `maxBytes` of them; undefined when all were given. */
  next(maxBytes: number): Uint8Array | undefined {
    if (this.finished || this.abandoned) return undefined;
    if (this.head !== undefined) {
      const head = this.head;
      this.head = undefined;
      return head.bytes.subarray(0, head.at);
    }
    if (this.session < this.sessions.length) return this.nextSessions(maxBytes);
    const { tree } = this;
    let to = this.side;
    this.side = new PackWriter(65536);
    if (to.at === 0) to = new PackWriter(maxBytes + 4096);
    for (; this.row < this.high && to.at < maxBytes; this.row++) {
      if (tree.rows.get(this.row, F.pathLength) === 0 || tree.rows.get(this.row, F.mark) === tree.mark) continue;
      this.write(to, this.row);
    }
    if (this.row >= this.high && this.side.at === 0) {
      to.array(2);
      to.int(END);
      to.int(this.nodes);
      this.abandon();
      this.abandoned = false;
      this.finished = true;
    }
    return to.bytes.subarray(0, to.at);
  }
  /** Stops keeping old states. */
  abandon(): void {
    this.abandoned = true;
    this.tree.beforeChange = undefined;
    this.side = new PackWriter(64);
  }
}

/** Reads what comes behind the type of a head into `tree`; returns how many nodes follow. @throws RecordError */
export function readHead(from: PackReader, fields: number, tree: DataTree): number {
  const format = from.int();
  const expected = HEAD_FIELDS[format];
  if (expected === undefined) {
    const sentence = `snapshot format ${format}; this program reads ${OLD_FORMAT} to ${FORMAT}`;
    throw format > FORMAT ? new NewerFormatError(sentence) : new RecordError(sentence);
  }
  if (fields !== expected) throw new RecordError(`a head of ${fields} fields`);
  from.int64();
  tree.zxidHi = from.hi;
  tree.zxidLo = from.lo;
  from.int64();
  tree.chained(from.hi, from.lo);
  tree.time = from.millis();
  tree.ensembleId = from.text();
  const config = from.binOrNil();
  if (config !== null) tree.config = readConfig(config);
  const count = from.array();
  for (let i = 0; i < count; i++) {
    const id = from.big();
    tree.sessions.highest.set(Number(BigInt.asUintN(64, id) >> 56n), id);
  }
  const nodes = from.int();
  if (format !== OLD_FORMAT) tree.members.read(from);
  else if (tree.config !== undefined) tree.members.configAt = { epoch: 1, counter: 1, chainHi: 0, chainLo: 0 };
  return nodes;
}

/** Rebuilds a tree from the records of a snapshot. Every record is checked; what does not fit is a RecordError. */
export class SnapshotLoader {
  readonly tree: DataTree;
  private expected = -1;
  private nodes = 0;
  private ended = false;
  constructor(seed: number) {
    this.tree = new DataTree(seed, false);
  }
  push(chunk: Uint8Array): void {
    const from = new PackReader(chunk);
    while (from.at < from.end) {
      if (this.ended) throw new RecordError('records after the end of a snapshot');
      const fields = from.array();
      const type = from.int();
      if (type === NODE && fields === 7) this.node(from);
      else if (type === SESSION && fields === 4) this.session(from);
      else if (type === HEAD) this.head(from, fields);
      else if (type === END && fields === 2) {
        if (from.int() !== this.nodes) throw new RecordError('a snapshot with nodes missing');
        this.ended = true;
      } else throw new RecordError(`record ${type} of ${fields} fields in a snapshot`);
    }
  }
  private head(from: PackReader, fields: number): void {
    if (this.expected >= 0) throw new RecordError('a snapshot with two heads');
    const { tree } = this;
    this.expected = readHead(from, fields, tree);
  }
  private session(from: PackReader): void {
    const id = from.big();
    const timeoutMs = from.int();
    const secret = from.bin();
    if (secret.length !== 16) throw new RecordError('a session secret of a wrong length');
    this.tree.sessions.add(id, timeoutMs, secret);
  }
  private node(from: PackReader): void {
    if (this.expected < 0) throw new RecordError('a snapshot without a head');
    const { tree } = this;
    const length = from.textLength();
    const path = from.bytes.subarray(from.at, from.at + length);
    from.at += length;
    if (length === 0 || path[0] !== 47) throw new RecordError('a node without a path');
    const data = from.binOrNil();
    const stat = from.bin();
    if (stat.length !== 68) throw new RecordError('a stat of a wrong length');
    const acl = readAcl(from);
    from.int64();
    const { hi, lo } = from;
    const creates = from.int();
    if (tree.index.find(path, 0, length) !== 0) throw new RecordError('a node twice in a snapshot');
    const owner = (BigInt(hi) << 32n) | BigInt(lo >>> 0);
    const special = hi >>> 24 === 0xff || (hi === -0x8000_0000 && lo === 0);
    if (owner !== 0n && !special && tree.sessions.get(owner) === undefined)
      throw new RecordError('an ephemeral node of a session that is not in the snapshot');
    const row = tree.addRow(path, length, 0, data, acl, hi, lo);
    const page = tree.rows.page(row);
    page.set(stat, tree.rows.offset(row));
    if (tree.rows.stat(row, 52) !== Math.max(0, tree.dataLength(row)))
      throw new RecordError('a stat that denies its data');
    if (!tree.isEphemeral(row)) tree.rows.set(row, F.creates, creates);
    this.nodes++;
  }
  /** All records were pushed: links children to parents and checks the counts. */
  finish(): DataTree {
    const { tree } = this;
    if (!this.ended || this.nodes !== this.expected) throw new RecordError('a snapshot that is not whole');
    tree.adoptRoot();
    if (tree.root === 0) throw new RecordError('a snapshot without a root');
    const { rows, slabs } = tree;
    const counts = new Map<number, number>();
    for (let row = 1; row < rows.high; row++) {
      if (row === tree.root) continue;
      const ref = rows.get(row, F.pathRef);
      const page = slabs.page(ref);
      const at = slabs.offset(ref);
      let slash = rows.get(row, F.pathLength) - 1;
      while (page[at + slash] !== 47) slash--;
      const parent = tree.findBytes(page, at, at + (slash === 0 ? 1 : slash));
      if (parent === 0 || parent === row || tree.isEphemeral(parent))
        throw new RecordError('a node without its parent');
      tree.linkChild(row, parent);
      counts.set(parent, (counts.get(parent) ?? 0) + 1);
    }
    for (let row = 1; row < rows.high; row++)
      if (tree.children(row) !== (counts.get(row) ?? 0)) throw new RecordError('a node with children missing');
    tree.quotas.rebuild();
    return tree;
  }
}

/**
 * One number for the whole state, whatever the order of rows: nodes, stats, ACLs, owners, sessions, who belongs to the
 * ensemble (I6). Walks everything.
 */
export function digest(tree: DataTree): string {
  let hi = 0;
  let lo = 0;
  const add = (to: PackWriter): void => {
    hash64(to.bytes, 0, to.at, 0x51ed270b, 0x2545f491);
    hi = (hi + (lanes[0] as number)) | 0;
    lo = (lo + (lanes[1] as number)) | 0;
  };
  const to = new PackWriter(4096);
  for (let row = 1; row < tree.rows.high; row++) {
    if (tree.rows.get(row, F.pathLength) === 0) continue;
    to.at = 0;
    writeNode(to, tree, row);
    add(to);
  }
  for (const session of tree.sessions.all()) {
    to.at = 0;
    to.big(session.id);
    to.int(session.timeoutMs);
    to.bin(session.secret);
    to.int(session.ephemeralCount);
    add(to);
  }
  to.at = 0;
  to.text(tree.ensembleId);
  if (tree.config !== undefined) writeConfigFields(to, tree.config);
  tree.members.write(to);
  add(to);
  return `${(hi >>> 0).toString(16).padStart(8, '0')}${(lo >>> 0).toString(16).padStart(8, '0')}`;
}
