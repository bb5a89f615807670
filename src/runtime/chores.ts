import type { Clock } from '../ports/clock.ts';
import type { ServerConfig } from '../server/config.ts';
import type { Server } from '../server/server.ts';

export interface ChoresOptions {
  readonly config: ServerConfig;
  readonly clock: Clock;
  /** The present state's; a learner's may be replaced. */
  readonly server: () => Server;
  /** Sets the server's clocks. */
  clocks(): void;
  /** What was done is to be sent and written. */
  turn(): void;
  /** Removes snapshots and log files beyond those to be kept. */
  purge(): void;
}

/** Between two slices of the reaper's round, and of sessions that end. */
const REAP_REST_MS = 10;
const EXPIRE_REST_MS = 1;

/** What comes round by the clock: sessions end, empty containers and nodes past their time go, old files are removed. */
export class Chores {
  private readonly options: ChoresOptions;
  private readonly timers = new Set<Disposable>();
  private reaping = false;
  private expiring = false;
  /** When the clock is to strike next, monotonic ms. */
  private expected = 0;
  private stopped = false;

  constructor(options: ChoresOptions) {
    this.options = options;
  }
  start(): void {
    const { config, clock, server, clocks, purge } = this.options;
    const { tickTimeMs, containers, purgeIntervalMs } = config;
    this.expected = clock.monotonic() + tickTimeMs;
    this.every(tickTimeMs, () => {
      clocks();
      const isLate = this.isLate;
      this.expected = server().now + tickTimeMs;
      if (isLate) server().renewSessions();
      else if (!this.expiring) this.expire();
    });
    const share = Math.max(
      1,
      Math.floor((containers.maxPerMinute * Math.min(containers.checkIntervalMs, 60_000)) / 60_000),
    );
    this.every(containers.checkIntervalMs, () => {
      if (!this.reaping) this.reap(share);
    });
    if (purgeIntervalMs > 0) this.every(purgeIntervalMs, purge);
  }
  /** After a lag of the loop or a pause of the process clients get a full turn to be heard first (foundations.md 10). */
  private get isLate(): boolean {
    const { server, config } = this.options;
    return server().now - this.expected > config.tickTimeMs;
  }
  /** Sessions whose time is over, slice by slice with a rest between. */
  private expire(): void {
    const { clock, server, clocks, turn } = this.options;
    if (server().expire() > 0) turn();
    this.expiring = server().expiresMore && !this.stopped;
    if (!this.expiring) return;
    clock.after(EXPIRE_REST_MS, () => {
      this.expiring = false;
      clocks();
      if (!this.stopped && !this.isLate) this.expire();
    });
  }
  /** One round of the reaper, slice by slice with a rest between, until `share` nodes are gone. */
  private reap(share: number): void {
    const { clock, server, clocks, turn } = this.options;
    clocks();
    const { reaped, done } = server().reap(share);
    if (reaped > 0) turn();
    this.reaping = !done && reaped < share && !this.stopped;
    if (this.reaping) clock.after(REAP_REST_MS, () => this.reap(share - reaped));
  }
  /** Runs again and again, `ms` after it began last. */
  every(ms: number, run: () => void): void {
    const arm = (): void => {
      const timer = this.options.clock.after(ms, () => {
        this.timers.delete(timer);
        if (this.stopped) return;
        arm();
        run();
      });
      this.timers.add(timer);
    };
    arm();
  }
  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) timer[Symbol.dispose]();
  }
}
