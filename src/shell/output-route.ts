import type { Progress } from './command.ts';
import type { HeldOutput } from './held-output.ts';
import type { Output } from './output.ts';
import type { ShellPorts } from './shell-ports.ts';

/** Where the output of the command that runs goes: to the screen, into a file or a program, into a record. */
export class OutputRoute {
  /** It goes to a file or a program. */
  held: HeldOutput | undefined;
  /** It goes to a file of its own, which gets the data of one node byte for byte. */
  isFile = false;
  /** What was shown, where each command is one record. */
  recorded: Output[] | undefined;
  readonly #ports: Pick<ShellPorts, 'show' | 'redraw' | 'plain' | 'write' | 'progress'>;

  /** Called when something was said that went neither into a file nor into a program. */
  readonly #onSaid: () => void;

  constructor(ports: Pick<ShellPorts, 'show' | 'redraw' | 'plain' | 'write' | 'progress'>, onSaid: () => void) {
    this.#ports = ports;
    this.#onSaid = onSaid;
  }

  /** An answer, or a part of it. */
  show(output: Output): void {
    if (this.held !== undefined) return this.#hold(this.held, output);
    if (this.recorded !== undefined) this.recorded.push(output);
    else this.#ports.show(output);
    this.#onSaid();
  }
  #hold(held: HeldOutput, output: Output): void {
    const bytes = this.#ports.plain(output);
    const isExact = this.isFile && output.type === 'node' && output.form === 'text' && !output.showStat;
    const size = isExact ? (output.data?.length ?? 0) : bytes.length;
    held.add(bytes.subarray(0, size), bytes.subarray(size));
  }
  /** The same in the place of the answer before it. */
  redraw(output: Output): void {
    if (this.held !== undefined || this.recorded !== undefined) return this.show(output);
    this.#ports.redraw(output);
    this.#onSaid();
  }
  /** Bytes of an answer, as they are. */
  write(bytes: Uint8Array): void {
    if (this.held !== undefined) return this.held.add(bytes);
    this.#ports.write(bytes);
    this.#onSaid();
  }
  /** While a program has our output the screen is its own. */
  progress(what: string): Progress {
    const { held } = this;
    const progress = this.#ports.progress(what);
    if (held === undefined) return progress;
    return {
      isSeen: progress.isSeen,
      update: (done, total) => {
        if (held.isOnItsWay) progress[Symbol.dispose]();
        else progress.update(done, total);
      },
      [Symbol.dispose]: () => progress[Symbol.dispose](),
    };
  }
}
