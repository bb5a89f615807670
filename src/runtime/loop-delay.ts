import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Logger } from './log.ts';

/**
 * With ZOOSH_LOOP_DELAY=1 in the environment: looks every millisecond how late the loop is. Wakes an idle process a thousand
 * times a second, hence a measurement and no setting. The function returned says what was seen; call it at the end.
 */
export function watchLoop(logger: Logger): () => void {
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
