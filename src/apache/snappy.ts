import { FormatError } from './damage.ts';

/** No block may promise more: a length that was read makes nobody allocate more. snappy-java cuts at 32 KiB by default. */
const MAX_BLOCK = 64 * 1024 * 1024;
/** How a stream of snappy-java begins: its magic, its version and the oldest that reads it. */
const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEAD_BYTES = 16;
export const isSnappyStream = (head: Uint8Array): boolean => MAGIC.equals(head.subarray(0, MAGIC.length));

/** One raw Snappy block. @throws FormatError */
export function uncompressBlock(from: Uint8Array): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= from.length || shift > 28) throw new FormatError('a Snappy block without a length');
    const byte = from[at++] as number;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  // no element of three bytes gives more than 64
  if (length > MAX_BLOCK || length > from.length * 64)
    throw new FormatError(`a Snappy block of ${from.length} bytes that claims to hold ${length}`);
  const out = Buffer.alloc(length);
  let put = 0;
  while (at < from.length) {
    const tag = from[at++] as number;
    if ((tag & 3) === 0) {
      let count = tag >>> 2;
      if (count >= 60) {
        const more = count - 59;
        if (at + more > from.length) throw new FormatError('a Snappy literal that ends early');
        count = 0;
        for (let i = 0; i < more; i++) count += (from[at + i] as number) * 2 ** (8 * i);
        at += more;
      }
      count++;
      if (count > from.length - at || count > length - put)
        throw new FormatError('a Snappy literal that runs out of its block');
      out.set(from.subarray(at, at + count), put);
      at += count;
      put += count;
      continue;
    }
    const kind = tag & 3;
    const size = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (at + size > from.length) throw new FormatError('a Snappy copy that ends early');
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    let back = kind === 1 ? (tag >>> 5) * 256 : 0;
    for (let i = 0; i < size; i++) back += (from[at + i] as number) * 2 ** (8 * i);
    at += size;
    if (back === 0 || back > put || count > length - put)
      throw new FormatError('a Snappy copy from outside of its block');
    for (let i = 0; i < count; i++, put++) out[put] = out[put - back] as number;
  }
  if (put !== length) throw new FormatError(`a Snappy block of ${put} bytes that claims to hold ${length}`);
  return out;
}

/** Takes a stream of snappy-java in pieces of any size and gives what it holds. */
export class SnappyStream {
  private rest: Buffer = Buffer.alloc(0);
  private isBegun = false;

  /** @throws FormatError */
  push(piece: Uint8Array): Buffer[] {
    this.rest = this.rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.rest, piece]);
    const out: Buffer[] = [];
    let at = 0;
    const { rest } = this;
    if (!this.isBegun) {
      if (rest.length < HEAD_BYTES) return out;
      if (!isSnappyStream(rest)) throw new FormatError('no stream of snappy-java', 0);
      this.isBegun = true;
      at = HEAD_BYTES;
    }
    while (rest.length - at >= 4) {
      const length = rest.readInt32BE(at);
      // streams may be put behind one another: then a head stands where a length would
      if (length === MAGIC.readInt32BE(0)) {
        if (rest.length - at < HEAD_BYTES) break;
        at += HEAD_BYTES;
        continue;
      }
      if (length < 0 || length > MAX_BLOCK) throw new FormatError(`a Snappy block of ${length} bytes`);
      if (rest.length - at - 4 < length) break;
      out.push(uncompressBlock(rest.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    this.rest = rest.subarray(at);
    return out;
  }
  /** @throws FormatError when the stream ends within a block */
  end(): void {
    if (!this.isBegun || this.rest.length > 0) throw new FormatError('a stream of snappy-java that ends early');
  }
}
