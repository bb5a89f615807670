/** Files are verified in the background, slowly; what is found is told and mended (reliability.md D8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { DamageNotes } from '../../src/runtime/damage-notes.ts';
import type { Logger } from '../../src/runtime/log.ts';
import { Scrubber } from '../../src/runtime/scrubber.ts';
import { SimDisk } from '../sim/disk.ts';
import { endOf, grow, plain, Replica, turn } from '../storage/histories.ts';

/** Time goes on when a timer is due, or when the disk is read. */
class HandClock implements Clock {
  now = 0;
  private timers: { at: number; run: () => void }[] = [];
  monotonic(): number {
    return this.now;
  }
  wall(): number {
    return 1_000_000 + this.now;
  }
  after(ms: number, run: () => void): Disposable {
    const timer = { at: this.now + ms, run };
    this.timers.push(timer);
    return {
      [Symbol.dispose]: () => {
        this.timers = this.timers.filter((each) => each !== timer);
      },
    };
  }
  get pending(): number {
    return this.timers.length;
  }
  /** Runs what is due next; false when nothing waits. */
  skip(): boolean {
    const next = this.timers.sort((a, b) => a.at - b.at).shift();
    if (next === undefined) return false;
    this.now = Math.max(this.now, next.at);
    next.run();
    return true;
  }
}
const READ_MS = 3;
const HOUR = 3_600_000;

async function rig(isMember: boolean) {
  const disk = new SimDisk(seededRandom(1));
  const clock = new HandClock();
  const replica = await Replica.open(disk, seededRandom(2));
  const { storage } = replica;
  let history = grow([], 4, seededRandom(3));
  await replica.write(history, () => 2);
  for (let i = 0; i < 3; i++) {
    await replica.snapshot(plain(endOf(history)));
    await storage.log.roll();
    const from = history.length;
    history = grow(history, 4, seededRandom(i));
    await replica.write(history.slice(from), () => 2);
  }
  let read = 0;
  disk.pace = async () => {
    clock.now += READ_MS;
    read += READ_MS;
  };
  const told: string[] = [];
  const done: string[] = [];
  const logger = { info: () => {}, error: (text: string) => told.push(text) } as unknown as Logger;
  const notes = new DamageNotes(clock);
  const scrubber = new Scrubber({
    storage,
    clock,
    random: seededRandom(4),
    logger,
    notes,
    scrubbed: () => {},
    intervalMs: 24 * HOUR,
    snapshot: async () => void done.push('snapshot'),
    heal: isMember ? () => void done.push('heal') : undefined,
  });
  /** A round, and the timers that it waits for. */
  const round = async (): Promise<void> => {
    let over = false;
    const running = scrubber.round().finally(() => {
      over = true;
    });
    for (let turns = 0; !over; turns++) {
      assert.ok(turns < 10_000, 'it rests beyond its next round');
      await turn();
      if (!over && clock.pending > 1) clock.skip();
    }
    await running;
  };
  const spoil = (part: string, nth = 0): string => {
    const path = disk.paths().filter((each) => each.includes(part))[nth] as string;
    disk.flip(path, 600, 3);
    return path;
  };
  return { disk, clock, scrubber, notes, told, done, round, spoil, time: () => read };
}

test('a round takes less than one percent of the time, and finds nothing in whole files', async () => {
  const { clock, scrubber, notes, told, done, round, time } = await rig(true);
  const began = clock.now;
  await round();
  assert.ok(time() > 10 * READ_MS);
  assert.ok((clock.now - began) / time() > 100, `${clock.now - began} ms for ${time()} ms of reading`);
  assert.deepEqual([told, done, notes.all], [[], [], []]);
  await scrubber.stop();
});

test('after a stall, such as a machine that slept, it rests for no longer than otherwise', async () => {
  const { disk, clock, scrubber, round, time } = await rig(true);
  const { pace } = disk;
  let stalls = 1;
  disk.pace = async (...of) => {
    await pace?.(...of);
    if (stalls-- > 0) clock.now += HOUR;
  };
  const began = clock.now;
  await round();
  assert.ok(time() > 10 * READ_MS);
  assert.ok(clock.now - began < HOUR + 300_000, `${(clock.now - began) / HOUR} hours`);
  await scrubber.stop();
});

test('rounds come by themselves, between half an interval and a whole one apart', async () => {
  const { clock, scrubber, time } = await rig(true);
  for (let i = 0; i < 3; i++) {
    const before = time();
    const since = clock.now;
    clock.skip();
    assert.ok(clock.now - since >= 12 * HOUR && clock.now - since <= 24 * HOUR);
    // the timer of the next round is far away: whatever is nearer belongs to this one
    while (scrubber.isReading) {
      await turn();
      if (scrubber.isReading && clock.pending > 0) clock.skip();
    }
    await turn();
    assert.ok(time() > before);
  }
  await scrubber.stop();
  assert.equal(clock.pending, 0);
});

test('stopped in the middle it reads no more, and no timer is left', async () => {
  const { clock, scrubber, time, told } = await rig(true);
  const running = scrubber.round();
  while (clock.pending < 2) await turn();
  await scrubber.stop();
  await running;
  const read = time();
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual([time(), clock.pending, told], [read, 0, []]);
});

test('a damaged snapshot is set aside and another one taken', async () => {
  const { disk, scrubber, notes, told, done, round, spoil } = await rig(true);
  const path = spoil('/snapshot.', 1);
  await round();
  assert.ok(disk.paths().includes(`${path}.damaged`));
  assert.deepEqual(done, ['snapshot']);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^data damaged: .*snapshot\./);
  const [note, more] = notes.all;
  assert.equal(more, undefined);
  assert.equal(note?.found, told[0]);
  assert.match(note?.mended?.how ?? '', /set aside as snapshot\.[0-9a-f]+\.damaged; a new snapshot stands in for it/);
  assert.ok((note?.mended?.at ?? 0) >= (note?.at ?? Number.NaN));
  await round();
  assert.equal(notes.all.length, 1);
  await scrubber.stop();
});

test('for a damaged log file a member opens its storage again; a server alone says what will be', async () => {
  for (const isMember of [true, false]) {
    const { scrubber, notes, told, done, round, spoil } = await rig(isMember);
    const path = spoil('/log/zoosh-1/log.');
    await round();
    assert.deepEqual(done, [isMember ? 'heal' : 'snapshot']);
    assert.ok(told[0]?.includes(path));
    assert.match(
      told[1] ?? '',
      isMember ? /given by the leader what it lacks/ : /its next start will be refused \(44\).*Do not stop it before/,
    );
    assert.deepEqual(
      notes.all.map(({ mended }) => mended),
      [undefined],
    );
    // the same damage is one damage
    await round();
    assert.equal(notes.all.length, 1);
    await scrubber.stop();
  }
});
