/** A worker's job: malformed logs or snapshots given to a starting server's storage. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { hash64, lanes } from '../../src/base/hash.ts';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { type Disk, DiskError } from '../../src/ports/disk.ts';
import { encodeFileHeader, GROUP_HEADER, type Halves, SECTOR, sealGroup, ZERO } from '../../src/records/log-record.ts';
import { PackReader, PackWriter } from '../../src/records/pack.ts';
import {
  CONTAINER_OWNER,
  KIND,
  OPEN_ACL,
  readEnvelope,
  type Txn,
  ttlOwner,
  writeEnvelope,
} from '../../src/records/txns.ts';
import { DamageError } from '../../src/storage/errors.ts';
import { logName } from '../../src/storage/files.ts';
import type { LogFileEntry } from '../../src/storage/identity.ts';
import { readLogs } from '../../src/storage/recover.ts';
import { readSnapshotFile } from '../../src/storage/snapshots.ts';
import { understood } from '../../src/storage/storage.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { SnapshotCursor, SnapshotLoader } from '../../src/tree/snapshot.ts';
import { mutated, noise, tokens } from './mutate.ts';

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

const ENTRY: LogFileEntry = { salt: { hi: 7, lo: 9 }, fromZxid: ZERO, fromChain: ZERO, end: null };
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

const SESSION = 0x0100_0000_0000_0001n;
const ACL = [{ perms: 31, scheme: 'digest', id: 'bob:x' }];
const create = (path: string, owner = 0n, acl = OPEN_ACL): Txn => ({
  kind: KIND.create,
  path,
  data: Buffer.from(`data of ${path}`),
  acl,
  owner,
  creates: 1,
});
const CONFIG = {
  members: [{ sid: 1, role: 'participant' as const, incarnation: 'cd', addresses: [], client: null }],
  maxTxnBytes: 1e6,
};
/** Every kind of transaction. */
const TXNS: readonly Txn[] = [
  { kind: KIND.found, ensembleId: 'ab', config: CONFIG },
  { kind: KIND.seen, sid: 1, incarnation: 'cd', tag: 'ef' },
  { kind: KIND.createSession, id: SESSION as never, timeoutMs: 10_000, secret: Buffer.alloc(16, 1) },
  create('/a'),
  create('/a/b', CONTAINER_OWNER, ACL),
  create('/a/t', ttlOwner(5000)),
  create('/e', SESSION),
  create('/zookeeper/quota/a'),
  create('/zookeeper/quota/a/zookeeper_limits'),
  create('/zookeeper/quota/a/zookeeper_stats'),
  { kind: KIND.setData, path: '/a', data: null, version: 1 },
  { kind: KIND.setAcl, path: '/a', acl: ACL, aversion: 1 },
  {
    kind: KIND.multi,
    parts: [
      create('/a/c') as never,
      { kind: KIND.check, path: '/a', version: 1 },
      { kind: KIND.setData, path: '/a/c', data: Buffer.from('x'), version: 1 },
      { kind: KIND.delete, path: '/a/c' },
    ],
  },
  { kind: KIND.error, code: -101 },
  { kind: KIND.multiError, codes: [0, -110, -2] },
  { kind: KIND.config, config: CONFIG },
  { kind: KIND.delete, path: '/a/t' },
  { kind: KIND.reap, path: '/a/b' },
  { kind: KIND.closeSession, id: SESSION as never },
  { kind: KIND.noop },
];
/** Envelopes without their chains. */
const ENVELOPES: readonly Buffer[] = TXNS.map((txn, i) => {
  const to = new PackWriter();
  writeEnvelope(to, 1, i + 1, 1000 + i, SESSION, i, txn, 0, 0);
  return Buffer.from(to.bytes.subarray(0, to.at - 10));
});

/** A log file of one group with these envelopes, all checksums right. */
function logOf(
  envelopes: readonly Buffer[],
  change: (field: { count: number; last: Halves; first: Halves }) => void,
): Buffer {
  const body: Buffer[] = [];
  let hi = 0;
  let lo = 0;
  for (const envelope of envelopes) {
    hash64(envelope, 0, envelope.length, hi, lo);
    [hi, lo] = [lanes[0] as number, lanes[1] as number];
    const whole = Buffer.alloc(4 + envelope.length + 10);
    whole.writeUInt32BE(envelope.length + 10, 0);
    whole.set(envelope, 4);
    whole.writeUInt16BE(0xc408, 4 + envelope.length);
    whole.writeInt32BE(hi, whole.length - 8);
    whole.writeInt32BE(lo, whole.length - 4);
    body.push(whole);
  }
  const bytes = Buffer.concat(body);
  const group = Buffer.alloc(GROUP_HEADER + bytes.length + SECTOR);
  group.set(bytes, GROUP_HEADER);
  const fields = { count: envelopes.length, first: { hi: 1, lo: 1 }, last: { hi: 1, lo: envelopes.length } };
  change(fields);
  const sealed = sealGroup(
    group,
    bytes.length,
    ENTRY.salt,
    SECTOR,
    fields.count,
    fields.first,
    fields.last,
    ZERO,
    ZERO,
  );
  return Buffer.concat([encodeFileHeader(ENTRY), sealed]);
}

/** A log and the number of its first changed envelope; -1 when the bytes are noise. */
function oddLog(random: Random): { bytes: Buffer; changed: number } {
  if (random.below(4) === 0)
    return {
      bytes: noise(
        random,
        logOf(ENVELOPES, () => {}),
      ),
      changed: -1,
    };
  const envelopes = [...ENVELOPES];
  const which = random.below(envelopes.length);
  const own = envelopes[which] as Buffer;
  const what = random.below(12);
  // tokens: array, format, level, zxid, kind, time, session, xid, body
  if (what < 9) envelopes[which] = mutated(random, own, random.below(4) === 0 ? 4 : 8);
  else if (what === 9) {
    // another's kind and body under this zxid: right in itself, wrong after what came before
    const other = ENVELOPES[random.below(ENVELOPES.length)] as Buffer;
    envelopes[which] = Buffer.concat([own.subarray(0, 12), other.subarray(12)]);
  } else if (what === 10) envelopes[which] = mutated(random, own, 1);
  const bytes = logOf(envelopes, (fields) => {
    if (what !== 11) return;
    if (random.below(2) === 0) fields.count = [0, 1, 0xffff_ffff, ENVELOPES.length + 1][random.below(4)] as number;
    else fields[random.below(2) === 0 ? 'first' : 'last'] = { hi: random.below(3), lo: random.below(50) };
  });
  return { bytes, changed: which };
}

/** Records of a snapshot of a tree with nodes of all kinds, each alone. */
const RECORDS: readonly Buffer[] = (() => {
  const tree = new DataTree(1);
  const lasting = TXNS.slice(0, 13);
  for (const [i, txn] of lasting.entries()) apply(tree, 1, i + 1, 1000 + i, txn, NO_SINK);
  const cursor = new SnapshotCursor(tree);
  const parts: Buffer[] = [];
  for (let part = cursor.next(65536); part !== undefined; part = cursor.next(65536)) parts.push(Buffer.from(part));
  const bytes = Buffer.concat(parts);
  const records: Buffer[] = [];
  const fields: Readonly<Record<number, number>> = { 1: 9, 2: 7, 3: 4, 4: 2 };
  const at = tokens(bytes, 0, bytes.length);
  let start = 0;
  // a record begins where an array of the size for its type does
  for (let i = 1; i <= at.length; i++) {
    const from = at[i] ?? bytes.length;
    const begins = i === at.length || bytes[from] === 0x90 + (fields[bytes[from + 1] as number] ?? 99);
    if (!begins) continue;
    records.push(bytes.subarray(start, from));
    start = from;
  }
  return records;
})();

const PER_CHUNK = 5;
function snapshotOf(records: readonly Buffer[], change: (trailer: Buffer) => void): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32BE(0x7a6f6f53, 0);
  head.writeUInt32BE(1, 4);
  head.writeInt32BE(1, 8);
  head.writeInt32BE(13, 12);
  head.writeUInt32BE(crc32(head.subarray(0, 28)), 28);
  const parts: Buffer[] = [head];
  let size = head.length;
  for (let i = 0; i < records.length; i += PER_CHUNK) {
    const record = Buffer.concat(records.slice(i, i + PER_CHUNK));
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(record.length, 0);
    frame.writeUInt32BE(crc32(record), 4);
    parts.push(frame, record);
    size += 8 + record.length;
  }
  const trailer = Buffer.alloc(24);
  trailer.writeUInt32BE(0xffff_ffff, 0);
  trailer.writeUInt32BE(Math.ceil(records.length / PER_CHUNK), 4);
  trailer.writeBigUInt64BE(BigInt(size), 8);
  change(trailer);
  trailer.writeUInt32BE(crc32(trailer.subarray(0, 20)), 20);
  return Buffer.concat([...parts, trailer]);
}

function oddSnapshot(random: Random): { bytes: Buffer; changed: number } {
  if (random.below(4) === 0)
    return {
      bytes: noise(
        random,
        snapshotOf(RECORDS, () => {}),
      ),
      changed: -1,
    };
  const records = [...RECORDS];
  const which = random.below(records.length);
  const what = random.below(12);
  if (what < 9) records[which] = mutated(random, records[which] as Buffer, random.below(8) === 0 ? 0 : 2);
  else if (what === 9) records.splice(which, 1);
  else if (what === 10) records.splice(which, 0, records[random.below(records.length)] as Buffer);
  const bytes = snapshotOf(records, (trailer) => {
    if (what === 11) trailer[random.below(20)] = random.below(256);
  });
  return { bytes, changed: what === 11 ? -1 : Math.floor(which / PER_CHUNK) };
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
      const began = performance.now();
      try {
        await read(disk, what, path, i % 4 === 0, () => reached++);
        outcome = 'read';
      } catch (error) {
        outcome = String((error as Error).stack);
        if (error instanceof DamageError)
          outcome = error.damage.reason.replace(/(?<=not MessagePack).*/s, '').replace(/0x[0-9a-f]+|-?\d+/g, 'N');
        else crashes.push(outcome);
      }
      took = Math.min(took, performance.now() - began);
    }
    if (reached > changed && changed >= 0) decoded++;
    longestMs = Math.max(longestMs, took);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return { outcomes, decoded, longestMs, crashes };
}

fuzz(workerData as FuzzJob).then((report) => parentPort?.postMessage(report));
