import type { Clock } from '../ports/clock.ts';

/**
 * Real time. A pending timer keeps the process alive until it fires or is disposed. Timers fire after the input that
 * already arrived was handed out: after a pause of the process, a peer that had answered is not taken for silent.
 */
export const realClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    let soon: NodeJS.Immediate | undefined;
    // Node turns delays beyond 31 bits into 1 ms; a clamped timer merely fires early and its owner looks again
    const timer = setTimeout(
      () => {
        soon = setImmediate(run);
      },
      Math.min(Math.max(0, ms), 0x7fff_ffff),
    );
    return {
      [Symbol.dispose]() {
        clearTimeout(timer);
        if (soon !== undefined) clearImmediate(soon);
      },
    };
  },
};
