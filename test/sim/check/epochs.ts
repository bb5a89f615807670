/** What a member writes about epochs (I5), read from the bytes of its identity record as they go to the disk. */
import { unpack } from '../../../src/records/pack.ts';
import type { Verdicts } from './verdicts.ts';

const MAGIC = 0x5a4f4944; // ZOID
const HEAD = 12;

/** As much of the record as is looked at. */
export interface EpochRecord {
  readonly write: number;
  readonly incarnation: string;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  readonly bootTags: readonly string[];
}
/** Undefined when these bytes are not a whole record. */
export function epochsOf(bytes: Uint8Array): EpochRecord | undefined {
  const record = Buffer.from(bytes);
  if (record.length < HEAD + 4 || record.readUInt32BE(0) !== MAGIC) return undefined;
  return unpack(record.subarray(HEAD, HEAD + record.readUInt32BE(8))) as EpochRecord;
}

/**
 * On the disk, always: currentEpoch is at most acceptedEpoch, neither goes back in one life of a directory, and nothing is
 * logged in an epoch that was not accepted before.
 */
export class EpochWatch {
  private readonly last = new Map<number, EpochRecord>();
  private readonly verdicts: Verdicts;
  constructor(verdicts: Verdicts) {
    this.verdicts = verdicts;
  }
  /** A write of server `sid` begins; `logged` are the zxids in it. Gives the identity record that it is. */
  wrote(sid: number, path: string, bytes: Uint8Array, logged: readonly bigint[]): EpochRecord | undefined {
    const fail = (text: string): void => this.verdicts.fail('I5', `server ${sid}: ${text}`);
    const last = this.last.get(sid);
    for (const zxid of logged)
      if (last !== undefined && Number(zxid >> 32n) > last.acceptedEpoch)
        fail(`logs a transaction of epoch ${zxid >> 32n}, it has accepted ${last.acceptedEpoch}`);
    if (!path.includes('/identity')) return undefined;
    const now = epochsOf(bytes);
    if (now === undefined) return undefined;
    if (now.currentEpoch > now.acceptedEpoch) fail(`currentEpoch ${now.currentEpoch} above ${now.acceptedEpoch}`);
    // one that power took away before anything depended on it is written again under its number
    if (last !== undefined && last.incarnation === now.incarnation && last.write < now.write)
      for (const key of ['acceptedEpoch', 'currentEpoch'] as const)
        if (now[key] < last[key]) fail(`${key} goes back from ${last[key]} to ${now[key]}`);
    this.last.set(sid, now);
    return now;
  }
  /** Its directory is another one now: wiped, or an old copy. */
  forget(sid: number): void {
    this.last.delete(sid);
  }
}
