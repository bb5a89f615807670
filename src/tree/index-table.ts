import { F, type Rows } from './rows.ts';
import type { Slabs } from './slabs.ts';

const SEGMENT_BITS = 13;
const SEGMENT = 1 << SEGMENT_BITS;
const START_LEVEL = 10;

/** Hash of path bytes; `seed` is this process's own, so that nobody can choose colliding names. */
export function hashPath(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let h = seed | 0;
  for (let i = start; i < end; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b);
  return h ^ (h >>> 13);
}

/**
 * Path to row, by linear hashing: the table grows by one bucket per insertion and splits one chain each time, so that no
 * insertion ever waits for a whole table to be rebuilt. Chains run through the rows themselves.
 */
export class IndexTable {
  private readonly segments: Int32Array[] = [new Int32Array(SEGMENT)];
  private level = START_LEVEL;
  private split = 0;
  private size = 0;
  private readonly rows: Rows;
  private readonly slabs: Slabs;
  private readonly seed: number;
  constructor(rows: Rows, slabs: Slabs, seed: number) {
    this.rows = rows;
    this.slabs = slabs;
    this.seed = seed;
  }
  private bucket(hash: number): number {
    const b = hash & ((2 << this.level) - 1);
    return b < (1 << this.level) + this.split ? b : hash & ((1 << this.level) - 1);
  }
  private head(bucket: number): number {
    return (this.segments[bucket >> SEGMENT_BITS] as Int32Array)[bucket & (SEGMENT - 1)] as number;
  }
  private setHead(bucket: number, row: number): void {
    (this.segments[bucket >> SEGMENT_BITS] as Int32Array)[bucket & (SEGMENT - 1)] = row;
  }
  find(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashPath(bytes, start, end, this.seed);
    const length = end - start;
    const { rows, slabs } = this;
    for (let row = this.head(this.bucket(hash)); row !== 0; row = rows.get(row, F.chain)) {
      if (rows.get(row, F.hash) !== hash || rows.get(row, F.pathLength) !== length) continue;
      const ref = rows.get(row, F.pathRef);
      const page = slabs.page(ref);
      const at = slabs.offset(ref);
      let i = 0;
      while (i < length && page[at + i] === bytes[start + i]) i++;
      if (i === length) return row;
    }
    return 0;
  }
  /** The row's path must be stored already; it must not be in the table. */
  insert(row: number): void {
    const { rows, slabs } = this;
    const ref = rows.get(row, F.pathRef);
    const at = slabs.offset(ref);
    const hash = hashPath(slabs.page(ref), at, at + rows.get(row, F.pathLength), this.seed);
    rows.set(row, F.hash, hash);
    const bucket = this.bucket(hash);
    rows.set(row, F.chain, this.head(bucket));
    this.setHead(bucket, row);
    this.size++;
    if (this.size > (1 << this.level) + this.split) this.grow();
  }
  remove(row: number): void {
    const { rows } = this;
    const bucket = this.bucket(rows.get(row, F.hash));
    const next = rows.get(row, F.chain);
    let at = this.head(bucket);
    if (at === row) this.setHead(bucket, next);
    else {
      while (rows.get(at, F.chain) !== row) at = rows.get(at, F.chain);
      rows.set(at, F.chain, next);
    }
    this.size--;
  }
  private grow(): void {
    const { rows } = this;
    const from = this.split;
    const to = (1 << this.level) + this.split;
    if (to >> SEGMENT_BITS >= this.segments.length) this.segments.push(new Int32Array(SEGMENT));
    const bit = 1 << this.level;
    if (++this.split === bit) {
      this.level++;
      this.split = 0;
    }
    let stay = 0;
    let move = 0;
    for (let row = this.head(from); row !== 0; ) {
      const next = rows.get(row, F.chain);
      if ((rows.get(row, F.hash) & bit) === 0) {
        rows.set(row, F.chain, stay);
        stay = row;
      } else {
        rows.set(row, F.chain, move);
        move = row;
      }
      row = next;
    }
    this.setHead(from, stay);
    this.setHead(to, move);
  }
}
