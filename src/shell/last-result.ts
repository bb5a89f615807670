/** What `${_}` stands for. */
import { usage } from './failure.ts';
import type { Output } from './output.ts';
import { UNKNOWN_NUMBER } from './recorder.ts';

/** How a command's changes were taken: sent, kept for a transaction, or only thought of. */
export type Taken = 'sent' | 'waits' | 'dry';

/**
 * The result of the last command that had an answer: the path that was made or written, the data that was read, the first line
 * of everything else. A command that says nothing, such as `cd`, leaves it; one that failed leaves none, since what comes next
 * would be done with the result of another.
 */
export class LastResult {
  readonly #plain: (output: Output) => Uint8Array;
  #output: Output | undefined;
  #why = 'no command has had a result yet';

  constructor(plain: (output: Output) => Uint8Array) {
    this.#plain = plain;
  }

  /** A command has ended well. */
  answered(output: Output | undefined, taken: Taken): void {
    if (output === undefined || saysNothing(output)) return;
    this.#output = output;
    if (taken === 'sent' || output.type !== 'created' || !output.path.endsWith(UNKNOWN_NUMBER)) return;
    const when =
      taken === 'waits' ? 'the server gives the number when the transaction is committed' : 'a dry run makes none';
    this.#none(`${output.path} has no number yet, ${when}`);
  }
  failed(): void {
    this.#none('an earlier command failed');
  }
  #none(why: string): void {
    this.#output = undefined;
    this.#why = why;
  }

  /** @throws Failure (2) when there is none, which says why */
  get text(): string {
    const output = this.#output;
    if (output === undefined)
      throw usage(`\${_} is not defined: ${this.#why}`, 'use single quotes if it is meant literally');
    switch (output.type) {
      case 'created':
      case 'written':
        return output.path;
      case 'node':
        return output.data === null ? '' : Buffer.from(output.data).toString();
      case 'listing':
        return output.names[0] ?? '';
      case 'value':
        return output.text;
      default:
        return Buffer.from(this.#plain(output)).toString().split('\n', 1)[0] ?? '';
    }
  }
}

/** In a pipe nothing would come of it. */
const saysNothing = (output: Output): boolean =>
  output.type === 'done' || (output.type === 'many' && output.parts.every(saysNothing));
