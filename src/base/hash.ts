/**
 * Two lanes of a murmur-like hash over bytes, 64 bits in all. Not cryptographic: it finds accidents, not enemies.
 * The result is left in {@link lanes} (high, low), since a pair of numbers returned would be an allocation per call.
 */
export const lanes = new Int32Array(2);

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593 | 0;
const mix = (h: number): number => {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
};

/** Hashes `bytes[start, end)` after the state (`hi`, `lo`) into {@link lanes}. */
export function hash64(bytes: Uint8Array, start: number, end: number, hi: number, lo: number): void {
  let a = hi | 0;
  let b = lo ^ 0x5bd1e995;
  let i = start;
  const whole = end - 3;
  for (; i < whole; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    let k = Math.imul(word, C1);
    k = (k << 15) | (k >>> 17);
    a ^= Math.imul(k, C2);
    a = (a << 13) | (a >>> 19);
    a = (Math.imul(a, 5) + 0xe6546b64) | 0;
    k = Math.imul(word ^ a, C2);
    k = (k << 17) | (k >>> 15);
    b ^= Math.imul(k, C1);
    b = (b << 11) | (b >>> 21);
    b = (Math.imul(b, 7) + 0x38495ab5) | 0;
  }
  let tail = 0;
  for (let shift = 0; i < end; i++, shift += 8) tail |= (bytes[i] as number) << shift;
  a ^= Math.imul(tail, C1);
  b ^= Math.imul(tail ^ a, C2);
  const length = end - start;
  a = mix(a ^ length);
  b = mix(b ^ length ^ a);
  lanes[0] = mix(a + b);
  lanes[1] = b;
}
