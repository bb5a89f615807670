import { type IPty, spawn } from '@lydell/node-pty';
import { PATIENCE_MS } from '../patience.ts';

/** How long nothing comes before what the shell draws counts as complete, ms. */
const SILENCE_MS = 100;
/** How long the first of an answer to Tab is waited for, ms. */
const TAB_MS = 700;
// what terminals are told and people do not see
const CODES = /\x1b(?:\[[0-9;?>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78MH])/g;

/** What a Tab did: all that came until the shell was silent, and when the last of it came. */
export interface Tabbed {
  readonly text: string;
  readonly ms: number;
}

/**
 * An interactive shell of the operating system on a real pseudo terminal. The program it finds as `zoosh` prints its words
 * as `RAN<word><word>` when it is run, and completes as the real one.
 */
export class ShellOnPty implements Disposable {
  readonly #pty: IPty;
  #text = '';
  #changed: () => void = () => {};
  #isOver = false;
  /** Its exit code. */
  readonly ended: Promise<number>;

  constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>>, cols = 100) {
    this.#pty = spawn(file, [...args], { name: 'xterm-256color', cols, rows: 40, env: { ...env } });
    this.#pty.onData((text) => {
      this.#text += text;
      this.#changed();
    });
    this.ended = new Promise((resolve) =>
      this.#pty.onExit(({ exitCode }) => {
        this.#isOver = true;
        this.#changed();
        resolve(exitCode);
      }),
    );
  }

  /** Everything so far without terminal codes. */
  get text(): string {
    return this.#text.replace(CODES, '').replace(/\r/g, '');
  }

  async until(seen: (text: string) => boolean, what: string, limit = PATIENCE_MS): Promise<void> {
    const end = performance.now() + limit;
    while (!seen(this.text)) {
      const left = end - performance.now();
      if (left <= 0 || this.#isOver) throw new Error(`never seen: ${what}\n${this.text.slice(-2000)}`);
      await this.#next(left);
    }
  }

  /** Types, and waits for nothing. */
  write(text: string): void {
    this.#pty.write(text);
  }

  /** Types and waits until the shell is silent. */
  async type(text: string): Promise<void> {
    await this.#silence(text, SILENCE_MS);
  }

  /** Presses Tab and waits for what comes of it. */
  tab(): Promise<Tabbed> {
    return this.#silence('\t', TAB_MS);
  }

  async #silence(text: string, first: number): Promise<Tabbed> {
    const from = this.#text.length;
    const began = performance.now();
    let last = began;
    this.#pty.write(text);
    for (let wait = first; ; wait = SILENCE_MS) {
      const length = this.#text.length;
      await this.#next(wait);
      if (this.#text.length === length) break;
      last = performance.now();
    }
    return { text: this.#text.slice(from).replace(CODES, '').replace(/\r/g, ''), ms: last - began };
  }

  /** Runs the line as it stands; the words the program was given. */
  async ran(): Promise<string[]> {
    const from = this.text.length;
    this.#pty.write('\r');
    await this.until((text) => /RAN(<[^\n]*>)*\.\n/.test(text.slice(from)), 'the words of the line');
    await this.until((text) => text.slice(from).endsWith('READY> '), 'the next prompt');
    const [, words = ''] = /RAN((?:<[^\n]*>)*)\.\n/.exec(this.text.slice(from)) as RegExpExecArray;
    return words === '' ? [] : words.slice(1, -1).split('><');
  }

  #next(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  [Symbol.dispose](): void {
    if (!this.#isOver) this.#pty.kill('SIGKILL');
  }
}
