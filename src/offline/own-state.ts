import { InvariantError } from '../base/assert.ts';
import type { Disk } from '../ports/disk.ts';
import type { Halves } from '../records/log-record.ts';
import { PackReader, RecordError } from '../records/pack.ts';
import { type Envelope, readEnvelope } from '../records/txns.ts';
import { DamageError } from '../storage/errors.ts';
import { findIdentity, type Identity, identityPlaces } from '../storage/identity.ts';
import type { Mark } from '../storage/mark.ts';
import { StateReader } from '../storage/read-state.ts';
import { apply, NO_SINK } from '../tree/apply.ts';
import { DataTree } from '../tree/data-tree.ts';
import { SnapshotLoader } from '../tree/snapshot.ts';

/** What the directories of a zoosh server hold, read and verified from outside. */
export interface OwnState {
  readonly identity: Identity;
  /** The state at the end of the log: what was acknowledged last may be known committed only to members that answered it. */
  readonly tree: DataTree;
  /** End of the log. */
  readonly last: Mark;
  readonly committed: Halves;
  /** Of the last transactions so many are not known to be committed; none for a server that is a quorum alone. */
  readonly unsure: number;
  readonly snapshot: string | undefined;
  /** Transactions applied behind the snapshot. */
  readonly replayed: number;
  readonly notes: readonly string[];
}

/** Reads everything and changes nothing; undefined where no zoosh server ever was. @throws DamageError, DiskError */
export async function readOwnState(disk: Disk, dataDir: string, logDir: string): Promise<OwnState | undefined> {
  const folders = { data: `${dataDir}/zoosh-1`, log: `${logDir}/zoosh-1` };
  const { identity, warnings } = await findIdentity(disk, identityPlaces(folders.data, folders.log));
  if (identity === undefined) return undefined;
  const loader = new SnapshotLoader(0);
  let tree: DataTree | undefined;
  let waiting: Envelope[] = [];
  let replayed = 0;
  const take = ({ zxidHi, zxidLo, time, txn, chainHi, chainLo }: Envelope): void => {
    tree ??= new DataTree(0);
    apply(tree, zxidHi, zxidLo, time, txn, NO_SINK);
    tree.chained(chainHi, chainLo);
    replayed++;
  };
  const reader = new StateReader(disk, folders, identity, {
    onSnapshotChunk: (chunk) => loader.push(chunk),
    onSnapshotEnd: () => {
      tree = loader.finish();
    },
    onEnvelope: (bytes, start, end) =>
      waiting.push(readEnvelope(new PackReader(Buffer.from(bytes.subarray(start, end))), undefined)),
    onCommitted: (hi, lo) => {
      const done = waiting.findIndex(({ zxidHi, zxidLo }) => zxidHi > hi || (zxidHi === hi && zxidLo >>> 0 > lo >>> 0));
      const known = done < 0 ? waiting : waiting.slice(0, done);
      waiting = done < 0 ? [] : waiting.slice(done);
      known.forEach(take);
    },
  });
  try {
    const { at, committed, snapshot, notes } = await reader.strict();
    const unsure = isAlone(tree) ? 0 : waiting.length;
    waiting.splice(0).forEach(take);
    return {
      identity,
      tree: tree ?? new DataTree(0),
      last: at,
      committed,
      unsure,
      snapshot: snapshot?.path,
      replayed,
      notes: [...warnings, ...notes],
    };
  } catch (error) {
    if (error instanceof InvariantError || error instanceof RecordError)
      throw new DamageError({ file: folders.log, reason: `it does not fit what came before: ${error.message}` });
    throw error;
  }
}

/** Nobody else is asked by who is the only voter: all that it holds counts. */
function isAlone(tree: DataTree | undefined): boolean {
  const voters = tree?.config?.members.filter(({ role }) => role === 'participant');
  return voters === undefined || voters.length === 1;
}
