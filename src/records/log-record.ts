/**
 * What the transaction log looks like on disk. All integers are big-endian.
 *
 * A file is a header sector and then groups. A group is what one synchronous write carried: a header, a body of
 * envelopes (each after its length in 4 bytes), and filling up to the end of the sector. Groups start at a sector
 * boundary, the header lies within that first sector, and every sector of a group holds at least a few bytes that are
 * not zero. So after a power cut a sector that was never written can be told from one that was damaged: files are
 * filled with zeros ahead, and only a sector that is still zero, or missing, was never written.
 *
 * ```
 * file header   0 magic  4 format  8 salt  16 zxid and 24 chain it continues from  32 ... zeros ...  508 checksum
 * group header  0 magic  4 format  8 salt  16 own offset  24 body bytes  28 count  32 first  40 last  48 committed zxid
 *               56 chain before the first  64 seed of the mask  68 checksum of all after the header  72 checksum of this
 * ```
 */
import { crcOf as checksum } from '../base/crc.ts';
import { hash64, lanes } from '../base/hash.ts';
import { knownFormat, NewerFormatError, RecordError } from './pack.ts';
import { FEATURE_LEVEL, FORMAT } from './txns.ts';

/** What a disk writes as a whole. */
export const SECTOR = 512;
/** Bytes of a group before its body. */
export const GROUP_HEADER = 76;
/** Bytes of an envelope's length, before it. */
export const LENGTH_BYTES = 4;
/** No group is larger on disk: what a length read from a disk may at most make us allocate. */
export const MAX_GROUP_BYTES = 64 * 1024 * 1024;
/** The format of log files this program reads and writes. */
export const LOG_FORMAT = 1;

const FILE_MAGIC = 0x5a4c4f47; // ZLOG
const GROUP_MAGIC = 0x5a475250; // ZGRP
const FILLING = 0xa5;
const FILE_CHECKSUM_AT = SECTOR - 4;
const GROUP_CHECKSUM_AT = 72;
/** A sector with fewer bytes that are not zero is masked, so that no damage to a few bits makes it look unwritten. */
const LEAST_NONZERO = 8;

/** 64 bits as two halves; `hi` signed, `lo` unsigned for zxids, both signed for chains and salts. */
export interface Halves {
  readonly hi: number;
  readonly lo: number;
}
export const ZERO: Halves = Object.freeze({ hi: 0, lo: 0 });
export const sameHalves = (a: Halves, b: Halves): boolean => a.hi === b.hi && a.lo >>> 0 === b.lo >>> 0;
/** Negative when a comes first, for zxids. */
export const compareHalves = (a: Halves, b: Halves): number =>
  a.hi !== b.hi ? a.hi - b.hi : (a.lo >>> 0) - (b.lo >>> 0);
export const halvesOf = (n: bigint): Halves => ({
  hi: Number(BigInt.asIntN(32, n >> 32n)),
  lo: Number(n & 0xffff_ffffn),
});
export const bigOf = (h: Halves): bigint => (BigInt(h.hi) << 32n) | BigInt(h.lo >>> 0);
/** `0x500000001`. */
export const showHalves = (h: Halves): string => `0x${BigInt.asUintN(64, bigOf(h)).toString(16)}`;
/** Whether a transaction numbered `next` may follow one numbered `last`: next in the epoch, or the first of a later one. */
export const follows = (last: Halves, nextHi: number, nextLo: number): boolean =>
  nextHi === last.hi ? nextLo >>> 0 === (last.lo >>> 0) + 1 : nextHi > last.hi && nextLo === 1;

/** What the first sector of a file says. */
export interface FileHeader {
  readonly salt: Halves;
  readonly fromZxid: Halves;
  readonly fromChain: Halves;
}

export interface GroupHeader {
  /** Bytes of body; the filling follows. */
  readonly bodyBytes: number;
  /** Bytes on disk from the header on, a multiple of {@link SECTOR}. */
  readonly extent: number;
  /** Envelopes in it. 0: the group only says what is committed; first and last are then the last zxid before it. */
  readonly count: number;
  readonly first: Halves;
  readonly last: Halves;
  /** Known committed when it was written; may be beyond `last`. */
  readonly committed: Halves;
  readonly chainBefore: Halves;
  /** 0 when the body is not masked. */
  readonly seed: number;
  readonly bodyChecksum: number;
}

const putHalves = (to: Buffer, at: number, h: Halves): void => {
  to.writeInt32BE(h.hi | 0, at);
  to.writeInt32BE(h.lo | 0, at + 4);
};
const signedHalves = (from: Buffer, at: number): Halves => ({ hi: from.readInt32BE(at), lo: from.readInt32BE(at + 4) });
const zxidHalves = (from: Buffer, at: number): Halves => ({ hi: from.readInt32BE(at), lo: from.readUInt32BE(at + 4) });

/** How many bytes on disk a body of `bodyBytes` takes with its header and filling. */
export const extentOf = (bodyBytes: number): number => Math.ceil((GROUP_HEADER + bodyBytes) / SECTOR) * SECTOR;

export function encodeFileHeader(header: FileHeader): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.writeUInt32BE(FILE_MAGIC, 0);
  sector.writeUInt16BE(LOG_FORMAT, 4);
  putHalves(sector, 8, header.salt);
  putHalves(sector, 16, header.fromZxid);
  putHalves(sector, 24, header.fromChain);
  sector.writeUInt32BE(checksum(sector, 0, FILE_CHECKSUM_AT), FILE_CHECKSUM_AT);
  return sector;
}

/** Reads a header sector; anything else is a {@link RecordError} that says what was found. */
export function decodeFileHeader(sector: Buffer): FileHeader {
  if (sector.length < SECTOR) throw new RecordError(`the header sector has ${sector.length} of ${SECTOR} bytes`);
  if (checksum(sector, 0, FILE_CHECKSUM_AT) !== sector.readUInt32BE(FILE_CHECKSUM_AT))
    throw new RecordError('the checksum of the header sector is wrong');
  if (sector.readUInt32BE(0) !== FILE_MAGIC) throw new RecordError('not a transaction log');
  const format = sector.readUInt16BE(4);
  knownFormat('log format', format, LOG_FORMAT);
  return { salt: signedHalves(sector, 8), fromZxid: zxidHalves(sector, 16), fromChain: signedHalves(sector, 24) };
}

/**
 * Makes `group[0, extent)` ready to write at `offset` of a file: filling, mask when needed, header. The body is already
 * at {@link GROUP_HEADER}; the buffer must have room for the extent. The body is left as it is, since others may hold
 * views on it: when it needs a mask, what is returned is a masked copy, otherwise a view on `group`.
 */
export function sealGroup(
  group: Buffer,
  bodyBytes: number,
  salt: Halves,
  offset: number,
  count: number,
  first: Halves,
  last: Halves,
  committed: Halves,
  chainBefore: Halves,
): Buffer {
  const extent = extentOf(bodyBytes);
  group.fill(FILLING, GROUP_HEADER + bodyBytes, extent);
  let out = group.subarray(0, extent);
  let seed = 0;
  if (isThin(out, extent)) {
    // The salt is random and stays here: no client can send data that is thin again under the mask.
    seed = (salt.lo ^ Math.imul(offset, 0x9e3779b1)) >>> 0 || 1;
    out = Buffer.from(out);
    for (;;) {
      mask(out, GROUP_HEADER, extent, seed);
      if (!isThin(out, extent)) break;
      mask(out, GROUP_HEADER, extent, seed);
      seed = (seed + 1) >>> 0 || 1;
    }
  }
  out.writeUInt32BE(GROUP_MAGIC, 0);
  out.writeUInt32BE(LOG_FORMAT << 16, 4);
  putHalves(out, 8, salt);
  putHalves(out, 16, halvesOfOffset(offset));
  out.writeUInt32BE(bodyBytes, 24);
  out.writeUInt32BE(count, 28);
  putHalves(out, 32, first);
  putHalves(out, 40, last);
  putHalves(out, 48, committed);
  putHalves(out, 56, chainBefore);
  out.writeUInt32BE(seed, 64);
  out.writeUInt32BE(checksum(out, GROUP_HEADER, extent), 68);
  out.writeUInt32BE(checksum(out, 0, GROUP_CHECKSUM_AT), GROUP_CHECKSUM_AT);
  return out;
}

const halvesOfOffset = (offset: number): Halves => ({ hi: Math.floor(offset / 0x1_0000_0000), lo: offset >>> 0 });

/** Whether a sector after the first has fewer than {@link LEAST_NONZERO} bytes that are not zero. */
function isThin(group: Buffer, extent: number): boolean {
  for (let sector = SECTOR; sector < extent; sector += SECTOR) {
    let found = 0;
    for (let i = sector; i < sector + SECTOR && found < LEAST_NONZERO; i++) if (group[i] !== 0) found++;
    if (found < LEAST_NONZERO) return true;
  }
  return false;
}

/** Adds a stream of bytes from `seed` to `bytes[start, end)`; doing it twice undoes it. */
export function mask(bytes: Buffer, start: number, end: number, seed: number): void {
  let x = seed | 0 || 1;
  for (let i = start; i < end; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = (bytes[i] as number) ^ ((x >>> 11) & 0xff);
  }
}

/**
 * The group header at `at` of `bytes`, if there is a whole and valid one that belongs to the file with this salt at
 * this offset; undefined otherwise. Reads no further than the header.
 */
export function groupHeaderAt(bytes: Buffer, at: number, salt: Halves, offset: number): GroupHeader | undefined {
  if (at + GROUP_HEADER > bytes.length) return undefined;
  if (bytes.readUInt32BE(at) !== GROUP_MAGIC) return undefined;
  if (bytes.readInt32BE(at + 8) !== salt.hi || bytes.readInt32BE(at + 12) !== salt.lo) return undefined;
  if (bytes.readUInt32BE(at + 16) * 0x1_0000_0000 + bytes.readUInt32BE(at + 20) !== offset) return undefined;
  if (checksum(bytes, at, at + GROUP_CHECKSUM_AT) !== bytes.readUInt32BE(at + GROUP_CHECKSUM_AT)) return undefined;
  if (bytes.readUInt32BE(at + 4) !== LOG_FORMAT << 16) return undefined;
  const bodyBytes = bytes.readUInt32BE(at + 24);
  const extent = extentOf(bodyBytes);
  if (extent > MAX_GROUP_BYTES) return undefined;
  return {
    bodyBytes,
    extent,
    count: bytes.readUInt32BE(at + 28),
    first: zxidHalves(bytes, at + 32),
    last: zxidHalves(bytes, at + 40),
    committed: zxidHalves(bytes, at + 48),
    chainBefore: signedHalves(bytes, at + 56),
    seed: bytes.readUInt32BE(at + 64),
    bodyChecksum: bytes.readUInt32BE(at + 68),
  };
}

/** Whether the group at `at`, whole in memory, has the bytes its checksum was made of. */
export const groupBodyIsWhole = (bytes: Buffer, at: number, header: GroupHeader): boolean =>
  checksum(bytes, at + GROUP_HEADER, at + header.extent) === header.bodyChecksum;

/** Whether every byte of `bytes[start, end)` is zero. */
export function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** The last record verified: what the next must follow. Changed in place, since there are millions. */
export interface Tip {
  hi: number;
  lo: number;
  chainHi: number;
  chainLo: number;
}
export const tipAt = (zxid: Halves, chain: Halves): Tip => ({
  hi: zxid.hi,
  lo: zxid.lo >>> 0,
  chainHi: chain.hi,
  chainLo: chain.lo,
});

/** Bytes an envelope has at least: array head, format, level, zxid, ..., chain. */
export const LEAST_ENVELOPE = 12 + 10;
const CHAIN_BYTES = 10;

/** The zxid's halves of the envelope at `start`, which was verified or made by us. */
export const envelopeHi = (bytes: Buffer, start: number): number => bytes.readInt32BE(start + 4);
export const envelopeLo = (bytes: Buffer, start: number): number => bytes.readUInt32BE(start + 8);

/** Whether `bytes[start, end)` begins and ends as an envelope of a format and level this program knows; no more is said. */
export const isEnvelope = (bytes: Buffer, start: number, end: number): boolean =>
  end - start >= LEAST_ENVELOPE &&
  bytes[start] === 0x99 &&
  bytes[start + 1] === FORMAT &&
  (bytes[start + 2] as number) <= FEATURE_LEVEL &&
  bytes[start + 3] === 0xd3 &&
  bytes[end - CHAIN_BYTES] === 0xc4;

/**
 * Verifies that `bytes[start, end)` is an envelope that follows `tip` in zxid and chain and moves `tip` onto it. The
 * transaction inside is not decoded. Throws a {@link RecordError}.
 */
export function verifyEnvelope(bytes: Buffer, start: number, end: number, tip: Tip): void {
  if (
    end - start < LEAST_ENVELOPE ||
    bytes[start] !== 0x99 ||
    bytes[start + 3] !== 0xd3 ||
    bytes[end - CHAIN_BYTES] !== 0xc4
  )
    throw new RecordError('not an envelope');
  const format = bytes[start + 1] as number;
  const level = bytes[start + 2] as number;
  if (format !== FORMAT) knownFormat('record format', format, FORMAT);
  if (level > FEATURE_LEVEL) knownFormat('feature level', level, FEATURE_LEVEL);
  const hi = envelopeHi(bytes, start);
  const lo = envelopeLo(bytes, start);
  if (!follows(tip, hi, lo)) throw new RecordError(`zxid ${showHalves({ hi, lo })} after ${showHalves(tip)}`);
  hash64(bytes, start, end - CHAIN_BYTES, tip.chainHi, tip.chainLo);
  if (lanes[0] !== bytes.readInt32BE(end - 8) || lanes[1] !== bytes.readInt32BE(end - 4))
    throw new RecordError(`the chain of ${showHalves({ hi, lo })} does not follow the record before`);
  tip.hi = hi;
  tip.lo = lo;
  tip.chainHi = lanes[0] as number;
  tip.chainLo = lanes[1] as number;
}

/**
 * Verifies every envelope of a group's body `bytes[start, end)` and moves `tip` behind the last. Throws a
 * {@link RecordError} naming the record, counted from 0; `tip` is then behind the last good one.
 */
export function verifyBody(bytes: Buffer, start: number, end: number, header: GroupHeader, tip: Tip): void {
  let at = start;
  for (let i = 0; i < header.count; i++) {
    const length = at + LENGTH_BYTES <= end ? bytes.readUInt32BE(at) : -1;
    if (length < 0 || length > end - at - LENGTH_BYTES)
      throw new RecordError(`record ${i}: its length runs past the group`);
    at += LENGTH_BYTES;
    try {
      verifyEnvelope(bytes, at, at + length, tip);
    } catch (fault) {
      if (!(fault instanceof RecordError) || fault instanceof NewerFormatError) throw fault;
      throw new RecordError(`record ${i}: ${fault.message}`);
    }
    at += length;
  }
  if (at !== end) throw new RecordError(`${end - at} bytes after the last record`);
  if (tip.hi !== header.last.hi || tip.lo !== header.last.lo)
    throw new RecordError(`it ends at ${showHalves(tip)}, its header says ${showHalves(header.last)}`);
}
