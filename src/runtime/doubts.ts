import type { Clock } from '../ports/clock.ts';
import { describeDamage } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { isSameMark, type Mark } from '../zab/types.ts';
import type { DamageNotes } from './damage-notes.ts';
import type { Logger } from './log.ts';
import { halvesOf, markOf } from './marks.ts';

export interface DoubtsOptions {
  readonly storage: Pick<Storage, 'verifySnapshot' | 'newestSnapshot'>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn' | 'error' | 'info'>;
  readonly notes: Pick<DamageNotes, 'found' | 'mended'>;
  /** No look is put off for longer, ms. */
  readonly longestMs: number;
  /** The newest is whole. */
  stands(at: Mark): void;
  /** There is none that is: a new one is wanted. */
  wanted(): void;
}

/** The second look at one snapshot is put off by this, the third by twice as much, and so on. */
const PAUSE_MS = 250;

class Stopped extends Error {}

/**
 * Snapshots that could not be read whole for a learner: the file rotted since it was verified, or the disk failed just then. It would be
 * sent again and again until the next scrub (reliability.md D7, D8), so it is read once more before anybody is sent it again. When
 * it is whole each time the failure comes and goes: the looks, and with them the sending, come at longer and longer intervals.
 */
export class Doubts {
  private readonly options: DoubtsOptions;
  private at: Mark | undefined;
  /** How often that one was doubted. */
  private times = 0;
  private next: Disposable | undefined;
  private reading: Promise<void> | undefined;
  private stopped = false;
  /** What was set aside and has no successor yet. */
  private found: string | undefined;

  constructor(options: DoubtsOptions) {
    this.options = options;
  }
  /** Ends, after a while, with one word or the other: somebody waits. */
  settle(at: Mark): void {
    if (this.at === undefined || !isSameMark(at, this.at)) this.times = 0;
    this.at = at;
    const pause = this.times === 0 ? 0 : Math.min(this.options.longestMs, PAUSE_MS * 2 ** (this.times - 1));
    this.times++;
    this.look(at, pause);
  }
  private look(at: Mark, pauseMs: number): void {
    if (this.stopped) return;
    this.next?.[Symbol.dispose]();
    this.next = this.options.clock.after(pauseMs, () => {
      this.reading = this.read(at);
    });
  }
  private async read(at: Mark): Promise<void> {
    const { storage, logger, notes, stands, wanted, longestMs } = this.options;
    try {
      const damage = await storage.verifySnapshot(halvesOf(at), () => this.rest());
      if (this.stopped) return;
      if (damage === undefined) {
        const newest = storage.newestSnapshot; // another one may have come meanwhile
        return newest === undefined ? wanted() : stands(markOf(newest));
      }
      this.found = describeDamage(damage);
      logger.error(`${this.found}; a learner was to be sent it. It is set aside, and a new one is written`);
      notes.found(this.found);
      wanted();
    } catch (error) {
      if (error instanceof Stopped || this.stopped) return;
      logger.warn(`the snapshot that a learner was to be sent could not be verified: ${(error as Error).message}`);
      this.look(at, longestMs);
    }
  }
  private rest(): undefined {
    if (this.stopped) throw new Stopped();
  }
  /** A new one is on the disk. */
  replaced(): void {
    const { found } = this;
    this.found = undefined;
    if (found !== undefined)
      this.options.notes.mended('set aside; a new snapshot stands in for it', (it) => it === found);
  }
  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.next?.[Symbol.dispose]();
    await this.reading;
  }
}
