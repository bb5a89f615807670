import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { DamageError } from '../../src/storage/errors.ts';
import { SnapshotCursor } from '../../src/tree/snapshot.ts';
import { amount } from '../amount.ts';
import { SimDisk } from '../sim/disk.ts';
import { Member } from './bench.ts';

/** Writes, rolls, takes snapshots, purges and stores epochs until power is cut; restarts and looks. Returns what was lost. */
async function lives(seed: number, crashes: number, syncs: boolean): Promise<string[]> {
  const random = seededRandom(seed);
  const disk = new SimDisk(random, syncs);
  let promised = 0;
  let epoch = 0;
  const faults: string[] = [];
  for (let life = 0; life < crashes; life++) {
    const cut = new Promise<'cut'>((resolve) => {
      disk.onCut = () => resolve('cut');
    });
    disk.cutAt = disk.calls + 1 + random.below(life % 3 === 0 ? 40 : 400);
    const run = async (): Promise<'done'> => {
      const member = await Member.open(disk, random);
      if (member.tree.zxidLo < promised)
        faults.push(`life ${life}: ${promised} was on disk, ${member.tree.zxidLo} is left`);
      if (member.storage.identity.acceptedEpoch < epoch) faults.push(`life ${life}: epoch ${epoch} was stored`);
      for (let z = 1; z <= member.tree.zxidLo; z++)
        if (member.tree.find(`/n${z}`) === 0) faults.push(`life ${life}: a hole at ${z}`);
      promised = member.persisted;
      const seen = member.storage.log.onPersisted;
      member.storage.log.onPersisted = (generation, hi, lo) => {
        seen(generation, hi, lo);
        promised = lo;
      };
      for (;;) {
        for (let i = random.below(5); i >= 0; i--)
          member.write(random.below(4) === 0 ? Buffer.alloc(2000) : Buffer.alloc(random.below(900), 65));
        member.flush();
        const what = random.below(12);
        if (what === 0) await member.storage.log.roll();
        else if (what === 1) {
          await member.settled();
          const cursor = new SnapshotCursor(member.tree);
          await member.storage.writeSnapshot(
            cursor.zxid,
            cursor.chain,
            (max) => cursor.next(max),
            () => cursor.abandoned,
          );
          cursor.abandon();
          if (random.below(2) === 0) await member.storage.purge(2);
        } else if (what === 2) {
          const next = member.storage.identity.acceptedEpoch + 1;
          await member.storage.storeEpochs(next, next);
          epoch = next;
        } else if (what < 8) await member.settled();
      }
    };
    try {
      await Promise.race([run(), cut]);
    } catch (error) {
      faults.push(`life ${life}: ${(error as Error).message}`);
      return faults;
    }
    if (faults.length > 0) return faults;
  }
  return faults;
}

const SEEDS = amount(50, 8);
test(`${SEEDS * 20} power cuts at any call lose nothing that was reported to be on the disk`, async () => {
  let crashes = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    assert.deepEqual(await lives(seed, 20, true), [], `seed ${seed}`);
    crashes += 20;
  }
  console.log(`power cuts: ${crashes}, acknowledged writes lost: 0`);
  assert.equal(crashes, SEEDS * 20);
});

test('a group that a dead process left in memory only is brought to the disk before it is built on', async () => {
  let seen = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const disk = new SimDisk(random);
    const first = await Member.open(disk, random);
    first.write(Buffer.alloc(100, 65));
    first.flush();
    await first.settled();
    first.write(Buffer.alloc(3000, 66));
    first.flush();
    // the process ends between the bytes of the group and their sync; the machine goes on
    disk.cutsPower = false;
    disk.cutAt = disk.calls + 1;
    await new Promise((resolve) => setImmediate(resolve));
    const second = await Member.open(disk, random);
    if (second.tree.zxidLo === 2) seen++;
    second.write(Buffer.alloc(100, 67));
    second.flush();
    await second.settled();
    const { zxidLo } = second.tree;
    disk.powerCut();
    assert.equal((await Member.open(disk, random)).tree.zxidLo, zxidLo, `seed ${seed}`);
  }
  assert.ok(seen > 30, `${seen}`);
});

test('whichever read of a start gives other bytes, what was acknowledged is there at the next', async () => {
  let reads = 0;
  for (const masked of [false, true])
    for (let wrong = 0; ; wrong++) {
      const random = seededRandom(7);
      const disk = new SimDisk(random);
      const first = await Member.open(disk, random);
      for (let i = 0; i < 3; i++) {
        // sectors of zeros are masked
        first.write(Buffer.alloc(1200, masked ? 0 : 65));
        first.flush();
        await first.settled();
      }
      await first.storage.close();
      let left = wrong;
      disk.misread = (path, at) => (left-- === 0 ? Math.max(0, disk.raw(path).length - 512) : at);
      const second = await Member.open(disk, random).catch((error) => {
        if (!(error instanceof DamageError)) throw error;
        return undefined;
      });
      await second?.storage.close();
      disk.misread = undefined;
      assert.equal((await Member.open(disk, random)).tree.zxidLo, 3, `read ${wrong}`);
      reads++;
      if (left >= 0) break;
    }
  assert.ok(reads > 6, `${reads}`);
});

test('two purges at once remove no more than one', async () => {
  const random = seededRandom(3);
  const disk = new SimDisk(random);
  const member = await Member.open(disk, random);
  for (let i = 0; i < 8; i++) {
    member.write(Buffer.alloc(100, 65));
    member.flush();
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
  await Promise.all([member.storage.purge(5), member.storage.purge(5), member.storage.purge(5)]);
  // the log from the oldest of the five snapshots on
  assert.deepEqual(
    member.storage.identity.logs.map(({ fromZxid }) => fromZxid.lo),
    [4, 5, 6, 7, 8],
  );
  await member.storage.close();
  assert.equal((await Member.open(disk, random)).tree.zxidLo, 8);
});

test('the same without syncs is seen to lose', async () => {
  let lost = 0;
  for (let seed = 1; seed <= 20; seed++) if ((await lives(seed, 20, false)).length > 0) lost++;
  console.log(`without syncs: ${lost} of 20 runs lost something`);
  assert.ok(lost >= 15);
});
