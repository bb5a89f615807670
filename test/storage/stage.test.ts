import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { RecordError } from '../../src/records/pack.ts';
import { snapshotName } from '../../src/storage/files.ts';
import { type Mark, ORIGIN } from '../../src/storage/mark.ts';
import {
  abandoned,
  type Entry,
  endOf,
  grow,
  leftOver,
  plain,
  Replica,
  recordsAt,
  snapshotFile,
  untilCut,
} from './histories.ts';

test('a history comes in beside the old one, with power cut at every call: one or the other is there, whole', async () => {
  const { disk: whole, old } = await abandoned();
  const random = seededRandom(2);
  const other = grow(grow([], 4, random), 13, random, 3);
  // below, at and above the zxids of the old snapshots, the same history or another, and none at all
  const places: [string, Mark, Entry[]][] = [
    ['below', plain(other[2] as Entry), other],
    ['above', plain(other[12] as Entry), other],
    ['the same one', plain(old[11] as Entry), grow(old.slice(0, 12), 3, random, 7)],
    ['the older one', plain(old[3] as Entry), grow(old.slice(0, 4), 3, random, 7)],
    ['the origin', ORIGIN, other],
  ];
  const counts = { cuts: 0, old: 0, new: 0, 'new by the next start': 0 };
  for (const [what, at, history] of places) {
    const from = history.findIndex(({ zxid }) => zxid === at.zxid) + 1;
    const behind = history.slice(from, from + 4);
    for (let call = 1; ; call++) {
      const disk = whole.copy(seededRandom(call));
      const member = await Replica.open(disk, seededRandom(3));
      assert.equal(member.holds(old), old.length);
      disk.cutAt = disk.calls + call;
      let asked = false;
      let installed = false;
      let reported = from;
      const outcome = await untilCut(disk, async () => {
        await member.stage(2, at, behind, seededRandom(4));
        asked = true;
        await member.storage.storeEpochs(9, 9, 2);
        installed = true;
        reported = from + behind.length;
        assert.deepEqual(member.storage.newestSnapshot, at === ORIGIN ? undefined : at);
        await member.write(history.slice(from + 4));
        reported = history.length;
        await member.storage.close();
      });
      const told = `${what}, power at call ${call}`;
      const again = await Replica.open(disk, seededRandom(5));
      assert.equal(again.storage.damage, undefined, told);
      assert.equal(again.storage.identity.adoptedSnapshot, null, told);
      const asOld = again.holds(old);
      const asNew = again.holds(history);
      if (again.storage.identity.acceptedEpoch === 2) {
        assert.ok(!installed && asOld === old.length, told);
        counts.old++;
      } else {
        assert.ok(asked && asNew >= Math.max(reported, from + behind.length), `${told}: ${asNew} of the new`);
        counts[installed ? 'new' : 'new by the next start']++;
      }
      assert.deepEqual(leftOver(disk, again), [], told);
      await again.storage.close();
      counts.cuts++;
      if (outcome !== 'cut') break;
    }
  }
  console.log(`staged and installed: ${JSON.stringify(counts)}`);
  assert.ok(counts.old > 100 && counts.new > 50 && counts['new by the next start'] > 20);
});

test('what is behind a staged snapshot is reported only after the snapshot is durable, under the staged generation', async () => {
  const { disk, old } = await abandoned();
  const member = await Replica.open(disk, seededRandom(1));
  const at = plain(old[6] as Entry);
  const staged = member.storage.stage(4, at);
  member.append(old.slice(7, 9), 4);
  member.storage.flush(0, 0);
  await staged.write(snapshotFile(at));
  for (let i = 0; i < 50; i++) await member.turn();
  assert.deepEqual(member.persisted, []);
  let finished = false;
  member.onPersisted = () => assert.ok(finished);
  await staged.finish().then(() => {
    finished = true;
  });
  await member.durable(old[8] as Entry, staged.log);
  await member.turn();
  assert.deepEqual(member.persisted, [{ generation: 4, zxid: (old[8] as Entry).zxid }]);
  // ours goes on beside it
  const before = member.storage.log;
  await member.write(grow(old, 1, seededRandom(1)).slice(-1));
  await member.storage.storeEpochs(3, 3, 4);
  assert.notEqual(member.storage.log, before);
  assert.equal(member.storage.log.generation, 4);
  await member.storage.close();
});

test('what is not the snapshot announced is refused in a sentence, and leaves nothing', async () => {
  const { disk, old } = await abandoned();
  const at = plain(old[6] as Entry);
  const file = snapshotFile(at);
  const flipped = Buffer.from(file);
  flipped[100] = (flipped[100] as number) ^ 4;
  const other = grow([], 7, seededRandom(99));
  const cases: [Buffer, RegExp][] = [
    [file.subarray(0, file.length - 1), /ended after \d+ bytes/],
    [Buffer.concat([file, Buffer.from('x')]), /bytes after the end/],
    [flipped, /a checksum of the snapshot is wrong/],
    [snapshotFile(plain(other[6] as Entry)), /another history/],
    [snapshotFile(plain(old[5] as Entry)), /was announced/],
    [Buffer.alloc(0), /ended after 0 bytes/],
  ];
  const member = await Replica.open(disk, seededRandom(1));
  for (const [i, [bytes, sentence]] of cases.entries()) {
    const staged = member.storage.stage(2 + i, at);
    await assert.rejects(
      async () => {
        await staged.write(bytes);
        await staged.finish();
      },
      (error: Error) => error instanceof RecordError && sentence.test(error.message),
    );
    await member.storage.dropStaged(2 + i);
    assert.deepEqual(leftOver(disk, member), []);
  }
  await member.storage.close();
  assert.equal((await Replica.open(disk, seededRandom(2))).holds(old), old.length);
});

test('a staged history is dropped at any time, and another comes in its place', async () => {
  const { disk: whole, old } = await abandoned();
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const disk = whole.copy(random);
    disk.pace = () => (random.below(2) === 0 ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve());
    const member = await Replica.open(disk, random);
    let generation = 1;
    for (let i = 0; i < 3; i++) {
      const at = plain(old[6 + random.below(3)] as Entry);
      const staging = member.stage(++generation, at, [], random).catch((error: Error) => error);
      for (let j = random.below(60); j > 0; j--) await member.turn();
      if (random.below(2) === 0) await member.storage.dropStaged(generation);
      else member.storage.stage(++generation, at); // drops the one before
      if (random.below(2) === 0) await staging;
    }
    const last = ++generation;
    await member.stage(last, plain(old[8] as Entry), old.slice(9), random);
    await member.storage.storeEpochs(9, 9, last);
    assert.deepEqual(leftOver(disk, member), [], `seed ${seed}`);
    await member.storage.close();
    assert.equal((await Replica.open(disk, random)).holds(old), old.length);
  }
});

test('a snapshot of ours that is being written when another history is installed does not appear', async () => {
  const { disk, old } = await abandoned();
  const member = await Replica.open(disk, seededRandom(1));
  const records = recordsAt(endOf(old));
  let go = (): void => {};
  const wait = new Promise<void>((resolve) => {
    go = resolve;
  });
  const writing = member.storage.writeSnapshot(
    endOf(old).zxid,
    endOf(old).chain,
    () => records.shift(),
    () => false,
    () => wait,
  );
  const other = grow([], 6, seededRandom(8));
  await member.stage(2, plain(other[3] as Entry), other.slice(4), seededRandom(1));
  await member.storage.storeEpochs(9, 9, 2);
  go();
  assert.equal(await writing, undefined);
  assert.deepEqual(member.storage.newestSnapshot, plain(other[3] as Entry));
  await member.storage.close();
  assert.equal((await Replica.open(disk, seededRandom(2))).holds(other), other.length);
});

test('whenever another history is installed beside a snapshot of ours, only its own snapshot is there afterwards', async () => {
  const { disk: whole, old } = await abandoned();
  const other = grow([], 6, seededRandom(8));
  const at = plain(other[3] as Entry);
  let refused = 0;
  for (let turns = 0; turns < 30; turns++) {
    const disk = whole.copy(seededRandom(turns));
    const member = await Replica.open(disk, seededRandom(1));
    await member.stage(2, at, other.slice(4), seededRandom(1));
    disk.pace = () => new Promise((resolve) => setImmediate(resolve));
    const writing = member.snapshot(endOf(old));
    for (let i = 0; i < turns; i++) await member.turn();
    await member.storage.storeEpochs(9, 9, 2);
    if (!(await writing)) refused++;
    const left = disk.paths().filter((path) => path.includes('/snapshot.'));
    assert.deepEqual(left, ['/data/zoosh-1/snapshot.100000004'], `after ${turns} turns`);
    assert.deepEqual(member.storage.newestSnapshot, at);
    await member.storage.close();
  }
  assert.ok(refused > 5 && refused < 30, `${refused}`);
});

test('what our log was doing when another history is installed ends before, and changes nothing afterwards', async () => {
  const { disk: whole, old } = await abandoned();
  const other = grow([], 9, seededRandom(8), 3);
  for (let seed = 1; seed <= 100; seed++) {
    const random = seededRandom(seed);
    const disk = whole.copy(random);
    const member = await Replica.open(disk, random);
    await member.stage(5, plain(other[3] as Entry), other.slice(4, 6), random);
    disk.pace = () => (random.below(3) === 0 ? new Promise((resolve) => setImmediate(resolve)) : Promise.resolve());
    const before = member.storage.log;
    member.append(grow(old, 2, random).slice(old.length), 1);
    before.flush(0, 0);
    const rolling = [
      before.roll(),
      random.below(2) === 0 ? before.truncate(2, plain(old[12] as Entry)) : before.roll(),
    ];
    for (let i = random.below(4); i > 0; i--) await member.turn();
    const installing = member.storage.storeEpochs(9, 9, 5);
    for (let i = random.below(4); i > 0; i--) await member.turn();
    member.append(other.slice(6), 5);
    member.storage.flush(0, 0);
    await Promise.all([installing, ...rolling]);
    await member.durable(endOf(other));
    await member.storage.close();
    const again = await Replica.open(disk, random);
    assert.equal(again.holds(other), other.length, `seed ${seed}`);
    assert.deepEqual(leftOver(disk, again), [], `seed ${seed}`);
  }
});

test('a snapshot is read in pieces for a learner, and stays while it is read', async () => {
  const { disk, old } = await abandoned();
  const member = await Replica.open(disk, seededRandom(1));
  const first = plain(old[3] as Entry);
  const reader = await member.storage.openSnapshot(first);
  assert.equal(reader.size, snapshotFile(first).length);
  await member.snapshot(endOf(old));
  const removed = await member.storage.purge(2);
  assert.ok(!removed.includes('snapshot.100000004'), `${removed}`);
  const pieces: Buffer[] = [];
  for (let at = 0; at < reader.size; at += 333) pieces.push(await reader.read(at, 333));
  assert.ok(Buffer.concat(pieces).equals(snapshotFile(first)));
  await reader.close();
  await reader.close();
  assert.ok((await member.storage.purge(2)).includes('snapshot.100000004'));
  await assert.rejects(member.storage.openSnapshot(first), /ENOENT/);
  await assert.rejects(
    member.storage.openSnapshot({ ...endOf(old), chain: first.chain }),
    /is not the snapshot of 0x200000006/,
  );
  const last = plain(endOf(old));
  const whole = snapshotFile(last).length;
  const rotten = `/data/zoosh-1/${snapshotName(last.zxid)}`;
  const read = async (step: number, from = 0): Promise<number> => {
    const again = await member.storage.openSnapshot(last);
    let at = from;
    try {
      while (at < again.size) at += (await again.read(at, step)).length;
    } finally {
      await again.close();
    }
    return at;
  };
  disk.flip(rotten, whole - 3, 0);
  await assert.rejects(read(100), /snapshot\.200000006, offset \d+: the end of the snapshot is wrong$/);
  disk.flip(rotten, whole - 3, 0);
  for (const step of [1, 100, whole]) {
    assert.equal(await read(step), whole);
    disk.flip(rotten, 60, 3);
    await assert.rejects(read(step), /snapshot\.200000006, offset \d+: a checksum of the snapshot is wrong$/);
    assert.equal(await read(step, 61), whole, 'only from the beginning on');
    disk.flip(rotten, 60, 3);
  }
  // the length of the first chunk: nothing of it is waited for
  disk.flip(rotten, 32, 3);
  const again = await member.storage.openSnapshot(last);
  await assert.rejects(again.read(0, 60), /offset 0: a part of the snapshot runs past its end$/);
  await again.close();
  disk.flip(rotten, 32, 3);
  disk.replace(rotten, disk.raw(rotten).subarray(0, whole - 5));
  await assert.rejects(read(100), /snapshot\.200000006, offset \d+: the snapshot ends early$/);
  const nothing = await member.storage.openSnapshot(ORIGIN);
  assert.equal(nothing.size, 0);
  await nothing.close();
  await member.storage.close();
});
