import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { SECTOR } from '../../src/records/log-record.ts';
import { RecordError } from '../../src/records/pack.ts';
import { DamageError } from '../../src/storage/errors.ts';
import { SnapshotCursor } from '../../src/tree/snapshot.ts';
import { amount } from '../amount.ts';
import { SimDisk } from '../sim/disk.ts';
import { inWorkers } from '../sim/workers.ts';
import { Member } from './bench.ts';
import type { FlipCounts, FlipJob } from './flips.ts';

/** A closed directory: some 64 KiB of log in groups of several sectors. */
async function written(bytes: number, data = 150): Promise<SimDisk> {
  const disk = new SimDisk(seededRandom(1));
  const member = await Member.open(disk, seededRandom(2));
  while (member.storage.log.bytesSinceRoll < bytes) {
    for (let i = 0; i < 8; i++) member.write(Buffer.alloc(data, 65 + i));
    member.flush();
    await member.settled();
  }
  await member.storage.close();
  return disk;
}
const outcome = async (disk: SimDisk): Promise<'refused' | 'opened' | 'other'> => {
  try {
    await Member.open(disk, seededRandom(3));
    return 'opened';
  } catch (error) {
    return error instanceof DamageError ? 'refused' : error instanceof RecordError ? 'other' : 'other';
  }
};
/** Flips one bit of every byte of a file up to `end`, one at a time, each back again; half by half. */
async function flips(disk: SimDisk, path: string, end: number, step = 1): Promise<FlipCounts> {
  const files = new Map(disk.paths().map((each) => [each, disk.raw(each)]));
  const half = step * Math.floor((end * 0.7) / step); // damage is found sooner near the beginning
  const jobs: FlipJob[] = [
    { files, path, from: 0, end: half, step },
    { files, path, from: half, end, step },
  ];
  const counts = { refused: 0, opened: 0, other: 0 };
  for (const each of await inWorkers<FlipCounts>(new URL('./flips.js', import.meta.url), jobs))
    for (const kind of Object.keys(counts) as (keyof FlipCounts)[]) counts[kind] += each[kind];
  return counts;
}

/** A directory with a snapshot in the middle of its log. */
async function withSnapshot(fill = 65): Promise<SimDisk> {
  const disk = new SimDisk(seededRandom(1));
  const member = await Member.open(disk, seededRandom(2));
  for (let i = 0; i < 10; i++) {
    member.write(Buffer.alloc(100, fill));
    member.flush();
    await member.settled();
  }
  const cursor = new SnapshotCursor(member.tree);
  await member.storage.writeSnapshot(
    cursor.zxid,
    cursor.chain,
    (max) => cursor.next(max),
    () => cursor.abandoned,
  );
  for (let i = 0; i < 3; i++) member.write(Buffer.alloc(100, fill));
  member.flush();
  await member.settled();
  await member.storage.close();
  return disk;
}
const logOf = (disk: SimDisk): string => disk.paths().find((path) => path.startsWith('/log/zoosh-1/log.')) as string;

/** The end of the synced part of the log: behind it lie preallocated zeros. */
const syncedEnd = (bytes: Buffer): number => {
  let end = bytes.length;
  while (end >= SECTOR && bytes.subarray(end - SECTOR, end).every((byte) => byte === 0)) end -= SECTOR;
  return end;
};

const LOG_STEP = amount(1, 7);
test(`a bit flipped at every byte, or every seventh, of the synced part of a 64 KiB log is refused`, async () => {
  const disk = await written(64 * 1024);
  const path = logOf(disk);
  const end = syncedEnd(disk.raw(path));
  assert.ok(end >= 64 * 1024, `${end}`);
  const counts = await flips(disk, path, end, LOG_STEP);
  const flipped = Math.ceil(end / LOG_STEP);
  console.log(
    `log: ${flipped} bytes flipped, ${counts.refused} refused (44), ${counts.opened} opened, ${counts.other} other`,
  );
  assert.deepEqual(counts, { refused: flipped, opened: 0, other: 0 });
});

test('a bit flipped at every byte of a snapshot is refused', async () => {
  const disk = new SimDisk(seededRandom(1));
  const member = await Member.open(disk, seededRandom(2));
  for (let i = 0; i < 60; i++) member.write(Buffer.alloc(100, 66));
  member.flush();
  await member.settled();
  await member.storage.log.roll();
  const cursor = new SnapshotCursor(member.tree);
  const made = await member.storage.writeSnapshot(
    cursor.zxid,
    cursor.chain,
    (max) => cursor.next(max),
    () => cursor.abandoned,
  );
  await member.storage.close();
  const path = made?.path as string;
  assert.equal(await outcome(disk.copy(seededRandom(5))), 'opened');
  const size = disk.raw(path).length;
  const counts = await flips(disk, path, size);
  console.log(
    `snapshot: ${size} bytes flipped, ${counts.refused} refused (44), ${counts.opened} opened, ${counts.other} other`,
  );
  assert.deepEqual(counts, { refused: size, opened: 0, other: 0 });
});

test('the identity record: one copy damaged, the other is used; both damaged, refused', async () => {
  const disk = await written(2048);
  const [first, second] = ['/data/zoosh-1/identity', '/log/zoosh-1/identity'] as const;
  const size = disk.raw(first).length;
  const one = { refused: 0, opened: 0, other: 0 };
  const both = { refused: 0, opened: 0, other: 0 };
  for (let at = 0; at < size; at++)
    for (const [paths, counts] of [
      [[first], one],
      [[second], one],
      [[first, second], both],
    ] as const) {
      const copy = disk.copy(seededRandom(4));
      for (const path of paths) {
        const raw = copy.raw(path);
        raw[at] = (raw[at] as number) ^ (1 << (at % 8));
      }
      counts[await outcome(copy)]++;
    }
  console.log(
    `identity: ${size} bytes; one copy flipped: ${one.opened} opened from the other, ${one.refused} refused; both: ${both.refused} refused, ${both.opened} opened`,
  );
  assert.deepEqual(one, { refused: 0, opened: 2 * size, other: 0 });
  assert.deepEqual(both, { refused: size, opened: 0, other: 0 });
});

test('every loss of sectors of a last group that was never whole is cut, none is refused', async () => {
  const disk = await written(4096);
  const path = logOf(disk);
  const before = syncedEnd(disk.raw(path));
  const member = await Member.open(disk, seededRandom(6));
  const newer = disk.paths().filter((each) => each.startsWith('/log/zoosh-1/log.') && each !== path)[0] as string;
  const known = member.tree.zxidLo;
  for (let i = 0; i < 18; i++) member.write(Buffer.alloc(200, 67));
  member.flush();
  await member.settled();
  const end = syncedEnd(disk.raw(newer));
  const sectors = (end - SECTOR) / SECTOR;
  assert.ok(sectors === 10, `the group has ${sectors} sectors`);
  let cut = 0;
  for (let lost = 1; lost < 1 << sectors; lost++) {
    const copy = disk.copy(seededRandom(7));
    for (let i = 0; i < sectors; i++)
      if ((lost & (1 << i)) !== 0) copy.raw(newer).fill(0, SECTOR + i * SECTOR, SECTOR + (i + 1) * SECTOR);
    const again = await Member.open(copy, seededRandom(8));
    assert.equal(again.tree.zxidLo, known);
    cut++;
  }
  console.log(`torn: ${cut} subsets of ${sectors} sectors lost, ${cut} cut, 0 refused (log of ${before} bytes before)`);
  assert.equal(cut, 1023);
});

test('a listed log file that is missing, or the whole log volume, is refused', async () => {
  const disk = await written(2048);
  const gone = disk.copy(seededRandom(1));
  gone.remove(logOf(gone));
  assert.equal(await outcome(gone), 'refused');
  const unmounted = disk.copy(seededRandom(1));
  for (const path of unmounted.paths()) if (path.startsWith('/log/')) unmounted.remove(path);
  assert.equal(await outcome(unmounted), 'refused');
});

const failure = async (disk: SimDisk): Promise<DamageError> => {
  try {
    await Member.open(disk, seededRandom(3));
  } catch (error) {
    assert.ok(error instanceof DamageError, String(error));
    return error;
  }
  assert.fail('it was opened');
};

test('a log or a snapshot that the disk cannot read is refused as damaged', async () => {
  for (const what of ['/log/zoosh-1/log.', '/data/zoosh-1/snapshot.']) {
    const disk = await withSnapshot();
    disk.unreadable = what;
    assert.match((await failure(disk)).message, /EIO/);
  }
});

test('the loss is told up to the last readable header, in later groups and later files too', async () => {
  const disk = await written(16 * 1024);
  const path = logOf(disk);
  const again = await Member.open(disk, seededRandom(6));
  again.write(Buffer.alloc(100, 68));
  again.flush();
  await again.settled();
  const { zxidLo } = again.tree;
  await again.storage.close();
  const raw = disk.raw(path);
  raw[2 * SECTOR + 100] = (raw[2 * SECTOR + 100] as number) ^ 1; // in the body of the first group
  const { damage } = await failure(disk);
  assert.deepEqual(damage.intact, { hi: 0, lo: 0 });
  assert.deepEqual(damage.mayHaveAcked, { hi: 1, lo: zxidLo });
});

test('a snapshot of another history than the log is refused', async () => {
  const one = await withSnapshot(65);
  const other = await withSnapshot(66); // the same zxids, other data
  const name = one.paths().find((path) => path.includes('/snapshot.')) as string;
  assert.ok(other.paths().includes(name));
  const mixed = one.copy(seededRandom(9));
  mixed.replace(name, other.raw(name));
  assert.match((await failure(mixed)).message, /another history/);
});
