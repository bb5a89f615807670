import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { DiskError } from '../../src/ports/disk.ts';
import { compareHalves, type Halves, SECTOR } from '../../src/records/log-record.ts';
import { DamageError } from '../../src/storage/errors.ts';
import { logName } from '../../src/storage/files.ts';
import { decodeIdentity, encodeIdentity, type LogFileEntry } from '../../src/storage/identity.ts';
import { ORIGIN, sameMark } from '../../src/storage/mark.ts';
import { amount } from '../amount.ts';
import { SimDisk } from '../sim/disk.ts';
import { inWorkers } from '../sim/workers.ts';
import type { HealCounts, HealJob } from './heal-job.ts';
import { type Entry, endOf, grow, plain, Replica, untilCut } from './histories.ts';

/** Two snapshots and the logs since the older one and before it, as a member leaves them that was used for a while. */
async function used(
  purged = false,
  snapshots = [1, 2],
): Promise<{ disk: SimDisk; history: Entry[]; logs: readonly LogFileEntry[] }> {
  const random = seededRandom(5);
  const disk = new SimDisk(random);
  const member = await Replica.open(disk, random);
  const history = grow(grow(grow([], 6, random), 8, random, 2), 6, random, 3);
  const pieces = [5, 10, 16, 20];
  let at = 0;
  for (const [i, end] of pieces.entries()) {
    await member.write(history.slice(at, end), () => 1 + random.below(3));
    at = end;
    if (i === 3) break;
    if (snapshots.includes(i)) await member.snapshot(plain(history[end - 1] as Entry));
    await member.storage.log.roll();
  }
  await member.storage.storeEpochs(4, 3);
  if (purged) await member.storage.purge(2);
  await member.storage.close();
  return { disk, history, logs: member.storage.identity.logs };
}
const filesOf = (disk: SimDisk): Map<string, Buffer> =>
  new Map(disk.paths().map((path) => [path, Buffer.from(disk.raw(path))]));
const logPath = (entry: LogFileEntry): string => `/log/zoosh-1/${logName(entry)}`;

for (const [what, step, snapshots] of [
  ['two snapshots', amount(1, 5), [1, 2]],
  ['a snapshot long ago', amount(4, 13), [0]],
] as const)
  test(`a bit flipped at every byte, or every so many, of every file of a member with ${what}: the intact prefix and what it may have acked are told`, async () => {
    const { disk, history } = await used(true, [...snapshots]);
    const files = filesOf(disk);
    const jobs: HealJob[] = [...files].flatMap(([path, bytes]) => {
      const half = step * Math.ceil(bytes.length / 2 / step);
      const job = { files, path, history, step, repairEvery: 36 };
      return [
        { ...job, from: 0, end: half },
        { ...job, from: half, end: bytes.length },
      ];
    });
    const sum: Record<string, HealCounts & { bytes: number }> = {};
    for (let i = 0; i < jobs.length; i += 2) {
      const pair = jobs.slice(i, i + 2);
      const name = (pair[0] as HealJob).path;
      for (const counts of await inWorkers<HealCounts>(new URL('./heal-job.js', import.meta.url), pair)) {
        const all = (sum[name] ??= { bytes: 0, whole: 0, repairing: 0, amnesiac: 0, repaired: 0, intact: 0 });
        for (const key of Object.keys(counts) as (keyof HealCounts)[]) all[key] += counts[key];
      }
      (sum[name] as { bytes: number }).bytes = Math.ceil((files.get(name)?.length ?? 0) / step);
    }
    for (const [name, { bytes, whole, repairing, amnesiac, repaired, intact }] of Object.entries(sum)) {
      console.log(
        `${name}: ${bytes} bytes flipped: ${whole} whole, ${repairing} repairing (of ${history.length} entries ${repairing === 0 ? '-' : (intact / repairing).toFixed(1)} intact), ${amnesiac} amnesiac; ${repaired} repaired to the end`,
      );
      assert.equal(whole + repairing + amnesiac, bytes);
      // one copy of the identity may be lost, and one snapshot when the log reaches back to another or to the beginning
      if (!name.includes('/log.')) assert.equal(whole, bytes, name);
    }
    const total = Object.values(sum).reduce((all, { repairing, amnesiac }) => all + repairing + amnesiac, 0);
    assert.ok(total > amount(1000, 200));
  });

const flip = (disk: SimDisk, path: string, at: number): void => {
  const bytes = Buffer.from(disk.raw(path));
  bytes[at] = (bytes[at] as number) ^ 1;
  disk.put(path, bytes);
};

test('damage in two places: what may have been acknowledged is never told too low', async () => {
  const { disk: whole, history } = await used(true);
  const random = seededRandom(11);
  const counts = { whole: 0, repairing: 0, amnesiac: 0, refused: 0 };
  for (let i = 0; i < 1500; i++) {
    const disk = whole.copy(random);
    const paths = disk.paths();
    for (let j = 0; j < 2 + random.below(3); j++) {
      const path = paths[random.below(paths.length)] as string;
      flip(disk, path, random.below(disk.raw(path).length));
    }
    const member = await Replica.open(disk, seededRandom(i)).catch((error: Error) => error);
    if (!(member instanceof Replica)) {
      assert.ok(member instanceof DamageError, String(member));
      counts.refused++;
      continue;
    }
    const { damage, identity } = member.storage;
    const held = member.holds(history);
    assert.ok(held >= 0);
    if (identity.amnesiac) counts.amnesiac++;
    else if (damage === undefined) {
      assert.equal(held, history.length);
      counts.whole++;
    } else {
      assert.ok(sameMark(damage.intact, member.end));
      assert.ok(compareHalves(damage.mayHaveAcked, endOf(history).zxid) >= 0);
      counts.repairing++;
    }
  }
  console.log(`two to four bits flipped, 1500 times: ${JSON.stringify(counts)}`);
  assert.ok(counts.repairing > 100 && counts.amnesiac > 20 && counts.whole > 100 && counts.refused === 0);
});

test('a log file that is missing or cannot be read', async () => {
  const { disk: whole, history, logs } = await used();
  const [first, second, third, newest] = logs.slice(-4) as [LogFileEntry, LogFileEntry, LogFileEntry, LogFileEntry];
  const open = async (hurt: (disk: SimDisk) => void): Promise<Replica> => {
    const disk = whole.copy(seededRandom(1));
    hurt(disk);
    return Replica.open(disk, seededRandom(2));
  };
  // before the snapshots nobody misses it; the newest alone says what was acknowledged
  const early = await open((disk) => disk.remove(logPath(first)));
  assert.equal(early.holds(history), history.length);
  assert.match(early.storage.notes.join(), /a snapshot holds what it held/);
  const middle = await open((disk) => {
    disk.remove(logPath(third));
    for (const path of disk.paths()) if (path.includes('/snapshot.')) disk.remove(path);
    disk.remove(logPath(second));
  });
  assert.deepEqual(middle.storage.damage?.mayHaveAcked, endOf(history).zxid);
  assert.ok(sameMark(middle.storage.damage?.intact ?? ORIGIN, plain(history[4] as Entry)));
  const late = await open((disk) => disk.remove(logPath(newest)));
  assert.ok(late.storage.identity.amnesiac);
  const unreadable = await open((disk) => {
    disk.unreadable = logPath(newest);
  });
  assert.ok(unreadable.storage.identity.amnesiac);
});

test('a log volume that is not mounted is refused, and nothing is thrown away', async () => {
  const { disk: whole, history } = await used();
  const disk = whole.copy(seededRandom(1));
  for (const path of disk.paths()) if (path.startsWith('/log/')) disk.remove(path);
  const before = filesOf(disk);
  await assert.rejects(Replica.open(disk, seededRandom(2)), /is the log volume mounted/);
  assert.deepEqual([...filesOf(disk).keys()], [...before.keys()]);
  for (const [path, bytes] of filesOf(whole)) if (path.startsWith('/log/')) disk.put(path, bytes);
  assert.equal((await Replica.open(disk, seededRandom(3))).holds(history), history.length);
});

test('a damaged snapshot is passed over: the older one and the log stand in, and purges do not count it', async () => {
  const { disk, history } = await used();
  const newest = disk.paths().filter((path) => path.includes('/snapshot.'))[1] as string;
  flip(disk, newest, 700);
  const member = await Replica.open(disk, seededRandom(1));
  assert.equal(member.holds(history), history.length);
  assert.deepEqual(member.storage.newestSnapshot, plain(history[9] as Entry));
  assert.match(member.storage.notes.join(), /data damaged: .*snapshot/);
  assert.ok(disk.paths().includes(`${newest}.damaged`));
  assert.deepEqual(await member.storage.purge(2), []); // one verified snapshot is left: nothing goes
  await member.snapshot(endOf(history));
  assert.ok((await member.storage.purge(2)).some((name) => name.endsWith('.damaged')));
  await member.storage.close();
  assert.equal((await Replica.open(disk, seededRandom(2), { heals: false })).holds(history), history.length);
});

test('an unreadable identity, or copies more than one write apart: a new incarnation first, with power cut at every call', async () => {
  const { disk: whole, history } = await used();
  const [a, b] = ['/data/zoosh-1/identity', '/log/zoosh-1/identity'] as const;
  const before = (await Replica.open(whole.copy(seededRandom(1)), seededRandom(1))).storage.identity;
  const older = Buffer.from(whole.raw(b));
  {
    const ahead = whole.copy(seededRandom(1));
    const member = await Replica.open(ahead, seededRandom(1));
    await member.storage.storeEpochs(5, 5);
    await member.storage.close();
    for (const path of ahead.paths()) whole.put(path, ahead.raw(path));
  }
  const hurts: [string, (disk: SimDisk) => void][] = [
    [
      'both unreadable',
      (disk) => {
        flip(disk, a, 20);
        flip(disk, b, 30);
      },
    ],
    ['the second old', (disk) => disk.put(b, older)],
    ['the first old', (disk) => disk.put(a, older)],
    ['the second from the beginning', (disk) => disk.put(b, encodeIdentity({ ...decodeIdentity(older), write: 2 }))],
    [
      'both gone',
      (disk) => {
        disk.remove(a);
        disk.remove(b);
      },
    ],
  ];
  let cuts = 0;
  for (const [what, hurt] of hurts) {
    const strict = whole.copy(seededRandom(1));
    hurt(strict);
    await assert.rejects(Replica.open(strict, seededRandom(2), { heals: false }), DamageError);
    for (let call = 1; ; call++) {
      const disk = whole.copy(seededRandom(call));
      hurt(disk);
      disk.cutAt = disk.calls + call;
      const outcome = await untilCut(disk, () => Replica.open(disk, seededRandom(1000 + call)));
      const again = await Replica.open(disk, seededRandom(2000 + call));
      const { identity, damage, fresh } = again.storage;
      assert.ok(identity.amnesiac && damage === undefined && !fresh, `${what}, call ${call}`);
      assert.ok(again.holds(history) === 0 && identity.incarnation !== before.incarnation);
      assert.deepEqual([identity.acceptedEpoch, identity.currentEpoch], [0, 0]);
      if (outcome !== 'cut') assert.equal(identity.incarnation, outcome.storage.identity.incarnation);
      cuts++;
      if (outcome !== 'cut') break;
    }
  }
  console.log(`identity lost: ${cuts} power cuts while it began anew, each ended amnesiac`);
});

test('a rolled-back directory draws a new incarnation and is an amnesiac at its next start', async () => {
  const { disk: whole, history } = await used();
  for (let call = 1; ; call++) {
    const disk = whole.copy(seededRandom(call));
    const member = await Replica.open(disk, seededRandom(3));
    const { incarnation } = member.storage.identity;
    disk.cutAt = disk.calls + call;
    const outcome = await untilCut(disk, async () => {
      const drawn = await member.storage.newIncarnation();
      await member.storage.close();
      return drawn;
    });
    const again = await Replica.open(disk, seededRandom(4));
    const now = again.storage.identity;
    if (now.incarnation === incarnation) assert.equal(again.holds(history), history.length);
    else {
      assert.ok(now.amnesiac && now.acceptedEpoch === 0 && now.bootTags.length === 0);
      assert.equal(again.storage.toldStarts.bootTags.length, 1);
      assert.equal(again.holds(history), 0);
    }
    if (outcome === 'cut') continue;
    assert.equal(now.incarnation, outcome);
    break;
  }
});

test('without room for two histories the old one is given up, after what is owed for it was stored', async () => {
  const { disk: whole, history } = await used();
  const owed = (zxid: Halves | undefined): void =>
    assert.ok(zxid !== undefined && compareHalves(zxid, endOf(history).zxid) >= 0);
  for (let call = 1; ; call++) {
    const disk = whole.copy(seededRandom(call));
    const member = await Replica.open(disk, seededRandom(3));
    disk.cutAt = disk.calls + call;
    const outcome = await untilCut(disk, () => member.storage.giveUpHistory());
    if (outcome !== 'cut') owed(member.storage.damage?.mayHaveAcked);
    if (outcome !== 'cut') await member.storage.close();
    const again = await Replica.open(disk, seededRandom(4));
    if (again.storage.damage === undefined) {
      assert.ok(outcome === 'cut' && again.holds(history) === history.length);
      continue;
    }
    owed(again.storage.damage.mayHaveAcked);
    assert.deepEqual(again.storage.damage.intact, ORIGIN);
    assert.equal(again.storage.identity.owed?.epoch, 3);
    await assert.rejects(Replica.open(disk.copy(seededRandom(1)), seededRandom(5), { heals: false }), DamageError);
    await again.stage(2, plain(history[11] as Entry), history.slice(12), seededRandom(1));
    await again.storage.storeEpochs(9, 9, 2);
    assert.equal(again.storage.identity.owed, null);
    await again.storage.close();
    assert.equal((await Replica.open(disk, seededRandom(6), { heals: false })).holds(history), history.length);
    if (outcome !== 'cut') break;
  }
});

test('a torn last group beside damage elsewhere was never acknowledged, and is not owed', async () => {
  const { disk, history, logs } = await used();
  const member = await Replica.open(disk, seededRandom(1));
  const more = grow(history, 8, seededRandom(2));
  const newest = member.storage.identity.logs.at(-1) as LogFileEntry;
  member.append(more.slice(history.length));
  member.storage.flush(0, 0);
  await member.durable(endOf(more));
  await member.storage.close();
  disk.raw(logPath(newest)).fill(0, 2 * SECTOR, 3 * SECTOR);
  flip(disk, logPath(logs.at(-1) as LogFileEntry), SECTOR + 80);
  const again = await Replica.open(disk, seededRandom(3));
  assert.deepEqual(again.storage.damage?.mayHaveAcked, endOf(history).zxid);
});

test('what the taker itself refuses is damage to nobody: it is thrown, and nothing is changed', async () => {
  const { disk } = await used();
  const before = filesOf(disk);
  const failing = Replica.open(disk, seededRandom(1), {
    onEnvelope: () => {
      throw new TypeError('a bug');
    },
  });
  await assert.rejects(failing, TypeError);
  assert.deepEqual(filesOf(disk), before);
});

test('a member with a file that cannot be looked at does not start, and gives nothing up', async () => {
  const { disk, logs } = await used();
  const before = filesOf(disk);
  for (const path of logs.map(logPath)) {
    const plugged = disk.plug();
    const exists = (asked: string): Promise<boolean> =>
      asked === path ? Promise.reject(new DiskError('ESTALE', path, 'look at')) : plugged.exists(asked);
    await assert.rejects(Replica.open(disk, seededRandom(1), { disk: { ...plugged, exists } }), {
      exitCode: 40,
      message: new RegExp(`^the data directory cannot be used: look at ${path}: ESTALE\\. Check that`),
    });
    assert.deepEqual(filesOf(disk), before);
  }
});
