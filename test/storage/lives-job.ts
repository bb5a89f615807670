/** A worker's job: lives of a member's storage, each ended by a power cut, on some seeds. */
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { compareHalves, sameHalves } from '../../src/records/log-record.ts';
import { type Mark, ORIGIN } from '../../src/storage/mark.ts';
import { SimDisk } from '../sim/disk.ts';
import { type Entry, endOf, grow, plain, Replica, untilCut } from './histories.ts';

export type LivesCounts = Record<string, number>;

/** A log that the directory may hold: all that was given to it, and how much of it was reported to be durable. */
interface Line {
  entries: Entry[];
  durable: number;
  /** Only what is committed may be in snapshots and is never cut. */
  committed: number;
}

/** One member; `lines` are the logs that it may come back with. */
class Life {
  private readonly member: Replica;
  private readonly random: Random;
  private readonly count: (what: string) => void;
  readonly lines: Line[];
  epochs: [number, number];
  /** That of the log whose reports count. */
  private generation: number;
  private generations: number;

  constructor(member: Replica, line: Line, random: Random, count: (what: string) => void) {
    this.member = member;
    this.lines = [line];
    this.random = random;
    this.count = count;
    const { acceptedEpoch, currentEpoch } = member.storage.identity;
    this.epochs = [acceptedEpoch, currentEpoch];
    this.generation = member.storage.log.generation;
    this.generations = this.generation;
    member.onPersisted = (generation, zxid) => {
      if (generation !== this.generation) return;
      const { now } = this;
      const upTo = now.entries.findIndex((each) => sameHalves(each.zxid, zxid)) + 1;
      assert.ok(upTo > 0, 'reported what was not given');
      now.durable = Math.max(now.durable, upTo);
      // what is behind a cut or in a staged log says that the older line is gone, once it is this one that is reported
      if (now.settled) this.lines.splice(0, this.lines.length - 1);
    };
  }
  get now(): Line & { settled?: boolean } {
    return this.lines.at(-1) as Line & { settled?: boolean };
  }
  async run(): Promise<never> {
    const { member, random } = this;
    for (;;) {
      switch (random.below(12)) {
        case 0:
          await this.cut();
          break;
        case 1:
          await this.replace();
          break;
        case 2:
          await member.storage.log.roll();
          this.count('rolled');
          break;
        case 3:
          await this.snapshot();
          break;
        case 4:
          if ((await member.storage.purge(2)).length > 0) this.count('purged');
          break;
        case 5: {
          const accepted = Math.max(this.epochs[0], endOf(this.now.entries).zxid.hi) + 1;
          await member.storage.storeEpochs(accepted, this.epochs[1]);
          this.epochs = [accepted, this.epochs[1]];
          break;
        }
        case 6:
        case 7:
          await member.durable(endOf(this.now.entries));
          this.now.committed = this.now.entries.length - random.below(3);
          this.now.committed = Math.max(0, this.now.committed);
          break;
        default:
          this.append(1 + random.below(5));
      }
      if (random.below(2) === 0) this.flush();
      if (random.below(4) === 0) await member.turn();
    }
  }
  private flush(): void {
    this.member.storage.flush(0, 0);
  }
  private append(count: number): void {
    const { now, random } = this;
    const before = now.entries.length;
    const last = endOf(now.entries).zxid.hi;
    now.entries = grow(now.entries, count, random, Math.max(1, last + (random.below(5) === 0 ? 1 : 0)));
    this.member.append(now.entries.slice(before), this.generation);
    this.flush();
  }
  private async cut(): Promise<void> {
    const { random, member } = this;
    const before = this.now;
    const least = Math.max(before.committed, this.snapshotAt(before));
    const to = least + random.below(before.entries.length - least + 1);
    const after: Line & { settled?: boolean } = {
      entries: before.entries.slice(0, to),
      durable: Math.min(before.durable, to),
      committed: before.committed,
    };
    this.lines.push(after);
    this.generation = ++this.generations;
    const done = member.storage.truncate(this.generation, plain(endOf(after.entries))).then(() => {
      this.count('truncated');
      after.durable = Math.max(after.durable, to);
      after.settled = true;
      const at = this.lines.indexOf(after);
      if (at > 0) this.lines.splice(0, at);
    });
    if (random.below(2) === 0) {
      after.entries = grow(after.entries, 1 + random.below(3), random, endOf(before.entries).zxid.hi + 1);
      member.append(after.entries.slice(to), this.generation);
      this.flush();
    }
    await done;
  }
  private snapshotAt({ entries }: Line): number {
    const mark = this.member.storage.newestSnapshot;
    return mark === undefined ? 0 : entries.findIndex(({ zxid }) => sameHalves(zxid, mark.zxid)) + 1;
  }
  private async snapshot(): Promise<void> {
    const { now, member, random } = this;
    const held = Math.min(now.committed, now.durable);
    if (held === 0 || held <= this.snapshotAt(now)) return;
    if (random.below(2) === 0) await member.storage.log.roll();
    assert.ok(await member.snapshot(plain(now.entries[held - 1] as Entry)));
    this.count('snapshots');
  }
  /** A leader's history takes the place of ours: it has what is committed here. */
  private async replace(): Promise<void> {
    const { member, random, now } = this;
    await member.durable(endOf(now.entries));
    const kept = random.below(now.entries.length - now.committed + 1) + now.committed;
    const entries = grow(now.entries.slice(0, kept), 1 + random.below(4), random, endOf(now.entries).zxid.hi + 1);
    const from = random.below(4) === 0 ? 0 : 1 + random.below(entries.length);
    const at: Mark = from === 0 ? ORIGIN : plain(entries[from - 1] as Entry);
    const generation = ++this.generations;
    this.generation = -1; // what is reported meanwhile says nothing new
    const staging = member.stage(generation, at, entries.slice(from), random);
    if (random.below(3) === 0) {
      for (let i = random.below(30); i > 0; i--) await member.turn();
      staging.catch(() => undefined);
      await member.storage.dropStaged(generation);
      this.generation = member.storage.log.generation;
      return this.count('dropped');
    }
    await staging;
    const epoch = Math.max(this.epochs[0], endOf(entries).zxid.hi);
    this.lines.push({ entries, durable: entries.length, committed: Math.max(from, now.committed) });
    this.generation = generation;
    await member.storage.storeEpochs(epoch, epoch, generation);
    this.lines.splice(0, this.lines.length - 1);
    this.epochs = [epoch, epoch];
    this.count('installed');
  }
}

async function lives(seed: number, ends: number, count: (what: string) => void): Promise<void> {
  const random = seededRandom(seed);
  const disk = new SimDisk(random);
  let lines: Line[] = [{ entries: [], durable: 0, committed: 0 }];
  let epochs = [0, 0];
  for (let life = 0; life < ends; life++) {
    const told = `ZOOSH_SEED=${seed}, life ${life}`;
    disk.cutAt = disk.calls + 1 + random.below(life % 4 === 0 ? 40 : 500);
    disk.cutsPower = random.below(5) > 0;
    disk.pace = (): Promise<void> =>
      random.below(8) === 0 ? new Promise((resolve) => void setImmediate(resolve)) : Promise.resolve();
    let running: Life | undefined;
    const outcome = await untilCut(disk, async () => {
      const member = await Replica.open(disk, random, { generation: life * 1000 });
      assert.equal(member.storage.damage, undefined, told);
      assert.ok(!member.storage.identity.amnesiac, told);
      const { acceptedEpoch, currentEpoch, adoptedSnapshot } = member.storage.identity;
      assert.ok(acceptedEpoch >= (epochs[0] ?? 0) && currentEpoch >= (epochs[1] ?? 0), told);
      assert.equal(adoptedSnapshot, null, told);
      const found = lines.find((line) => member.holds(line.entries) >= line.durable);
      assert.ok(
        found !== undefined,
        `${told}: ${lines.map((line) => `${member.holds(line.entries)} of ${line.durable}`)}`,
      );
      if (lines.length > 1) count(found === lines.at(-1) ? 'the newer one of two' : 'the older one of two');
      const held = member.holds(found.entries);
      const committed = Math.min(found.committed, held);
      for (const { zxid } of found.entries.slice(0, committed)) assert.ok(compareHalves(zxid, member.end.zxid) <= 0);
      running = new Life(member, { entries: found.entries.slice(0, held), durable: held, committed }, random, count);
      await running.run();
    });
    assert.equal(outcome, 'cut');
    count('lives');
    if (running !== undefined) ({ lines, epochs } = running);
  }
}

async function all(seeds: readonly number[]): Promise<LivesCounts> {
  const counts: LivesCounts = {};
  for (const seed of seeds)
    await lives(seed, 25, (what) => {
      counts[what] = (counts[what] ?? 0) + 1;
    });
  return counts;
}

all(workerData as number[]).then((counts) => parentPort?.postMessage(counts));
