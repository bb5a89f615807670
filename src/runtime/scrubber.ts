import type { Random } from '../base/random.ts';
import type { Clock } from '../ports/clock.ts';
import { describeDamage } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import type { DamageNotes } from './damage-notes.ts';
import type { Logger } from './log.ts';

export interface ScrubberOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly notes: DamageNotes;
  /** A round is over; so many files were whole. */
  scrubbed(whole: number): void;
  /** From one round to the next, ms; 0: never. */
  readonly intervalMs: number;
  /** Writes a snapshot now. */
  snapshot(): Promise<unknown>;
  /** Opens the storage again, so that a leader repairs it; undefined for a server alone, which nobody can help. */
  readonly heal: (() => void) | undefined;
}

/** Of the time, a round takes one part in this many at most. */
const SHARE = 200;
/** What it took gathers until a rest is worth a timer, ms. */
const LEAST_REST = 20;
/** However long something took: a process that was stopped, or a machine that slept, has not read for so long. */
const MOST_REST = 10_000;

class Stopped extends Error {}

/** Reads again, slowly and in the background, what lies on the disk (reliability.md D8): damage is to be found while others hold copies. */
export class Scrubber {
  private readonly options: ScrubberOptions;
  /** Of the next round. */
  private next: Disposable | undefined;
  /** Of the rest under way. */
  private resting: Disposable | undefined;
  private waiting: (() => void) | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  /** When the last rest ended. */
  private since = 0;

  constructor(options: ScrubberOptions) {
    this.options = options;
    this.arm();
  }
  /** What was just opened was just read: the first round comes later too, and members do not all begin at once. */
  private arm(): void {
    const { intervalMs, random, clock } = this.options;
    if (intervalMs <= 0 || this.stopped) return;
    const half = Math.max(1, Math.floor(intervalMs / 2));
    this.next = clock.after(half + random.below(half) + 1, () => {
      this.round().then(() => this.arm());
    });
  }

  get isReading(): boolean {
    return this.running !== undefined;
  }
  /** Reads everything once. One at a time; never rejects. */
  round(): Promise<void> {
    this.running ??= this.read()
      .catch((error: Error) => {
        if (!(error instanceof Stopped)) this.options.logger.error(`the files could not be verified: ${error.message}`);
      })
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }
  private async read(): Promise<void> {
    const { storage, clock, logger } = this.options;
    if (storage.damage !== undefined) return; // a repair replaces all of it
    this.since = clock.monotonic();
    const report = await storage.scrub(() => this.rest());
    if (this.stopped) return;
    this.options.scrubbed(report.sound);
    if (report.damage.length === 0) return logger.info(`verified ${report.sound} files: all are whole`);
    await this.mend(report);
  }
  private rest(): Promise<void> | undefined {
    if (this.stopped) throw new Stopped();
    const { clock } = this.options;
    const ms = Math.min(MOST_REST, (clock.monotonic() - this.since) * (SHARE - 1));
    if (ms < LEAST_REST) return undefined;
    return new Promise<void>((resolve, reject) => {
      this.waiting = () => {
        this.waiting = undefined;
        this.since = clock.monotonic();
        if (this.stopped) reject(new Stopped());
        else resolve();
      };
      this.resting = clock.after(ms, () => this.waiting?.());
    });
  }

  private async mend({ damage, snapshots }: Awaited<ReturnType<Storage['scrub']>>): Promise<void> {
    const { logger, notes, heal, snapshot } = this.options;
    for (const each of damage) {
      const sentence = describeDamage(each);
      logger.error(sentence);
      notes.found(sentence);
    }
    const isSnapshot = (found: string): boolean => snapshots.some((name) => found.includes(`/${name}`));
    const hasBadLog = damage.length > snapshots.length;
    if (hasBadLog && heal !== undefined) {
      logger.error('this member loads its files again, and is given by the leader what it lacks');
      return heal();
    }
    await snapshot();
    if (snapshots.length > 0) {
      const how = `set aside as ${snapshots.map((name) => `${name}.damaged`).join(', ')}; a new snapshot stands in for it`;
      logger.info(how);
      notes.mended(how, isSnapshot);
    }
    if (hasBadLog)
      logger.error(
        'this server is alone: nobody can give it the damaged log file again, and its next start will be refused (44). It still holds everything and has written it to a new snapshot. Do not stop it before its data is copied to another server, or before a purge has removed that file (autopurge.snapRetainCount newer snapshots)',
      );
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.next?.[Symbol.dispose]();
    this.resting?.[Symbol.dispose]();
    this.waiting?.();
    await this.running;
  }
}
