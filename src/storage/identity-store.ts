import { assert } from '../base/assert.ts';
import type { Disk } from '../ports/disk.ts';
import { isDiskFull } from './errors.ts';
import { writeWhole } from './files.ts';
import { encodeIdentity, type Identity, type IdentityPlaces } from './identity.ts';
import type { LogFiles, LogList } from './log-list.ts';

/** The identity of a running server. Updates are done one after another, each durable in both places when it resolves. */
export class IdentityStore {
  private readonly disk: Disk;
  private readonly places: IdentityPlaces;
  private value: Identity;
  private queue: Promise<unknown> = Promise.resolve();
  private failure: unknown;
  /** The record whose write failed: either place may hold it. */
  private unknown: Identity | undefined;

  constructor(disk: Disk, places: IdentityPlaces, value: Identity) {
    this.disk = disk;
    this.places = places;
    this.value = value;
  }

  /** What is durable in both places. */
  get current(): Identity {
    return this.value;
  }

  /**
   * Writes what `change` makes of the identity (the write number is set here). A failed write is final: what is on the
   * disk is then unknown, and every later update rejects alike. Epochs never go down and current stays below accepted.
   */
  update(change: (now: Identity) => Identity): Promise<Identity> {
    const run = async (): Promise<Identity> => {
      if (this.failure !== undefined) throw this.failure;
      const next = { ...change(this.value), write: this.value.write + 1 };
      assert(
        next.acceptedEpoch >= this.value.acceptedEpoch || next.incarnation !== this.value.incarnation,
        'acceptedEpoch went back',
      );
      assert(
        next.currentEpoch >= this.value.currentEpoch || next.incarnation !== this.value.incarnation,
        'currentEpoch went back',
      );
      assert(next.currentEpoch <= next.acceptedEpoch, 'currentEpoch beyond acceptedEpoch');
      await this.attempt(next);
      this.value = next;
      return next;
    };
    return this.inTurn(run);
  }
  private inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.queue.then(run);
    this.queue = done.catch(() => undefined);
    return done;
  }
  private async attempt(next: Identity): Promise<void> {
    const bytes = encodeIdentity(next);
    try {
      await writeWhole(this.disk, this.places.first.folder, this.places.first.file, bytes);
      await writeWhole(this.disk, this.places.second.folder, this.places.second.file, bytes);
    } catch (error) {
      this.failure = error;
      this.unknown = next;
      throw error;
    }
  }

  /** Brings a copy that is behind or damaged up to the one that counts, before anything newer is written (13.6). */
  async align(): Promise<void> {
    const bytes = encodeIdentity(this.value);
    await writeWhole(this.disk, this.places.second.folder, this.places.second.file, bytes);
    await writeWhole(this.disk, this.places.first.folder, this.places.first.file, bytes);
  }

  /**
   * After an update that failed for want of room: makes durable what counts here. What failed may be in either place, so it is
   * written to both first: two records of one number would say that one directory is an old copy. Rejects while there is still
   * no room, and for a failure of another kind.
   */
  recover(): Promise<void> {
    return this.inTurn(async () => {
      const { unknown } = this;
      if (unknown === undefined) return;
      if (!isDiskFull(this.failure)) throw this.failure;
      await this.attempt(unknown);
      const next = { ...this.value, write: unknown.write + 1 };
      await this.attempt(next);
      this.value = next;
      this.unknown = undefined;
      this.failure = undefined;
    });
  }
  /** An update failed: what the disk holds is unknown, and no file may go. */
  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** The files of the log, as this record lists them. */
  get list(): LogList {
    const current = (): LogFiles => this.value.logs;
    return {
      get files() {
        return current();
      },
      change: async (next) => {
        await this.update((now) => ({ ...now, logs: next(now.logs) }));
      },
      recover: () => this.recover(),
    };
  }

  /** Resolves when no update is under way; every later one rejects, since the record may be another store's by then. */
  async close(): Promise<void> {
    await this.inTurn(async () => {
      this.failure = new Error('the storage is closed');
    });
  }
}
