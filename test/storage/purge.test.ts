import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { SnapshotCursor } from '../../src/tree/snapshot.ts';
import { SimDisk } from '../sim/disk.ts';
import { Member } from './bench.ts';

async function snapshot(member: Member): Promise<void> {
  await member.settled();
  await member.storage.log.roll();
  const cursor = new SnapshotCursor(member.tree);
  await member.storage.writeSnapshot(
    cursor.zxid,
    cursor.chain,
    (max) => cursor.next(max),
    () => cursor.abandoned,
  );
  cursor.abandon();
}

test('purges that overlap, and one that a roll overtakes, remove nothing that is needed', async () => {
  const random = seededRandom(7);
  const disk = new SimDisk(random, true);
  const member = await Member.open(disk, random);
  for (let round = 0; round < 12; round++) {
    member.write(Buffer.from('x'));
    member.flush();
    await snapshot(member);
  }
  const before = member.storage.identity.logs.length;
  const [first, , second] = await Promise.all([
    member.storage.purge(2),
    member.storage.log.roll(),
    member.storage.purge(2),
    member.storage.purge(3),
  ]);
  assert.ok(first.length > 10, 'the purge removed nothing');
  const { logs } = member.storage.identity;
  assert.ok(logs.length < before && logs.length >= 2);
  member.write(Buffer.from('last'));
  member.flush();
  await member.settled();
  await member.storage.close();
  const again = await Member.open(disk, random);
  assert.equal(again.tree.zxidLo, 13);
  for (let z = 1; z <= 13; z++) assert.notEqual(again.tree.find(`/n${z}`), 0);
  await again.storage.close();
  assert.equal(second, first, 'a purge beside another is that one');
});

test('a storage that is closed writes nothing: another may have the directory', async () => {
  const random = seededRandom(9);
  const disk = new SimDisk(random, true);
  const old = await Member.open(disk, random);
  for (let round = 0; round < 5; round++) {
    old.write(Buffer.from('x'));
    old.flush();
    await snapshot(old);
  }
  await old.storage.close();
  const [next, removed] = await Promise.all([Member.open(disk, random), old.storage.purge(2)]);
  assert.deepEqual(removed, []);
  await assert.rejects(old.storage.setServerLines(['late']), /closed/);
  assert.equal((await next.storage.purge(2)).length > 0, true);
  await next.storage.close();
  const last = await Member.open(disk, random);
  assert.equal(last.storage.identity.incarnation, old.storage.identity.incarnation);
  assert.deepEqual(last.storage.notes, []);
  await last.storage.close();
});
