/** Logs and snapshots as a server writes them, and what a fuzzer makes of them. */
import { crc32 } from 'node:zlib';
import { hash64, lanes } from '../../src/base/hash.ts';
import type { Random } from '../../src/base/random.ts';
import { encodeFileHeader, GROUP_HEADER, type Halves, SECTOR, sealGroup, ZERO } from '../../src/records/log-record.ts';
import { PackWriter } from '../../src/records/pack.ts';
import { CONTAINER_OWNER, KIND, OPEN_ACL, type Txn, ttlOwner, writeEnvelope } from '../../src/records/txns.ts';
import type { LogFileEntry } from '../../src/storage/identity.ts';
import { apply, NO_SINK } from '../../src/tree/apply.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { SnapshotCursor } from '../../src/tree/snapshot.ts';
import { mutated, noise, tokens } from './mutate.ts';

/** The file that {@link oddLog} is said to be. */
export const ENTRY: LogFileEntry = { salt: { hi: 7, lo: 9 }, fromZxid: ZERO, fromChain: ZERO, end: null };

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

interface Body {
  readonly parts: readonly Buffer[];
  readonly chain: Halves;
}
/** A group's body with one more envelope, its chain right. */
function extended({ parts, chain }: Body, envelope: Buffer): Body {
  hash64(envelope, 0, envelope.length, chain.hi, chain.lo);
  const whole = Buffer.alloc(4 + envelope.length + 10);
  whole.writeUInt32BE(envelope.length + 10, 0);
  whole.set(envelope, 4);
  whole.writeUInt16BE(0xc408, 4 + envelope.length);
  whole.writeInt32BE(lanes[0] as number, whole.length - 8);
  whole.writeInt32BE(lanes[1] as number, whole.length - 4);
  return { parts: [...parts, whole], chain: { hi: lanes[0] as number, lo: lanes[1] as number } };
}
/** The bodies of the first n envelopes as they should be. */
const BODIES: Body[] = [{ parts: [], chain: ZERO }];
for (const envelope of ENVELOPES) BODIES.push(extended(BODIES.at(-1) as Body, envelope));

/** A log file of one group with these envelopes, the first `intact` as they should be; all checksums right. */
function logOf(
  envelopes: readonly Buffer[],
  intact: number,
  change: (field: { count: number; last: Halves; first: Halves }) => void,
): Buffer {
  const body = envelopes.slice(intact).reduce(extended, BODIES[intact] as Body).parts;
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
export function oddLog(random: Random): { bytes: Buffer; changed: number } {
  if (random.below(4) === 0)
    return {
      bytes: noise(
        random,
        logOf(ENVELOPES, ENVELOPES.length, () => {}),
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
  const bytes = logOf(envelopes, which, (fields) => {
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
  const fields: Readonly<Record<number, number>> = { 1: 11, 2: 7, 3: 4, 4: 2 };
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

/** A snapshot and the number of its first changed chunk; -1 when the bytes are noise. */
export function oddSnapshot(random: Random): { bytes: Buffer; changed: number } {
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
