/** Whoever holds something and is cut off, paused or killed: the next one gets in, and the one before knows in time. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  ConfigCache,
  DoubleBarrier,
  Election,
  type Hold,
  Lock,
  LockingQueue,
  ReadWriteLock,
  RecipeError,
  Semaphore,
  STYLES,
  type Style,
} from '../../src/index.ts';
import { lateIf, timely } from '../patience.ts';
import { inTime, PATIENT_MS, until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.openPatient();
});
after(() => world[Symbol.asyncDispose]());

const TIMEOUT_MS = 1200;

/** Something that is held, and how the next one comes to hold it. */
interface Held {
  readonly name: string;
  hold(client: Client, path: string): Promise<Hold>;
  next(client: Client, path: string): Promise<Hold>;
}
const lock = (style: Style): Held => {
  const hold: Held['hold'] = (client, path) => new Lock(client, path, { style }).acquire();
  return { name: `lock, ${style}`, hold, next: hold };
};
const writer = (style: Style): Held => ({
  name: `writer, ${style}`,
  hold: (client, path) => new ReadWriteLock(client, path, { style }).write.acquire(),
  next: (client, path) => new ReadWriteLock(client, path, { style }).read.acquire(),
});
const reader = (style: Style): Held => ({
  name: `reader, ${style}`,
  hold: (client, path) => new ReadWriteLock(client, path, { style }).read.acquire(),
  next: (client, path) => new ReadWriteLock(client, path, { style }).write.acquire(),
});
const semaphore = (style: Style): Held => {
  const hold: Held['hold'] = (client, path) => new Semaphore(client, path, 1, { style }).acquire();
  return { name: `semaphore, ${style}`, hold, next: hold };
};
const leader = (style: Style): Held => {
  const hold: Held['hold'] = (client, path) => new Election(client, path, { style }).campaign();
  return { name: `leader, ${style}`, hold, next: hold };
};
const worker: Held = {
  name: 'worker of a locking queue',
  async hold(client, path) {
    const queue = new LockingQueue(client, path);
    await queue.put('work');
    return (await queue.take()).hold;
  },
  next: async (client, path) => (await new LockingQueue(client, path).take()).hold,
};
const ALL: readonly Held[] = [
  ...STYLES.flatMap((style) => [lock, writer, reader, semaphore, leader].map((of) => of(style))),
  worker,
];

// each waits for a session to expire, so all of them do at once
describe('a holder', { concurrency: true }, () => {
  for (const [at, { name, hold: holds, next }] of ALL.entries()) {
    test(`${name}: cut off, it is lost before the next one is in`, async () => {
      const [a, b] = [await world.client(TIMEOUT_MS), await world.client(PATIENT_MS)];
      const path = `/cut-off/${at}`;
      const hold = await holds(a, path);
      let lostAt = 0;
      hold.signal.addEventListener('abort', () => {
        lostAt = performance.now();
      });
      const told: string[] = [];
      hold.onChange((state) => told.push(state));
      const waiting = next(b, path).then((got) => ({ got, inAt: performance.now() }));
      a.wire.silent = true;
      const { got, inAt } = await inTime('the next', waiting);
      assert.ok(lostAt > 0 && lostAt <= inAt, `lost at ${lostAt}, the next one in at ${inAt}`);
      assert.equal(told.at(-1), 'lost');
      assert.ok(hold.signal.reason instanceof RecipeError && hold.signal.reason.code === 'Lost');
      assert.ok(got.token > hold.token);
      await got.release();
    });

    test(`${name}: paused, it is lost the moment it runs again, and the next one has a greater token`, async () => {
      const [a, b] = [await world.client(TIMEOUT_MS), await world.client(PATIENT_MS)];
      const path = `/paused/${at}`;
      const hold = await holds(a, path);
      const waiting = next(b, path);
      a.wire.freeze();
      const got = await inTime('the next', waiting);
      assert.equal(hold.state, 'lost'); // nothing has been heard, no timer has fired
      assert.ok(got.token > hold.token);
      a.wire.thaw();
      await until('its session is over', () => a.state === 'expired');
      assert.equal(got.state, 'held'); // what comes late takes nothing from the next one
      await got.release();
    });

    test(`${name}: killed, the next one gets in when the session is over`, async () => {
      const [a, b] = [await world.client(TIMEOUT_MS), await world.client(PATIENT_MS)];
      const path = `/killed/${at}`;
      const { token } = await holds(a, path);
      const waiting = next(b, path);
      a.wire.silent = true;
      a.wire.freeze();
      a.wire.break();
      const got = await inTime('the next', waiting);
      assert.ok(got.token > token);
      await got.release();
    });
  }
});

describe('what else waits', { concurrency: true }, () => {
  test('double barrier: a member that is killed counts no more, neither among those who come nor among those who leave', async () => {
    const [a, b, c] = [await world.client(TIMEOUT_MS), await world.client(PATIENT_MS), await world.client(PATIENT_MS)];
    const [dying, one, two] = [a, b, c].map((client) => new DoubleBarrier(client, '/dying', 2)) as [
      DoubleBarrier,
      DoubleBarrier,
      DoubleBarrier,
    ];
    await Promise.all([dying.enter(), one.enter()]);
    a.wire.freeze();
    await inTime('it leaves', one.leave());
    const entering = one.enter();
    assert.equal(await Promise.race([entering, sleep(50, 'waits')]), 'waits');
    a.wire.thaw(); // it was only paused, and is told
    await assert.rejects(dying.leave(), (error) => (error as { code?: string }).code === 'SessionExpired');
    await inTime('the next round', Promise.all([entering, two.enter()]));
    await Promise.all([one.leave(), two.leave()]);
  });

  test('configuration cache: paused until its session is over, it does not say that it is current', async () => {
    const [a, b] = [await world.client(TIMEOUT_MS), await world.client(PATIENT_MS)];
    await b.create('/stale', 'old');
    await a.create('/stale-session', null, { mode: 'ephemeral' });
    await using cache = await ConfigCache.open(a, '/stale');
    assert.ok(cache.isCurrent);
    a.wire.freeze();
    await b.set('/stale', 'new');
    await until('its session is over', async () => (await b.exists('/stale-session')) === undefined);
    a.wire.thaw();
    await until('it knows', () => a.state === 'expired');
    assert.equal(cache.isCurrent, false);
  });

  test('a hold is believed for 90 % of the timeout from when its last proof was sent, and no longer', () =>
    timely(async (round) => {
      const client = await world.client(2000);
      const earliest = client.clock.monotonic();
      const hold = await new Lock(client, `/deadline${round}`).acquire();
      const latest = client.clock.monotonic();
      assert.equal(client.negotiatedTimeoutMs, 2000);
      assert.ok(hold.deadline >= earliest + 1800 && hold.deadline <= latest + 1800, `${hold.deadline - latest}`);
      client.wire.silent = true;
      const told: [string, number][] = [];
      hold.onChange((state) => told.push([state, client.clock.monotonic()]));
      await until('it is lost', () => told.at(-1)?.[0] === 'lost');
      const lostAt = told.at(-1)?.[1] as number;
      assert.ok(lostAt >= hold.deadline, `${hold.deadline - lostAt} ms too early`);
      return lateIf(
        lostAt >= earliest + 2000,
        `only ${earliest + 2000 - lostAt} ms before the server may let another one in`,
      );
    }));

  test('a connection that breaks suspends at once', async () => {
    const client = await world.client(PATIENT_MS);
    const hold = await new Lock(client, '/suspended').acquire();
    const told: string[] = [];
    hold.onChange((state) => told.push(state));
    client.wire.break();
    await until('it is suspended', () => told.includes('suspended'), 500);
    await until('it is held again', () => hold.state === 'held');
    await hold.release();
  });

  test('a second style on one path is refused by every recipe that has styles, and the first one goes on', async () => {
    const [a, b] = [await world.client(PATIENT_MS), await world.client(PATIENT_MS)];
    for (const [at, of] of [lock, writer, reader, semaphore, leader].entries())
      for (const style of STYLES) {
        const path = `/second/${at}/${style}`;
        const hold = await of(style).hold(a, path);
        for (const other of STYLES.filter((each) => each !== style))
          await assert.rejects(
            inTime(path, of(other).hold(b, path)),
            (error) => error instanceof RecipeError && error.code === 'StyleConflict',
            `${of(style).name}, then ${other}`,
          );
        assert.equal(hold.state, 'held');
        await hold.release();
      }
  });
});
