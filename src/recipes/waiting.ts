/** Waiting for what a watch, the clock, the session or the caller says, whichever is first. */
import { KeeperError } from '../base/errors.ts';
import type { Client, ClientState, Clock } from '../client/api.ts';
import { RecipeError } from './errors.ts';

/** How long a caller is ready to wait. */
export interface WaitOptions {
  /** Gives up waiting; what was begun is taken back. */
  readonly signal?: AbortSignal | undefined;
  /** ms; absent: for ever. */
  readonly waitMs?: number | undefined;
}

/** The error of every request of a session that has ended; undefined while it lives. */
export function endOf(state: ClientState): KeeperError | undefined {
  if (state === 'expired') return new KeeperError('SessionExpired');
  if (state === 'authFailed') return new KeeperError('AuthFailed');
  return state === 'closed' ? new KeeperError('Closing') : undefined;
}

/** Something may have changed: `ring` says so, `heard` resolves; it rejects when the session ends. */
export interface Bell extends Disposable {
  readonly ring: () => void;
  readonly heard: Promise<void>;
}

/** Made before the reads whose watches ring it, so that nothing is missed in between. */
export function bell(client: Client): Bell {
  let ring = (): void => {};
  let end = (_error: KeeperError): void => {};
  const heard = new Promise<void>((resolve, reject) => {
    ring = resolve;
    end = reject;
  });
  heard.catch(() => {}); // nobody may be waiting yet
  const look = (state: ClientState): void => {
    const over = endOf(state);
    if (over !== undefined) end(over);
  };
  const off = client.on('state', ({ state }) => look(state));
  look(client.state);
  return { ring, heard, [Symbol.dispose]: off };
}

/** What `work` gives, unless `signal` aborts first; the work itself goes on. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/** Resolves after `ms`. @throws the signal's reason */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  let timer: Disposable | undefined;
  const over = new Promise<void>((resolve) => {
    timer = clock.after(ms, resolve);
  });
  return orAborted(over, signal).finally(() => timer?.[Symbol.dispose]());
}

/**
 * Runs `work` with a signal that aborts when the caller's does or the time is up.
 * @throws RecipeError TimedOut, or the reason of the caller's signal
 */
export async function within<T>(
  client: Client,
  path: string,
  { signal, waitMs }: WaitOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const late = (): void => stop.abort(new RecipeError('TimedOut', path, `not within ${waitMs} ms`));
  const timer = waitMs === undefined ? undefined : client.clock.after(waitMs, late);
  try {
    return await work(stop.signal);
  } finally {
    timer?.[Symbol.dispose]();
    signal?.removeEventListener('abort', abort);
  }
}
