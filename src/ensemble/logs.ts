import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../shell/ensembles.ts';
import type { Ensemble } from './ensemble.ts';

const POLL_MS = 100;
/** Of each log, at most so many bytes of its end are looked at. */
const MOST_BYTES = 4 * 1024 * 1024;
const TIME = /^\d{4}-\d\d-\d\dT\S+Z /;

/** Reads what a log gained since the last look, in whole lines. */
class LogReader {
  private readonly file: string;
  private at: number;
  private rest = '';
  constructor(file: string, at: number) {
    this.file = file;
    this.at = at;
  }
  /** The lines; `all`: also one without its newline. */
  read(all = false): string[] {
    if (!existsSync(this.file)) return [];
    const { size } = statSync(this.file);
    if (size < this.at) this.at = 0; // made anew
    const fd = openSync(this.file, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(size - this.at, MOST_BYTES));
      const got = readSync(fd, bytes, 0, bytes.length, this.at);
      this.at += got;
      const lines = (this.rest + bytes.toString('utf8', 0, got)).split('\n');
      this.rest = lines.pop() ?? '';
      if (all && this.rest !== '') lines.push(this.rest);
      return lines;
    } finally {
      closeSync(fd);
    }
  }
}

/** Lines of one log in their order, each with a time: that of the line before, where it has none, as `ready HOST:PORT`. */
class Timed {
  private last = '';
  of(text: string): { readonly time: string; readonly text: string } {
    const time = TIME.exec(text)?.[0];
    if (time !== undefined) this.last = time;
    return { time: this.last, text: time === undefined && /^\S/.test(text) ? this.last + text : text };
  }
}

const sizeOf = (file: string): number => (existsSync(file) ? statSync(file).size : 0);

/** The last lines of several logs, merged by their times; a line without a time stays behind the one before it. */
export function lastLines(ensemble: Ensemble, ids: readonly number[], last: number): LogLine[] {
  const timed = ids.flatMap((id) => {
    const file = ensemble.process(id).logFile;
    const start = Math.max(0, sizeOf(file) - MOST_BYTES);
    const timed = new Timed();
    return new LogReader(file, start).read(true).map((text) => ({ member: id, ...timed.of(text) }));
  });
  timed.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)); // stable: equal times keep their order
  return timed.slice(-last).map(({ member, text }) => ({ member, text }));
}

/** Lines as they come, from `from` bytes of each log on (default: from now). */
export async function* followLogs(
  ensemble: Ensemble,
  ids: readonly number[],
  signal: AbortSignal,
  from: ReadonlyMap<number, number> = new Map(),
): AsyncGenerator<LogLine> {
  const readers = ids.map((id) => {
    const file = ensemble.process(id).logFile;
    return { id, timed: new Timed(), reader: new LogReader(file, from.get(id) ?? sizeOf(file)) };
  });
  for (;;) {
    const isLast = signal.aborted;
    for (const { id, reader, timed } of readers)
      for (const line of reader.read(isLast)) yield { member: id, text: timed.of(line).text };
    if (isLast) return;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
