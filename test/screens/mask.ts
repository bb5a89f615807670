/**
 * What is different each time a screen is drawn, made the same in one place: addresses of our server, session ids, zxids
 * (counted from the tree the scene begins with), the folder for files, names that recipes make up, how long `time` measured.
 * It is done to what commands answer, before it is drawn: widths and line ends come out as they are on a screen.
 */
export class Mask {
  readonly #base: bigint;
  readonly #folder: string;
  readonly #sessions = new Map<bigint, bigint>();

  /** `base`: zxid of the tree's first node. */
  constructor(base: bigint, folder: string) {
    this.#base = base;
    this.#folder = folder;
  }

  #number(value: bigint): bigint {
    if (value >= this.#base && value < this.#base + 100_000n) return 0x100000001n + (value - this.#base);
    if (value < 1n << 48n) return value; // neither a session nor one of our zxids
    const known = this.#sessions.get(value) ?? 0x1000_a1b2_c3d4_0001n + BigInt(this.#sessions.size);
    this.#sessions.set(value, known);
    return known;
  }

  text(text: string): string {
    return text
      .replaceAll(this.#folder, '/tmp/zoosh')
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:2181')
      .replace(/\b0x[0-9a-f]{1,16}\b/g, (found) => `0x${this.#number(BigInt(found)).toString(16)}`)
      .replace(/\btook \d+\.\d{3}s/g, 'took 0.003s')
      // the part of a recipe's node name that is used once
      .replace(/\b[0-9a-f]{16}(?=-(?:lock|lease|read|member)-?)/g, '1000a1b2c3d40001');
  }

  /** The same value with all that varies in it made the same. */
  value<T>(value: T): T {
    return this.#any(value) as T;
  }
  #any(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'bigint') return this.#number(value);
    if (Array.isArray(value)) return value.map((each) => this.#any(each));
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.#any(each)]));
  }
}
