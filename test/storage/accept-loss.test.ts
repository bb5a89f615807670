/** One directory goes on alone as a new ensemble (foundations.md 13.15), whenever power is cut while it is made so. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { compareHalves, sameHalves } from '../../src/records/log-record.ts';
import { PackReader } from '../../src/records/pack.ts';
import { type Config, KIND, readEnvelope } from '../../src/records/txns.ts';
import { acceptLoss, holdingsOf } from '../../src/storage/accept-loss.ts';
import { SimDisk } from '../sim/disk.ts';
import { type Entry, endOf, grow, Replica, untilCut } from './histories.ts';

const seed = Number(process.env.ZOOSH_SEED ?? randomInt(2 ** 30));
const CONFIG: Config = {
  members: [{ sid: 1, role: 'participant', incarnation: 'aa', addresses: ['h:1:2'], client: null }],
  maxTxnBytes: 1_000_000,
};

/** A member that promised epoch 7 and holds transactions of epoch 2 and 3, committed only in part. */
async function member(disk: SimDisk): Promise<Entry[]> {
  const replica = await Replica.open(disk, seededRandom(1));
  await replica.storage.storeEpochs(7, 3);
  await replica.storage.setEnsembleId('old');
  const history = grow(grow([], 5, seededRandom(2), 2), 6, seededRandom(3), 3);
  replica.append(history);
  replica.storage.flush(2, 3);
  await replica.durable(endOf(history));
  await replica.storage.close();
  return history;
}
async function accept(disk: SimDisk, id: string, lives: number): Promise<number> {
  const { storage } = await Replica.open(disk, seededRandom(seed + lives), { generation: lives + 1 });
  const epoch = await acceptLoss(storage, { ensembleId: id, succeeds: 'old', config: CONFIG, time: 5000 });
  await storage.close();
  return epoch;
}

test('the whole history counts, and a config with itself alone in an epoch above all it knew', async () => {
  const disk = new SimDisk(seededRandom(seed));
  const history = await member(disk);
  const before = disk.durableFiles();
  const held = await holdingsOf(disk.plug(), '/data', '/log');
  assert.deepEqual(held?.last.zxid, endOf(history).zxid);
  assert.deepEqual(held?.committed, { hi: 2, lo: 3 });
  assert.equal(held?.identity.ensembleId, 'old');
  assert.deepEqual(disk.durableFiles(), before);
  assert.equal(await accept(disk, 'new', 1), 8);
  const { storage, entries, committed } = await Replica.open(disk, seededRandom(9));
  assert.equal(entries.length, history.length + 1);
  for (const [i, { bytes }] of history.entries()) assert.ok(entries[i]?.bytes.equals(bytes));
  const { bytes, zxid } = entries.at(-1) as Entry;
  assert.deepEqual(zxid, { hi: 8, lo: 1 });
  const { txn, time } = readEnvelope(new PackReader(bytes), undefined);
  assert.deepEqual(txn, { kind: KIND.found, ensembleId: 'new', config: CONFIG });
  assert.equal(time, 5000);
  // or the config before it would be in force too, and nobody alone a quorum of that
  assert.deepEqual(committed.at(-1), { hi: 8, lo: 1 });
  const { ensembleId, acceptedEpoch, currentEpoch, succeeds } = storage.identity;
  assert.deepEqual(
    { ensembleId, acceptedEpoch, currentEpoch, succeeds },
    { ensembleId: 'new', acceptedEpoch: 8, currentEpoch: 8, succeeds: 'old' },
  );
});

test('after a power cut at any call of the disk nothing is lost, and it can be done again', async () => {
  const start = new SimDisk(seededRandom(seed));
  const history = await member(start);
  let done = false;
  let cuts = 0;
  for (let at = 1; !done; at++) {
    const disk = start.copy(seededRandom(seed + at));
    disk.cutsPower = true;
    disk.cutAt = disk.calls + at;
    done = (await untilCut(disk, () => accept(disk, 'first', 1))) !== 'cut';
    if (!done) cuts++;
    disk.cutAt = Number.POSITIVE_INFINITY;
    const held = await holdingsOf(disk.plug(), '/data', '/log');
    assert.ok(held !== undefined, `call ${at}, seed ${seed}`);
    assert.ok(compareHalves(held.last.zxid, endOf(history).zxid) >= 0, `lost at call ${at}, seed ${seed}`);
    // without the record it is a member of the old ensemble that promised an epoch, and took part in none that is not
    const isThere = !sameHalves(held.last.zxid, endOf(history).zxid);
    const { ensembleId, acceptedEpoch, currentEpoch } = held.identity;
    if (!isThere) assert.deepEqual([ensembleId, currentEpoch], ['old', 3]);
    else assert.equal(acceptedEpoch, 8);
    const epoch = await accept(disk, 'second', 2);
    assert.ok(epoch > 7 && epoch > held.identity.acceptedEpoch);
    const { entries, committed } = await Replica.open(disk, seededRandom(at));
    assert.equal(entries.length, history.length + (isThere ? 2 : 1));
    assert.deepEqual(committed.at(-1), { hi: epoch, lo: 1 });
  }
  assert.ok(cuts > 20, `${cuts} cuts`);
});

test('an empty directory, and one without a member, hold nothing to go on from', async () => {
  const disk = new SimDisk(seededRandom(seed));
  assert.equal(await holdingsOf(disk.plug(), '/data', '/log'), undefined);
  const { storage } = await Replica.open(disk, seededRandom(1));
  await storage.close();
  assert.equal(await holdingsOf(disk.plug(), '/data', '/log'), undefined);
});

test('a damaged directory is left alone', async () => {
  const disk = new SimDisk(seededRandom(seed));
  await member(disk);
  const log = disk.paths().find((path) => path.includes('/log/zoosh-1/log.')) as string;
  disk.flip(log, 700, 3);
  await assert.rejects(holdingsOf(disk.plug(), '/data', '/log'), { name: 'DamageError' });
});
