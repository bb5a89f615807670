/** Each recipe, with the session ended at each of its steps. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Barrier,
  type Client,
  ConfigCache,
  Counter,
  DoubleBarrier,
  Group,
  LockingQueue,
  Queue,
  STYLES,
  type Style,
  standings,
} from '../../src/index.ts';
import { type Acquire, HOLDERS, SOME } from './kinds.ts';
import { expireEverywhere, inTime, PATIENT_MS, until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.openPatient();
});
after(() => world[Symbol.asyncDispose]());

/** Nobody holds and nobody waits, and whoever comes is in at once. */
async function isFree(client: Client, path: string, of: Acquire, style: Style): Promise<void> {
  const left = async () => ((await client.exists(path)) === undefined ? [] : standings(client, path));
  await until(`${path} is free`, async () => (await left()).length === 0);
  await (await of(client, path, style)).release();
}

describe('the session ends at every step', { concurrency: true }, () => {
  for (const style of SOME)
    for (const [name, acquire] of HOLDERS) {
      test(`${name}, ${style}: the next one is in`, async () => {
        const ended = await expireEverywhere(
          world,
          `/ends/${name}-${style}`,
          async (client, path) => (await acquire(client, path, style)).release(),
          (looker, path) => isFree(looker, path, acquire, style),
        );
        assert.ok(ended >= 6, String(ended));
      });
    }

  for (const style of SOME)
    test(`queue, ${style}: an item is put once or not at all, and taken by one`, async () => {
      const known = new Map<string, string[]>();
      await expireEverywhere(
        world,
        `/ends/queue-${style}`,
        async (client, path) => {
          const done: string[] = [];
          known.set(path, done);
          const queue = new Queue(client, path, { style });
          await queue.put('one');
          done.push('put');
          assert.equal((await queue.take()).data?.toString(), 'one');
          done.push('taken');
        },
        async (looker, path, what) => {
          const done = known.get(path) ?? [];
          const queue = new Queue(looker, path, { style });
          const left = await queue.length();
          assert.ok(left <= 1, what);
          if (done.includes('taken')) assert.equal(left, 0, what);
          if (left === 1) assert.equal((await queue.tryTake())?.data?.toString(), 'one', what);
          await queue.put('next');
          assert.equal((await queue.take()).data?.toString(), 'next', what);
        },
      );
    });

  test('locking queue: an item that was not done comes back', async () => {
    const known = new Map<string, string[]>();
    await expireEverywhere(
      world,
      '/ends/work',
      async (client, path) => {
        const done: string[] = [];
        known.set(path, done);
        const queue = new LockingQueue(client, path);
        await queue.put('one');
        done.push('put');
        const taken = await queue.take();
        done.push('consuming');
        await taken.consume();
        done.push('consumed');
      },
      async (looker, path, what) => {
        const done = known.get(path) ?? [];
        const queue = new LockingQueue(looker, path);
        const left = await queue.length();
        assert.ok(left <= 1, what);
        if (done.includes('consumed')) assert.equal(left, 0, what);
        else if (done.includes('put') && !done.includes('consuming')) assert.equal(left, 1, what);
        if (left === 1) await (await queue.take()).consume();
        assert.equal(await queue.length(), 0, what);
      },
    );
  });

  test('counter: a change is made once or not at all', async () => {
    const known = new Map<string, bigint>();
    await expireEverywhere(
      world,
      '/ends/counter',
      async (client, path) => void known.set(path, await new Counter(client, path).add(5)),
      async (looker, path, what) => {
        const value = await new Counter(looker, path).get();
        assert.ok(value === 5n || (value === 0n && !known.has(path)), `${what}: ${value}`);
        assert.equal(await new Counter(looker, path).add(1), value + 1n);
      },
    );
  });

  for (const style of SOME)
    test(`group, ${style}: a member whose session ended is none`, async () => {
      await expireEverywhere(
        world,
        `/ends/group-${style}`,
        async (client, path) => (await new Group(client, path, { style }).join('me')).leave(),
        async (looker, path) => {
          const group = new Group(looker, path, { style });
          await until(`${path} is empty`, async () => (await group.members()).length === 0);
        },
      );
    });

  test('double barrier: the next round is complete without the one whose session ended', async () => {
    await expireEverywhere(
      world,
      '/ends/double',
      async (client, path) => {
        const barrier = new DoubleBarrier(client, path, 1);
        await barrier.enter();
        await barrier.leave();
      },
      async (looker, path, what) => {
        if ((await looker.exists(path)) !== undefined)
          await until(`${what}: its node goes`, async () =>
            (await looker.getChildren(path)).children.every((name) => name === 'ready'),
          );
        const barrier = new DoubleBarrier(looker, path, 1);
        await barrier.enter();
        await barrier.leave();
        assert.deepEqual((await looker.getChildren(path)).children, [], what);
      },
    );
  });

  test('barrier: who waits is told', async () => {
    await expireEverywhere(
      world,
      '/ends/gate',
      async (client, path) => {
        const gate = new Barrier(client, path);
        await gate.set();
        const waiting = gate.wait();
        waiting.catch(() => {}); // heard below, when opening it does not fail before
        await gate.remove();
        await waiting;
      },
      async (looker, path) => {
        const gate = new Barrier(looker, path);
        await gate.remove();
        await gate.wait();
      },
    );
  });

  test('configuration cache: it opens, or says why not', async () => {
    await expireEverywhere(
      world,
      '/ends/cache',
      async (client, path) => {
        await using cache = await ConfigCache.open(client, path);
        assert.equal(cache.size, 0);
      },
      async (looker, path) => {
        await using cache = await ConfigCache.open(looker, path);
        assert.ok(cache.isCurrent);
      },
    );
  });

  test('whoever waits is told: lock, semaphore, election, queue, barrier, double barrier', async () => {
    const holder = await world.client(PATIENT_MS);
    const waits: readonly (readonly [string, (client: Client) => Promise<unknown>])[] = [
      ...HOLDERS.flatMap(([name, acquire]) =>
        STYLES.map(
          (style) =>
            [`${name}-${style}`, (client: Client) => acquire(client, `/told/${name}-${style}`, style)] as const,
        ),
      ),
      ['queue', (client) => new Queue(client, '/told/queue').take()],
      ['work', (client) => new LockingQueue(client, '/told/work').take()],
      ['gate', (client) => new Barrier(client, '/told/gate').wait()],
      ['double', (client) => new DoubleBarrier(client, '/told/double', 2).enter()],
    ];
    await new Barrier(holder, '/told/gate').set();
    // a reader waits for a writer only
    const write = HOLDERS.find(([name]) => name === 'writer')?.[1] as Acquire;
    for (const style of STYLES)
      for (const [name, acquire] of HOLDERS)
        await (name === 'reader' ? write : acquire)(holder, `/told/${name}-${style}`, style);
    await Promise.all(
      waits.map(async ([name, wait]) => {
        const client = await world.client(1000);
        const waiting = wait(client);
        waiting.catch(() => {}); // it may be told before we listen
        await sleep(300);
        client.wire.silent = true;
        await assert.rejects(
          inTime(name, waiting),
          (error) => (error as { code?: string }).code === 'SessionExpired',
          name,
        );
      }),
    );
  });
});
