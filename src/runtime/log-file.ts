import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileWords } from '../base/file-words.ts';
import { makeFolders } from '../base/make-folders.ts';

/** Where lines go, and when they go to the next file. */
export interface LogFileOptions {
  readonly path: string;
  /** The largest size of one file, bytes; a single longer line gets a file of its own. */
  readonly maxBytes: number;
  /** How many files there may be, the present one included; 1 at least. */
  readonly maxFiles: number;
}

/**
 * A log file that makes way when it is full: `log` becomes `log.1`, that becomes `log.2`, and the oldest goes. A line is
 * written before `write` returns, so that the last one of a process that dies is there. A disk that takes nothing more stops
 * no server: what could not be written is counted and told in the first line that can be again.
 */
export class LogFile {
  private readonly options: LogFileOptions;
  /** Told once for each time in which nothing can be written. */
  private readonly complain: (sentence: string) => void;
  private fd: number | undefined;
  private size = 0;
  private lost = 0;

  /** @throws Error with an errno `code` when the file cannot be opened */
  constructor(options: LogFileOptions, complain: (sentence: string) => void) {
    this.options = options;
    this.complain = complain;
    makeFolders(dirname(options.path), { mkdirSync, statSync });
    this.open();
  }
  /** Takes one line, its newline included. */
  write(line: string): void {
    try {
      const bytes = Buffer.from(line);
      if (this.fd === undefined) this.open();
      if (this.size > 0 && this.size + bytes.length > this.options.maxBytes) this.rotate();
      if (this.lost > 0) {
        const lost = this.lost;
        this.put(Buffer.from(`${lost} line${lost === 1 ? '' : 's'} could not be written here\n`));
        this.lost = 0;
      }
      this.put(bytes);
    } catch (error) {
      if (this.lost++ === 0) this.complain(`${this.options.path}: ${fileWords(error)}`);
    }
  }
  /** Goes on in a file made anew under the name: whoever moved the old one away (logrotate) has all of it. */
  reopen(): void {
    this.close();
    try {
      this.open();
    } catch (error) {
      this.complain(`${this.options.path}: ${fileWords(error)}`);
    }
  }
  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private open(): void {
    this.fd = openSync(this.options.path, 'a', 0o640);
    this.size = fstatSync(this.fd).size;
  }
  private put(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at += writeSync(this.fd as number, bytes, at);
    this.size += bytes.length;
  }
  private rotate(): void {
    const { path, maxFiles } = this.options;
    this.close();
    if (maxFiles <= 1) rmSync(path, { force: true });
    for (let nr = maxFiles - 1; nr >= 1; nr--) renamed(nr === 1 ? path : `${path}.${nr - 1}`, `${path}.${nr}`);
    this.open();
  }
}

function renamed(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
