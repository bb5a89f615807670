import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolders } from '../base/make-folders.ts';
import { StartError } from '../runtime/start-error.ts';
import { whyNot } from './whose.ts';

const POLL_MS = 20;

/** The arguments of a process, undefined when there is none; a zombie has none. */
function argumentsOf(pid: number): string[] | undefined {
  try {
    if (process.platform === 'linux') {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.length > 1 ? words.slice(0, -1) : undefined;
    }
    const line = execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return line === '' ? undefined : line.split(/\s+/);
  } catch {
    return undefined;
  }
}
const hasPair = (words: readonly string[], option: string, value: string): boolean =>
  words.some((word, at) => word === option && words[at + 1] === value);

/** The option by which a server in the background knows, and shows, its pid file. */
export const PID_OPTION = '--pid-file';
/** The option that says by which of Apache's names it was started. */
export const NAME_OPTION = '--started-as';

/** What the number in a pid file is about. */
export type Found =
  | { readonly state: 'none' }
  /** Nobody has the number, or nobody of ours: it was left behind and went to another since. */
  | { readonly state: 'stale'; readonly pid: number; readonly isTaken: boolean }
  | { readonly state: 'running'; readonly pid: number };

/**
 * The file that holds a server's process number, a bare number as Apache's scripts write it. Whether the process of that
 * number is the one that was started is seen by its arguments, which name this file.
 */
export class PidFile {
  readonly path: string;
  constructor(path: string) {
    this.path = resolve(path);
  }
  /** @throws StartError (40) for a file that this user may not read */
  find(): Found {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8').trim();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'none' };
      throw new StartError(40, `the pid file ${this.path} cannot be read: ${whyNot(this.path, error)}`);
    }
    const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
    const words = pid === 0 ? undefined : argumentsOf(pid);
    return this.isIn(words) ? { state: 'running', pid } : { state: 'stale', pid, isTaken: words !== undefined };
  }
  private isIn(words: readonly string[] | undefined): boolean {
    return words !== undefined && hasPair(words, PID_OPTION, this.path);
  }
  /** @throws Error with an errno `code` */
  write(pid: number): void {
    makeFolders(dirname(this.path), { mkdirSync, statSync });
    writeFileSync(this.path, String(pid), { mode: 0o644 });
  }
  /** Who came up has the file, also when another that was started at the same time wrote to it. @throws Error with an errno `code` */
  keep(pid: number): void {
    if (this.number() !== pid) this.write(pid);
  }
  /** The process that was written down did not come up: the file is again about the one before, if that runs. Returns as `remove`. */
  takeBack(pid: number, before: Found): string | undefined {
    if (this.number() !== pid) return undefined; // another's by now
    if (before.state !== 'running' || before.pid === pid || !this.isIn(argumentsOf(before.pid))) return this.remove();
    this.write(before.pid);
    return undefined;
  }
  /** 0 for none, and for what is no number. */
  private number(): number {
    const found = this.find();
    return found.state === 'none' ? 0 : found.pid;
  }
  /** Returns why it is still there, if it is. */
  remove(): string | undefined {
    try {
      rmSync(this.path, { force: true });
      return undefined;
    } catch (error) {
      return `${this.path} cannot be removed: ${whyNot(dirname(this.path), error)}`;
    }
  }
  /** Resolves true once the process is gone, false when it is still there after `ms`. */
  async gone(ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    for (;;) {
      if (this.find().state !== 'running') return true;
      if (performance.now() > end) return false;
      await sleep(POLL_MS);
    }
  }
}

/** The processes of this user that were started by one of Apache's names, by their arguments. Linux only; elsewhere by ps. */
export function startedAs(name: string): number[] {
  const uid = process.getuid?.() ?? -1;
  const isOwn = (pid: number): boolean => {
    try {
      return process.platform !== 'linux' || uid === 0 || statSync(`/proc/${pid}`).uid === uid;
    } catch {
      return false;
    }
  };
  const all =
    process.platform === 'linux'
      ? readdirSync('/proc').filter((each) => /^\d+$/.test(each))
      : execFileSync('ps', ['-A', '-o', 'pid='], { encoding: 'utf8' }).trim().split(/\s+/);
  const found = all.map(Number).filter((pid) => {
    const words = pid === process.pid || !isOwn(pid) ? undefined : argumentsOf(pid);
    return words?.some((word) => STARTS.has(word)) === true && hasPair(words, NAME_OPTION, name);
  });
  // one that runs again with other memory is told by its parent, and must not be told twice
  return found.filter((pid) => !found.includes(parentOf(pid)));
}

const STARTS = new Set(['start', 'start-foreground']);

function parentOf(pid: number): number {
  try {
    if (process.platform !== 'linux')
      return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}
