import { Failure } from '../../src/shell/failure.ts';

/**
 * What is different each time a screen is drawn, made the same in one place: addresses of our server, session ids, zxids
 * (counted from the tree the scene begins with), times (each scene is played on a later day, since a server's clock never goes back), the folder
 * for files, names that recipes make up, how long `time`, `deleteall`, `doctor`, `bench` and
 * `smoketest` measured.
 * It is done to what commands answer, before it is drawn: widths and line ends come out as they are on a screen.
 */
const DAY = 86_400_000;

export class Mask {
  readonly #base: bigint;
  readonly #now: number;
  readonly #shift: number;
  readonly #folder: string;
  readonly #sessions = new Map<bigint, bigint>();

  /** `base`: zxid of the tree's first node. `now`: when the scene was played, to be shown as `shift` ms earlier. */
  constructor(base: bigint, folder: string, now: number, shift: number) {
    this.#base = base;
    this.#now = now;
    this.#shift = shift;
    this.#folder = folder;
  }

  #number(value: bigint): bigint {
    if (value >= this.#base && value < this.#base + 100_000n) return 0x100000001n + (value - this.#base);
    if (value < 1n << 48n) return value; // neither a session nor one of our zxids
    const known = this.#sessions.get(value) ?? 0x1000_a1b2_c3d4_0001n + BigInt(this.#sessions.size);
    this.#sessions.set(value, known);
    return known;
  }

  #time(at: number): number {
    return Math.abs(at - this.#now) < 5 * DAY ? at - this.#shift : at;
  }

  text(text: string): string {
    return (
      text
        .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (found) =>
          new Date(this.#time(Date.parse(found))).toISOString(),
        )
        .replaceAll(this.#folder, '/tmp/zoosh')
        .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:2181')
        .replace(/\b0x[0-9a-f]{1,16}\b/g, (found) => `0x${this.#number(BigInt(found)).toString(16)}`)
        .replace(/(?<!\b(?:not|came|event) )\bin \d+(?:ms|\.\ds)/g, 'in 3ms')
        .replace(/ in {1,6}\d+ ms \(.*\)$/, ' in     14 ms (0.070000 ms/op 14285.7/sec)')
        .replace(/(session 0x\w+|, in order,) in [\d.]+ms/g, '$1 in 1.2ms')
        .replace(/\btook \d+\.\d{3}s/g, 'took 0.003s')
        .replace(/\b(takes|at most) \d+\.\dms/g, '$1 0.1ms')
        // the part of a recipe's node name that is used once
        .replace(/\b[0-9a-f]{16}(?=-(?:lock|lease|read|member)-?)/g, '1000a1b2c3d40001')
    );
  }

  /** The same value with all that varies in it made the same. */
  value<T>(value: T): T {
    return this.#any(value) as T;
  }
  #any(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'bigint') return this.#number(value);
    if (typeof value === 'number') return this.#time(value);
    if (value instanceof Failure) {
      const { exit, code, message, hint, path, lines } = value;
      const text = (each: string | undefined): string | undefined => (each === undefined ? undefined : this.text(each));
      return new Failure(exit, code, this.text(message), {
        hint: text(hint),
        path: text(path),
        lines: lines.map((line) => this.text(line)),
      });
    }
    if (Array.isArray(value)) return value.map((each) => this.#any(each));
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.#any(each)]));
  }
}
