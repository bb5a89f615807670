import { KeeperError } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Connection, Dialer, TlsOptions } from '../ports/network.ts';
import type { Credential, StateChange, WatchEvent, WatchGap, WatchListener } from './api.ts';
import type { Server } from './connect-string.ts';
import { failureReason } from './failure-reason.ts';
import { fourLetter } from './four-letter.ts';
import type { Session } from './session.ts';
import type { Effect, Request } from './types.ts';

/** A request with the promise that waits for it. */
export interface Call extends Request<WatchListener> {
  /** NoNode is an answer, not a failure: the promise resolves with undefined. */
  readonly mayBeAbsent: boolean;
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

const PROBE_MS = 1000;

/**
 * Carries the session machine's effects onto socket, timer and promises, and what happens there back to it. Listeners
 * run as microtasks, in the order of the replies around them: an event that follows a reply reaches its listener after
 * the code that awaited the reply. What a listener throws is the program's own uncaught error, never the session's.
 */
export class Driver {
  readonly session: Session<WatchListener>;
  readonly stateListeners = new Set<(change: StateChange) => void>();
  readonly gapListeners = new Set<(gap: WatchGap) => void>();
  readonly #options: DriverOptions;
  readonly #authWaiters = new Map<Credential, Waiter>();
  readonly #inbox: Effect<WatchListener>[] = [];
  #running = false;
  #attempt = 0;
  #dialing: AbortController | undefined;
  #connection: Connection | undefined;
  #timer: Disposable | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #flushDue = false;
  readonly #flush = (): void => {
    this.#flushDue = false;
    this.#run(this.session.flush(this.#now));
  };

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
    const effects = this.session.submit(call);
    if (effects.length > 0) this.#run(effects);
    if (this.#flushDue || this.session.down) return;
    this.#flushDue = true;
    process.nextTick(this.#flush); // from a promise continuation: after all others, which may submit more
  }

  /** Resolves when a server accepted the credential; it is kept for later connections from the start. */
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

  /** Tells listeners of an event, its path as the caller knows it. */
  deliver(event: WatchEvent, listeners: readonly WatchListener[]): void {
    const own = { ...event, path: this.#options.strip(event.path) };
    for (const listener of listeners) queueMicrotask(() => listener(own));
  }

  #run(effects: Effect<WatchListener>[]): void {
    for (const effect of effects) this.#inbox.push(effect);
    if (this.#running) return; // called from within an effect: this one's follow those before
    this.#running = true;
    for (;;) {
      for (let at = 0; at < this.#inbox.length; at++) this.#perform(this.#inbox[at] as Effect<WatchListener>);
      this.#inbox.length = 0;
      if (this.#flushDue || !this.session.more) break;
      for (const effect of this.session.flush(this.#now)) this.#inbox.push(effect);
    }
    this.#running = false;
    this.#setTimer();
  }

  #perform(effect: Effect<WatchListener>): void {
    switch (effect.type) {
      case 'settle':
        (effect.request as Call).resolve(effect.value as never);
        return;
      case 'fail': {
        const call = effect.request as Call;
        if (effect.code === 'NoNode' && call.mayBeAbsent) call.resolve(undefined as never);
        else call.reject(new KeeperError(effect.code, call.path));
        return;
      }
      case 'refuse':
        (effect.request as Call).reject(effect.error);
        return;
      case 'send':
        if (this.#connection?.send(effect.bytes) === false) this.session.blocked();
        return;
      case 'event':
        this.deliver(effect.event, effect.watchers);
        return;
      case 'gap': {
        const gap = { paths: effect.gap.paths.map(this.#options.strip), after: effect.gap.after };
        for (const listener of this.gapListeners) queueMicrotask(() => listener(gap));
        return;
      }
      case 'state':
        for (const listener of this.stateListeners) queueMicrotask(() => listener(effect.change));
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
      case 'probe':
        this.#probe(effect.server);
        return;
    }
  }

  #dial({ host, port }: Server, timeoutMs: number): void {
    const attempt = ++this.#attempt;
    const current = (): boolean => attempt === this.#attempt;
    const abort = new AbortController();
    this.#dialing = abort;
    const { tls, dialer } = this.#options;
    const gone = (reason: string): void => {
      if (!current()) return;
      this.#attempt++; // nothing more is heard of this one
      this.#connection = undefined;
      this.#run(this.session.disconnected(reason, this.#now));
    };
    dialer
      .dial(
        { host, port, timeoutMs, ...(tls === undefined ? {} : { tls }) },
        {
          data: (bytes) => {
            if (current()) this.#run(this.session.received(bytes, this.#now));
          },
          drained: () => {
            if (current()) this.#run(this.session.drained(this.#now));
          },
          closed: (error) => gone(error === undefined ? 'the server closed the connection' : failureReason(error)),
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
        (error) => gone(failureReason(error)),
      );
  }

  #probe(server: Server): void {
    const { dialer, tls } = this.#options;
    fourLetter(dialer, 'isro', { ...server, tls, timeoutMs: PROBE_MS }).then(
      (answer) => this.#run(this.session.probed(server, answer.trim() === 'rw', this.#now)),
      () => {}, // one that cannot be asked is asked again later
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
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#run(this.session.tick(this.#now));
    });
  }
}
