/** What a link leaves of a leader's snapshot when it breaks: the next goes on behind it, or it goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { crc32 } from 'node:zlib';
import { seededRandom } from '../../src/base/random.ts';
import { encodeChunk, encodeHead } from '../../src/storage/snapshot-format.ts';
import type { StagedHistory } from '../../src/storage/staged.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { abandoned, type Entry, leftOver, plain, Replica, recordsAt, snapshotFile } from './histories.ts';

test('what a link brought of a snapshot before it broke is read back, and the next goes on behind it', async () => {
  const { disk: whole, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const file = snapshotFile(at);
  const records = Buffer.concat(recordsAt(at));
  for (let seed = 1; seed <= 100; seed++) {
    const random = seededRandom(seed);
    const disk = whole.copy(random);
    const member = await Replica.open(disk, random);
    const { storage } = member;
    let generation = 1;
    const taken: Buffer[] = [];
    const stage = (mark = at, resumes = true): StagedHistory => {
      taken.length = 0;
      return storage.stage(++generation, mark, (bytes) => void taken.push(Buffer.from(bytes)), resumes);
    };
    let staged = stage();
    let came = 0;
    for (let links = random.below(5); links >= 0; links--) {
      assert.deepEqual(await staged.resume(), { offset: came, checksum: crc32(file.subarray(0, came)) });
      const most = file.length - 1 - came;
      const part = file.subarray(came, came + (most < 2 ? most : 1 + random.below(most)));
      const writing = staged.write(part);
      if (random.below(2) === 0) await writing;
      else for (let i = random.below(3); i > 0; i--) await member.turn();
      const left = storage.leaveStaged(generation);
      // what had not begun to be written is not there
      await writing.then(
        () => {
          came += part.length;
        },
        () => undefined,
      );
      if (random.below(2) === 0) await left;
      staged = stage();
    }
    assert.equal((await staged.resume()).offset, came, `seed ${seed}`);
    await staged.write(file.subarray(came));
    assert.ok(Buffer.concat(taken).equals(records), 'the records that were handed out are those of the whole');
    await staged.finish();
    await storage.storeEpochs(9, 9, generation);
    assert.deepEqual(leftOver(disk, member), [], `seed ${seed}`);
    await storage.close();
    assert.equal((await Replica.open(disk, random)).holds(old), 7);
  }
});

test('what a link left of a snapshot is removed by another snapshot, one that does not go on, an epoch joined without it, and a start', async () => {
  const { disk: whole, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const ends: [string, (storage: Storage) => Promise<unknown>][] = [
    ['another', (storage) => storage.stage(3, plain(old[7] as Entry), undefined, true).resume()],
    [
      'anew',
      (storage) =>
        storage
          .stage(3, at)
          .write(Buffer.alloc(0))
          .catch(() => undefined),
    ],
    ['without', (storage) => storage.storeEpochs(9, 9)],
  ];
  for (const [how, end] of ends) {
    const disk = whole.copy(seededRandom(1));
    const member = await Replica.open(disk, seededRandom(1));
    await member.storage.stage(2, at).write(snapshotFile(at).subarray(0, 50));
    await member.storage.leaveStaged(2);
    assert.deepEqual(leftOver(disk, member).length, 1, how);
    await member.storage.storeEpochs(9, 8); // promised, not joined
    assert.deepEqual(leftOver(disk, member).length, 1, how);
    await end(member.storage);
    if (how !== 'anew') assert.deepEqual(leftOver(disk, member), [], how);
    await member.storage.dropStaged(3);
    assert.deepEqual(leftOver(disk, member), [], how);
    await member.storage.close();
  }
  const disk = whole.copy(seededRandom(1));
  const member = await Replica.open(disk, seededRandom(1));
  await member.storage.stage(2, at).write(snapshotFile(at).subarray(0, 50));
  await member.storage.leaveStaged(2);
  await member.storage.close();
  assert.deepEqual(leftOver(disk, await Replica.open(disk, seededRandom(2))), []);
});

test('a link that breaks while what is there is read back costs nothing of it, and is waited for no longer than one piece', async () => {
  const { disk, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const { storage } = await Replica.open(disk, seededRandom(1));
  const begun = Buffer.concat([encodeHead(at), ...Array.from({ length: 20 }, () => encodeChunk(Buffer.alloc(1e6, 7)))]);
  await storage.stage(2, at, undefined, true).write(begun);
  await storage.leaveStaged(2);
  let given = 0;
  let left: Promise<void> | undefined;
  const take = (): void => {
    if (++given === 3) left = storage.leaveStaged(3);
  };
  const reading = storage.stage(3, at, take, true).resume();
  await reading.catch((error: Error) => assert.match(error.message, /dropped/));
  await left;
  assert.ok(given < 6, `${given} of 20 chunks were read`);
  await storage.stage(4, at, undefined, true).resume();
  await storage.leaveStaged(4);
  storage.stage(5, at, undefined, true); // of which nothing is read before it is left
  await storage.leaveStaged(5);
  const next = await storage.stage(6, at, undefined, true).resume();
  assert.deepEqual(next, { offset: begun.length, checksum: crc32(begun) });
  await storage.close();
});

test('of what no link can go on behind nothing stays: a snapshot that is whole, and one of which nothing was written', async () => {
  const { disk, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const member = await Replica.open(disk, seededRandom(1));
  const { storage } = member;
  await member.stage(2, at, [old[7] as Entry], seededRandom(2));
  await storage.leaveStaged(2);
  assert.deepEqual(leftOver(disk, member), []);
  storage.stage(3, at, undefined, true);
  await storage.leaveStaged(3);
  assert.deepEqual(leftOver(disk, member), []);
  assert.equal((await storage.stage(4, at, undefined, true).resume()).offset, 0);
  await storage.close();
});

test('what a link left is removed by an epoch that is joined below one that was promised', async () => {
  const { disk, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const member = await Replica.open(disk, seededRandom(1));
  const { storage } = member;
  await storage.storeEpochs(9, 2);
  await storage.stage(2, at, undefined, true).write(snapshotFile(at).subarray(0, 50));
  await storage.leaveStaged(2);
  assert.equal(leftOver(disk, member).length, 1);
  await storage.storeEpochs(9, 7); // as one that does not count joins it
  assert.deepEqual(leftOver(disk, member), []);
  await storage.close();
});

test('the tree that was built of what a link left is not kept in memory', async () => {
  const { disk, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const { storage } = await Replica.open(disk, seededRandom(1));
  const begin = async (): Promise<WeakRef<object>> => {
    const taken: Buffer[] = [];
    const file = snapshotFile(at);
    await storage.stage(2, at, (records) => void taken.push(Buffer.from(records)), true).write(file.subarray(0, -1));
    assert.ok(taken.length > 0);
    return new WeakRef(taken);
  };
  const built = await begin();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const isThere = async (): Promise<boolean> => {
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => void setImmediate(resolve));
      collect();
    }
    return built.deref() !== undefined;
  };
  assert.equal(await isThere(), true, 'while it comes in');
  await storage.leaveStaged(2);
  assert.equal(await isThere(), false);
  await storage.close();
});

test('what was damaged on the disk before the next link, or is not all there, is refused', async () => {
  const { disk, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const member = await Replica.open(disk, seededRandom(1));
  const file = snapshotFile(at);
  for (const harm of ['rots', 'is shorter']) {
    const staged = member.storage.stage(2, at, undefined, true);
    await staged.resume();
    await staged.write(file.subarray(0, file.length - 5));
    await member.storage.leaveStaged(2);
    const path = disk.paths().find((name) => name.endsWith('.staged')) as string;
    if (harm === 'rots') disk.flip(path, 60, 3);
    else await (await disk.plug().open(path, {})).truncate(20);
    const next = member.storage.stage(3, at, undefined, true);
    await assert.rejects(next.resume(), harm === 'rots' ? /checksum of the snapshot is wrong/ : /ends after 20 of/);
    await member.storage.leaveStaged(3);
    // nothing of it is used again
    assert.equal((await member.storage.stage(4, at, undefined, true).resume()).offset, 0);
    await member.storage.dropStaged(4);
    assert.deepEqual(leftOver(disk, member), []);
  }
  await member.storage.close();
});
