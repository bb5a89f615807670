import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a server process is begun: what stands before `start server ...`. */
export interface MemberCommand {
  readonly program: string;
  readonly args: readonly string[];
}
/** A process that is there: since when, as the system tells it, and whether it is stopped. */
interface Found {
  readonly since: string;
  readonly paused: boolean;
}

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
};

/** Looks a process up; one that has ended and was not waited for yet counts as gone. */
export function processOf(pid: number): Found | undefined {
  if (process.platform !== 'linux') return processByPs(pid);
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', threads, since = ''] = [fields[0], fields[17], fields[19]];
  // while its other threads are still ending, its ports are still taken
  if ((state === 'Z' || state === 'X') && Number(threads) <= 1) return undefined;
  const boot = readText('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? '';
  return { since: `${boot}:${since}`, paused: state === 'T' || state === 't' };
}
function processByPs(pid: number): Found | undefined {
  try {
    const words = ['-o', 'stat=,lstart=', '-p', String(pid)];
    const [state = '', ...since] = execFileSync('ps', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split(/\s+/);
    return state === '' || state.startsWith('Z')
      ? undefined
      : { since: since.join(' '), paused: state.startsWith('T') };
  } catch {
    return undefined;
  }
}

/** Why a member does not run, and since when. */
export interface Ended {
  readonly how: 'killed' | 'stopped';
  /** ms since 1970 */
  readonly at: number;
}

/** The process of a member, by the files in its folder: `pid`, `log`, and `ended` once somebody ended it. */
export class MemberProcess {
  private readonly folder: string;
  constructor(folder: string) {
    this.folder = folder;
  }
  get logFile(): string {
    return join(this.folder, 'log');
  }
  private get pidFile(): string {
    return join(this.folder, 'pid');
  }
  /** The process, if it is still the one that was started: a number may have gone to another since. */
  find(): { readonly pid: number; readonly paused: boolean } | undefined {
    const [pidText = '', since = ''] = (readText(this.pidFile) ?? '').split('\n');
    const pid = Number(pidText);
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    const found = processOf(pid);
    return found?.since === since ? { pid, paused: found.paused } : undefined;
  }
  /** Sends a signal; false when the process is gone. */
  signal(signal: NodeJS.Signals): boolean {
    const found = this.find();
    if (found === undefined) return false;
    try {
      process.kill(found.pid, signal);
      return true;
    } catch {
      return false;
    }
  }
  /** Resolves true once the process is gone, false when it still is there after `ms`. */
  async gone(ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (this.find() !== undefined) {
      if (performance.now() > end) return false;
      await sleep(10);
    }
    return true;
  }
  /** Stops it or lets it go on, and waits until that is so; false when it is gone. */
  async pause(paused: boolean): Promise<boolean> {
    if (!this.signal(paused ? 'SIGSTOP' : 'SIGCONT')) return false;
    for (let found = this.find(); found !== undefined; found = this.find()) {
      if (found.paused === paused) return true;
      await sleep(5);
    }
    return false;
  }
  get ended(): Ended | undefined {
    const [how, at] = (readText(join(this.folder, 'ended')) ?? '').split(' ');
    return how === 'killed' || how === 'stopped' ? { how, at: Number(at) } : undefined;
  }
  noteEnd(how: Ended['how']): void {
    rmSync(this.pidFile, { force: true });
    writeFileSync(join(this.folder, 'ended'), `${how} ${Date.now()}\n`);
  }
  /** Whether it was started and ended by itself. */
  get failed(): boolean {
    return readText(this.pidFile) !== undefined && this.find() === undefined;
  }

  /**
   * Starts the process in a session of its own, its output going to the log. It ends as soon as this process does, however
   * that ends, and removes `temporary` then; a line `keep` on its standard input spares these, `free` lets it live on, too.
   */
  spawn(command: MemberCommand, words: readonly string[], temporary: readonly string[]): ChildProcess {
    const log = openSync(this.logFile, 'a', 0o600);
    try {
      const removed = temporary.flatMap((path) => ['--temporary', path]);
      const child = spawn(command.program, [...command.args, ...words, '--leash', ...removed], {
        cwd: this.folder,
        detached: true,
        stdio: ['pipe', log, log],
      });
      child.on('error', () => {}); // told by `exit`, or by the pid that is missing
      child.stdin?.on('error', () => {});
      if (child.pid !== undefined) {
        rmSync(join(this.folder, 'ended'), { force: true });
        writeFileSync(this.pidFile, `${child.pid}\n${processOf(child.pid)?.since ?? ''}\n`);
      }
      return child;
    } finally {
      closeSync(log);
    }
  }
}
