/** Chance, handed in by whoever owns it: the production one is cryptographic, a simulated one comes from a seed. */
export interface Random {
  /** An integer in [0, bound), bound at most 2^32. */
  below(bound: number): number;
  /** `count` fresh random bytes. */
  bytes(count: number): Uint8Array;
}

/** A small seeded generator (xorshift over 128 bits, seeded by splitmix). Same seed, same sequence, on every machine. */
export function seededRandom(seed: number | bigint): Random {
  let s = BigInt.asUintN(64, BigInt(seed)) ^ 0x9e3779b97f4a7c15n;
  const word = (): number => {
    s = BigInt.asUintN(64, s + 0x9e3779b97f4a7c15n);
    let z = s;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return Number(BigInt.asUintN(32, z ^ (z >> 31n)));
  };
  let a = word();
  let b = word();
  let c = word();
  let d = word() | 1;
  const next = (): number => {
    const t = b << 9;
    let r = Math.imul(a, 5);
    r = Math.imul((r << 7) | (r >>> 25), 9);
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return r >>> 0;
  };
  return {
    below: (bound) => (bound <= 1 ? 0 : Math.floor((next() / 0x1_0000_0000) * bound)),
    bytes(count) {
      const out = new Uint8Array(count);
      for (let i = 0; i < count; i++) out[i] = next() & 0xff;
      return out;
    },
  };
}
