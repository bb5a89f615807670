import { DiskError } from '../ports/disk.ts';
import { type Halves, showHalves } from '../records/log-record.ts';
import { NewerFormatError } from '../records/pack.ts';

/** A start that is refused before anything was changed. `exitCode` is the process's (40, 42 or 44). */
export class StorageRefusal extends Error {
  override readonly name: string = 'StorageRefusal';
  readonly exitCode: number;
  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What is known about a damaged directory. */
export interface Damage {
  /** The file that is damaged or missing. */
  readonly file: string;
  /** Byte offset of the damaged group or chunk. */
  readonly offset?: number;
  /** What is wrong there, in a clause. */
  readonly reason: string;
  /** End of the verified prefix: everything up to it was read and is right. Absent: nothing is. */
  readonly intact?: Halves;
  /**
   * The highest zxid this server may have acknowledged, from headers. Absent: it cannot be told (a header is
   * unreadable), so in an ensemble the server counts as amnesiac.
   */
  readonly mayHaveAcked?: Halves;
  /** A snapshot and the log are whole, and of two histories. */
  readonly otherHistory?: boolean;
  /** The identity itself is unreadable. */
  readonly identityLost?: boolean;
  /** What to do, a sentence. */
  readonly remedy?: string;
}

/** What was once durable is not there, or is not what was written. Exit code 44. */
export class DamageError extends StorageRefusal {
  override readonly name = 'DamageError';
  readonly damage: Damage;
  constructor(damage: Damage, options?: ErrorOptions) {
    super(44, sentence(damage), options);
    this.damage = damage;
  }
}

function sentence(d: Damage): string {
  const remedy =
    d.remedy ??
    'Nothing was changed. In an ensemble the leader repairs this server; a server on its own needs the directory restored from a copy';
  return `${describeDamage(d)}. ${remedy}.`;
}

/** What every clause about damage begins with. */
export const DAMAGED = 'data damaged';

/** What was found, a clause without what to do. */
export function describeDamage(d: Damage): string {
  const where = d.offset === undefined ? d.file : `${d.file}, offset ${d.offset}`;
  const intact = d.intact === undefined ? '' : `; everything up to zxid ${showHalves(d.intact)} is intact`;
  let lost = '';
  if (d.mayHaveAcked !== undefined) {
    const after = d.intact === undefined ? '' : `after ${showHalves(d.intact)} and `;
    lost = `; lost are transactions ${after}up to at least ${showHalves(d.mayHaveAcked)}`;
  } else if (d.identityLost !== true) lost = '; how many transactions follow it cannot be told';
  return `${DAMAGED}: ${where}: ${d.reason}${intact}${lost}`;
}

/**
 * What a newer version wrote is neither damaged nor ours to touch: the start is refused, in an ensemble, too, where it would
 * otherwise be taken for lost and given up. @throws StorageRefusal (42)
 */
export function refuseNewer(error: unknown, file: string): void {
  if (!(error instanceof NewerFormatError)) return;
  throw new StorageRefusal(
    42,
    `${file} was written by a newer version of zoosh (${error.message}). Nothing was changed. Start that version again; to go back to this one, restore the directory as it was before, or in an ensemble empty it and let the server join again`,
    { cause: error },
  );
}

/** The directories cannot be read or written, and nothing is known of what they hold: 40. */
export const unusable = (error: DiskError): StorageRefusal =>
  new StorageRefusal(
    40,
    `the data directory cannot be used: ${error.message}. Check that it is a folder, may be read and written, and has room`,
    { cause: error },
  );

/** This process, or the machine, has too many files and sockets open: nothing is wrong with the disk, and nothing was done. */
export const isShortage = (error: unknown): error is DiskError =>
  error instanceof DiskError && (error.code === 'EMFILE' || error.code === 'ENFILE');

/** There was no room for what was to be written: it may be tried again once there is. */
export const isDiskFull = (error: unknown): boolean =>
  error instanceof DiskError && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
