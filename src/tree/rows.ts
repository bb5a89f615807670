/** Bytes of a row; the first 68 are the node's Stat as it goes onto the wire. */
export const ROW = 128;
const PER_PAGE_BITS = 12;
const PER_PAGE = 1 << PER_PAGE_BITS;
const INTS = ROW / 4;

/** Byte offsets of the Stat's fields inside a row. */
export const AT = {
  czxid: 0,
  mzxid: 8,
  ctime: 16,
  mtime: 24,
  version: 32,
  cversion: 36,
  aversion: 40,
  owner: 44,
  dataLength: 52,
  numChildren: 56,
  pzxid: 60,
} as const;
/** Numbers of the 32-bit words behind the Stat. */
export const F = {
  /** Creates below the node, ever. For an ephemeral, which has no children: the one before it in its session's list. */
  creates: 17,
  ownerHi: 18,
  ownerLo: 19,
  acl: 20,
  parent: 21,
  pathRef: 22,
  /** Bytes; 0 for a row that is free. */
  pathLength: 23,
  dataRef: 24,
  /** -1: null. */
  dataLength: 25,
  hash: 26,
  chain: 27,
  /** For an ephemeral: the one after it in its session's list. For a free row: the next free one. */
  firstChild: 28,
  next: 29,
  prev: 30,
  /** Number of the last snapshot that wrote this node, or that it is no part of. */
  mark: 31,
} as const;

/** Nodes as numbered rows of fixed size in pages that never move: growing copies nothing. Row 0 is nobody. */
export class Rows {
  private readonly bytes: Buffer[] = [];
  private readonly ints: Int32Array[] = [];
  private freeHead = 0;
  /** Rows 1 to high - 1 were handed out at some time. */
  high = 1;
  count = 0;

  allocate(): number {
    let row = this.freeHead;
    if (row !== 0) this.freeHead = this.get(row, F.firstChild);
    else {
      row = this.high++;
      if (row >> PER_PAGE_BITS >= this.bytes.length) {
        const page = new ArrayBuffer(PER_PAGE * ROW);
        this.bytes.push(Buffer.from(page));
        this.ints.push(new Int32Array(page));
      }
    }
    const at = (row & (PER_PAGE - 1)) * INTS;
    (this.ints[row >> PER_PAGE_BITS] as Int32Array).fill(0, at, at + INTS);
    this.count++;
    return row;
  }
  release(row: number): void {
    this.set(row, F.pathLength, 0);
    this.set(row, F.firstChild, this.freeHead);
    this.freeHead = row;
    this.count--;
  }
  get(row: number, field: number): number {
    return (this.ints[row >> PER_PAGE_BITS] as Int32Array)[(row & (PER_PAGE - 1)) * INTS + field] as number;
  }
  set(row: number, field: number, value: number): void {
    (this.ints[row >> PER_PAGE_BITS] as Int32Array)[(row & (PER_PAGE - 1)) * INTS + field] = value;
  }
  page(row: number): Buffer {
    return this.bytes[row >> PER_PAGE_BITS] as Buffer;
  }
  offset(row: number): number {
    return (row & (PER_PAGE - 1)) * ROW;
  }
  /** A 32-bit field of the Stat. */
  stat(row: number, at: number): number {
    const b = this.page(row);
    const i = this.offset(row) + at;
    return ((b[i] as number) << 24) | ((b[i + 1] as number) << 16) | ((b[i + 2] as number) << 8) | (b[i + 3] as number);
  }
  setStat(row: number, at: number, value: number): void {
    const b = this.page(row);
    const i = this.offset(row) + at;
    b[i] = value >>> 24;
    b[i + 1] = value >>> 16;
    b[i + 2] = value >>> 8;
    b[i + 3] = value;
  }
  setStat64(row: number, at: number, hi: number, lo: number): void {
    this.setStat(row, at, hi);
    this.setStat(row, at + 4, lo);
  }
}
