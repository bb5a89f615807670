import { joinPath } from '../base/path.ts';
import { type Client, MultiError } from '../client/api.ts';
import { codeOf, ensurePath, once, read, unique } from './certain.ts';
import { RecipeError } from './errors.ts';
import type { RecipeOptions } from './lock.ts';
import { checkStyle, type Style } from './styles.ts';

/** How a number is written: kazoo's Counter and ours as decimal text, Curator's as a big-endian integer. */
interface Form {
  readonly style: Style;
  /** Of an integer; undefined for text. */
  readonly bytes: 4 | 8 | undefined;
}
const TEXT: Form = { style: 'zoosh', bytes: undefined };
/** SharedCount and DistributedAtomicInteger. */
const INT: Form = { style: 'curator', bytes: 4 };
/** DistributedAtomicLong. */
const LONG: Form = { style: 'curator', bytes: 8 };

/** A whole number that many change. Every change is made exactly once, also when a reply is lost. */
export class Counter {
  readonly path: string;
  readonly #client: Client;
  readonly #options: Omit<RecipeOptions, 'id'>;
  constructor(client: Client, path: string, options: Omit<RecipeOptions, 'id'> = {}) {
    checkStyle(options.style);
    this.#client = client;
    this.path = path;
    this.#options = options;
  }

  /** 0 when there is none yet. @throws RecipeError StyleConflict, Conflict (it is no whole number) */
  async get(): Promise<bigint> {
    try {
      const { data } = await read(this.#client, () => this.#client.get(this.path));
      return this.#parse(data).value;
    } catch (error) {
      if (codeOf(error) === 'NoNode') return 0n;
      throw error;
    }
  }

  /**
   * Adds; the new value. @throws as `get`; RecipeError Conflict (too large for Curator's integer); KeeperError: ConnectionLoss
   * when the session ended before the outcome was known
   */
  async add(delta: bigint | number): Promise<bigint> {
    const by = BigInt(delta);
    return this.#change((before) => before + by);
  }

  /** Replaces the value, whatever it was; the new one. @throws as {@link add} */
  set(value: bigint | number): Promise<bigint> {
    return this.#change(() => BigInt(value));
  }

  async #change(next: (before: bigint) => bigint): Promise<bigint> {
    const client = this.#client;
    for (;;) {
      let found: { data: Buffer | null; version: number };
      try {
        const { data, stat } = await read(client, () => client.get(this.path));
        found = { data, version: stat.version };
      } catch (error) {
        if (codeOf(error) !== 'NoNode') throw error;
        await this.#make();
        continue;
      }
      const { value, form } = this.#parse(found.data);
      const after = next(value);
      try {
        await once(client, joinPath(this.path, `op-${unique(client, 8)}`), [
          { op: 'set', path: this.path, data: this.#bytes(after, form), version: found.version },
        ]);
        return after;
      } catch (error) {
        const isLate = error instanceof MultiError && (error.code === 'BadVersion' || error.code === 'NoNode');
        if (!isLate) throw error;
      }
    }
  }

  async #make(): Promise<void> {
    const { style, acl } = this.#options;
    const form = style === 'curator' ? INT : TEXT;
    await ensurePath(this.#client, this.path, acl, this.#bytes(0n, form));
  }

  /** Four or eight digits are text: no counter of Curator's gets there by counting. */
  #parse(data: Buffer | null): { value: bigint; form: Form } {
    const { style } = this.#options;
    const text = data?.toString('latin1') ?? '';
    const isText = /^-?\d+$/.test(text);
    if (text === '') return { value: 0n, form: style === 'curator' ? INT : TEXT };
    if (data !== null && style !== 'zoosh' && style !== 'kazoo' && (!isText || style === 'curator')) {
      if (data.length === 4) return { value: BigInt(data.readInt32BE()), form: INT };
      if (data.length === 8) return { value: data.readBigInt64BE(), form: LONG };
    }
    if (isText && style !== 'curator') return { value: BigInt(text), form: TEXT };
    if (isText || data?.length === 4 || data?.length === 8)
      throw new RecipeError('StyleConflict', this.path, `its value is not one of style ${style}`);
    throw new RecipeError('Conflict', this.path, 'its data is no whole number');
  }

  #bytes(value: bigint, { bytes }: Form): Buffer {
    if (bytes === undefined) return Buffer.from(String(value));
    if (BigInt.asIntN(bytes * 8, value) !== value)
      throw new RecipeError('Conflict', this.path, `${value} does not fit into ${bytes} bytes`);
    const out = Buffer.alloc(bytes);
    if (bytes === 4) out.writeInt32BE(Number(value));
    else out.writeBigInt64BE(value);
    return out;
  }
}
