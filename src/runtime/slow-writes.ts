import type { Clock } from '../ports/clock.ts';
import type { Logger } from './log.ts';
import type { Tally } from './tally.ts';

/** Takes the time of durable writes to the log, of which one is under way at most, and says which were slow. */
export class SlowWrites {
  private readonly options: { tally: Tally; logger: Logger; clock: Clock; thresholdMs: number };
  private at = 0;
  private fileBytes = 0;
  constructor(options: { tally: Tally; logger: Logger; clock: Clock; thresholdMs: number }) {
    this.options = options;
  }
  began(count: number, fileBytes: number): void {
    this.options.tally.took('sync_processor_batch_size', count);
    this.at = this.options.clock.monotonic();
    this.fileBytes = fileBytes;
  }
  ended(): void {
    const { tally, logger, clock, thresholdMs } = this.options;
    const ms = clock.monotonic() - this.at;
    tally.diskFailed = false;
    tally.took('fsynctime', ms);
    if (ms <= thresholdMs) return;
    tally.slowWrites++;
    logger.warn(
      `fsync-ing the write ahead log in SyncThread:0 took ${Math.round(ms)}ms which will adversely affect operation latency. File size is ${this.fileBytes} bytes. See the ZooKeeper troubleshooting guide`,
    );
  }
}
