import { assert } from '../base/assert.ts';
import type { Disk } from '../ports/disk.ts';
import { compareHalves, type Halves } from '../records/log-record.ts';
import { type Config, KIND, writeEnvelope } from '../records/txns.ts';
import { findIdentity, type Identity, identityPlaces } from './identity.ts';
import { isOrigin, type Mark } from './mark.ts';
import { StateReader } from './read-state.ts';
import type { Storage } from './storage.ts';

/** What a member's directories hold, looked at from outside. */
export interface Holdings {
  readonly identity: Identity;
  /** End of the log. */
  readonly last: Mark;
  /** Up to where it is known committed. */
  readonly committed: Halves;
}

/** Reads and verifies everything, and changes nothing; undefined for directories without a history. @throws DamageError */
export async function holdingsOf(disk: Disk, dataDir: string, logDir: string): Promise<Holdings | undefined> {
  const folders = { data: `${dataDir}/zoosh-1`, log: `${logDir}/zoosh-1` };
  const { identity } = await findIdentity(disk, identityPlaces(folders.data, folders.log));
  if (identity === undefined) return undefined;
  const nobody = { onSnapshotChunk() {}, onSnapshotEnd() {}, onEnvelope() {} };
  const { at, committed } = await new StateReader(disk, folders, identity, nobody).strict();
  return isOrigin(at) ? undefined : { identity, last: at, committed };
}

/** An ensemble that begins with the history of one directory. */
export interface Successor {
  /** Hexadecimal, random. */
  readonly ensembleId: string;
  /** The ensemble that is given up, where directories of it may be met; else null. */
  readonly succeeds: string | null;
  /** Who counts: the owner of the directory alone. */
  readonly config: Config;
  /** Of the record, ms since 1970; not before the last transaction's. */
  readonly time: number;
}

/**
 * Makes the history of this storage that of a new ensemble (foundations.md 13.15): all of it counts as committed, and a record
 * `found` in an epoch above all that it knows says who belongs to it. The promise of that epoch comes first, currentEpoch last: a
 * directory in which this was interrupted is still an honest member of the old ensemble. Resolves with the epoch once
 * everything is durable.
 */
export async function acceptLoss(storage: Storage, { ensembleId, succeeds, config, time }: Successor): Promise<number> {
  const { identity, last, chain, damage } = storage;
  assert(damage === undefined && !isOrigin({ zxid: last, chain }), 'no whole history to begin with');
  const epoch = Math.max(identity.acceptedEpoch, last.hi) + 1;
  await storage.storeEpochs(epoch, identity.currentEpoch);
  const { events } = storage.log;
  const written = new Promise<void>((resolve, reject) => {
    events.persisted = (_, hi, lo) => {
      if (compareHalves({ hi, lo }, { hi: epoch, lo: 1 }) === 0) resolve();
    };
    events.failed = reject;
  });
  const to = storage.writer();
  const start = to.at;
  writeEnvelope(to, epoch, 1, time, 0n, 0, { kind: KIND.found, ensembleId, config }, chain.hi, chain.lo);
  storage.commitEnvelope(start, epoch, 1);
  storage.flush(epoch, 1); // its own group says that it is committed: the config before it is not in force any more
  await written;
  await storage.beginEnsemble(ensembleId, epoch, succeeds);
  return epoch;
}
