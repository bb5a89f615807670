/** Waiting for what a watch, the clock, the session or the caller says, whichever is first. */
import { KeeperError } from '../base/errors.ts';
import type { Client, ClientState, Clock, WatchListener } from '../client/api.ts';
import { shared } from '../client/shared-signal.ts';
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

/** What a listener throws is an uncaught error of the program, and changes nothing for whoever tells it. */
export function tell<T>(listener: (what: T) => void, what: T): void {
  try {
    listener(what);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Who listens at a path, by one function: a client keeps every function that it was given until it has told it something. */
interface Hub {
  readonly listener: WatchListener;
  readonly hears: Set<WatchListener>;
}
/** A hub lives as long as the client may still tell it something, or somebody listens. */
const hubs = new WeakMap<Client, Map<string, WeakRef<Hub>>>();
const gone = new FinalizationRegistry<{ readonly paths: Map<string, WeakRef<Hub>>; readonly path: string }>(
  ({ paths, path }) => {
    if (paths.get(path)?.deref() === undefined) paths.delete(path);
  },
);

function hubAt(client: Client, path: string): Hub {
  let paths = hubs.get(client);
  if (paths === undefined) {
    paths = new Map();
    hubs.set(client, paths);
  }
  const known = paths.get(path)?.deref();
  if (known !== undefined) return known;
  const hub: Hub = {
    hears: new Set(),
    listener: (event) => {
      for (const hear of [...hub.hears]) hear(event);
    },
  };
  paths.set(path, new WeakRef(hub));
  gone.register(hub, { paths, path });
  return hub;
}

/** Something may have changed: `ring` says so, `heard` resolves; it rejects when the session ends. */
export interface Bell extends Disposable {
  /** A watch on `path` that rings it, after `hear` was told what it is. */
  at(path: string, hear?: WatchListener): WatchListener;
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
  const offs = [client.on('state', ({ state }) => look(state))];
  look(client.state);
  return {
    at(path, hear) {
      const hub = hubAt(client, path);
      const told: WatchListener = (event) => {
        hear?.(event);
        ring();
      };
      hub.hears.add(told);
      offs.push(() => void hub.hears.delete(told));
      return hub.listener;
    },
    heard,
    [Symbol.dispose]() {
      for (const off of offs) off();
    },
  };
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
  if (signal !== undefined) shared(signal);
  const stop = new AbortController();
  shared(stop.signal);
  const abort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const late = (): void => stop.abort(new RecipeError('TimedOut', path, `not within ${waitMs}ms`));
  const timer = waitMs === undefined ? undefined : client.clock.after(waitMs, late);
  try {
    return await work(stop.signal);
  } finally {
    timer?.[Symbol.dispose]();
    signal?.removeEventListener('abort', abort);
  }
}
