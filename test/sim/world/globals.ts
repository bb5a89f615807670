import type { Random } from '../../../src/base/random.ts';
import { Host } from './host.ts';
import { EVENT_KIND, type Scheduler } from './scheduler.ts';

type Callback = (...args: unknown[]) => void;

/** What Node gives back for a timer, as much of it as anybody uses. */
class SimTimer {
  private readonly take: () => void;
  constructor(take: () => void) {
    this.take = take;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  [Symbol.dispose](): void {
    this.take();
  }
}

/**
 * While it lives, the global timers of this thread belong to the simulated machine that is running, and chance to the
 * seed: what production code asks of Node itself cannot make two runs of a seed differ.
 */
export function patchGlobals(scheduler: Scheduler, random: Random): Disposable {
  const kept = {
    setImmediate: globalThis.setImmediate,
    clearImmediate: globalThis.clearImmediate,
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
  };
  const { random: chance } = Math;
  const { now } = Date;
  const later = (ms: number, kind: number, run: Callback, args: unknown[]): SimTimer => {
    const host = Host.current;
    const go = (): void => run(...args);
    const task = host === undefined ? scheduler.after(ms, kind, 0, go) : host.post(ms, kind, go);
    return new SimTimer(() => {
      task.run = undefined;
    });
  };
  const drop = (timer: SimTimer | undefined): void => timer?.[Symbol.dispose]();
  Object.assign(globalThis, {
    setImmediate: (run: Callback, ...args: unknown[]) => later(0, EVENT_KIND.soon, run, args),
    clearImmediate: drop,
    setTimeout: (run: Callback, ms = 0, ...args: unknown[]) => later(Math.max(0, ms), EVENT_KIND.timer, run, args),
    clearTimeout: drop,
  });
  Math.random = () => random.below(2 ** 32) / 2 ** 32;
  Date.now = () => Math.floor(1_700_000_000_000 + scheduler.now);
  return {
    [Symbol.dispose]() {
      Object.assign(globalThis, kept);
      Math.random = chance;
      Date.now = now;
      Host.current = undefined;
    },
  };
}
