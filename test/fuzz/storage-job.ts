/** A worker's job: malformed logs or snapshots given to what a starting server reads them with. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../src/base/random.ts';
import { type Disk, DiskError } from '../../src/ports/disk.ts';
import { ZERO } from '../../src/records/log-record.ts';
import { PackReader } from '../../src/records/pack.ts';
import { readEnvelope } from '../../src/records/txns.ts';
import { DamageError, StorageRefusal } from '../../src/storage/errors.ts';
import { logName } from '../../src/storage/files.ts';
import { understood } from '../../src/storage/read-state.ts';
import { readLogs } from '../../src/storage/recover.ts';
import { readSnapshotFile } from '../../src/storage/snapshots.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { SnapshotLoader } from '../../src/tree/snapshot.ts';
import { stopwatch } from '../patience.ts';
import { ENTRY, oddLog, oddSnapshot } from './samples.ts';

export interface FuzzJob {
  readonly what: 'log' | 'snapshot';
  readonly seed: number;
  readonly inputs: number;
}
export interface FuzzReport {
  /** How many inputs ended how: opened, or refused with what. */
  readonly outcomes: Record<string, number>;
  /** Inputs of which a changed record, its checksums right, came to the decoder. */
  readonly decoded: number;
  readonly longestMs: number;
  /** Anything but a refusal. */
  readonly crashes: string[];
}

/** Nothing may take longer. */
const SLOW_MS = 100;

/** Files in memory, to be read. */
function diskOf(files: ReadonlyMap<string, Buffer>): Disk {
  const never = async (): Promise<never> => assert.fail('reading changes nothing');
  return {
    open: async (path) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw new DiskError('ENOENT', path, 'open');
      return {
        path,
        read: async (into, at) => bytes.copy(into, 0, Math.min(at, bytes.length), at + into.length),
        size: async () => bytes.length,
        close: async () => {},
        write: never,
        sync: never,
        truncate: never,
      };
    },
    exists: async (path) => files.has(path),
    rename: never,
    unlink: never,
    readdir: never,
    mkdir: never,
    syncDir: never,
    free: never,
  };
}

/** What a start does with one log or snapshot, up to where the first byte would be written. Resolves when it was read whole. */
async function read(
  disk: Disk,
  what: FuzzJob['what'],
  path: string,
  applied: boolean,
  reached: () => void,
): Promise<void> {
  if (what === 'snapshot') {
    const loader = new SnapshotLoader(1);
    const chunk = (bytes: Buffer): void => {
      reached();
      loader.push(bytes);
    };
    await readSnapshotFile(disk, path, (bytes) => understood(path, () => chunk(bytes)));
    understood(path, () => void loader.finish());
    return;
  }
  const from = new PackReader(Buffer.alloc(0));
  const tree = applied ? new DataTree(1) : undefined;
  const envelope = (bytes: Buffer, start: number, end: number): void => {
    reached();
    from.reset(bytes, start, end);
    const { zxidHi, zxidLo, time, txn } = readEnvelope(from, undefined);
    if (tree !== undefined) apply(tree, zxidHi, zxidLo, time, txn, NO_SINK);
  };
  const nothing = { zxid: ZERO, chain: ZERO };
  await readLogs(disk, '/log', [ENTRY], nothing, (bytes, start, end) =>
    understood(path, () => envelope(bytes, start, end)),
  );
}

async function fuzz({ what, seed, inputs }: FuzzJob): Promise<FuzzReport> {
  Error.stackTraceLimit = 4;
  const random = seededRandom(seed);
  const outcomes: Record<string, number> = {};
  const crashes: string[] = [];
  const path = what === 'log' ? `/log/${logName(ENTRY)}` : '/data/snapshot.10000000d';
  const files = new Map<string, Buffer>();
  const disk = diskOf(files);
  let decoded = 0;
  let longestMs = 0;
  for (let i = 0; i < inputs; i++) {
    const { bytes, changed } = what === 'log' ? oddLog(random) : oddSnapshot(random);
    let outcome = '';
    let reached = 0;
    let took = Number.POSITIVE_INFINITY;
    // one that is slow is slow every time; the machine has others to serve
    for (let again = 0; again < 4 && took > SLOW_MS; again++) {
      files.set(path, Buffer.from(bytes));
      reached = 0;
      const spent = stopwatch();
      try {
        await read(disk, what, path, i % 4 === 0, () => reached++);
        outcome = 'read';
      } catch (error) {
        if (error instanceof DamageError)
          outcome = error.damage.reason.replace(/(?<=not MessagePack).*/s, '').replace(/0x[0-9a-f]+|-?\d+/g, 'N');
        else if (error instanceof StorageRefusal && error.exitCode === 42) outcome = 'of a newer version';
        else {
          outcome = (error as Error).name;
          crashes.push(String((error as Error).stack));
        }
      }
      took = Math.min(took, spent());
    }
    if (reached > changed && changed >= 0) decoded++;
    longestMs = Math.max(longestMs, took);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return { outcomes, decoded, longestMs, crashes };
}

fuzz(workerData as FuzzJob).then((report) => parentPort?.postMessage(report));
