/** Output of a command that goes to a file, a program or a variable. */
import type { Outlet } from './shell-ports.ts';

/** More than this does not wait for the command to end. */
const HELD_BYTES = 1024 * 1024;

/**
 * Keeps a short output until its command has ended well: what failed begins no program and replaces no file. A long one
 * goes on its way as it comes, no faster than it is taken.
 */
export class HeldOutput {
  readonly #open: (() => Outlet) | undefined;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #count = 0;
  /** What stands between the last piece and one that comes after it. */
  #owed: Uint8Array | undefined;
  #outlet: Outlet | undefined;

  /** `open` undefined: all of it is wanted at once, with `bytes`. */
  constructor(open?: () => Outlet) {
    this.#open = open;
  }

  /** Some of it is on its way already. */
  get isOnItsWay(): boolean {
    return this.#outlet !== undefined;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
  /** `end` stands behind `piece` unless that is all there is. */
  add(piece: Uint8Array, end?: Uint8Array): void {
    this.#settle();
    this.#put(piece);
    this.#count++;
    this.#owed = end;
  }
  #settle(): void {
    if (this.#owed !== undefined) this.#put(this.#owed);
    this.#owed = undefined;
  }
  #put(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
  }

  /** Resolves when there is room for more; false: nobody takes any more. */
  async drained(): Promise<boolean> {
    if (this.#open === undefined || (this.#size < HELD_BYTES && this.#outlet === undefined)) return true;
    return this.#send(this.#open);
  }

  async #send(open: () => Outlet): Promise<boolean> {
    this.#outlet ??= open();
    const { bytes } = this;
    this.#pieces = [];
    this.#size = 0;
    return this.#outlet.write(bytes);
  }

  /** The command has ended well; the status of what took its output. */
  async end(): Promise<number> {
    if (this.#open === undefined) return 0;
    if (this.#count > 1) this.#settle();
    await this.#send(this.#open);
    return (this.#outlet as Outlet).end();
  }

  /** It has not: what is on its way is all there will be. */
  async abandon(): Promise<void> {
    await this.#outlet?.end();
  }
}
