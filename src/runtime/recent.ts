import { Blocks } from '../base/blocks.ts';
import { envelopeHi, envelopeLo } from '../records/log-record.ts';
import { type Entry, entryOf } from '../records/peer-entries.ts';
import type { Mark } from '../zab/types.ts';

/** Bytes of transactions remembered for learners that come back. */
export const REMEMBER_BYTES = 64 * 1024 * 1024;
/** Fewer are never kept: what is not known committed is among the last. */
const LEAST = 10_000;

/** The mark of an envelope: its place, and the chain at its end. */
export const markAt = (bytes: Buffer, start: number, end: number): Mark => ({
  epoch: envelopeHi(bytes, start),
  counter: envelopeLo(bytes, start),
  chainHi: bytes.readInt32BE(end - 8),
  chainLo: bytes.readInt32BE(end - 4),
});

/** The last part of a log while it is read: what a member remembers for others that come back. */
export class RecentEntries {
  /** Where the remembered part begins. */
  base: Mark;
  private envelopes: Buffer[] = [];
  private bytes = 0;
  private readonly blocks = new Blocks();
  private readonly most: number;
  private readonly mostBytes: number;

  /** `most` entries of `mostBytes` in all, or a single larger one; up to twice as many while they come. */
  constructor(base: Mark, most: number, mostBytes: number) {
    this.base = base;
    this.most = Math.max(most, LEAST);
    this.mostBytes = mostBytes;
  }
  /** `least` of them are kept at any rate, this one included: those not known committed. */
  push(bytes: Buffer, start: number, end: number, least: number): void {
    this.envelopes.push(this.blocks.copy(bytes, start, end));
    this.bytes += end - start;
    if (this.envelopes.length >= 2 * this.most || this.bytes > 2 * this.mostBytes) this.forget(least);
  }
  private forget(least: number): void {
    const { envelopes } = this;
    let cut = 0;
    while (envelopes.length - cut > Math.max(1, least)) {
      if (envelopes.length - cut <= this.most && this.bytes <= this.mostBytes) break;
      this.bytes -= (envelopes[cut++] as Buffer).length;
    }
    const last = envelopes[cut - 1];
    if (last === undefined) return;
    this.base = markAt(last, 0, last.length);
    this.envelopes = envelopes.slice(cut);
  }
  /** `least` of them at any rate. */
  entries(least: number): Entry[] {
    this.forget(least);
    return this.envelopes.map(entryOf);
  }
}
