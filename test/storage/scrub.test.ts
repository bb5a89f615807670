import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { logName, snapshotName } from '../../src/storage/files.ts';
import type { LogFileEntry } from '../../src/storage/identity.ts';
import type { Mark } from '../../src/storage/mark.ts';
import { SimDisk } from '../sim/disk.ts';
import { type Entry, endOf, grow, plain, Replica, turn } from './histories.ts';

async function running(): Promise<{ disk: SimDisk; member: Replica; history: Entry[] }> {
  const disk = new SimDisk(seededRandom(1));
  const member = await Replica.open(disk, seededRandom(2));
  let history: Entry[] = [];
  for (let i = 0; i < 4; i++) {
    history = grow(history, 4, seededRandom(i));
    await member.write(history.slice(-4), () => 2);
    await member.snapshot(plain(endOf(history)));
    await member.storage.log.roll();
  }
  return { disk, member, history };
}
const closedLog = (member: Replica, i: number): string =>
  `/log/zoosh-1/${logName(member.storage.identity.logs[i] as LogFileEntry)}`;

test('a scrub reads everything that is closed, tells each damage once, and sets damaged snapshots aside', async () => {
  const { disk, member, history } = await running();
  let rests = 0;
  const rest = async (): Promise<void> => {
    rests++;
    await turn();
  };
  const clean = await member.storage.scrub(rest);
  assert.deepEqual([clean.sound, clean.damage], [8, []]);
  assert.ok(rests >= 8);
  const log = closedLog(member, 0);
  const snapshots = disk.paths().filter((path) => path.includes('/snapshot.'));
  for (const path of [log, snapshots[3] as string, snapshots[1] as string]) {
    const raw = disk.raw(path);
    raw[600] = (raw[600] as number) ^ 8;
  }
  const found = await member.storage.scrub(rest);
  assert.deepEqual(
    found.damage.map(({ file }) => file),
    [log, snapshots[3], snapshots[1]],
  );
  assert.equal(found.sound, 5);
  assert.deepEqual(member.storage.newestSnapshot, plain(history[11] as Entry));
  assert.deepEqual(
    disk.paths().filter((path) => path.includes('/snapshot.')),
    [snapshots[0], `${snapshots[1]}.damaged`, snapshots[2], `${snapshots[3]}.damaged`],
  );
  await member.storage.close();
  const again = await Replica.open(disk, seededRandom(3));
  assert.ok(again.storage.damage === undefined && again.holds(history) === history.length);
});

test('a scrub beside writes, cuts and purges finds nothing', async () => {
  const { member, history } = await running();
  const random = seededRandom(9);
  let now = history;
  let over = false;
  const scrubbing = member.storage.scrub(turn).finally(() => {
    over = true;
  });
  for (let i = 0; !over; i++) {
    now = grow(now, 2, random, 3 + i);
    await member.write(now.slice(-2));
    if (i % 3 === 0) await member.storage.log.roll();
    if (i % 4 === 0) await member.storage.truncate(2 + i, plain(endOf((now = now.slice(0, -1)))));
    if (i === 2) await member.storage.purge(2);
  }
  assert.deepEqual((await scrubbing).damage, []);
});

/** Path of the snapshot at one of the marks that {@link running} took one at. */
const snapshotAt = (mark: Mark): string => `/data/zoosh-1/${snapshotName(mark.zxid)}`;
const nothing = (): undefined => undefined;

test('a snapshot that was purged while it was doubted is no damage, rotten or not; that it was the newest makes it one', async () => {
  const { disk, member, history } = await running();
  const { storage } = member;
  const [first, second, , last] = [3, 7, 11, 15].map((at) => plain(history[at] as Entry)) as [Mark, Mark, Mark, Mark];
  disk.flip(snapshotAt(second), 200, 3);
  let removed: string[] = [];
  // under way when the purge comes: an open file can be read to its end
  const found = await storage.verifySnapshot(second, () =>
    storage.purge(2).then((names) => {
      removed = names;
    }),
  );
  assert.ok(removed.includes(snapshotName(second.zxid)), 'it was purged');
  assert.equal(found, undefined);
  assert.equal(await storage.verifySnapshot(first, nothing), undefined, 'it was gone before');
  assert.deepEqual(storage.newestSnapshot, last, 'nobody set anything aside');

  await disk.plug().unlink(snapshotAt(last));
  assert.deepEqual(await storage.verifySnapshot(last, nothing), {
    file: snapshotAt(last),
    reason: 'it is not there',
  });
  assert.equal(storage.newestSnapshot, undefined, 'nobody is sent it');
  assert.equal(await storage.verifySnapshot(last, nothing), undefined, 'it is told once');
});

test('a snapshot of a history that another took the place of while it was doubted is no damage', async () => {
  const { disk, member, history } = await running();
  const { storage } = member;
  const own = plain(endOf(history));
  const other = grow(history.slice(0, -1), 1, seededRandom(77));
  const theirs = plain(endOf(other));
  assert.deepEqual(theirs.zxid, own.zxid);
  const install = async (): Promise<void> => {
    await member.stage(5, theirs, [], seededRandom(6));
    await storage.storeEpochs(1, 1, 5);
  };
  await install();
  // its name says the place and not the history
  assert.equal(await storage.verifySnapshot(theirs, nothing), undefined);
  disk.flip(snapshotAt(theirs), 200, 3);
  let installed = false;
  const found = await storage.verifySnapshot(theirs, () => {
    if (installed) return undefined;
    installed = true;
    return member.stage(6, own, [], seededRandom(8)).then(() => storage.storeEpochs(1, 1, 6));
  });
  assert.equal(found, undefined);
  assert.deepEqual(storage.newestSnapshot, own);
  assert.ok(!disk.paths().some((path) => path.endsWith('.damaged')));
});

for (const when of ['while it is read', 'after it was read'])
  test(`a rotten snapshot that is replaced under its name ${when} by a scrub: the new one stays`, async () => {
    const { disk, member, history } = await running();
    const { storage } = member;
    const newest = plain(endOf(history));
    const path = snapshotAt(newest);
    disk.flip(path, 200, 3);
    const during = when === 'while it is read' ? path : snapshotAt(history[7] as Entry);
    let isOpen = false;
    disk.fault = (call, at) => {
      if (call === 'open' && at === during) isOpen = true;
      return undefined;
    };
    let told = 0;
    const rest = async (): Promise<void> => {
      if (!isOpen) return;
      disk.fault = () => undefined;
      isOpen = false;
      // a learner needed it: it was doubted
      if ((await storage.verifySnapshot(newest, nothing)) !== undefined) told++;
      assert.ok(await member.snapshot(newest));
    };
    const { damage } = await storage.scrub(rest);
    assert.equal(told, 1);
    assert.deepEqual(
      damage.map(({ file }) => file),
      when === 'while it is read' ? [] : [path],
    );
    assert.deepEqual(storage.newestSnapshot, newest);
    assert.equal(await storage.verifySnapshot(newest, nothing), undefined);
    assert.ok(disk.paths().includes(path));
  });

test('a snapshot that was written during a scrub, and rotted before it was read by it, is damage', async () => {
  const { disk, member, history } = await running();
  const newest = plain(endOf(history));
  let written = false;
  const rest = async (): Promise<void> => {
    if (written) return;
    written = true;
    assert.ok(await member.snapshot(newest));
    disk.flip(snapshotAt(newest), 200, 3);
  };
  const { damage, snapshots } = await member.storage.scrub(rest);
  assert.deepEqual([damage.map(({ file }) => file), snapshots], [[snapshotAt(newest)], [snapshotName(newest.zxid)]]);
  assert.deepEqual(member.storage.newestSnapshot, plain(history[11] as Entry));
});

test('a scrub sets no file aside that was gone for a moment, as when a rotten one is replaced under the same name', async () => {
  const { disk, member, history } = await running();
  const newest = snapshotAt(endOf(history));
  let left = 1;
  disk.fault = (call, path) => (call === 'open' && path === newest && left-- > 0 ? 'ENOENT' : undefined);
  const { damage, snapshots } = await member.storage.scrub(turn);
  assert.equal(left, 0, 'it was looked for');
  assert.deepEqual([damage, snapshots], [[], []]);
  assert.ok(disk.paths().includes(newest));
  assert.deepEqual(member.storage.newestSnapshot, plain(endOf(history)));
});
