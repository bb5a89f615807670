/** Names of many children on their way to be looked at one by one. */
import { setImmediate } from 'node:timers/promises';

/** Names that are taken once, in order. */
export interface NameQueue {
  /** Not taken yet. */
  readonly left: number;
  take(): string | undefined;
}

/** Fewer stay as they are. */
const FEW = 5000;
/** Names in one block. */
const BLOCK = 1000;
/** Blocks packed before others have a turn. */
const BLOCKS_AT_ONCE = 20;

/** From here on the strings that were packed are worth a collection of garbage. */
const MANY = 50_000;
/** V8 begins a collection when memory outside of its heap grows by 64 MB at once. */
const NOTICED_BYTES = 80 * 1024 * 1024;

/**
 * How much garbage may gather until V8 looks for it is a multiple of what was alive the last time: of the million strings
 * that are gone now. A buffer that nobody writes to takes no memory, and makes V8 look again. Where it does not, memory is
 * a hundred megabytes more and nothing else changes.
 */
function askForCollection(): void {
  try {
    Buffer.allocUnsafeSlow(NOTICED_BYTES);
  } catch {
    // so little memory is there that V8 looks often anyway
  }
}

/** Some names, one behind the other. */
interface Block {
  readonly bytes: Buffer;
  /** Where each ends in `bytes`. */
  readonly ends: Uint32Array;
  /** A byte a character. */
  readonly isAscii: boolean;
}

/**
 * A million names of seven letters are 32 MB as strings, all of which the garbage collector looks at again and again, and by
 * which it measures how much garbage it may leave; as bytes outside of its heap they are 11 MB. A block goes once it is taken.
 */
export async function queueOf(names: readonly string[]): Promise<NameQueue> {
  if (names.length <= FEW) return new Few(names);
  const blocks: Block[] = [];
  for (let at = 0; at < names.length; at += BLOCK) {
    blocks.push(packed(names.slice(at, at + BLOCK)));
    if (blocks.length % BLOCKS_AT_ONCE === 0) await setImmediate();
  }
  return new Many(blocks);
}

function packed(names: readonly string[]): Block {
  const text = names.join('');
  const bytes = Buffer.from(text);
  const isAscii = bytes.length === text.length;
  const ends = new Uint32Array(names.length);
  let end = 0;
  for (const [at, name] of names.entries()) {
    end += isAscii ? name.length : Buffer.byteLength(name);
    ends[at] = end;
  }
  return { bytes, ends, isAscii };
}

/** Of a node without children. */
export const NO_NAMES: NameQueue = { left: 0, take: () => undefined };

class Few implements NameQueue {
  readonly #names: readonly string[];
  #at = 0;
  constructor(names: readonly string[]) {
    this.#names = names;
  }
  get left(): number {
    return this.#names.length - this.#at;
  }
  take(): string | undefined {
    return this.left > 0 ? this.#names[this.#at++] : undefined;
  }
}

class Many implements NameQueue {
  readonly #blocks: (Block | undefined)[];
  #block = 0;
  #at = 0;
  #from = 0;
  left: number;
  constructor(blocks: readonly Block[]) {
    this.#blocks = [...blocks];
    this.left = blocks.reduce((sum, { ends }) => sum + ends.length, 0);
  }
  take(): string | undefined {
    const block = this.#blocks[this.#block];
    if (block === undefined) return undefined;
    const end = block.ends[this.#at] as number;
    const name = block.bytes.toString(block.isAscii ? 'latin1' : 'utf8', this.#from, end);
    this.left--;
    this.#from = end;
    if (++this.#at === block.ends.length) {
      this.#blocks[this.#block++] = undefined;
      // not sooner: whoever packed the strings has let go of them now
      if (this.#block === 1 && this.left >= MANY) askForCollection();
      [this.#at, this.#from] = [0, 0];
    }
    return name;
  }
}

/** Names that are gathered one by one, in few bytes. */
export class Packed {
  readonly #blocks: Block[] = [];
  #last: string[] = [];

  get length(): number {
    return this.#blocks.length * BLOCK + this.#last.length;
  }
  add(name: string): void {
    this.#last.push(name);
    if (this.#last.length < BLOCK) return;
    this.#blocks.push(packed(this.#last));
    this.#last = [];
  }
  /** The last one first. */
  *backwards(): Generator<string> {
    yield* this.#last.toReversed();
    for (const { bytes, ends, isAscii } of this.#blocks.toReversed())
      for (let at = BLOCK - 1; at >= 0; at--)
        yield bytes.toString(isAscii ? 'latin1' : 'utf8', ends[at - 1] ?? 0, ends[at]);
  }
}
