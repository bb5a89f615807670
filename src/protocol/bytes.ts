import '../base/buffer.ts';
import { ProtocolError } from './errors.ts';

/** Reads jute's primitives from a frame; refuses to run past its end and to believe a length before checking it. */
export class Reader {
  bytes: Buffer;
  at: number;
  end: number;
  /** Names of the fields being read, outermost first; only kept by the described (cold) path. */
  private readonly fields: string[] = [];
  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }
  reset(bytes: Buffer, at: number, end: number): this {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.fields.length = 0;
    return this;
  }
  get left(): number {
    return this.end - this.at;
  }
  need(count: number): void {
    if (this.at + count > this.end) this.fail(`needs ${count} bytes, ${this.end - this.at} are left`);
  }
  fail(what: string): never {
    const where = this.fields.join('.');
    throw new ProtocolError(where === '' ? what : `${where}: ${what}`);
  }
  /** Runs `read` with `name` on the path that an error would print. */
  within<T>(name: string, read: (from: Reader) => T): T {
    this.fields.push(name);
    const value = read(this);
    this.fields.pop();
    return value;
  }
  byte(): number {
    this.need(1);
    return this.bytes[this.at++] as number;
  }
  bool(): boolean {
    return this.byte() !== 0;
  }
  int32(): number {
    this.need(4);
    const b = this.bytes;
    const i = this.at;
    this.at = i + 4;
    return ((b[i] as number) << 24) | ((b[i + 1] as number) << 16) | ((b[i + 2] as number) << 8) | (b[i + 3] as number);
  }
  int64(): bigint {
    this.need(8);
    const value = this.bytes.readBigInt64BE(this.at);
    this.at += 8;
    return value;
  }
  /** The length of the string or buffer that follows, -1 for null; checked against what is left. */
  length(): number {
    const length = this.int32();
    if (length < -1) this.fail(`a length of ${length}`);
    if (length > this.end - this.at) this.fail(`a length of ${length}, ${this.end - this.at} bytes are left`);
    return length;
  }
  /** A string; malformed UTF-8 becomes U+FFFD, CESU-8 pairs are put together. */
  text(): string | null {
    const length = this.length();
    if (length < 0) return null;
    const start = this.at;
    this.at = start + length;
    const value = this.bytes.utf8Slice(start, this.at);
    return value.includes('\uFFFD') ? decodeCesu(this.bytes, start, this.at, value) : value;
  }
  /** A view on the frame; copy it if it is kept longer than the frame is. */
  buffer(): Buffer | null {
    const length = this.length();
    if (length < 0) return null;
    const start = this.at;
    this.at = start + length;
    return this.bytes.subarray(start, this.at);
  }
  /** The count of a vector, -1 for null; more elements than bytes left are refused, since a peer's number sizes nothing of ours. */
  count(): number {
    const count = this.int32();
    if (count < -1) this.fail(`a count of ${count}`);
    if (count > this.end - this.at) this.fail(`a count of ${count}, ${this.end - this.at} bytes are left`);
    return count;
  }
}

/** Java writes characters beyond the BMP as two three-byte sequences; our decoder sees U+FFFD there. */
function decodeCesu(bytes: Buffer, start: number, end: number, plain: string): string {
  let text = '';
  let from = start;
  let found = false;
  for (let i = start; i + 5 < end; i++) {
    const high = bytes[i] === 0xed && ((bytes[i + 1] as number) & 0xf0) === 0xa0;
    const low = bytes[i + 3] === 0xed && ((bytes[i + 4] as number) & 0xf0) === 0xb0;
    if (!high || !low) continue;
    const unit = (at: number): number =>
      0xd000 | (((bytes[at + 1] as number) & 0x3f) << 6) | ((bytes[at + 2] as number) & 0x3f);
    text += bytes.utf8Slice(from, i) + String.fromCharCode(unit(i), unit(i + 3));
    i += 5;
    from = i + 1;
    found = true;
  }
  return found ? text + bytes.utf8Slice(from, end) : plain;
}

const SHORT = 40; // below this a loop over char codes beats a call into C++

/** Writes jute's primitives into one growing buffer. */
export class Writer {
  bytes: Buffer;
  at = 0;
  constructor(capacity = 1024) {
    this.bytes = Buffer.alloc(capacity);
  }
  /** Makes room for `count` more bytes; what was written is kept. */
  room(count: number): void {
    const need = this.at + count;
    if (need > this.bytes.length) this.grow(need);
  }
  private grow(need: number): void {
    let size = this.bytes.length * 2;
    while (size < need) size *= 2;
    const grown = Buffer.alloc(size);
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
  }
  byte(value: number): void {
    this.room(1);
    this.bytes[this.at++] = value;
  }
  bool(value: boolean): void {
    this.byte(value ? 1 : 0);
  }
  int32(value: number): void {
    this.room(4);
    this.put(value);
  }
  /** As {@link int32}, when room was made already. */
  put(value: number): void {
    const b = this.bytes;
    const i = this.at;
    b[i] = value >>> 24;
    b[i + 1] = value >>> 16;
    b[i + 2] = value >>> 8;
    b[i + 3] = value;
    this.at = i + 4;
  }
  int64(value: bigint): void {
    this.room(8);
    this.bytes.writeBigInt64BE(value, this.at);
    this.at += 8;
  }
  text(value: string | null): void {
    if (value === null) {
      this.int32(-1);
      return;
    }
    const length = value.length;
    this.room(4 + length * 3);
    const b = this.bytes;
    const start = this.at + 4;
    if (length < SHORT) {
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 0x7f) break;
        b[start + i] = unit;
      }
      if (i === length) {
        this.put(length);
        this.at = start + length;
        return;
      }
    }
    const written = b.utf8Write(value, start);
    this.put(written);
    this.at = start + written;
  }
  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int32(-1);
      return;
    }
    this.room(4 + value.length);
    this.put(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }
  /** What was written, as a view; valid until the next write. */
  view(): Buffer {
    return this.bytes.subarray(0, this.at);
  }
  /** What was written, as bytes of its own. */
  take(): Buffer {
    return Buffer.from(this.view());
  }
}
