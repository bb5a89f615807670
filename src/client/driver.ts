import { KeeperError } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Connection, Dialer, TlsOptions } from '../ports/network.ts';
import type { Credential, HostFailure, StateChange, WatchEvent, WatchGap, WatchListener } from './api.ts';
import { showServer } from './connect-string.ts';
import type { Effect, Request, Session } from './session.ts';

/** A request with the promise that waits for it. */
export interface Call extends Request<WatchListener> {
  readonly path: string | undefined;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface DriverOptions {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly tls: TlsOptions | undefined;
  /** Makes a server's path the caller's. */
  readonly strip: (path: string) => string;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** Carries the session machine's effects onto socket, timer and promises, and what happens there back to it. */
export class Driver {
  readonly session: Session<WatchListener>;
  readonly stateListeners = new Set<(change: StateChange) => void>();
  readonly gapListeners = new Set<(gap: WatchGap) => void>();
  readonly #options: DriverOptions;
  readonly #authWaiters = new Map<Credential, Waiter>();
  readonly #effects: Effect<WatchListener>[] = [];
  #running = false;
  #attempt = 0;
  #dialing: AbortController | undefined;
  #connection: Connection | undefined;
  #timer: Disposable | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #flushDue = false;

  constructor(session: Session<WatchListener>, options: DriverOptions) {
    this.session = session;
    this.#options = options;
  }

  get #now(): number {
    return this.#options.clock.monotonic();
  }

  start(): void {
    this.#run(this.session.start(this.#now));
  }

  /** Sends a request with all others of this turn in one write. */
  submit(call: Call): void {
    this.#run(this.session.submit(call));
    if (this.#flushDue || this.session.down) return;
    this.#flushDue = true;
    // after the promise continuations that run now, since those may submit more
    process.nextTick(() => {
      this.#flushDue = false;
      this.#run(this.session.flush(this.#now));
    });
  }

  addAuth(credential: Credential): Promise<void> {
    const done = this.authDone(credential);
    this.#run(this.session.addAuth(credential, this.#now));
    return done;
  }

  /** Settles when the server answers to a credential. */
  authDone(credential: Credential): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#authWaiters.set(credential, { resolve, reject });
    });
  }

  rearm(path: string): void {
    this.#run(this.session.rearm(path, this.#now));
  }

  close(): void {
    this.#run(this.session.close(this.#now));
  }

  /** Each host's latest failure, and the one being tried as `timed out`. */
  failures(): HostFailure[] {
    const { hosts, server } = this.session;
    const failures = hosts.failures;
    if (server !== undefined && !failures.some(({ host }) => host === showServer(server)))
      failures.push({ host: showServer(server), reason: 'timed out' });
    return failures;
  }

  deliver(event: WatchEvent, listeners: readonly WatchListener[]): void {
    const own = { ...event, path: this.#options.strip(event.path) };
    for (const listener of listeners) guarded(() => listener(own));
  }

  #run(effects: Effect<WatchListener>[]): void {
    for (const effect of effects) this.#effects.push(effect);
    if (this.#running) return; // a listener called us: its effects follow those before them
    this.#running = true;
    for (;;) {
      for (let at = 0; at < this.#effects.length; at++) this.#perform(this.#effects[at] as Effect<WatchListener>);
      this.#effects.length = 0;
      if (!this.session.more) break;
      for (const effect of this.session.flush(this.#now)) this.#effects.push(effect);
    }
    this.#running = false;
    this.#setTimer();
  }

  #perform(effect: Effect<WatchListener>): void {
    switch (effect.type) {
      case 'settle': {
        const call = effect.request as Call;
        if (effect.code === undefined) call.resolve(effect.value as never);
        else call.reject(new KeeperError(effect.code, call.path));
        return;
      }
      case 'send':
        if (this.#connection?.send(effect.bytes) === false) this.session.blocked();
        return;
      case 'event':
        this.deliver(effect.event, effect.watchers);
        return;
      case 'gap': {
        const gap = { paths: effect.gap.paths.map(this.#options.strip), after: effect.gap.after };
        for (const listener of this.gapListeners) guarded(() => listener(gap));
        return;
      }
      case 'state':
        for (const listener of this.stateListeners) guarded(() => listener(effect.change));
        return;
      case 'authSettled': {
        const waiter = this.#authWaiters.get(effect.credential);
        this.#authWaiters.delete(effect.credential);
        if (effect.code === undefined) waiter?.resolve();
        else waiter?.reject(new KeeperError(effect.code));
        return;
      }
      case 'hangUp':
        this.#attempt++;
        this.#dialing?.abort(new Error('given up'));
        this.#dialing = undefined;
        this.#connection?.destroy();
        this.#connection = undefined;
        return;
      case 'dial':
        this.#dial(effect.server, effect.timeoutMs);
        return;
    }
  }

  #dial({ host, port }: { host: string; port: number }, timeoutMs: number): void {
    const attempt = ++this.#attempt;
    const current = (): boolean => attempt === this.#attempt;
    const abort = new AbortController();
    this.#dialing = abort;
    const { tls, dialer } = this.#options;
    const gone = (reason: string): void => {
      if (!current()) return;
      this.#connection = undefined;
      this.#run(this.session.disconnected(reason, this.#now));
    };
    dialer
      .dial(
        tls === undefined ? { host, port, timeoutMs } : { host, port, timeoutMs, tls },
        {
          data: (bytes) => {
            if (current()) this.#run(this.session.received(bytes, this.#now));
          },
          drained: () => {
            if (current()) this.#run(this.session.drained(this.#now));
          },
          closed: (error) => gone(error === undefined ? 'the server closed the connection' : showFailure(error)),
        },
        abort.signal,
      )
      .then(
        (connection) => {
          if (!current()) {
            connection.destroy();
            return;
          }
          this.#connection = connection;
          this.#run(this.session.connected(this.#now));
        },
        (error) => gone(showFailure(error)),
      );
  }

  /** An armed timer that fires too early costs less than setting one anew for every request. */
  #setTimer(): void {
    const at = this.session.wakeAt;
    if (at >= this.#timerAt && at !== Number.POSITIVE_INFINITY) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#options.clock.after(Math.max(0, at - this.#now), () => {
      this.#timer = undefined;
      // after a pause of the process, answers that already arrived are read before silence is judged
      setImmediate(() => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.#run(this.session.tick(this.#now));
      });
    });
  }
}

/** A listener's fault is the program's, not the session's: it surfaces as an uncaught exception and the rest goes on. */
function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timed out',
  ENOTFOUND: 'DNS: not found',
  EAI_AGAIN: 'DNS: no answer',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
};

function showFailure(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return REASONS[code ?? ''] ?? message ?? String(error);
}
