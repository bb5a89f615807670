import { assert } from '../base/assert.ts';
import type { Entry } from './types.ts';

const BLOCK_BITS = 10;
const BLOCK = 1 << BLOCK_BITS;

/**
 * Entries in order. The oldest are dropped and the newest cut in time that grows with what goes, never with what stays: they
 * lie in blocks, and no block is ever moved.
 */
export class Entries {
  private readonly blocks: (Entry | undefined)[][] = [];
  /** Where the first entry lies in the first block. */
  private first = 0;
  length = 0;
  bytes = 0;

  constructor(entries: readonly Entry[]) {
    for (const entry of entries) this.push(entry);
  }
  push(entry: Entry): void {
    const at = this.first + this.length;
    if (at >> BLOCK_BITS === this.blocks.length) this.blocks.push([]);
    (this.blocks[at >> BLOCK_BITS] as (Entry | undefined)[])[at & (BLOCK - 1)] = entry;
    this.length++;
    this.bytes += entry.bytes.length;
  }
  /** The entry at `index`, counted from the first that is still here. */
  at(index: number): Entry {
    const at = this.first + index;
    const entry = this.blocks[at >> BLOCK_BITS]?.[at & (BLOCK - 1)];
    assert(entry !== undefined, 'no such entry');
    return entry;
  }
  get last(): Entry | undefined {
    return this.length === 0 ? undefined : this.at(this.length - 1);
  }
  slice(from: number, to: number): Entry[] {
    const blocks: (Entry | undefined)[][] = [];
    const end = this.first + Math.min(to, this.length);
    for (let at = this.first + from; at < end; at = ((at >> BLOCK_BITS) + 1) << BLOCK_BITS) {
      const block = at >> BLOCK_BITS;
      const inBlock = this.blocks[block] as (Entry | undefined)[];
      blocks.push(inBlock.slice(at & (BLOCK - 1), Math.min(BLOCK, end - (block << BLOCK_BITS))));
    }
    const [only] = blocks;
    return (blocks.length === 1 ? only : ([] as (Entry | undefined)[]).concat(...blocks)) as Entry[];
  }

  /** Drops the oldest. */
  dropFirst(): Entry {
    const entry = this.at(0);
    const [block] = this.blocks;
    assert(block !== undefined, 'an entry without a block');
    block[this.first++] = undefined;
    this.length--;
    this.bytes -= entry.bytes.length;
    if (this.first < BLOCK) return entry;
    this.blocks.shift();
    this.first = 0;
    return entry;
  }
  /** Cuts the newest until `length` are left. */
  cut(length: number): void {
    while (this.length > length) {
      const at = this.first + this.length - 1;
      this.bytes -= this.at(this.length - 1).bytes.length;
      this.blocks[at >> BLOCK_BITS]?.pop();
      this.length--;
      if ((at & (BLOCK - 1)) === 0) this.blocks.pop();
    }
  }
}
