import { hash64, lanes } from '../../../src/base/hash.ts';
import { type Random, seededRandom } from '../../../src/base/random.ts';

/**
 * All chance of a run, in streams with names: what one part draws does not shift what another draws, so a fault kind can
 * be switched off, or a client left out, and the rest of the run stays as it was.
 */
export class Chance {
  readonly seed: number;
  private readonly streams = new Map<string, Random>();
  constructor(seed: number) {
    this.seed = seed;
  }
  stream(label: string): Random {
    let stream = this.streams.get(label);
    if (stream === undefined) {
      const bytes = Buffer.from(label);
      hash64(bytes, 0, bytes.length, this.seed | 0, Math.floor(this.seed / 0x1_0000_0000) | 0);
      const [hi, lo] = lanes;
      stream = seededRandom((BigInt((hi as number) >>> 0) << 32n) | BigInt((lo as number) >>> 0));
      this.streams.set(label, stream);
    }
    return stream;
  }
}

/** True once in `bound` times. */
export const oneIn = (random: Random, bound: number): boolean => random.below(bound) === 0;
/** A number in [0, 1). */
export const fraction = (random: Random): number => random.below(2 ** 32) / 2 ** 32;
/** One of these. */
export const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;
/** Exponential with this mean. */
export const exponential = (random: Random, mean: number): number => -mean * Math.log(1 - fraction(random));
/** Between `low` and `high`, every order of magnitude alike. */
export const logUniform = (random: Random, low: number, high: number): number => low * (high / low) ** fraction(random);
/** These in another order. */
export function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const out = [...from];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
