/**
 * What a snapshot file looks like. All integers are big-endian.
 *
 * ```
 * head     0 magic  4 format  8 zxid  16 chain  24 zero  28 checksum of the head
 * chunk    0 length  4 checksum  8 records of the tree, packed; as many chunks as it takes
 * trailer  0 ffffffff  4 number of chunks  8 own offset  16 zero  20 checksum of the trailer
 * ```
 */
import { crc32 } from 'node:zlib';
import { knownFormat, RecordError } from '../records/pack.ts';
import type { Mark } from './mark.ts';

const MAGIC = 0x7a6f6f53;
const FORMAT = 1;
const END_MARK = 0xffff_ffff;
export const HEAD_BYTES = 32;
export const CHUNK_HEAD = 8;
export const TRAILER_BYTES = 24;
/** No chunk is larger: a length that was read makes nobody allocate more. */
const MAX_CHUNK = 256 * 1024 * 1024;

export function encodeHead({ zxid, chain }: Mark): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(FORMAT, 4);
  head.writeInt32BE(zxid.hi, 8);
  head.writeInt32BE(zxid.lo | 0, 12);
  head.writeInt32BE(chain.hi, 16);
  head.writeInt32BE(chain.lo | 0, 20);
  head.writeUInt32BE(crc32(head.subarray(0, 28)), 28);
  return head;
}
export function encodeChunk(records: Uint8Array): Buffer {
  const chunk = Buffer.alloc(CHUNK_HEAD + records.length);
  chunk.writeUInt32BE(records.length, 0);
  chunk.writeUInt32BE(crc32(records), 4);
  chunk.set(records, CHUNK_HEAD);
  return chunk;
}
export function encodeTrailer(chunks: number, at: number): Buffer {
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32BE(END_MARK, 0);
  trailer.writeUInt32BE(chunks, 4);
  trailer.writeBigUInt64BE(BigInt(at), 8);
  trailer.writeUInt32BE(crc32(trailer.subarray(0, 20)), 20);
  return trailer;
}

/** @throws RecordError */
export function decodeHead(head: Buffer): Mark {
  if (head.length < HEAD_BYTES) throw new RecordError('the snapshot has no whole head');
  if (head.readUInt32BE(28) !== crc32(head.subarray(0, 28)) || head.readUInt32BE(0) !== MAGIC)
    throw new RecordError('the head of the snapshot is wrong');
  knownFormat('snapshot format', head.readUInt32BE(4), FORMAT);
  return {
    zxid: { hi: head.readInt32BE(8), lo: head.readUInt32BE(12) },
    chain: { hi: head.readInt32BE(16), lo: head.readInt32BE(20) },
  };
}

/** What comes next of a snapshot: its head, a chunk of so many bytes, its trailer, or nothing. */
type Part = 'head' | 'chunk head' | 'chunk' | 'trailer' | 'end';

/** Verifies a snapshot that comes in pieces of any size, and hands out the records of each chunk once it is whole. */
export class SnapshotParser {
  mark: Mark | undefined;
  private readonly onRecords: (records: Buffer) => void;
  private readonly size: number;
  private part: Part = 'head';
  private need = HEAD_BYTES;
  private pieces: Buffer[] = [];
  private have = 0;
  private at = 0;
  private chunks = 0;
  private checksum = 0;

  /** `size`: bytes of the whole, where that is known: a length that rotted makes nobody wait for what is beyond. */
  constructor(onRecords: (records: Buffer) => void, size = Number.POSITIVE_INFINITY) {
    this.onRecords = onRecords;
    this.size = size;
  }
  get isWhole(): boolean {
    return this.part === 'end';
  }
  /** Keeps `bytes`, and hands out views on them. @throws RecordError, and what the taker of the records throws */
  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.pieces.push(bytes);
    this.have += bytes.length;
    if (this.have < this.need) return;
    let rest = this.pieces.length === 1 ? bytes : Buffer.concat(this.pieces);
    while (rest.length >= this.need && !this.isWhole) {
      const part = rest.subarray(0, this.need);
      rest = rest.subarray(this.need);
      this.take(part);
    }
    if (this.isWhole && rest.length > 0) throw new RecordError('bytes after the end of the snapshot');
    this.pieces = rest.length > 0 ? [rest] : [];
    this.have = rest.length;
  }
  private take(part: Buffer): void {
    switch (this.part) {
      case 'head':
        this.mark = decodeHead(part);
        return this.next('chunk head', CHUNK_HEAD, HEAD_BYTES);
      case 'chunk head': {
        const length = part.readUInt32BE(0);
        this.checksum = part.readUInt32BE(4);
        if (length === END_MARK) return this.next('trailer', TRAILER_BYTES - CHUNK_HEAD, 0);
        if (length > Math.min(MAX_CHUNK, this.size - this.at - CHUNK_HEAD))
          throw new RecordError('a part of the snapshot runs past its end');
        return this.next('chunk', length, CHUNK_HEAD);
      }
      case 'chunk':
        if (crc32(part) !== this.checksum) throw new RecordError('a checksum of the snapshot is wrong');
        this.chunks++;
        this.onRecords(part);
        return this.next('chunk head', CHUNK_HEAD, part.length);
      case 'trailer': {
        const right = encodeTrailer(this.chunks, this.at);
        if (this.checksum !== this.chunks || !part.equals(right.subarray(CHUNK_HEAD)))
          throw new RecordError('the end of the snapshot is wrong');
        return this.next('end', 0, TRAILER_BYTES);
      }
      case 'end':
        return;
    }
  }
  private next(part: Part, need: number, taken: number): void {
    this.part = part;
    this.need = need;
    this.at += taken;
  }
}
