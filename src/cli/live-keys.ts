import type { Key } from '../editor/keys.ts';
import { Terminal } from '../editor/terminal.ts';

/** Whether somebody who looks at a live view has typed that it is enough, as in top and less. */
export const isEnough = (key: Key): boolean => key.type === 'text' && /q/i.test(key.text);

/**
 * Reads the keys while one command, run without a prompt, draws a live view. The terminal is raw meanwhile, so that what is
 * typed does not tear the view: Ctrl-C and Ctrl-Z are taken for what the terminal would make of them.
 */
export class LiveKeys {
  readonly #terminal: Terminal;

  constructor(seenEnough: () => void) {
    this.#terminal = new Terminal(process.stdin, process.stdout, {
      keys: (keys) => {
        for (const key of keys) {
          if (isEnough(key)) seenEnough();
          else if (key.type === 'key' && key.name === 'C-c') process.kill(process.pid, 'SIGINT');
          else if (key.type === 'key' && key.name === 'C-z') this.#terminal.suspend();
        }
      },
      end: () => {},
      resized: () => {},
      resumed: () => {},
      interrupted: () => {}, // whoever runs the command hears the signal
    });
    this.#terminal.plain = true; // nothing can be pasted here
    this.#terminal.take();
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#terminal.close();
  }
}
