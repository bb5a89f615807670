import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makeFolders } from '../base/make-folders.ts';
import { redact } from './redact.ts';
import type { HistoryStore } from './types.ts';

export { redact };

/** Entries kept when the file is trimmed, and how many make that worth while. */
const KEPT = 10_000;
const TRIM_AT = 12_000;
/** More than any file of ours; the end of a larger one is read. */
const READ_LIMIT = 64 * 1024 * 1024;

export interface HistoryEntry {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly profile: string;
  readonly cwd: string;
  readonly text: string;
}

export interface FileHistoryOptions {
  readonly file: string;
  /** What the shell is in now; asked at each line. */
  readonly context?: () => { readonly profile: string; readonly cwd: string };
  /** Told once, in words, when the disk refuses. The history then lives in memory. */
  readonly warn?: (message: string) => void;
  readonly now?: () => number;
  readonly kept?: number;
  readonly trimAt?: number;
}

function parseEntry(line: string): HistoryEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    const { time, profile, cwd, text } = value as Record<string, unknown>;
    if (typeof text !== 'string' || text === '') return undefined;
    return {
      time: typeof time === 'number' ? time : 0,
      profile: typeof profile === 'string' ? profile : '',
      cwd: typeof cwd === 'string' ? cwd : '',
      text,
    };
  } catch {
    return undefined; // damaged, or another's: skipped
  }
}

/**
 * The history as one JSON object a line, shared between shells: each line is one append, and what others appended is
 * read by {@link reload}. Nothing here throws; a disk that refuses costs the memory of this session at most.
 */
export class FileHistory implements HistoryStore {
  readonly #options: FileHistoryOptions;
  readonly #kept: number;
  readonly #trimAt: number;
  #entries: HistoryEntry[] = [];
  #texts: string[] = [];
  /** Which file was read, and how far. */
  #inode = 0;
  #read = 0;
  #inFile = 0;
  #warned = false;

  constructor(options: FileHistoryOptions) {
    this.#options = options;
    this.#kept = options.kept ?? KEPT;
    this.#trimAt = options.trimAt ?? TRIM_AT;
    this.reload();
    if (this.#inFile > this.#trimAt) this.#trim();
  }

  lines(): readonly string[] {
    return this.#texts;
  }

  /** Oldest first. */
  entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** The newest of the present profile, else the newest of all, that goes on from `prefix`. */
  suggest(prefix: string): string | undefined {
    const profile = this.#options.context?.().profile ?? '';
    let other: string | undefined;
    for (let at = this.#entries.length - 1; at >= 0; at--) {
      const entry = this.#entries[at] as HistoryEntry;
      if (entry.text.length <= prefix.length || !entry.text.startsWith(prefix)) continue;
      if (entry.profile === profile) return entry.text;
      other ??= entry.text;
    }
    return other;
  }

  /** Stores the line without its credentials; not at all when it starts with a blank or repeats the one before. */
  add(text: string): void {
    if (text === '' || /^\s/.test(text)) return;
    const { profile = '', cwd = '' } = this.#options.context?.() ?? {};
    const entry = { time: (this.#options.now ?? Date.now)(), profile, cwd, text: redact(text) };
    const last = this.#entries.at(-1);
    if (last?.text === entry.text && last.profile === profile) return;
    this.reload();
    this.#remember(entry);
    this.#guarded(() => {
      this.#append(entry, true);
      if (this.#inFile > this.#trimAt) this.#trim();
    });
  }

  /** Forgets all lines, here and in the file. */
  clear(): void {
    this.#entries = [];
    this.#texts = [];
    this.#inFile = 0;
    this.#read = 0;
    this.#inode = 0;
    this.#guarded(() => rmSync(this.#options.file, { force: true }));
  }

  /** Reads what was appended since; a file that was replaced is read from its beginning. */
  reload(): void {
    this.#guarded(() => {
      const found = statSync(this.#options.file, { throwIfNoEntry: false });
      if (found === undefined || (found.ino === this.#inode && found.size === this.#read)) return;
      const fd = openSync(this.#options.file, constants.O_RDONLY);
      try {
        const { ino, size } = fstatSync(fd);
        const same = ino === this.#inode && size >= this.#read;
        const text = readRange(fd, Math.max(same ? this.#read : 0, size - READ_LIMIT), size);
        if (!same) {
          this.#entries = [];
          this.#texts = [];
          this.#inFile = 0;
        }
        this.#take(text);
        this.#inode = ino;
        this.#read = size;
      } finally {
        closeSync(fd);
      }
    });
  }

  #take(text: string): void {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      this.#inFile++;
      const entry = parseEntry(line);
      if (entry !== undefined) this.#remember(entry);
    }
    if (this.#entries.length > this.#kept) this.#forgetOldest();
  }

  #remember(entry: HistoryEntry): void {
    this.#entries.push(entry);
    this.#texts.push(entry.text);
    // not at every line: to move ten thousand entries costs more than to keep some for a while
    if (this.#entries.length > this.#kept + 1000) this.#forgetOldest();
  }

  #forgetOldest(): void {
    this.#entries = this.#entries.slice(-this.#kept);
    this.#texts = this.#texts.slice(-this.#kept);
  }

  /** Keeps the newest; the file is replaced whole, so that whoever reads it sees the old or the new. */
  #trim(): void {
    this.#guarded(() => {
      this.reload();
      const { file } = this.#options;
      const temporary = `${file}.${process.pid}.tmp`;
      const fd = openSync(temporary, 'w', 0o600);
      const kept = this.#entries.slice(-this.#kept);
      try {
        writeSync(fd, kept.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
        renameSync(temporary, file);
        const { ino, size } = fstatSync(fd);
        this.#inode = ino;
        this.#read = size;
        this.#inFile = kept.length;
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      } finally {
        closeSync(fd);
      }
    });
  }

  /** One write, so that lines of several shells never mix. */
  #append(entry: HistoryEntry, retry: boolean): void {
    const { file } = this.#options;
    const folder = dirname(file);
    if (makeFolders(folder, { mkdirSync, statSync }, 0o700) !== undefined) chmodSync(folder, 0o700);
    const fd = openSync(file, constants.O_APPEND | constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if (fstatSync(fd).mode & 0o077) fchmodSync(fd, 0o600);
      const bytes = Buffer.from(`${tornEnd(fd)}${JSON.stringify(entry)}\n`);
      writeSync(fd, bytes);
      const { ino, size } = fstatSync(fd);
      // trimmed by another shell under our hands: the line went into the file that is gone
      if (retry && statSync(file, { throwIfNoEntry: false })?.ino !== ino) {
        this.#append(entry, false);
        return;
      }
      // did another shell append too, our own line is not all that is new: everything is read again later
      if (ino === this.#inode && size === this.#read + bytes.length) this.#read = size;
      else this.#inode = 0;
      this.#inFile++;
    } finally {
      closeSync(fd);
    }
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      this.#options.warn?.(`history is not kept: ${(error as Error).message}`);
    }
  }
}

function readRange(fd: number, start: number, end: number): string {
  const bytes = Buffer.alloc(end - start);
  let at = 0;
  while (at < bytes.length) {
    const count = readSync(fd, bytes, at, bytes.length - at, start + at);
    if (count === 0) break;
    at += count;
  }
  return bytes.subarray(0, at).toString('utf8');
}

/** A newline when the file ends within a line, which a crash or a full disk left. */
function tornEnd(fd: number): string {
  const { size } = fstatSync(fd);
  if (size === 0) return '';
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] === 10 ? '' : '\n';
}
