import { createHash } from 'node:crypto';
import { PackWriter } from '../records/pack.ts';
import type { DataTree } from './data-tree.ts';
import { F } from './rows.ts';
import { writeNode } from './snapshot.ts';

const LANE = (1n << 64n) - 1n;

/** A sum of hashes, whatever their order. */
export class DigestSum {
  private high = 0n;
  private low = 0n;

  add(...parts: readonly Uint8Array[]): void {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    const digest = hash.digest();
    this.high = (this.high + digest.readBigUInt64BE(0)) & LANE;
    this.low = (this.low + digest.readBigUInt64BE(8)) & LANE;
  }
  addSession(id: bigint, timeoutMs: number, secret: Uint8Array): void {
    this.add(Buffer.from(`${id} ${timeoutMs} `), secret);
  }
  /** Hexadecimal, 32 digits. */
  toString(): string {
    return this.high.toString(16).padStart(16, '0') + this.low.toString(16).padStart(16, '0');
  }
}

/**
 * A digest of all that clients can see: nodes with data, Stat and ACL, and sessions. Equal on members that applied the same
 * transactions, however they came by their state: it is a sum, so the order in which nodes lie does not matter.
 */
export class TreeDigest {
  private readonly tree: DataTree;
  private readonly record = new PackWriter(4096);
  private row = 1;
  private readonly sum = new DigestSum();
  readonly zxid: { readonly hi: number; readonly lo: number };

  constructor(tree: DataTree) {
    this.tree = tree;
    this.zxid = { hi: tree.zxidHi, lo: tree.zxidLo };
    for (const { id, timeoutMs, secret } of tree.sessions.all()) this.sum.addSession(id, timeoutMs, secret);
  }
  /** Looks at so many more rows; true when all were. The tree must not have changed since the beginning. */
  step(rows: number): boolean {
    const { tree, record } = this;
    const end = Math.min(tree.rows.high, this.row + rows);
    for (; this.row < end; this.row++) {
      if (tree.rows.get(this.row, F.pathLength) === 0) continue;
      record.at = 0;
      writeNode(record, tree, this.row);
      this.sum.add(record.bytes.subarray(0, record.at));
    }
    return this.row >= tree.rows.high;
  }
  /** Hexadecimal, 32 digits. */
  toString(): string {
    return this.sum.toString();
  }
}
