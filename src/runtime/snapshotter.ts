import { zxid } from '../base/ids.ts';
import type { Random } from '../base/random.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServerConfig } from '../server/config.ts';
import type { Server } from '../server/server.ts';
import type { Storage } from '../storage/storage.ts';
import { SnapshotCursor } from '../tree/snapshot.ts';
import type { Mark } from '../zab/types.ts';
import type { DamageNotes } from './damage-notes.ts';
import { RAISE_DESCRIPTORS } from './descriptors.ts';
import { Doubts } from './doubts.ts';
import type { Logger } from './log.ts';

export interface SnapshotterOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** The present state's; a learner's may be replaced. */
  readonly server: () => Server;
  readonly storage: Storage;
  readonly notes: DamageNotes;
  /** One was written. */
  taken(at: Mark): void;
  /** One is on the disk, whole: that which was written, or the one that was doubted. */
  stands(at: Mark): void;
  /** How long that took, ms. */
  took(ms: number): void;
  /** It came to nothing. */
  failed(): void;
}

/** A snapshot that a learner waits for and that failed is tried again after this. */
export const AGAIN_MS = 1000;
/** Of the time while clients ask for something, a snapshot takes one part in this many; otherwise all it can get. */
const SHARE = 8;
/** No longer than this at a time, ms: old states gather meanwhile. */
const LONGEST_REST = 50;

/** Leaves the clients most of the time, whatever the size of the tree: a snapshot may take long, requests may not. */
class Pace {
  private readonly clock: Clock;
  /** Counts what clients ask; false when nobody is to be spared. */
  private readonly asked: () => number | false;
  private before: number | false;
  private spent = 0;
  constructor(clock: Clock, asked: () => number | false) {
    this.clock = clock;
    this.asked = asked;
    this.before = asked();
  }
  spend<T>(work: () => T): T {
    const began = this.clock.monotonic();
    const made = work();
    this.spent += this.clock.monotonic() - began;
    return made;
  }
  rest(): Promise<void> | undefined {
    const { spent } = this;
    const now = this.asked();
    if (now === false || now === this.before) {
      this.spent = 0;
      return undefined;
    }
    const ms = Math.floor(spent * (SHARE - 1));
    if (ms < 1) return undefined; // gathers
    this.spent = 0;
    this.before = now;
    return new Promise<void>((resolve) => void this.clock.after(Math.min(ms, LONGEST_REST), resolve));
  }
}

/** Decides when a snapshot is due, takes it while the server goes on, and removes what is no longer needed. */
export class Snapshotter {
  private readonly options: SnapshotterOptions;
  /** Resolves with where the one under way stands, or with why there is none. */
  private running: Promise<Mark | Error> | undefined;
  /** Transactions applied at the last one, and to which state. */
  private since = 0;
  /** Bytes in log files that were full, since then. */
  private filled = 0;
  private rolling = false;
  private of: Server | undefined;
  private after: number;
  private stopped = false;
  private demanded = false;
  private readonly doubts: Doubts;

  constructor(options: SnapshotterOptions) {
    this.options = options;
    this.after = this.drawThreshold();
    const { clock, logger, notes, storage, config, stands } = options;
    const longestMs = Math.max(AGAIN_MS, 2 * config.tickTimeMs);
    this.doubts = new Doubts({ clock, logger, notes, storage, longestMs, stands, wanted: () => this.demand() });
  }
  /** Between half and all of snapCount, so that members of an ensemble do not all pause at once. */
  private drawThreshold(): number {
    const half = Math.max(1, Math.floor(this.options.config.snapCount / 2));
    return half + this.options.random.below(half) + 1;
  }
  /** Takes a snapshot when enough was applied since the last; one at a time. */
  consider(): void {
    if (this.running !== undefined || this.stopped) return;
    const { storage, config } = this.options;
    const server = this.options.server();
    if (this.of !== server) {
      this.of = server;
      this.since = 0;
    }
    const done = server.applied;
    const { snapSizeLimitBytes, txnLogSizeLimitBytes } = config;
    const { bytesSinceRoll } = storage.log;
    const big = snapSizeLimitBytes !== undefined && this.filled + bytesSinceRoll > snapSizeLimitBytes;
    if (done - this.since < this.after && !big) {
      if (txnLogSizeLimitBytes !== undefined && bytesSinceRoll > txnLogSizeLimitBytes) this.roll(bytesSinceRoll);
      return;
    }
    this.since = done;
    this.filled = 0;
    this.after = this.drawThreshold();
    this.begin();
  }
  /** The log goes on in another file. One that fails is for who watches the log to say. */
  private roll(bytes: number): void {
    const { log, damage } = this.options.storage;
    if (this.rolling || damage !== undefined) return;
    this.rolling = true;
    this.filled += bytes;
    log
      .roll()
      .then((stays) => this.remark(stays))
      .catch(() => {})
      .finally(() => {
        this.rolling = false;
      });
  }
  private remark(stays: Error | undefined): void {
    if (stays !== undefined)
      this.options.logger.warn(
        `the log goes on in its present file, since no other could be made: ${stays.message}. ${RAISE_DESCRIPTORS}`,
      );
  }
  private begin(): Promise<Mark | Error> {
    this.running = this.take()
      .catch((error: Error) => {
        this.options.logger.error(`snapshot failed: ${error.message}`);
        return error;
      })
      .then((made) => {
        if (made instanceof Error) this.options.failed();
        return made;
      })
      .finally(() => {
        this.running = undefined;
        if (this.demanded && !this.stopped) this.options.clock.after(AGAIN_MS, () => this.takeNow());
      });
    return this.running;
  }
  /** A learner waits for one: tried until it is there. With `doubted`, for the word that this one is whole, or for another. */
  demand(doubted?: Mark): void {
    if (doubted !== undefined) return this.doubts.settle(doubted);
    this.demanded = true;
    this.takeNow();
  }
  /**
   * Takes one now, for a learner or a person who needs it; or as soon as the one under way is done. Resolves with where it
   * stands once it is on the disk, or with why it is not.
   */
  async takeNow(): Promise<Mark | Error> {
    await this.running;
    if (this.stopped) return new Error('this server is stopping');
    return this.running ?? this.begin(); // others may have waited for the same
  }
  private async take(): Promise<Mark | Error> {
    const { storage, clock, logger } = this.options;
    if (storage.damage !== undefined) return new Error('what is on the disk is damaged and not yet mended');
    this.remark(await storage.log.roll());
    // never of a tree in the middle of a transaction; one that a snapshot of the leader replaced meanwhile ends none
    while (this.options.server().applying) await new Promise((resolve) => setImmediate(resolve));
    const server = this.options.server();
    const cursor = new SnapshotCursor(server.tree);
    const began = clock.monotonic();
    const pace = new Pace(clock, () => !this.stopped && server.outbox.counts.received);
    try {
      const made = await storage.writeSnapshot(
        cursor.zxid,
        cursor.chain,
        (max) => pace.spend(() => cursor.next(max)),
        () => cursor.abandoned,
        () => pace.rest(),
      );
      const took = Math.round(clock.monotonic() - began);
      if (made === undefined) {
        logger.warn('a snapshot was given up: too much changed while it was written; the next will be tried later');
        return new Error('too much changed while it was written');
      }
      const { chain } = cursor;
      const [epoch, counter] = [cursor.zxid.hi, cursor.zxid.lo >>> 0];
      const at = { epoch, counter, chainHi: chain.hi, chainLo: chain.lo };
      logger.info(
        `Snapshotting: ${zxid.show(zxid.of(epoch, counter))} to ${made.path}, ${made.bytes} bytes in ${took} ms`,
      );
      this.demanded = false;
      this.options.took(took);
      this.options.taken(at);
      this.doubts.replaced();
      this.options.stands(at);
      return at;
    } finally {
      cursor.abandon();
    }
  }
  /** Removes snapshots and log files beyond those to be kept. */
  purge(): void {
    const { config, logger } = this.options;
    this.purgeTo(config.snapRetainCount).catch((error: Error) => logger.error(`purge failed: ${error.message}`));
  }
  /** The same with so many snapshots kept; resolves with what went. One at a time: what is asked meanwhile joins it. */
  async purgeTo(retain: number): Promise<string[]> {
    const { storage, logger } = this.options;
    const names = await storage.purge(retain);
    for (const name of names) logger.info(`removed ${name}`);
    return names;
  }
  /** No further one begins; resolves when the one under way is over. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([this.running, this.doubts.stop()]);
  }
}
