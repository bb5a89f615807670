import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { logName } from '../../src/storage/files.ts';
import type { LogFileEntry } from '../../src/storage/identity.ts';
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
