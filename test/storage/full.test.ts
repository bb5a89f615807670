/** A disk that is full and has room again (D11). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { sameHalves } from '../../src/records/log-record.ts';
import { isDiskFull } from '../../src/storage/errors.ts';
import { SimDisk } from '../sim/disk.ts';
import { type Entry, endOf, grow, plain, Replica, turn, untilCut } from './histories.ts';

/** A member whose disk is full from now on, for whatever begins with `place`. */
const fill = (disk: SimDisk, place: string, after = 0): void => {
  let left = after;
  disk.fault = (call, path) =>
    (call === 'write' || call === 'syncDir') && path.startsWith(place) && left-- <= 0 ? 'ENOSPC' : undefined;
};

test('a full disk: nothing is acknowledged, and after room came back the log goes on as if nothing had been', async () => {
  const counts = { writes: 0, rolls: 0, cuts: 0, 'tries without room': 0, 'power cuts': 0 };
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const disk = new SimDisk(random);
    const member = await Replica.open(disk, random);
    let history = grow([], 8, random);
    await member.write(history, () => 2);
    let error: Error | undefined;
    member.storage.log.onFailed = (each) => {
      error = each;
    };
    const durable = member.persisted.length;
    const place = random.below(3) === 0 ? '/' : '/log/zoosh-1';
    fill(disk, place, random.below(4));
    const before = history;
    const what = random.below(3);
    const asked: Promise<unknown>[] = [];
    if (what !== 0) {
      history = grow(history, 3, random);
      member.append(history.slice(before.length));
      member.storage.flush(0, 0);
    }
    if (what === 1) asked.push(member.storage.log.roll());
    const whole = history;
    const cuts = what === 2 || (what === 0 && random.below(2) === 0);
    if (cuts) {
      history = history.slice(0, history.length - 1 - random.below(4));
      asked.push(member.storage.truncate(2, plain(endOf(history))));
    } else if (what === 0) asked.push(member.storage.log.roll());
    await Promise.allSettled(asked);
    for (let i = 0; i < 30; i++) await turn();
    if (error === undefined) {
      // there was just room enough; what comes next fails
      const more = grow(history, 1, random, 3);
      member.append(more.slice(history.length));
      history = more;
      fill(disk, '/log/zoosh-1');
      member.storage.flush(0, 0);
      for (let i = 0; i < 10; i++) await turn();
    }
    assert.ok(isDiskFull(error) && member.storage.log.isFull, `seed ${seed}: ${error}`);
    counts[what === 1 ? 'rolls' : what === 2 ? 'cuts' : 'writes']++;
    const told = member.persisted.length;
    // more arrives, and tries to come back fail while there is no room
    const more = grow(history, 2, random, 4);
    member.append(more.slice(history.length));
    history = more;
    for (let i = random.below(3); i > 0; i--) {
      await assert.rejects(member.storage.log.recover(), /ENOSPC/);
      counts['tries without room']++;
    }
    assert.equal(member.persisted.length, told);
    const early = random.below(4) === 0;
    if (early) disk.cutAt = disk.calls + 1 + random.below(12);
    const outcome = await untilCut(disk, async () => {
      disk.fault = () => undefined;
      await member.storage.log.recover();
      assert.equal(member.storage.log.isFull, false);
      member.storage.flush(0, 0);
      await member.durable(endOf(history));
      await member.storage.close();
    });
    const again = await Replica.open(disk, random);
    if (outcome === 'cut') {
      const reported = member.persisted.at(-1)?.zxid;
      const least = history.findIndex(({ zxid }) => reported !== undefined && sameHalves(zxid, reported)) + 1;
      const held = Math.max(again.holds(history), again.holds(whole));
      assert.ok(held >= least && (cuts || least > 0), `seed ${seed}: ${held} of ${least} that were reported`);
      counts['power cuts']++;
    } else assert.equal(again.holds(history), history.length, `seed ${seed}`);
    assert.ok(member.persisted.length >= durable);
  }
  console.log(`a full disk: ${JSON.stringify(counts)}`);
});

test('a log that failed otherwise is not brought back', async () => {
  const disk = new SimDisk(seededRandom(1));
  const member = await Replica.open(disk, seededRandom(1));
  const history = grow([], 3, seededRandom(2));
  await member.write(history.slice(0, 2));
  disk.fault = (call) => (call === 'sync' ? 'EIO' : undefined);
  member.append(history.slice(2));
  member.storage.flush(0, 0);
  for (let i = 0; i < 10; i++) await turn();
  disk.fault = () => undefined;
  assert.equal(member.storage.log.isFull, false);
  await assert.rejects(member.storage.log.recover(), /EIO/);
  assert.equal(member.persisted.length, 2);
});

test('a staged snapshot that finds no room is dropped, and the disk is as before', async () => {
  const disk = new SimDisk(seededRandom(1));
  const member = await Replica.open(disk, seededRandom(1));
  const history = grow([], 9, seededRandom(2));
  await member.write(history.slice(0, 4));
  const before = disk.paths();
  let failures = 0;
  for (let room = false; !room; ) {
    fill(disk, '/data/zoosh-1/snapshot', failures);
    const staging = member.stage(2, plain(history[7] as Entry), [], seededRandom(failures));
    const error = await staging.catch((each: Error) => each);
    disk.fault = () => undefined;
    room = error === undefined;
    if (room) break;
    assert.ok(isDiskFull(error));
    failures++;
    await member.storage.dropStaged(2);
    assert.deepEqual(disk.paths(), before);
  }
  assert.ok(failures >= 2);
  await member.write(history.slice(4));
  await member.storage.close();
  assert.equal((await Replica.open(disk, seededRandom(3))).holds(history), history.length);
});
