import { assert } from '../base/assert.ts';
import {
  compareHalves,
  envelopeHi,
  envelopeLo,
  GROUP_HEADER,
  type Halves,
  LENGTH_BYTES,
} from '../records/log-record.ts';
import { PackWriter } from '../records/pack.ts';
import { type Mark, ORIGIN, sameMark } from './mark.ts';

const CAPACITY = 262144;
/** A buffer that grew beyond is given back to the system. */
const KEEP = 8 * 1024 * 1024;

/** Envelopes that go to the disk in one write. They lie where the group needs them: each after its length, behind the room of the header. */
export class Group {
  private to = new PackWriter(CAPACITY);
  /** Where the envelopes end; what was written behind counts for nothing yet. */
  end = GROUP_HEADER;
  count = 0;
  first: Halves = ORIGIN.zxid;
  last: Halves = ORIGIN.zxid;
  chainBefore: Halves = ORIGIN.chain;
  chain: Halves = ORIGIN.chain;

  get bytes(): Buffer {
    return this.to.bytes;
  }
  get bodyBytes(): number {
    return this.end - GROUP_HEADER;
  }
  /** Positioned for the next envelope. */
  writer(): PackWriter {
    const { to } = this;
    to.at = this.end;
    to.room(LENGTH_BYTES);
    to.at += LENGTH_BYTES;
    return to;
  }
  /** What the writer holds from `start` on is an envelope, numbered `zxid`; `before` is the chain that it continues. Returns its chain. */
  commit(start: number, zxid: Halves, before: Halves): Halves {
    const { bytes, at } = this.to;
    bytes.writeUInt32BE(at - start, start - LENGTH_BYTES);
    if (this.count === 0) {
      this.first = zxid;
      this.chainBefore = before;
    }
    this.last = zxid;
    this.chain = { hi: bytes.readInt32BE(at - 8), lo: bytes.readInt32BE(at - 4) };
    this.count++;
    this.end = at;
    return this.chain;
  }
  /** Room for the filling of the last sector. */
  makeRoom(bytes: number): void {
    this.to.at = this.end;
    this.to.room(bytes);
  }
  /** True when the envelope at `mark` is in it. */
  holds(mark: Mark): boolean {
    return this.find(mark) !== undefined;
  }
  /** Drops what comes after the envelope at `mark`, which is in it. */
  cut(mark: Mark): void {
    const found = this.find(mark);
    assert(found !== undefined, 'a group is cut at what it does not hold');
    this.end = found.end;
    this.count = found.count;
    this.last = mark.zxid;
    this.chain = mark.chain;
  }
  private find(mark: Mark): { end: number; count: number } | undefined {
    if (this.count === 0 || compareHalves(mark.zxid, this.first) < 0 || compareHalves(mark.zxid, this.last) > 0)
      return undefined;
    const { bytes } = this;
    let at = GROUP_HEADER;
    for (let count = 1; count <= this.count; count++) {
      const start = at + LENGTH_BYTES;
      at = start + bytes.readUInt32BE(at);
      const zxid = { hi: envelopeHi(bytes, start), lo: envelopeLo(bytes, start) };
      if (compareHalves(zxid, mark.zxid) < 0) continue;
      const chain = { hi: bytes.readInt32BE(at - 8), lo: bytes.readInt32BE(at - 4) };
      return sameMark({ zxid, chain }, mark) ? { end: at, count } : undefined;
    }
    return undefined;
  }
  clear(): void {
    this.end = GROUP_HEADER;
    this.count = 0;
    if (this.to.bytes.length > KEEP) this.to = new PackWriter(CAPACITY);
  }
}
