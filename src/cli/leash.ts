import type { Readable } from 'node:stream';

/** Standard input as a leash: whoever holds the other end says a word on it, or ends and the server with it. */
export class Leash {
  /** Resolves when the other end is gone; never after the word `free`. */
  readonly ended: Promise<void>;
  private readonly input: Readable;
  private said = '';
  private isOver = false;

  constructor(input: Readable) {
    this.input = input;
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        if (this.said.includes('free\n')) return;
        this.isOver = true;
        resolve();
      };
      input.once('end', end).once('error', end);
      input.on('data', (chunk) => {
        this.said += chunk;
        if (this.said.includes('free\n')) this.drop();
      });
    });
  }
  /** Whether it ended before anything was said: what was made for this server is of use to nobody. */
  get isTorn(): boolean {
    return this.isOver && !this.said.includes('keep\n');
  }
  /** Does not look any more; an input that is looked at would keep the process. */
  drop(): void {
    this.input.destroy();
  }
}
