/** A program of the operating system that runs while something is held, and not longer. */
import type { Client, Clock } from '../client/api.ts';
import type { Hold } from '../recipes/index.ts';
import type { CommandContext, RunningProgram } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';

export interface HeldRun {
  /** What is held, as messages call it. */
  readonly what: string;
  /** Empty: it is held until Ctrl-C. */
  readonly words: readonly string[];
  /** Without SIG. */
  readonly signal: string | undefined;
  readonly graceMs: number | undefined;
  readonly onLost: string | undefined;
}

const GRACE_MS = 10_000;
/** Signals go out this much before they must have arrived, ms. */
const EARLY_MS = 50;
/** How long the end of it may take when no server answers, ms. */
const RELEASE_MS = 2000;

/**
 * Runs the program and releases. When the hold is about to be lost the program is told so early that it is dead, by KILL at
 * the latest, before anybody else can be in. @throws Failure 33 when that happened, 126, 127
 */
export async function runWhileHeld(hold: Hold, client: Client, run: HeldRun, context: CommandContext): Promise<Output> {
  const { clock } = client;
  const graceMs = Math.min(run.graceMs ?? GRACE_MS, client.negotiatedTimeoutMs / 3);
  context.graceMs = graceMs + RELEASE_MS + EARLY_MS;
  const env = {
    ZOOSH_LOCK_PATH: hold.path,
    ZOOSH_LOCK_TOKEN: String(hold.token),
    ZOOSH_SERVER: context.session.target,
  };
  try {
    if (run.words.length === 0) {
      context.warn(`${run.what} ${hold.path}, token ${hold.token}; Ctrl-C lets it go`);
      await untilAny(hold.signal, context.signal);
      context.signal.throwIfAborted();
      throw lost(hold);
    }
    const exit = await supervise(hold, clock, await context.start(run.words, env), { ...run, graceMs, env }, context);
    if (hold.state === 'lost') throw lost(hold);
    return { type: 'many', parts: [], exit, program: run.words };
  } finally {
    await within(clock, RELEASE_MS, hold.release());
  }
}

const lost = (hold: Hold): Failure =>
  new Failure(33, 'Lost', (hold.signal.reason as Error | undefined)?.message ?? `${hold.path}: lost`, {
    path: hold.path,
  });

async function supervise(
  hold: Hold,
  clock: Clock,
  program: RunningProgram,
  { signal = 'TERM', graceMs, onLost, env }: HeldRun & { graceMs: number; env: Record<string, string> },
  context: CommandContext,
): Promise<number> {
  let isLosing = false;
  let killer: Disposable | undefined;
  let watcher: Disposable | undefined;
  let hook: Promise<unknown> = Promise.resolve();
  const killIn = (ms: number): void => {
    killer?.[Symbol.dispose]();
    killer = clock.after(ms, () => program.kill('SIGKILL'));
  };
  const lose = (): void => {
    if (isLosing) return;
    isLosing = true;
    watcher?.[Symbol.dispose]();
    context.warn(`losing ${hold.path}: the program is told to end`);
    if (onLost !== undefined)
      hook = context.start(['/bin/sh', '-c', onLost], env).then(
        ({ ended }) => ended,
        (error) => context.warn((error as Error).message),
      );
    program.kill(`SIG${signal}`);
    const left = hold.deadline - EARLY_MS - clock.monotonic();
    killIn(hold.state === 'lost' ? graceMs : Math.max(0, Math.min(graceMs, left)));
  };
  const watch = (): void => {
    const left = hold.deadline - graceMs - EARLY_MS - clock.monotonic();
    if (left <= 0) lose();
    else watcher = clock.after(left, watch);
  };
  const interrupted = (): void => {
    if (!isLosing) killIn(graceMs); // the program was told; it does not outlive us
  };
  hold.signal.addEventListener('abort', lose, { once: true });
  context.signal.addEventListener('abort', interrupted, { once: true });
  watch();
  if (context.signal.aborted) interrupted();
  try {
    const exit = await program.ended;
    if (isLosing) {
      program.kill('SIGKILL'); // what it has left behind
      await within(clock, graceMs, hook);
      throw lost(hold);
    }
    context.signal.throwIfAborted();
    return exit;
  } finally {
    hold.signal.removeEventListener('abort', lose);
    context.signal.removeEventListener('abort', interrupted);
    watcher?.[Symbol.dispose]();
    killer?.[Symbol.dispose]();
  }
}

/** Waits for it, so long at most; no timer is left behind, which the process would wait for. */
async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  let timer: Disposable | undefined;
  const late = new Promise<void>((resolve) => {
    timer = clock.after(ms, resolve);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    timer?.[Symbol.dispose]();
  }
}

const untilAny = (...signals: AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    const any = AbortSignal.any(signals);
    if (any.aborted) resolve();
    else any.addEventListener('abort', () => resolve(), { once: true });
  });
