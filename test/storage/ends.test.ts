/** What lies behind the ends of log files: it goes, when nothing there can count any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { SECTOR } from '../../src/records/log-record.ts';
import { logName } from '../../src/storage/files.ts';
import { SimDisk } from '../sim/disk.ts';
import { endOf, grow, Replica, turn, untilCut } from './histories.ts';

const STEP = 64 * 1024;
const AHEAD = { zeroAheadBytes: STEP };
const logs = (disk: SimDisk): string[] => disk.paths().filter((path) => path.startsWith('/log/zoosh-1/log.'));
const sizes = (disk: SimDisk): number[] => logs(disk).map((path) => disk.raw(path).length);
/** Every file that the record says the end of takes no more than that. */
const isTrim = (disk: SimDisk, { storage }: Replica): void => {
  const closed = storage.identity.logs.slice(0, -1);
  for (const entry of closed) assert.equal(disk.raw(`/log/zoosh-1/${logName(entry)}`).length, entry.end);
};

test('a start in which nothing is logged leaves no more than one that was empty found', async () => {
  const disk = new SimDisk(seededRandom(1));
  for (let i = 0; i < 6; i++) {
    const { storage } = await Replica.open(disk, seededRandom(2 + i), AHEAD);
    await storage.close();
    assert.deepEqual(sizes(disk), [SECTOR], `start ${i}`);
  }
});

test('zeros ahead of the end go once the log is in another file: at a roll, a cut, and the next start', async () => {
  const disk = new SimDisk(seededRandom(1));
  const history = grow([], 12, seededRandom(9));
  const first = await Replica.open(disk, seededRandom(2), AHEAD);
  assert.deepEqual(sizes(disk), [SECTOR], 'none before the first group');
  await first.write(history.slice(0, 4));
  await turn();
  const { log } = first.storage;
  await log.roll();
  await first.write(history.slice(4, 8));
  await log.truncate(2, endOf(history.slice(0, 6)));
  await log.truncate(3, endOf(history.slice(0, 6)));
  await first.write(history.slice(6));
  await first.storage.close();
  isTrim(disk, first);
  assert.ok(Math.max(...sizes(disk)) >= STEP, 'the last file has zeros');

  const second = await Replica.open(disk, seededRandom(3), AHEAD);
  isTrim(disk, second);
  assert.ok(Math.max(...sizes(disk)) < STEP);
  assert.equal(second.holds(history), history.length);
  await second.storage.close();
});

test('power is cut at every call while ends are trimmed: nothing is lost, and the next start trims again', async () => {
  const base = new SimDisk(seededRandom(1));
  const history = grow([], 9, seededRandom(9));
  const before = await Replica.open(base, seededRandom(2), AHEAD);
  await before.write(history.slice(0, 3));
  await before.storage.close();
  let cuts = 0;
  for (let call = 1; ; call++) {
    const disk = base.copy(seededRandom(call));
    disk.cutAt = disk.calls + call;
    let held = 3;
    const outcome = await untilCut(disk, async () => {
      const member = await Replica.open(disk, seededRandom(3), AHEAD);
      await member.write(history.slice(3, 5));
      held = 5;
      await member.storage.log.roll();
      await member.write(history.slice(5, 9));
      held = 7; // what comes behind is about to be cut
      await member.storage.log.truncate(2, endOf(history.slice(0, 7)));
      await member.storage.close();
    });
    const again = await Replica.open(disk, seededRandom(4), AHEAD);
    assert.ok(again.storage.damage === undefined && again.holds(history) >= held, `call ${call}`);
    isTrim(disk, again);
    if (outcome !== 'cut') break;
    cuts++;
  }
  console.log(`${cuts} power cuts while ends were trimmed`);
  assert.ok(cuts > 30);
});
