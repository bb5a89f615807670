import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { ORIGIN } from '../../src/storage/mark.ts';
import { SimDisk } from '../sim/disk.ts';
import { type Entry, endOf, entryAfter, grow, nextZxid, plain, Replica, turn, untilCut } from './histories.ts';

/** A log of several files, each of several groups, some of one entry. */
async function written(seed: number): Promise<{ disk: SimDisk; history: Entry[] }> {
  const random = seededRandom(seed);
  const disk = new SimDisk(random);
  const member = await Replica.open(disk, random);
  let history: Entry[] = [];
  for (const [count, epoch] of [
    [5, 1],
    [7, 2],
    [4, 2],
    [6, 4],
  ] as const) {
    const before = history.length;
    history = grow(history, count, random, epoch);
    await member.write(history.slice(before), () => 1 + random.below(4));
    await member.storage.log.roll();
  }
  await member.write((history = grow(history, 5, random)).slice(-5), () => 3);
  await member.storage.close();
  return { disk, history };
}

test('a log of several files is cut at every place, with power cut at every call of the disk', async () => {
  const { disk: whole, history } = await written(1);
  let cuts = 0;
  const kept = { before: 0, after: 0, more: 0 };
  for (let at = 0; at <= history.length; at++) {
    const to = at === 0 ? ORIGIN : plain(history[at - 1] as Entry);
    const ahead = grow(history.slice(0, at), 3, seededRandom(at), 9);
    for (let call = 1; ; call++) {
      const disk = whole.copy(seededRandom(at * 1000 + call));
      const random = seededRandom(7);
      const member = await Replica.open(disk, random, { generation: 4 });
      assert.equal(member.holds(history), history.length);
      disk.cutAt = disk.calls + call;
      let cutDone = false;
      let reported = false;
      const outcome = await untilCut(disk, async () => {
        member.onPersisted = (generation) => {
          assert.equal(generation, 5);
          reported = true;
        };
        const done = member.storage.truncate(5, to).then(() => {
          cutDone = true;
        });
        member.append(ahead.slice(at)); // at once, before the cut is made
        member.storage.flush(0, 0);
        await done;
        await member.durable(endOf(ahead));
        while (!reported) await member.turn();
        await member.storage.close();
      });
      const again = await Replica.open(disk, random);
      assert.equal(again.storage.damage, undefined);
      const old = again.holds(history);
      const cut = again.holds(ahead);
      const told = `cut at ${at}, power at call ${call}`;
      if (old === history.length) kept.before++;
      else {
        assert.ok(cut >= at, `${told}: ${old} of the old, ${cut} of the new`);
        if (cut === at) kept.after++;
        else kept.more++;
      }
      if (cutDone) assert.ok(cut >= at, `${told}: the cut was durable`);
      if (reported) assert.equal(cut, ahead.length, `${told}: what was reported is gone`);
      // and it goes on from there
      const base = old === history.length ? history : ahead.slice(0, cut);
      const more = grow(base, 2, random, 10);
      await again.write(more.slice(base.length));
      await again.storage.close();
      assert.equal((await Replica.open(disk, random)).holds(more), more.length, told);
      cuts++;
      if (outcome !== 'cut') break;
    }
  }
  console.log(
    `truncation: ${history.length + 1} places in ${(await Replica.open(whole, seededRandom(1))).storage.identity.logs.length} files, ${cuts} power cuts: the old log whole ${kept.before}, cut exactly ${kept.after}, with what came behind ${kept.more}`,
  );
  assert.ok(kept.before > 100 && kept.after > 50 && kept.more > 20);
});

test('what has gathered, is being written, or was cut a moment ago is cut in its turn', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const disk = new SimDisk(random);
    const member = await Replica.open(disk, random);
    disk.pace = () => (random.below(3) === 0 ? turn() : Promise.resolve());
    let history: Entry[] = [];
    let generation = 1;
    const waiting: Promise<unknown>[] = [];
    for (let step = 0; step < 40; step++) {
      switch (random.below(5)) {
        case 0:
        case 1: {
          const before = history.length;
          history = grow(history, 1 + random.below(4), random, generation);
          member.append(history.slice(before));
          break;
        }
        case 2:
          member.storage.flush(0, 0);
          break;
        case 3: {
          const at = random.below(2) === 0 ? random.below(history.length + 1) : Math.max(0, history.length - 2);
          history = history.slice(0, at);
          waiting.push(member.storage.truncate(++generation, plain(endOf(history))));
          break;
        }
        default:
          if (random.below(3) === 0) waiting.push(member.storage.log.roll());
          else await turn();
      }
    }
    await Promise.all(waiting);
    await member.storage.close();
    const again = await Replica.open(disk, random);
    assert.equal(again.holds(history), history.length, `seed ${seed}`);
    // reported in order, none beyond the generation that it was written in
    const generations = member.persisted.map((each) => each.generation);
    assert.deepEqual(
      generations,
      generations.toSorted((a, b) => a - b),
    );
  }
});

test('a write that was under way when the log was cut is reported under its own generation', async () => {
  const random = seededRandom(1);
  const disk = new SimDisk(random);
  const member = await Replica.open(disk, random, { generation: 7 });
  const history = grow([], 4, random);
  member.append(history);
  member.storage.flush(0, 0);
  const cut = member.storage.truncate(8, plain(history[1] as Entry));
  const other = grow(history.slice(0, 2), 1, random, 5);
  member.append(other.slice(2));
  member.storage.flush(0, 0);
  await cut;
  await member.durable(endOf(other));
  await turn();
  assert.deepEqual(
    member.persisted.map(({ generation, zxid }) => [generation, zxid.hi, zxid.lo]),
    [
      [7, 1, 4],
      [8, 5, 1],
    ],
  );
  await member.storage.close();
  assert.equal((await Replica.open(disk, random)).holds(other), other.length);
});

test('a cut at a place that the log does not hold fails and changes nothing', async () => {
  const { disk, history } = await written(2);
  for (const at of [3, 9, 20]) {
    const copy = disk.copy(seededRandom(1));
    const member = await Replica.open(copy, seededRandom(2));
    let failed: Error | undefined;
    member.storage.log.onFailed = (error) => {
      failed = error;
    };
    const { zxid } = history[at] as Entry;
    await assert.rejects(member.storage.truncate(2, { zxid, chain: { hi: 1, lo: 2 } }), /which it does not hold/);
    assert.ok(failed instanceof Error);
    await member.storage.close();
    assert.equal((await Replica.open(copy, seededRandom(3))).holds(history), history.length);
  }
});

test('a gathering of more than one group is written as several, and read again', async () => {
  const random = seededRandom(1);
  const disk = new SimDisk(random);
  const member = await Replica.open(disk, random);
  const history: Entry[] = [];
  for (let i = 0; i < 80; i++) history.push(entryAfter(endOf(history), nextZxid(endOf(history), 1), 700_000));
  member.append(history);
  assert.equal(member.storage.log.pending, 80);
  member.storage.flush(1, 80);
  await member.durable(endOf(history));
  assert.ok(member.persisted.length >= 3, `${member.persisted.length} groups`);
  await member.storage.close();
  assert.equal((await Replica.open(disk, random)).holds(history), 80);
});

test('up to where it is committed is told between entries, and never beyond what was handed out at the end', async () => {
  const random = seededRandom(1);
  const disk = new SimDisk(random);
  const member = await Replica.open(disk, random);
  const history = grow([], 6, random);
  for (const [i, entry] of history.entries()) {
    member.append([entry]);
    member.storage.flush(1, Math.max(0, i - 1));
    await member.durable(entry);
  }
  await member.storage.close();
  const again = await Replica.open(disk, random);
  assert.deepEqual(
    again.committed.map(({ lo }) => lo),
    [0, 0, 1, 2, 3, 4, 4],
  );
  assert.deepEqual(again.storage.committed, { hi: 1, lo: 4 });
});
