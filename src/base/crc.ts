/** CRC-32 (IEEE 802.3, as zlib's). */
import { crc32 } from 'node:zlib';

/** Up to so many bytes a call into zlib costs more than the sum itself. */
const FEW = 100;
const TABLE = new Uint32Array(256).map((_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

/** Of `bytes[start, end)`, unsigned. */
export const crcOf = (bytes: Uint8Array, start: number, end: number): number =>
  end - start <= FEW ? crcOfFew(bytes, start, end) : crc32(bytes.subarray(start, end));

/** The same, by hand. */
export function crcOfFew(bytes: Uint8Array, start: number, end: number): number {
  let sum = -1;
  for (let i = start; i < end; i++) sum = (sum >>> 8) ^ (TABLE[(sum ^ (bytes[i] as number)) & 0xff] as number);
  return ~sum >>> 0;
}
