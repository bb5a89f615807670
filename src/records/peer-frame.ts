/**
 * How packets between servers lie in a stream of bytes. All integers are big-endian.
 *
 * ```
 * 0 magic  4 format  5 feature level  6 nothing (0)  8 bytes of body  12 checksum of these 12  16 checksum of the body
 * 20 body: messages, one after another
 * ```
 *
 * The head has a checksum of its own, so that a length changed on its way makes nobody wait for bytes that never come
 * (TCP's checksum lets one error in a few million through). The format says how to read a frame; the feature level says
 * which messages may be in it, and both ends agree on the lower of theirs when they meet.
 */
import { crcOf, crcOfFew } from '../base/crc.ts';
import { type PackWriter, RecordError } from './pack.ts';

/** Bytes before the body. */
export const PEER_HEADER = 20;
/** The format of frames this program reads and writes. */
export const PEER_FORMAT = 1;
/**
 * The highest feature level this program knows: 1 is the first, 2 adds {@link LOCAL_SESSIONS_LEVEL}, 3 {@link STARTS_LEVEL}, 4
 * {@link RESUME_LEVEL}.
 */
export const PEER_LEVEL = 4;
/** From this level on a leader takes requests of sessions that only a learner knows. */
export const LOCAL_SESSIONS_LEVEL = 2;
/** From this level on a server takes what stands for boot tags that are kept no longer; it is not said to one of a lower level. */
export const STARTS_LEVEL = 3;
/** From this level on a leader goes on with a snapshot of which a learner has the beginning. */
export const RESUME_LEVEL = 4;
/** The level of greetings, for ever: two versions that do not fit can still tell each other so. */
export const GREETING_LEVEL = 1;
/** No frame has a larger body: what a length read from a socket may at most make us keep. */
export const MAX_PEER_FRAME = 64 * 1024 * 1024;

const MAGIC = 0x5a504b54; // ZPKT
const HEAD_CHECKSUM_AT = 12;

/** Makes room for the head of a frame. The body follows; {@link sealFrame} then writes the head. */
export function beginFrame(to: PackWriter): void {
  to.room(PEER_HEADER);
  to.at += PEER_HEADER;
}

/** Writes the head of the frame that began at `start` and ends where `to` stands. */
export function sealFrame(to: PackWriter, start: number, level: number): void {
  const b = to.bytes;
  b.writeUInt32BE(MAGIC, start);
  b[start + 4] = PEER_FORMAT;
  b[start + 5] = level;
  b.writeUInt16BE(0, start + 6);
  b.writeUInt32BE(to.at - start - PEER_HEADER, start + 8);
  b.writeUInt32BE(crcOfFew(b, start, start + HEAD_CHECKSUM_AT), start + HEAD_CHECKSUM_AT);
  b.writeUInt32BE(crcOf(b, start + PEER_HEADER, to.at), start + 16);
}

/** Takes a frame: its body is `bytes[start, end)`. False ends the cutting; what follows is forgotten. */
export type TakeFrame = (bytes: Buffer, start: number, end: number, level: number) => boolean;

/**
 * Cuts a byte stream into frames and verifies them. Knows no socket. A frame that lies whole inside a chunk is handed out
 * as a view; memory is bounded by the limit plus one chunk, and grows with what has arrived, never with what a length
 * promises.
 */
export class PeerFrameCutter {
  /** The largest body accepted, bytes: small until the other end has said who it is. */
  maxBytes: number;
  private kept: Buffer | undefined;
  private have = 0;
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
  /** Bytes held back for a frame that is not complete yet. */
  get pending(): number {
    return this.have;
  }
  /** @throws RecordError for anything that is no frame of ours, or not what was sent; the stream is then of no use */
  push(chunk: Buffer, take: TakeFrame): void {
    let bytes = chunk;
    let limit = chunk.length;
    if (this.have > 0) {
      bytes = this.join(chunk);
      limit = this.have;
      this.have = 0;
      if (limit < PEER_HEADER || limit < PEER_HEADER + this.lengthAt(bytes, 0)) {
        this.have = limit;
        return;
      }
      this.kept = undefined; // whoever reads these frames may keep views on them
    }
    let at = 0;
    while (limit - at >= PEER_HEADER) {
      const start = at + PEER_HEADER;
      const end = start + this.lengthAt(bytes, at);
      if (end > limit) break;
      if (crcOf(bytes, start, end) !== bytes.readUInt32BE(at + 16))
        throw new RecordError('the checksum of a frame is wrong');
      const more = take(bytes, start, end, bytes[at + 5] as number);
      at = end;
      if (!more) return;
    }
    if (at < limit) {
      this.kept = Buffer.from(bytes.subarray(at, limit));
      this.have = limit - at;
    }
  }
  /** The length of the body of the frame at `at`, whose head is whole. */
  private lengthAt(bytes: Buffer, at: number): number {
    if (bytes.readUInt32BE(at) !== MAGIC) throw new RecordError('not a frame of this protocol');
    if (crcOfFew(bytes, at, at + HEAD_CHECKSUM_AT) !== bytes.readUInt32BE(at + HEAD_CHECKSUM_AT))
      throw new RecordError('the checksum of the head of a frame is wrong');
    if (bytes[at + 4] !== PEER_FORMAT)
      throw new RecordError(`frame format ${bytes[at + 4]}; this program reads ${PEER_FORMAT}`);
    if (bytes.readUInt16BE(at + 6) !== 0) throw new RecordError('a frame with marks this program does not know');
    const length = bytes.readUInt32BE(at + 8);
    if (length > this.maxBytes)
      throw new RecordError(`a frame of ${length} bytes; at most ${this.maxBytes} are accepted`);
    return length;
  }
  private join(chunk: Buffer): Buffer {
    const need = this.have + chunk.length;
    let kept = this.kept as Buffer;
    if (kept.length < need) {
      const grown = Buffer.alloc(Math.max(need, kept.length * 2));
      kept.copy(grown, 0, 0, this.have);
      kept = grown;
      this.kept = grown;
    }
    chunk.copy(kept, this.have);
    this.have = need;
    return kept;
  }
}
