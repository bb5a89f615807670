import type { Clock } from '../../../src/ports/clock.ts';
import { EVENT_KIND, type Scheduler, type Task } from './scheduler.ts';

/** When every wall clock of a new world stands. */
const WALL_ZERO = 1_700_000_000_000;
/** A timer fires no sooner than this after it was set: sums of fractions are never exact, and what looks again must get on. */
const LEAST_TIMER_MS = 0.001;
/** Timers that were due during a pause come this much after the input that was. */
const LATE_TIMER_MS = 0.01;

/** What a process asked for, to be dropped with it. */
interface Held {
  readonly kind: number;
  readonly life: number;
  readonly run: () => void;
}

/**
 * A machine that runs one process at a time. What belongs to a life of the process ends with it: its timers, its sockets,
 * the completions of its disk. A paused one gets nothing until it goes on.
 */
export class Host {
  readonly name: string;
  readonly number: number;
  private readonly scheduler: Scheduler;
  /** Grows with every start and every end of the process. */
  life = 0;
  alive = false;
  paused = false;
  private held: Held[] = [];
  /** What waited for the end of a pause, over all pauses. */
  heldUp = 0;
  private rate = 1;
  private monotonicBase = 1000;
  private since = 0;
  /** What the wall clock is ahead of the true time, ms. */
  wallOffset = 0;
  /** Told when the process ended; `power`: the machine went with it. */
  readonly onEnd = new Set<(power: boolean) => void>();

  constructor(name: string, number: number, scheduler: Scheduler) {
    this.name = name;
    this.number = number;
    this.scheduler = scheduler;
  }
  boot(): void {
    this.life++;
    this.alive = true;
    this.paused = false;
    this.held = [];
  }
  end(power: boolean): void {
    if (!this.alive) return;
    this.life++;
    this.alive = false;
    this.paused = false;
    this.held = [];
    for (const told of [...this.onEnd]) told(power);
  }
  pause(): void {
    if (this.alive) this.paused = true;
  }
  /** What came meanwhile is handed out: input first, then timers, each in whatever order. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    for (const { kind, life, run } of this.held.splice(0))
      this.schedule(kind === EVENT_KIND.timer ? LATE_TIMER_MS : 0, kind, life, run);
  }
  /** Runs it later in this life of the process. */
  post(ms: number, kind: number, run: () => void): Task {
    return this.schedule(ms, kind, this.life, run);
  }
  private schedule(ms: number, kind: number, life: number, run: () => void): Task {
    return this.scheduler.after(ms, kind, this.number, () => {
      if (life !== this.life) return;
      if (this.paused) {
        this.heldUp++;
        this.held.push({ kind, life, run });
      } else this.enter(run);
    });
  }
  /** Runs it as this machine: what the program's own timers do meanwhile belongs to it. */
  enter(run: () => void): void {
    Host.current = this;
    try {
      run();
    } catch (error) {
      this.onThrow(error);
    }
  }
  /** Told of what the process threw and nobody caught. */
  onThrow: (error: unknown) => void = (error) => {
    throw error;
  };
  static current: Host | undefined;

  monotonic(): number {
    return this.monotonicBase + (this.scheduler.now - this.since) * this.rate;
  }
  /** How fast its monotonic clock goes; 1 is true. */
  drift(rate: number): void {
    this.monotonicBase = this.monotonic();
    this.since = this.scheduler.now;
    this.rate = rate;
  }
  wall(): number {
    return Math.floor(WALL_ZERO + this.scheduler.now + this.wallOffset);
  }
  /** The clock of the present life. */
  clock(): Clock {
    const { life } = this;
    return {
      monotonic: () => this.monotonic(),
      wall: () => this.wall(),
      after: (ms, run) => {
        if (life !== this.life) return { [Symbol.dispose]() {} };
        let gone = false;
        const task = this.post(Math.max(LEAST_TIMER_MS, ms / this.rate), EVENT_KIND.timer, () => {
          if (!gone) run();
        });
        return {
          [Symbol.dispose]() {
            gone = true;
            task.run = undefined;
          },
        };
      },
    };
  }
}
