/** The real binary as a child process that is looked at: how long, how much memory, how soon it ends on Ctrl-C. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { spawn as spawnPty } from '@lydell/node-pty';
import { BIN } from '../e2e/cli.ts';

const EVERY_MS = 50;
const LIMIT_MS = 900_000;

export interface Watched {
  /** Exit code; 128 and more: a signal. */
  readonly code: number;
  readonly seconds: number;
  /** The most resident memory, MB. */
  readonly peakMb: number;
  /** From the signal to the end of the process. */
  readonly stopMs: number | undefined;
  readonly stderr: string;
  /** Bytes of standard output; on a terminal of both. */
  readonly bytes: number;
  /** What the terminal was sent, the last of it. */
  readonly screen: string;
}

export interface WatchOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** SIGINT, or Ctrl-C on a terminal, so long after the start, ms; or as soon as there is output. */
  readonly interruptAfterMs?: number | 'output';
  /** A terminal of 100 columns stands for the streams. */
  readonly onTerminal?: boolean;
  /** Called just before the interruption. */
  readonly before?: () => Promise<void>;
}

/** The most this process has had in memory so far, MB; undefined when it is gone. */
function peakOf(pid: number): number | undefined {
  try {
    const kb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    return Number.isNaN(kb) ? undefined : kb / 1024;
  } catch {
    return undefined;
  }
}

/** Runs `zoosh ARGS` to its end, or until it is interrupted. */
export function watch(args: readonly string[], options: WatchOptions = {}): Promise<Watched> {
  const env = { PATH: process.env.PATH ?? '', ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8', ...options.env };
  const began = performance.now();
  let [peakMb, bytes, stderr, screen] = [0, 0, '', ''];
  let signalledAt: number | undefined;
  let endedAt: number | undefined;
  return new Promise((resolve) => {
    const onEnd = (code: number): void => {
      const now = endedAt ?? performance.now();
      clearInterval(sampler);
      clearTimeout(limit);
      clearTimeout(interrupt);
      const stopMs = signalledAt === undefined ? undefined : now - signalledAt;
      resolve({ code, seconds: (now - began) / 1000, peakMb, stopMs, stderr, bytes, screen });
    };
    const child = options.onTerminal === true ? onTerminal() : onPipes();
    const sampler = setInterval(() => {
      peakMb = Math.max(peakMb, peakOf(child.pid) ?? 0);
    }, EVERY_MS);
    const limit = setTimeout(() => process.kill(child.pid, 'SIGKILL'), LIMIT_MS);
    const stop = async (): Promise<void> => {
      await options.before?.();
      peakMb = Math.max(peakMb, peakOf(child.pid) ?? 0);
      signalledAt = performance.now();
      child.interrupt();
    };
    const after = options.interruptAfterMs ?? LIMIT_MS + 1;
    const interrupt = after === 'output' ? undefined : setTimeout(() => void stop(), after);
    function onOutput(length: number): void {
      if (bytes === 0 && after === 'output') void stop();
      bytes += length;
    }

    function onPipes(): { pid: number; interrupt: () => void } {
      const it = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
      it.stdout.on('data', (chunk: Buffer) => {
        onOutput(chunk.length);
      });
      it.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      it.once('exit', () => {
        endedAt = performance.now();
      });
      // what it said last may come after its end
      it.once('close', (code, signal) => onEnd(code ?? (signal === null ? 1 : 128)));
      return { pid: it.pid as number, interrupt: () => void it.kill('SIGINT') };
    }
    function onTerminal(): { pid: number; interrupt: () => void } {
      const it = spawnPty(process.execPath, [BIN, ...args], { cols: 100, rows: 24, env: { ...env, TERM: 'xterm' } });
      it.onData((text) => {
        onOutput(text.length);
        screen = (screen + text).slice(-20_000);
      });
      it.onExit(({ exitCode, signal }) => onEnd(exitCode + (signal ? 128 + signal : 0)));
      return { pid: it.pid, interrupt: () => it.write('\x03') };
    }
  });
}
