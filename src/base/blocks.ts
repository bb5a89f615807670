/** Bytes of one block. */
const BLOCK = 1024 * 1024;

/**
 * Copies of small byte strings, many to a block, so that none pins a larger buffer of somebody else's. For what is forgotten in
 * about the order in which it came: a block lives as long as the last of it.
 */
export class Blocks {
  private block = Buffer.alloc(0);
  private at = 0;
  copy(bytes: Buffer, start: number, end: number): Buffer {
    const length = end - start;
    if (length > BLOCK / 4) return Buffer.from(bytes.subarray(start, end));
    if (this.at + length > this.block.length) {
      this.block = Buffer.alloc(BLOCK);
      this.at = 0;
    }
    const from = this.at;
    this.at += bytes.copy(this.block, from, start, end);
    return this.block.subarray(from, this.at);
  }
}
