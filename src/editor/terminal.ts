import { type Key, KeyDecoder } from './keys.ts';

/** An escape that nothing follows for so long was the key. */
const ESCAPE_MS = 50;
const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';

export interface TerminalHandlers {
  keys(keys: readonly Key[]): void;
  end(): void;
  /** Another size, or back in the foreground: nothing of the screen is known to be as it was. */
  resized(): void;
  resumed(): void;
  /** SIGINT: from elsewhere, or from the keyboard while the terminal is another program's. */
  interrupted(): void;
}

/** The terminal's raw mode and bracketed paste: taken, given back, and given back on every way out of the process. */
export class Terminal {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  /** No escape codes of ours. */
  #plain = false;
  readonly #handlers: TerminalHandlers;
  readonly #decoder = new KeyDecoder();
  #timer: NodeJS.Timeout | undefined;
  #taken = false;
  #wanted = false;
  #listening = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, handlers: TerminalHandlers) {
    this.#input = input;
    this.#output = output;
    this.#handlers = handlers;
    process.on('exit', this.#release);
    process.on('SIGTERM', this.#killed);
    process.on('SIGHUP', this.#killed);
    process.on('SIGINT', this.#interrupted);
    process.on('SIGCONT', this.#continued);
    output.on('resize', this.#resized);
  }

  get columns(): number {
    return this.#output.columns || 80;
  }
  get rows(): number {
    return this.#output.rows || 24;
  }

  set plain(plain: boolean) {
    if (plain === this.#plain) return;
    if (this.#taken) this.write(plain ? PASTE_OFF : PASTE_ON);
    this.#plain = plain;
  }

  write(text: string): void {
    if (text !== '') this.#output.write(text);
  }

  /** Takes the terminal: raw mode, keys are read. */
  take(): void {
    this.#wanted = true;
    if (this.#taken) return;
    this.#taken = true;
    this.#input.setRawMode?.(true);
    if (!this.#plain) this.write(PASTE_ON);
    this.#listen(true);
    this.#input.resume();
    // it may have ended while nobody listened
    if (this.#input.readableEnded || this.#input.destroyed) setImmediate(this.#ended);
  }

  /** Gives it back as it was found, and stops reading. */
  give(): void {
    this.#wanted = false;
    this.#release();
    this.#input.pause();
    this.#listen(false);
  }

  #listen(on: boolean): void {
    if (on === this.#listening) return;
    this.#listening = on;
    const method = on ? 'on' : 'off';
    this.#input[method]('data', this.#data);
    this.#input[method]('end', this.#ended);
    this.#input[method]('error', this.#ended);
  }

  /** Stops the process group, as the terminal itself would on C-z; takes the terminal again when continued. */
  suspend(): void {
    this.give();
    this.#wanted = true;
    process.kill(0, 'SIGTSTP');
    // a group without a shell above it is never stopped
    setTimeout(this.#back, 200);
  }

  close(): void {
    this.give();
    clearTimeout(this.#timer);
    process.off('exit', this.#release);
    process.off('SIGTERM', this.#killed);
    process.off('SIGHUP', this.#killed);
    process.off('SIGINT', this.#interrupted);
    process.off('SIGCONT', this.#continued);
    this.#output.off('resize', this.#resized);
  }

  readonly #release = (): void => {
    if (!this.#taken) return;
    this.#taken = false;
    try {
      if (!this.#plain) this.write(PASTE_OFF);
      this.#input.setRawMode?.(false);
    } catch {
      // the terminal is gone: there is nothing left to give back
    }
  };

  readonly #killed = (signal: NodeJS.Signals): void => {
    this.#release();
    process.off(signal, this.#killed);
    // others may be ending in their own order; alone we must not outlive the signal
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };

  readonly #interrupted = (): void => this.#handlers.interrupted();
  readonly #resized = (): void => this.#handlers.resized();
  readonly #ended = (): void => this.#handlers.end();

  readonly #continued = (): void => {
    if (!this.#wanted) return;
    // whoever had the terminal may have changed its mode: set it anew
    this.#release();
    this.#back();
  };

  readonly #back = (): void => {
    if (!this.#wanted || this.#taken) return;
    this.take();
    this.#handlers.resumed();
  };

  readonly #data = (chunk: Buffer | string): void => {
    clearTimeout(this.#timer);
    const keys = this.#decoder.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    if (this.#decoder.waiting) this.#timer = setTimeout(() => this.#handlers.keys(this.#decoder.flush()), ESCAPE_MS);
    if (keys.length > 0) this.#handlers.keys(keys);
  };
}
