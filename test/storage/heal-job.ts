/** A worker's job: flips a bit of every byte of files of a member, one at a time, and opens its directory each time. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '../../src/base/random.ts';
import { compareHalves } from '../../src/records/log-record.ts';
import { ORIGIN, sameMark } from '../../src/storage/mark.ts';
import { SimDisk } from '../sim/disk.ts';
import { type Entry, endOf, plain, Replica } from './histories.ts';

export interface HealJob {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly path: string;
  /** The whole history that the directory holds; all of it was acknowledged. */
  readonly history: readonly Entry[];
  readonly from: number;
  readonly end: number;
  /** Every so many bytes. */
  readonly step: number;
  /** Of so many damaged directories one is repaired to the end. */
  readonly repairEvery: number;
}
export interface HealCounts {
  /** Opened as if nothing were: another copy stood in. */
  whole: number;
  repairing: number;
  amnesiac: number;
  repaired: number;
  /** Entries that were intact in those that are repairing, on average out of all. */
  intact: number;
}

async function heal({ files, path, history, from, end, step, repairEvery }: HealJob): Promise<HealCounts> {
  const counts = { whole: 0, repairing: 0, amnesiac: 0, repaired: 0, intact: 0 };
  const truth: Entry[] = history.map((entry) => ({ ...entry, bytes: Buffer.from(entry.bytes) }));
  const last = endOf(truth);
  for (let at = from; at < end; at += step) {
    const random = seededRandom(at);
    const disk = SimDisk.of(files, random);
    const raw = disk.raw(path);
    raw[at] = (raw[at] as number) ^ (1 << (at % 7));
    const told = `${path}, byte ${at}`;
    const member = await Replica.open(disk, random);
    const { damage, identity } = member.storage;
    const held = member.holds(truth);
    assert.ok(held >= 0, `${told}: something else was handed out`);
    if (damage === undefined && !identity.amnesiac) {
      assert.equal(held, truth.length, `${told}: less was handed out, and nobody told`);
      counts.whole++;
    } else if (damage === undefined) {
      assert.equal(held, 0, told);
      assert.ok(identity.acceptedEpoch === 0 && identity.bootTags.length === 0, told);
      assert.equal(member.storage.toldStarts.bootTags.length, 1, told);
      counts.amnesiac++;
    } else {
      assert.ok(sameMark(damage.intact, member.end) && damage.sentences.length > 0, told);
      assert.ok(compareHalves(damage.mayHaveAcked, last.zxid) >= 0, `${told}: it may have acknowledged more`);
      counts.repairing++;
      counts.intact += held;
    }
    if (at % repairEvery !== 0 || (damage === undefined && !identity.amnesiac)) continue;
    await member.storage.close();
    // the same is found again after a restart, also in the middle of the repair
    const again = await Replica.open(disk, random);
    assert.deepEqual(again.storage.damage, damage, told);
    assert.equal(again.storage.identity.incarnation, identity.incarnation, told);
    const middle = truth[Math.floor(truth.length / 2)] as Entry;
    const behind = truth.slice(truth.indexOf(middle) + 1);
    await again.stage(2, plain(middle), behind, random);
    await again.storage.close();
    const third = await Replica.open(disk, random);
    assert.deepEqual(third.storage.damage, damage, told);
    await third.stage(2, at % 2 === 0 ? plain(middle) : ORIGIN, at % 2 === 0 ? behind : truth, random);
    await third.storage.storeEpochs(9, 9, 2);
    assert.ok(third.storage.damage === undefined && !third.storage.identity.amnesiac, told);
    await third.storage.close();
    const healed = await Replica.open(disk, random, { heals: false });
    assert.equal(healed.holds(truth), truth.length, told);
    assert.deepEqual(
      disk.paths().filter((name) => /\.(staged|damaged|tmp)$/.test(name)),
      [],
      told,
    );
    counts.repaired++;
  }
  return counts;
}

heal(workerData as HealJob).then((counts) => parentPort?.postMessage(counts));
