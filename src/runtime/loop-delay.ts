import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../ports/clock.ts';
import type { PauseConfig } from '../server/config.ts';
import type { Logger } from './log.ts';
import type { Tally } from './tally.ts';

export interface LoopOptions {
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly clock: Clock;
  readonly tally: Pick<Tally, 'took'>;
  readonly pauses: PauseConfig;
}

/** Watches how late the loop is, for the log, the figures and measurements. The function returned ends that. */
export function watchLoop(options: LoopOptions): () => void {
  const ends = [watchPauses(options), watchClosely(options)];
  return () => {
    for (const end of ends) end();
  };
}

/**
 * Sleeps, and looks how much longer that took: so long nobody was served, since something was computed or collected, or the
 * process or its machine stood still. As ZooKeeper's monitor of pauses of the Java machine, settings and figure.
 */
function watchPauses({ logger, clock, tally, pauses }: LoopOptions): () => void {
  const { monitor, sleepMs, infoMs, warnMs } = pauses;
  let timer: Disposable;
  const sleep = (): void => {
    const began = clock.monotonic();
    timer = clock.after(sleepMs, () => {
      const pause = clock.monotonic() - began - sleepMs;
      tally.took('jvm_pause_time_ms', pause);
      if (monitor && pause > infoMs) {
        const said = `Detected pause in the event loop or host machine (eg GC): pause of approximately ${Math.round(pause)}ms`;
        if (pause > warnMs) logger.warn(said);
        else logger.info(said);
      }
      sleep();
    });
  };
  sleep();
  return () => timer[Symbol.dispose]();
}

/**
 * With ZOOSH_LOOP_DELAY=1 in the environment: looks every millisecond how late the loop is. Wakes an idle process a thousand
 * times a second, hence a measurement and no setting. The function returned says what was seen; call it at the end.
 */
function watchClosely({ logger }: LoopOptions): () => void {
  if (process.env.ZOOSH_LOOP_DELAY !== '1') return () => {};
  const seen = monitorEventLoopDelay({ resolution: 1 });
  seen.enable();
  return () => {
    seen.disable();
    const ms = (ns: number): string => (ns / 1e6).toFixed(1);
    logger.info(
      `event loop: longest block ${ms(seen.max)} ms, p99.99 ${ms(seen.percentile(99.99))} ms, p99 ${ms(seen.percentile(99))} ms`,
    );
  };
}
