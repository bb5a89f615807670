import { stat } from 'node:fs/promises';
import type { Clock } from '../ports/clock.ts';
import type { PemStore } from '../server/config-tls.ts';
import type { Logger } from './log.ts';

/** Between two looks at the files. */
const LOOK_MS = 1000;

/** Files of keys, and who uses what they hold. */
export interface Watched<Keys> {
  readonly stores: readonly (PemStore | undefined)[];
  /** Whose connections these keys are for, as the log names them. */
  readonly whose: 'clients' | 'members' | 'the admin server';
  /** Rejects with an Error that says which file is of no use, and why. */
  read(now: number): Promise<{ readonly keys: Keys; readonly warnings: readonly string[] }>;
  /** Told what they hold now. @throws Error that says why it cannot be used; then nothing was changed */
  renewed(keys: Keys): void;
}

/** Looks at files that may be replaced while the server runs. What cannot be used changes nothing. */
export class KeyWatch<Keys> implements Disposable {
  private readonly watched: Watched<Keys>;
  private readonly files: readonly string[];
  private readonly clock: Clock;
  private readonly logger: Logger;
  private timer: Disposable | undefined;
  private known: string | undefined;
  private seen: string | undefined;
  private stopped = false;
  constructor(watched: Watched<Keys>, clock: Clock, logger: Logger) {
    this.watched = watched;
    this.files = watched.stores.flatMap((store) =>
      [store?.location, store?.passwordPath].filter((file) => file !== undefined),
    );
    this.clock = clock;
    this.logger = logger;
  }
  async start(): Promise<void> {
    this.known = await this.stamp();
    this.seen = this.known;
    this.arm();
  }
  [Symbol.dispose](): void {
    this.stopped = true;
    this.timer?.[Symbol.dispose]();
  }
  private arm(): void {
    if (!this.stopped) this.timer = this.clock.after(LOOK_MS, () => void this.look());
  }
  private async look(): Promise<void> {
    const stamp = await this.stamp();
    // a file that is being written is left alone until it stands still
    const isStill = stamp === this.seen;
    this.seen = stamp;
    if (isStill && stamp !== this.known && !this.stopped) {
      this.known = stamp;
      await this.readAgain();
    }
    this.arm();
  }
  private async readAgain(): Promise<void> {
    const { watched, logger, clock } = this;
    const { whose } = watched;
    try {
      const { keys, warnings } = await watched.read(clock.wall());
      if (this.stopped) return;
      watched.renewed(keys);
      logger.info(`certificates for ${whose} were read again, and hold for new connections`);
      for (const warning of warnings) logger.warn(warning);
    } catch (error) {
      if (!this.stopped) logger.error(`certificates for ${whose} stay as they were: ${(error as Error).message}`);
    }
  }
  /** Tells two states of the files apart. */
  private async stamp(): Promise<string> {
    const each = this.files.map(async (file) => {
      try {
        const { mtimeMs, size, ino } = await stat(file);
        return `${mtimeMs} ${size} ${ino}`;
      } catch (error) {
        return String((error as NodeJS.ErrnoException).code);
      }
    });
    return (await Promise.all(each)).join('; ');
  }
}
