import { fileURLToPath } from 'node:url';
import { type IPty, spawn } from '@lydell/node-pty';
import { PATIENCE_MS } from '../patience.ts';
import { Emulator } from './emulator.ts';

const SCRIPT = fileURLToPath(new URL('./small-shell.js', import.meta.url));

export interface SessionOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A line for sh in which `$RUN` is the small shell. */
  readonly sh?: string;
  /** Is told all that the terminal is sent, raw. */
  readonly seen?: (text: string) => void;
}

/** The small shell in a real pseudo terminal, and what a person would see of it. */
export class Session implements Disposable {
  readonly screen: Emulator;
  readonly #pty: IPty;
  #changed: () => void = () => {};
  exit: number | undefined;

  constructor(options: SessionOptions = {}) {
    const { columns = 80, rows = 24, args = [], env = {}, sh, seen } = options;
    this.screen = new Emulator(columns, rows);
    const run = [process.execPath, SCRIPT, ...args];
    const [file, ...rest] = sh === undefined ? run : ['/bin/sh', '-c', sh];
    this.#pty = spawn(file as string, rest, {
      name: 'xterm-256color',
      cols: columns,
      rows,
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', RUN: run.join(' '), ...env },
    });
    this.#pty.onData((text) => {
      seen?.(text);
      this.screen.write(text);
      this.#changed();
    });
    this.#pty.onExit(({ exitCode, signal }) => {
      this.exit = signal ? 128 + signal : exitCode;
      this.#changed();
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits until `seen` of the screen is true; fails with the screen after `limit` milliseconds. */
  async until(seen: (screen: string) => boolean, what: string, limit = PATIENCE_MS): Promise<void> {
    const end = performance.now() + limit;
    for (;;) {
      if (seen(this.text)) return;
      const left = end - performance.now();
      if (left <= 0)
        throw new Error(`never seen: ${what}\n${this.screen.all().slice(-40).join('\n')}\nexit ${this.exit}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Waits until the screen holds `text`. */
  shows(text: string | RegExp): Promise<void> {
    const seen = (screen: string): boolean => (typeof text === 'string' ? screen.includes(text) : text.test(screen));
    return this.until(seen, String(text));
  }

  async ended(): Promise<number> {
    await this.until(() => this.exit !== undefined, 'the end');
    return this.exit as number;
  }

  /** The screen as text, the cursor as `|`. */
  get text(): string {
    const { screen } = this;
    return screen.lines
      .slice(screen.top)
      .map((_, at) => {
        const row = screen.top + at;
        if (row !== screen.row) return screen.text(row);
        const cells = (screen.lines[row]?.cells ?? []).map((cell) => cell?.char ?? ' ');
        while (cells.length < screen.column) cells.push(' ');
        return `${cells.slice(0, screen.column).join('')}|${cells.slice(screen.column).join('').trimEnd()}`;
      })
      .join('\n')
      .trimEnd();
  }

  [Symbol.dispose](): void {
    if (this.exit === undefined) this.#pty.kill('SIGKILL');
  }
}
