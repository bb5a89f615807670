import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';

/** Signals that end a program, and the exit codes that say so. */
export const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Why something was given up, and the exit code of the program. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** The exit code that stands for how a program ended: its own, or 128 and the number of its signal. */
export const exitOf = (code: number | null, killed: NodeJS.Signals | null): number =>
  code ?? 128 + (constants.signals[killed as NodeJS.Signals] ?? 0);

/** Turns the first signal into an abort with an {@link Interrupted}; disposing gives signals their old meaning back. */
export function abortOnSignals(): { readonly signal: AbortSignal } & Disposable {
  const abort = new AbortController();
  setMaxListeners(0, abort.signal); // one for each that is begun
  const handlers = Object.entries(SIGNALS).map(([signal, code]) => {
    const handler = (): void => abort.abort(new Interrupted(code));
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  return {
    signal: abort.signal,
    [Symbol.dispose]() {
      for (const [signal, handler] of handlers) process.removeListener(signal, handler);
    },
  };
}

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
