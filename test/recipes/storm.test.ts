/** Many recipes beside each other while connections break at random, or sessions end: what must never be, never is. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import {
  Counter,
  Election,
  Group,
  type Hold,
  Lock,
  LockingQueue,
  Queue,
  ReadWriteLock,
  Semaphore,
  STYLES,
} from '../../src/index.ts';
import { amount } from '../amount.ts';
import { inTime, PATIENT_MS, until, type Wired, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.openPatient();
});
after(() => world[Symbol.asyncDispose]());

const RUN_MS = amount(30_000, 3000);
const seed = Number(process.env.SEED ?? 1);
const random = seededRandom(seed);
const chance = (percent: number): boolean => random.below(100) < percent;
const how = () => (chance(50) ? 'unsent' : 'unanswered');

/** Gives up now and then: undefined. */
async function perhaps<T>(wait: (options: { waitMs?: number }) => Promise<T>): Promise<T | undefined> {
  if (chance(70)) return wait({});
  try {
    return await wait({ waitMs: random.below(60) });
  } catch (error) {
    if ((error as { code?: string }).code === 'TimedOut') return undefined;
    throw error;
  }
}

/** How many are in, and what was seen that must not be. */
class Inside {
  #in = 0;
  #token = 0n;
  done = 0;
  readonly #what: string;
  readonly #most: number;
  constructor(what: string, most = 1) {
    this.#what = what;
    this.#most = most;
  }
  get empty(): boolean {
    return this.#in === 0;
  }
  enter({ token }: Hold): void {
    assert.ok(++this.#in <= this.#most, `${this.#what}: ${this.#in} are in`);
    if (this.#most === 1) assert.ok(token > this.#token, `${this.#what}: tokens grow`);
    this.#token = token;
    this.done++;
  }
  leave(): void {
    this.#in--;
  }
}

test(`connections that break at random (SEED=${seed}): never too many in, nothing done twice or not at all, nothing left`, async () => {
  const end = Date.now() + RUN_MS;
  const clients = await Promise.all(Array.from({ length: 4 }, () => world.client()));
  const calm = await world.client();
  let cuts = 0;
  const harm = setInterval(() => {
    for (const { wire } of clients)
      if (Date.now() >= end) wire.cut = undefined;
      else if (wire.cut === undefined || wire.cut.at <= wire.writes) {
        cuts++;
        wire.cut = { at: wire.writes + 1 + random.below(50), how: how() };
      }
  }, 3);
  const work: Promise<void>[] = [];
  const all: Inside[] = [];
  const each = (act: (client: Wired, at: number) => Promise<void>): void => {
    for (const [at, client] of clients.entries())
      work.push(
        (async () => {
          while (Date.now() < end || all.some(({ done }) => done === 0)) {
            await act(client, at);
            await sleep(random.below(5));
          }
        })(),
      );
  };
  const finally_: (() => Promise<void>)[] = [];
  for (const style of STYLES) {
    const [lock, leader, writer, lease] = [
      new Inside(`lock, ${style}`),
      new Inside(`leader, ${style}`),
      new Inside(`writer, ${style}`),
      new Inside(`semaphore, ${style}`, 2),
    ] as const;
    all.push(lock, leader, writer, lease);
    const stays = async (inside: Inside, hold: Hold | undefined): Promise<void> => {
      if (hold === undefined) return;
      inside.enter(hold);
      await sleep(random.below(3));
      inside.leave();
      const released = hold.release();
      if (chance(70)) await released;
    };
    each(async (client) =>
      stays(lock, await perhaps((options) => new Lock(client, `/${style}/l`, { style }).acquire(options))),
    );
    each(async (client) =>
      stays(leader, await perhaps((options) => new Election(client, `/${style}/e`, { style }).campaign(options))),
    );
    each(async (client) =>
      stays(lease, await perhaps((options) => new Semaphore(client, `/${style}/s`, 2, { style }).acquire(options))),
    );
    let readers = 0;
    each(async (client) => {
      const { read, write } = new ReadWriteLock(client, `/${style}/rw`, { style });
      const hold = await perhaps((options) => (chance(50) ? read : write).acquire(options));
      if (hold === undefined) return;
      let reading = /r(ead|lock)/i.test(hold.node) ? hold : undefined;
      if (reading === undefined) {
        writer.enter(hold);
        assert.equal(readers, 0, `${style}: a writer beside readers`);
        await sleep(random.below(3));
        if (chance(50)) reading = await read.acquire();
        if (reading !== undefined) readers++;
        writer.leave();
        await hold.release();
      } else readers++;
      if (reading === undefined) return;
      assert.ok(writer.empty, `${style}: a reader beside a writer`);
      await sleep(random.below(4));
      assert.ok(writer.empty, `${style}: a writer beside a reader`);
      readers--;
      await reading.release();
    });
    let sum = 0n;
    each(async (client) => {
      const by = BigInt(random.below(9) - 4);
      await new Counter(client, `/${style}/c`, { style }).add(by);
      sum += by;
    });
    let put = 0;
    const taken = new Set<string>();
    const take = (data: Buffer | null | undefined): void => {
      assert.ok(!taken.has(String(data)), `queue, ${style}: ${data} is taken twice`);
      taken.add(String(data));
    };
    each(async (client) => {
      const queue = new Queue(client, `/${style}/q`, { style });
      if (chance(50)) return queue.put(`${put++}`);
      const item = await perhaps(({ waitMs = 50 }) => queue.take({ waitMs }).catch(() => undefined));
      if (item !== undefined) take(item.data);
    });
    each(async (client, at) => {
      const member = await new Group(client, `/${style}/g`, { style }).join(`m${at}`);
      const { length } = (await new Group(calm, `/${style}/g`).members()).filter(({ id }) => id === `m${at}`);
      assert.equal(length, 1, `group, ${style}`);
      await member.leave();
    });
    finally_.push(async () => {
      assert.equal(await new Counter(calm, `/${style}/c`, { style }).get(), sum, `counter, ${style}`);
      const queue = new Queue(calm, `/${style}/q`, { style });
      for (let item = await queue.tryTake(); item !== undefined; item = await queue.tryTake()) take(item.data);
      assert.equal(taken.size, put, `queue, ${style}`);
      for (const name of ['l', 'e', 'rw', 'g', ...(style === 'curator' ? ['s/leases', 's/locks'] : ['s'])])
        await until(`${style}/${name} is empty`, async () => {
          const stat = await calm.exists(`/${style}/${name}`);
          return stat === undefined || stat.numChildren === 0;
        });
    });
  }
  try {
    await inTime('all', Promise.all(work), RUN_MS + 60_000);
  } finally {
    clearInterval(harm);
    for (const { wire } of clients) wire.cut = undefined;
  }
  for (const look of finally_) await look();
  assert.ok(cuts >= 4, String(cuts));
});

test(`sessions that end, programs that stand still (SEED=${seed}): nobody is in while another believes it is; work comes back`, async () => {
  const end = Date.now() + RUN_MS;
  const calm = await world.client(PATIENT_MS);
  const actor = async (act: (client: Wired) => Promise<void>): Promise<void> => {
    while (Date.now() < end) {
      const client = await world.client(1000);
      const { wire } = client;
      let isOver = false;
      const harm = (async () => {
        while (!isOver && Date.now() < end) {
          await sleep(random.below(900));
          switch (random.below(4)) {
            case 0:
              wire.silent = true;
              await sleep(random.below(1800));
              wire.silent = false;
              wire.break(); // what was lost meanwhile is lost with its connection: TCP leaves no holes
              break;
            case 1:
              wire.freeze();
              await sleep(random.below(1800));
              wire.thaw();
              break;
            case 2:
              wire.break();
              break;
            default:
              wire.cut = { at: wire.writes + 1 + random.below(5), how: how() };
          }
        }
        wire.cut = undefined;
      })();
      try {
        while (Date.now() < end) await act(client);
      } catch (error) {
        const { code } = error as { code?: string };
        if (!/^(SessionExpired|ConnectionLoss|Lost)$/.test(String(code))) throw error;
      }
      isOver = true;
      await harm;
      await client.close();
    }
  };
  const work: Promise<void>[] = [];
  const believes = (hold: Hold | undefined): boolean => hold?.state === 'held' || hold?.state === 'suspended';
  for (const style of STYLES)
    for (const [name, most, acquire] of [
      ['lock', 1, (client: Wired) => new Lock(client, `/ends/${style}/l`, { style }).acquire()],
      ['writer', 1, (client: Wired) => new ReadWriteLock(client, `/ends/${style}/w`, { style }).write.acquire()],
      ['semaphore', 2, (client: Wired) => new Semaphore(client, `/ends/${style}/s`, 2, { style }).acquire()],
    ] as const) {
      const holds = new Set<Hold>();
      for (let at = 0; at <= most; at++)
        work.push(
          actor(async (client) => {
            const hold = await acquire(client);
            assert.ok([...holds].filter(believes).length < most, `${name}, ${style}: others believe that they are in`);
            holds.add(hold);
            await sleep(random.below(200));
            holds.delete(hold);
            await hold.release();
          }),
        );
    }
  let made = 0;
  const [put, done, doubtful, holds] = [
    new Set<string>(),
    new Set<string>(),
    new Set<string>(),
    new Map<string, Hold>(),
  ];
  for (let at = 0; at < 3; at++)
    work.push(
      actor(async (client) => {
        const queue = new LockingQueue(client, '/ends/jobs');
        if (chance(40)) {
          const item = `w${made++}`;
          await queue.put(item);
          put.add(item);
          return;
        }
        const taken = await queue.tryTake();
        if (taken === undefined) return sleep(20);
        const item = String(taken.data);
        assert.ok(!believes(holds.get(item)), `${item}: another works on it`);
        assert.ok(!done.has(item), `${item}: it was done`);
        holds.set(item, taken.hold);
        await sleep(random.below(100));
        try {
          await taken.consume();
          done.add(item);
        } catch (error) {
          if ((error as { code?: string }).code === 'ConnectionLoss') doubtful.add(item);
          throw error;
        } finally {
          if (holds.get(item) === taken.hold) holds.delete(item);
        }
      }),
    );
  await inTime('all', Promise.all(work), RUN_MS + 60_000);
  const left = new Set<string>();
  const queue = new LockingQueue(calm, '/ends/jobs');
  await until('nobody works', async () => (await calm.exists('/ends/jobs/taken'))?.numChildren === 0);
  for (let taken = await queue.tryTake(); taken !== undefined; taken = await queue.tryTake()) {
    assert.ok(!done.has(String(taken.data)), `${taken.data}: done, and there`);
    left.add(String(taken.data));
    await taken.consume();
  }
  for (const item of put) assert.ok(done.has(item) || left.has(item) || doubtful.has(item), `${item} is lost`);
});
