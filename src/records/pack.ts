import '../base/buffer.ts';
import { Packr, Unpackr } from 'msgpackr/index-no-eval';

/** Bytes that are not the record they claim to be: a peer's or a disk's fault, never ours. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** Whole, and of a format that only a newer program reads: no damage, and nothing that may be put right. */
export class NewerFormatError extends RecordError {}
/** @throws NewerFormatError, or RecordError for a format that no program ever had */
export function knownFormat(what: string, format: number, known: number): void {
  if (format === known) return;
  const sentence = `${what} ${format}; this program reads ${known}`;
  throw format > known ? new NewerFormatError(sentence) : new RecordError(sentence);
}

const packr = new Packr({ useRecords: false, int64AsType: 'bigint', moreTypes: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'bigint', mapsAsObjects: true });

/** Packs plain data: cold records (identity, configuration), where clarity matters more than speed. */
export const pack = (value: unknown): Uint8Array => packr.pack(value);

/** The inverse of {@link pack}; every fault becomes a {@link RecordError}. The result is unchecked: check its shape. */
export function unpack(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes);
  } catch (fault) {
    throw new RecordError(`not MessagePack: ${(fault as Error).message}`);
  }
}

const SHORT = 48; // below this a loop over char codes beats a call into C++

/**
 * Writes MessagePack by hand into one growing buffer: the hot records (transactions, snapshot nodes) are described by
 * straight code over these calls, and a test compares them with what msgpackr reads.
 */
export class PackWriter {
  bytes: Buffer;
  at = 0;
  constructor(capacity = 4096) {
    this.bytes = Buffer.alloc(capacity);
  }
  /** Makes room for `count` more bytes; growth doubles, and what was written is kept. */
  room(count: number): void {
    const need = this.at + count;
    if (need <= this.bytes.length) return;
    let size = this.bytes.length * 2;
    while (size < need) size *= 2;
    const grown = Buffer.alloc(size);
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }
  array(count: number): void {
    this.room(5);
    const b = this.bytes;
    if (count < 16) b[this.at++] = 0x90 | count;
    else if (count < 0x10000) {
      b[this.at++] = 0xdc;
      b[this.at++] = count >>> 8;
      b[this.at++] = count & 0xff;
    } else {
      b[this.at++] = 0xdd;
      this.word(count);
    }
  }
  nil(): void {
    this.room(1);
    this.bytes[this.at++] = 0xc0;
  }
  /** A 32-bit signed integer, in the shortest form. */
  int(n: number): void {
    this.room(5);
    const b = this.bytes;
    if (n >= 0) {
      if (n < 0x80) b[this.at++] = n;
      else if (n < 0x100) {
        b[this.at++] = 0xcc;
        b[this.at++] = n;
      } else if (n < 0x10000) {
        b[this.at++] = 0xcd;
        b[this.at++] = n >>> 8;
        b[this.at++] = n & 0xff;
      } else {
        b[this.at++] = 0xce;
        this.word(n);
      }
    } else if (n >= -32) b[this.at++] = n & 0xff;
    else {
      b[this.at++] = 0xd2;
      this.word(n);
    }
  }
  /** A 64-bit integer as its halves, always in the nine-byte signed form. */
  int64(hi: number, lo: number): void {
    this.room(9);
    this.bytes[this.at++] = 0xd3;
    this.word(hi);
    this.word(lo);
  }
  big(n: bigint): void {
    this.int64(Number(BigInt.asIntN(32, n >> 32n)), Number(BigInt.asIntN(32, n)));
  }
  /** An integer of up to 53 bits (milliseconds), in the nine-byte form. */
  millis(n: number): void {
    this.int64(Math.floor(n / 0x1_0000_0000), n >>> 0);
  }
  text(s: string): void {
    const length = s.length;
    this.room(5 + length * 3);
    const b = this.bytes;
    if (length < SHORT) {
      const head = length < 32 ? 1 : 2;
      const start = this.at + head;
      let i = 0;
      for (; i < length; i++) {
        const unit = s.charCodeAt(i);
        if (unit > 0x7f) break;
        b[start + i] = unit;
      }
      if (i === length) {
        if (head === 1) b[this.at] = 0xa0 | length;
        else {
          b[this.at] = 0xd9;
          b[this.at + 1] = length;
        }
        this.at = start + length;
        return;
      }
    }
    const written = b.write(s, this.at + 5, 'utf8');
    b[this.at++] = 0xdb;
    this.word(written);
    this.at += written;
  }
  /** Text that is UTF-8 already: `length` bytes of `from` at `start`. */
  textBytes(from: Buffer, start: number, length: number): void {
    this.room(5 + length);
    const b = this.bytes;
    if (length < 32) b[this.at++] = 0xa0 | length;
    else if (length < 0x100) {
      b[this.at++] = 0xd9;
      b[this.at++] = length;
    } else {
      b[this.at++] = 0xdb;
      this.word(length);
    }
    if (length < SHORT) for (let i = 0; i < length; i++) b[this.at + i] = from[start + i] as number;
    else from.copy(b, this.at, start, start + length);
    this.at += length;
  }
  bin(data: Uint8Array): void {
    this.binHead(data.length);
    this.bytes.set(data, this.at);
    this.at += data.length;
  }
  /** Before `length` bytes that the caller puts at `at`, for which there is room then. */
  binHead(length: number): void {
    this.room(5 + length);
    const b = this.bytes;
    if (length < 0x100) {
      b[this.at++] = 0xc4;
      b[this.at++] = length;
    } else if (length < 0x10000) {
      b[this.at++] = 0xc5;
      b[this.at++] = length >>> 8;
      b[this.at++] = length & 0xff;
    } else {
      b[this.at++] = 0xc6;
      this.word(length);
    }
  }
  binOrNil(data: Uint8Array | null): void {
    if (data === null) this.nil();
    else this.bin(data);
  }
  /** Four raw bytes, big-endian; room must have been made. */
  word(n: number): void {
    const b = this.bytes;
    b[this.at] = n >>> 24;
    b[this.at + 1] = n >>> 16;
    b[this.at + 2] = n >>> 8;
    b[this.at + 3] = n;
    this.at += 4;
  }
}

/** Reads what {@link PackWriter} wrote; never past `end`, never believing a length before it was checked. */
export class PackReader {
  bytes: Buffer;
  at: number;
  end: number;
  /** Set by {@link int64}: the halves of the last 64-bit integer read. */
  hi = 0;
  lo = 0;
  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
    this.end = end;
  }
  reset(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }
  private need(count: number): void {
    if (this.at + count > this.end) throw new RecordError(`needs ${count} bytes, ${this.end - this.at} are left`);
  }
  private tag(): number {
    this.need(1);
    return this.bytes[this.at++] as number;
  }
  private word(): number {
    this.need(4);
    const b = this.bytes;
    const i = this.at;
    this.at = i + 4;
    return ((b[i] as number) << 24) | ((b[i + 1] as number) << 16) | ((b[i + 2] as number) << 8) | (b[i + 3] as number);
  }
  private half(): number {
    this.need(2);
    const b = this.bytes;
    const i = this.at;
    this.at = i + 2;
    return ((b[i] as number) << 8) | (b[i + 1] as number);
  }
  /** The number of elements that follow; more than there are bytes left is refused. */
  array(): number {
    const t = this.tag();
    let count: number;
    if ((t & 0xf0) === 0x90) count = t & 0x0f;
    else if (t === 0xdc) count = this.half();
    else if (t === 0xdd) count = this.word() >>> 0;
    else throw new RecordError(`expected an array, found tag 0x${t.toString(16)}`);
    if (count > this.end - this.at) throw new RecordError(`an array of ${count} in ${this.end - this.at} bytes`);
    return count;
  }
  /** An array of exactly `count` elements. */
  tuple(count: number): void {
    const found = this.array();
    if (found !== count) throw new RecordError(`expected ${count} fields, found ${found}`);
  }
  isNil(): boolean {
    this.need(1);
    if (this.bytes[this.at] !== 0xc0) return false;
    this.at++;
    return true;
  }
  int(): number {
    const t = this.tag();
    if (t < 0x80) return t;
    if (t >= 0xe0) return t - 0x100;
    switch (t) {
      case 0xcc:
        this.need(1);
        return this.bytes[this.at++] as number;
      case 0xcd:
        return this.half();
      case 0xce: {
        const n = this.word();
        if (n < 0) throw new RecordError('an integer beyond 31 bits');
        return n;
      }
      case 0xd2:
        return this.word();
      default:
        throw new RecordError(`expected an integer, found tag 0x${t.toString(16)}`);
    }
  }
  /** Reads into {@link hi} and {@link lo}. */
  int64(): void {
    if (this.tag() !== 0xd3) throw new RecordError('expected a 64-bit integer');
    this.hi = this.word();
    this.lo = this.word();
  }
  big(): bigint {
    this.int64();
    return (BigInt(this.hi) << 32n) | BigInt(this.lo >>> 0);
  }
  millis(): number {
    this.int64();
    return this.hi * 0x1_0000_0000 + (this.lo >>> 0);
  }
  text(): string {
    const length = this.textLength();
    const start = this.at;
    this.at = start + length;
    return this.bytes.utf8Slice(start, start + length);
  }
  /** The byte length of the string that follows; {@link at} is then its first byte. */
  textLength(): number {
    const t = this.tag();
    let length: number;
    if ((t & 0xe0) === 0xa0) length = t & 0x1f;
    else if (t === 0xd9) length = this.tag();
    else if (t === 0xda) length = this.half();
    else if (t === 0xdb) length = this.word() >>> 0;
    else throw new RecordError(`expected a string, found tag 0x${t.toString(16)}`);
    this.need(length);
    return length;
  }
  /** A view on the bytes read; copy it if it is kept longer than they are. */
  bin(): Buffer {
    const length = this.binLength();
    const start = this.at;
    this.at = start + length;
    return this.bytes.subarray(start, start + length);
  }
  /** The length of the bytes that follow; {@link at} is then the first of them. */
  binLength(): number {
    const t = this.tag();
    let length: number;
    if (t === 0xc4) length = this.tag();
    else if (t === 0xc5) length = this.half();
    else if (t === 0xc6) length = this.word() >>> 0;
    else throw new RecordError(`expected bytes, found tag 0x${t.toString(16)}`);
    this.need(length);
    return length;
  }
  binOrNil(): Buffer | null {
    return this.isNil() ? null : this.bin();
  }
  done(): void {
    if (this.at !== this.end) throw new RecordError(`${this.end - this.at} bytes too many`);
  }
}
