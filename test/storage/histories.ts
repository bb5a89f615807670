/** Histories of entries that storage takes for transactions, and what a directory hands out, compared with them. */
import assert from 'node:assert/strict';
import { lanes } from '../../src/base/hash.ts';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { compareHalves, type Halves, sameHalves } from '../../src/records/log-record.ts';
import { PackWriter } from '../../src/records/pack.ts';
import { KIND, OPEN_ACL, type Txn, writeEnvelope } from '../../src/records/txns.ts';
import { type Mark, ORIGIN, sameMark } from '../../src/storage/mark.ts';
import { openStorage } from '../../src/storage/open.ts';
import { encodeChunk, encodeHead, encodeTrailer, HEAD_BYTES } from '../../src/storage/snapshot-format.ts';
import type { Storage, StorageOptions } from '../../src/storage/storage.ts';
import type { TxnLog } from '../../src/storage/txn-log.ts';
import { SimDisk } from '../sim/disk.ts';

export interface Entry extends Mark {
  readonly bytes: Buffer;
}

/** An entry numbered `zxid` after `before`, with `size` bytes of data; `fill` makes it another one. */
export function entryAfter(before: Mark, zxid: Halves, size: number, fill = 65): Entry {
  const data = Buffer.alloc(size, fill);
  const txn: Txn = { kind: KIND.create, path: `/n${zxid.lo}`, data, acl: OPEN_ACL, owner: 0n, creates: 1 };
  const to = new PackWriter();
  writeEnvelope(to, zxid.hi, zxid.lo, 1000 + zxid.lo, 0n, 0, txn, before.chain.hi, before.chain.lo);
  const chain = { hi: lanes[0] as number, lo: lanes[1] as number };
  return { zxid, chain, bytes: Buffer.from(to.bytes.subarray(0, to.at)) };
}
export const endOf = (entries: readonly Entry[]): Mark => entries.at(-1) ?? ORIGIN;
/** The next in the epoch of the last one, or the first of `epoch`. */
export function nextZxid(last: Mark, epoch = last.zxid.hi): Halves {
  return epoch === last.zxid.hi ? { hi: epoch, lo: last.zxid.lo + 1 } : { hi: epoch, lo: 1 };
}
/** So many entries after these, of random sizes, now and then in a new epoch. */
export function grow(entries: readonly Entry[], count: number, random: Random, epoch?: number): Entry[] {
  const all = [...entries];
  for (let i = 0; i < count; i++) {
    const size = random.below(6) === 0 ? 1200 : random.below(300);
    const zxid = nextZxid(endOf(all), i === 0 ? (epoch ?? Math.max(1, endOf(all).zxid.hi)) : endOf(all).zxid.hi);
    all.push(entryAfter(endOf(all), zxid, size, 32 + random.below(90)));
  }
  return all;
}
export const plain = ({ zxid, chain }: Mark): Mark => ({ zxid, chain });

/** The records of the snapshot at a mark: nothing else has them. */
export function recordsAt(mark: Mark): Buffer[] {
  const random = seededRandom(mark.chain.hi ^ mark.chain.lo);
  return Array.from({ length: 3 }, () => Buffer.from(random.bytes(40 + random.below(900))));
}
export function snapshotFile(mark: Mark): Buffer {
  const parts = [encodeHead(mark)];
  let at = HEAD_BYTES;
  for (const records of recordsAt(mark)) {
    const chunk = encodeChunk(records);
    parts.push(chunk);
    at += chunk.length;
  }
  return Buffer.concat([...parts, encodeTrailer(parts.length - 1, at)]);
}

/** A directory that is open, and what it handed out. */
export class Replica {
  readonly storage: Storage;
  /** Where what was handed out begins: the snapshot's mark. */
  readonly base: Mark;
  readonly entries: readonly Entry[];
  /** Up to where it was known committed before each entry, and at the end. */
  readonly committed: readonly Halves[];
  /** What the log reported last, by generation. */
  readonly persisted: { generation: number; zxid: Halves }[] = [];
  onPersisted: (generation: number, zxid: Halves) => void = () => {};

  private readonly alive: () => boolean;

  private constructor(
    storage: Storage,
    base: Mark,
    entries: readonly Entry[],
    committed: readonly Halves[],
    alive: () => boolean,
  ) {
    this.alive = alive;
    this.storage = storage;
    this.base = base;
    this.entries = entries;
    this.committed = committed;
    storage.log.onPersisted = (generation, hi, lo) => {
      this.persisted.push({ generation, zxid: { hi, lo } });
      this.onPersisted(generation, { hi, lo });
    };
  }
  static async open(disk: SimDisk, random: Random, more: Partial<StorageOptions> = {}): Promise<Replica> {
    const { life } = disk;
    let chunks: Buffer[] = [];
    let snapshot = false;
    let entries: Entry[] = [];
    let committed: Halves[] = [];
    let known: Halves = ORIGIN.zxid;
    const storage = await openStorage({
      disk: disk.plug(),
      zeroAheadBytes: 0,
      dataDir: '/data',
      logDir: '/log',
      sid: 1,
      random,
      forceSync: true,
      ignoreApacheData: false,
      heals: true,
      onSnapshotChunk: (chunk) => void chunks.push(Buffer.from(chunk)),
      onSnapshotEnd: () => {
        snapshot = true;
      },
      onEnvelope: (bytes, start, end) => {
        const chain = { hi: bytes.readInt32BE(end - 8), lo: bytes.readInt32BE(end - 4) };
        const zxid = { hi: bytes.readInt32BE(start + 4), lo: bytes.readUInt32BE(start + 8) };
        committed.push(known);
        entries.push({ zxid, chain, bytes: Buffer.from(bytes.subarray(start, end)) });
      },
      onCommitted: (hi, lo) => {
        assert.ok(compareHalves(known, { hi, lo }) <= 0, 'committed goes back');
        known = { hi, lo };
      },
      onStartOver: () => {
        chunks = [];
        snapshot = false;
        entries = [];
        committed = [];
        known = ORIGIN.zxid;
      },
      ...more,
    });
    committed.push(known);
    const base = snapshot ? (storage.newestSnapshot as Mark) : ORIGIN;
    if (snapshot) assert.ok(Buffer.concat(chunks).equals(Buffer.concat(recordsAt(base))), 'another snapshot');
    return new Replica(storage, base, entries, committed, () => disk.life === life);
  }
  /** End of what was handed out. */
  get end(): Mark {
    return this.entries.at(-1) ?? this.base;
  }
  /** How many of `history` this directory holds, when what it handed out is a beginning of it; -1 otherwise. */
  holds(history: readonly Entry[]): number {
    const from = sameMark(this.base, ORIGIN) ? 0 : history.findIndex((each) => sameMark(each, this.base)) + 1;
    if (from === 0 && !sameMark(this.base, ORIGIN)) return -1;
    const same = this.entries.every((each, i) => history[from + i]?.bytes.equals(each.bytes) === true);
    return same && from + this.entries.length <= history.length ? from + this.entries.length : -1;
  }
  append(entries: readonly Entry[], generation = this.storage.log.generation): void {
    const log = this.storage.logOf(generation);
    for (const { bytes, zxid } of entries) log.append(bytes, zxid.hi, zxid.lo);
  }
  /** Appends and waits until all of it is on the disk, in groups of these sizes. */
  async write(entries: readonly Entry[], group: () => number = () => 1): Promise<void> {
    const { log } = this.storage;
    for (let at = 0; at < entries.length; ) {
      const next = entries.slice(at, at + Math.max(1, group()));
      at += next.length;
      this.append(next);
      log.flush(0, 0);
      await this.durable(endOf(next), log);
    }
  }
  async durable(mark: Mark, log: TxnLog = this.storage.log): Promise<void> {
    while (!sameHalves(log.durable.zxid, mark.zxid)) await this.turn();
  }
  /** A turn of the loop; none comes once this life is over. */
  turn(): Promise<void> {
    return this.alive() ? turn() : new Promise(() => {});
  }
  async snapshot(mark: Mark): Promise<boolean> {
    const records = recordsAt(mark);
    const made = await this.storage.writeSnapshot(
      mark.zxid,
      mark.chain,
      () => records.shift(),
      () => false,
    );
    return made !== undefined;
  }
  /** Receives the snapshot at `mark` in pieces, then the entries behind it; resolves when all is durable. */
  async stage(generation: number, mark: Mark, behind: readonly Entry[], random: Random): Promise<void> {
    const taken: Buffer[] = [];
    const staged = this.storage.stage(generation, mark, (records) => void taken.push(Buffer.from(records)));
    this.append(behind, generation);
    this.storage.flush(0, 0);
    if (!sameMark(mark, ORIGIN)) {
      const file = snapshotFile(mark);
      for (let at = 0; at < file.length; ) {
        const piece = file.subarray(at, at + 1 + random.below(900));
        at += piece.length;
        await staged.write(piece);
      }
      assert.ok(Buffer.concat(taken).equals(Buffer.concat(recordsAt(mark))), 'the records that came are others');
    }
    await staged.finish();
    await this.durable(behind.at(-1) ?? mark, staged.log);
  }
}
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Runs until it resolves or power is cut; after a cut what it awaits never comes. */
export async function untilCut<T>(disk: SimDisk, run: () => Promise<T>): Promise<T | 'cut'> {
  const cut = new Promise<'cut'>((resolve) => {
    disk.onCut = () => resolve('cut');
  });
  try {
    return await Promise.race([run(), cut]);
  } finally {
    disk.cutAt = Number.POSITIVE_INFINITY;
  }
}

/** Two snapshots in a log of some files, all of which will be abandoned. */
export async function abandoned(): Promise<{ disk: SimDisk; old: Entry[] }> {
  const random = seededRandom(1);
  const disk = new SimDisk(random);
  const member = await Replica.open(disk, random);
  const old = grow(grow([], 8, random), 6, random, 2);
  await member.write(old.slice(0, 5), () => 2);
  await member.snapshot(plain(old[3] as Entry));
  await member.storage.log.roll();
  await member.write(old.slice(5), () => 3);
  await member.snapshot(plain(old[11] as Entry));
  await member.storage.storeEpochs(2, 2);
  await member.storage.close();
  return { disk, old };
}
export const leftOver = (disk: SimDisk, member: Replica): string[] => {
  const logs = member.storage.identity.logs.length;
  const names = disk.paths();
  return [
    ...names.filter((name) => /\.(staged|tmp|damaged)$/.test(name)),
    ...(names.filter((name) => name.includes('/log.')).length === logs ? [] : ['log files that are not listed']),
  ];
};
