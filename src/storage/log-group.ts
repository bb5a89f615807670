import { assert } from '../base/assert.ts';
import { MAX_TXN_BYTES } from '../records/limits.ts';
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
    // what no reader takes is never on a disk: whoever decided it saw to that
    assert(at - start <= MAX_TXN_BYTES, 'a transaction is larger than a group may be');
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

/** Beyond it a group is complete and the next begins: none may grow past what a reader allocates. */
const FULL = 16 * 1024 * 1024;

/** The groups that wait for the disk, in order; the last of them takes what is appended. */
export class Gathering {
  private readonly complete: Group[] = [];
  private last = new Group();
  private spare: Group | undefined;

  writer(): PackWriter {
    if (this.last.end > FULL) {
      this.complete.push(this.last);
      this.last = this.emptyGroup();
    }
    return this.last.writer();
  }
  /** See {@link Group.commit}. */
  commit(start: number, zxid: Halves, before: Halves): Halves {
    return this.last.commit(start, zxid, before);
  }
  get isEmpty(): boolean {
    return this.last.count === 0 && this.complete.length === 0;
  }
  /** How many groups are complete. */
  get completed(): number {
    return this.complete.length;
  }
  /** Envelopes in all groups. */
  get count(): number {
    let { count } = this.last;
    for (const group of this.complete) count += group.count;
    return count;
  }
  /** The next group for the disk; give it back with {@link recycle} when it is there. */
  take(): Group | undefined {
    const next = this.complete.shift();
    if (next !== undefined) return next;
    const { last } = this;
    if (last.count === 0) return undefined;
    this.last = this.emptyGroup();
    return last;
  }
  private emptyGroup(): Group {
    const group = this.spare ?? new Group();
    this.spare = undefined;
    return group;
  }
  recycle(group: Group): void {
    group.clear();
    this.spare = group;
  }
  /** A group that was taken, in front of the others again. */
  putBack(group: Group): void {
    this.complete.unshift(group);
  }
  clear(): void {
    this.complete.length = 0;
    this.last.clear();
  }
  /** Drops what comes after the envelope at `mark`; false when it is not here. */
  cut(mark: Mark): boolean {
    const groups = [...this.complete, this.last];
    const at = groups.findIndex((group) => group.holds(mark));
    if (at < 0) return false;
    for (const [i, group] of groups.entries()) {
      if (i === at) group.cut(mark);
      if (i > at) group.clear();
    }
    this.complete.length = Math.min(this.complete.length, at + 1);
    return true;
  }
}
