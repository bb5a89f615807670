import type { Readable } from 'node:stream';

/** Characters of a word. */
const WORD = 'keep\n'.length;

/** Standard input as a leash: whoever holds the other end says a word on it, or ends and the server with it. */
export class Leash {
  /** Resolves when the other end is gone; never after the word `free`. */
  readonly ended: Promise<void>;
  private readonly input: Readable;
  private isSpared = false;
  private isFree = false;
  private isOver = false;

  constructor(input: Readable) {
    this.input = input;
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        if (this.isFree) return;
        this.isOver = true;
        resolve();
      };
      input.once('end', end).once('error', end);
      let rest = ''; // a word may come in pieces; what else comes is not kept
      input.on('data', (chunk) => {
        const said = rest + chunk;
        this.isSpared ||= said.includes('keep\n');
        this.isFree ||= said.includes('free\n');
        rest = said.slice(-WORD);
        if (this.isFree) this.drop();
      });
    });
  }
  /** Whether it ended before anything was said: what was made for this server is of use to nobody. */
  get isTorn(): boolean {
    return this.isOver && !this.isSpared;
  }
  /** Does not look any more; an input that is looked at would keep the process. */
  drop(): void {
    this.input.destroy();
  }
}
