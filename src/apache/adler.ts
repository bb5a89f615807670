const MOD = 65521;
/** So many bytes can be added before the sums may pass 2^32. */
const RUN = 3800;

/** Adler-32 of `bytes[start, end)`, going on from `seed`; unsigned. What Apache's files are sealed with. */
export function adler32(bytes: Uint8Array, start = 0, end = bytes.length, seed = 1): number {
  let a = seed & 0xffff;
  let b = seed >>> 16;
  for (let at = start; at < end; ) {
    const stop = Math.min(end, at + RUN);
    for (; at < stop; at++) {
      a += bytes[at] as number;
      b += a;
    }
    a %= MOD;
    b %= MOD;
  }
  return b * 0x10000 + a;
}
