/** Bytes as they come, read in lines or in pieces of a known length. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Where the first chunk is not read yet. */
  #at = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#source.next();
    if (done === true) {
      this.#ended = true;
      return false;
    }
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.length);
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#size += chunk.length;
    return true;
  }

  /** The first `count` bytes, or as many as there are, without taking them. */
  async peek(count: number): Promise<Buffer> {
    while (this.#size - this.#at < count && (await this.#more()));
    const [first, ...more] = this.#chunks;
    if (first === undefined) return Buffer.alloc(0);
    if (more.length > 0) {
      // what is read already goes, or a file read in lines would be in memory as a whole
      this.#chunks = [Buffer.concat([first.subarray(this.#at), ...more])];
      this.#size -= this.#at;
      this.#at = 0;
    }
    return (this.#chunks[0] as Buffer).subarray(this.#at, this.#at + count);
  }

  /** Exactly `count` bytes, or fewer at the end. */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count);
    this.#skip(bytes.length);
    return bytes;
  }

  /** A line without its newline; undefined at the end. */
  async line(): Promise<Buffer | undefined> {
    let looked = 0; // bytes that hold no newline
    for (;;) {
      const first = this.#chunks[0];
      const newline = first === undefined ? -1 : first.indexOf(10, this.#at + looked);
      if (first !== undefined && newline >= 0) {
        const line = first.subarray(this.#at, newline);
        this.#skip(newline + 1 - this.#at);
        return line;
      }
      looked = this.#size - this.#at;
      if (!(await this.#more())) {
        const rest = await this.take(this.#size - this.#at);
        return rest.length === 0 ? undefined : rest;
      }
      await this.peek(this.#size - this.#at);
    }
  }

  /** All that is left. */
  async rest(): Promise<Buffer> {
    while (await this.#more());
    return this.take(this.#size - this.#at);
  }

  /** Bytes from here on, for a filter. */
  async *remaining(): AsyncGenerator<Buffer> {
    const here = await this.take(this.#size - this.#at);
    if (here.length > 0) yield here;
    while (await this.#more()) {
      const chunk = await this.take(this.#size - this.#at);
      if (chunk.length > 0) yield chunk;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #skip(count: number): void {
    this.#at += count;
    const first = this.#chunks[0];
    if (first === undefined || this.#at < first.length) return;
    this.#chunks.shift();
    this.#size -= first.length;
    this.#at -= first.length;
  }
}
