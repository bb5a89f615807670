import type { Clock } from '../ports/clock.ts';
import type { Journey } from './journey.ts';
import type { Logger } from './log.ts';
import type { Tally } from './tally.ts';

interface SlowWritesOptions {
  readonly tally: Tally;
  readonly journey: Journey;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly thresholdMs: number;
}

/** Takes the time of durable writes to the log, of which one is under way at most, and says which were slow. */
export class SlowWrites {
  private readonly options: SlowWritesOptions;
  private at = 0;
  private fileBytes = 0;
  constructor(options: SlowWritesOptions) {
    this.options = options;
  }
  began(count: number, fileBytes: number): void {
    this.options.tally.took('sync_processor_batch_size', count);
    this.options.journey.writing();
    this.at = this.options.clock.monotonic();
    this.fileBytes = fileBytes;
  }
  ended(): void {
    const { tally, journey, logger, clock, thresholdMs } = this.options;
    journey.written();
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
