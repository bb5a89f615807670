/** kazoo beside ours. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  Counter,
  Election,
  Lock,
  LockingQueue,
  Queue,
  ReadWriteLock,
  Semaphore,
} from '../../src/index.ts';
import { ascending, held, type Rivals, Scene } from './recipe-scene.ts';

const kazoo: Rivals = (hosts, folder, recipe, rounds) =>
  ['k1', 'k2'].map((name) => [
    '/usr/bin/python3',
    'test/interop/recipes_kazoo.py',
    hosts,
    folder,
    name,
    recipe,
    String(rounds),
  ]);

// side by side: most of it is waiting
describe('kazoo', { concurrency: 3, timeout: 1_800_000 }, () => {
  test('lock: 200 rounds, the server killed twice: one at a time, in the order of coming', async () => {
    await using scene = await Scene.open(kazoo);
    await scene.play('lock', 50, 2, async (client, name) =>
      held(scene, await new Lock(client, '/lock', { style: 'kazoo', id: name }).acquire(), 'w', name),
    );
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.deepEqual(
      seen.filter((line) => line.includes(' ')),
      [],
    );
    ascending(scene.lines('order'));
    assert.deepEqual((await scene.clients[0]?.getChildren('/lock'))?.children, []);
  });

  test('election: 200 terms, the server killed twice: one leads at a time, in the order of coming, and all know who', async () => {
    await using scene = await Scene.open(kazoo);
    await scene.play('election', 50, 2, async (client, name) => {
      const election = new Election(client, '/election', { style: 'kazoo', id: name });
      const hold = await election.campaign();
      assert.deepEqual(await election.leader().then((leader) => [leader?.id, leader?.node]), [name, hold.node]);
      await held(scene, hold, 'w', name);
    });
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.deepEqual(
      seen.filter((line) => line.includes(' ')),
      [],
    );
    ascending(scene.lines('order'));
    // whom kazoo takes for candidates while it leads: itself first, and ours by what they say about themselves
    const contenders = scene.lines('contenders').map((line) => line.split(' '));
    assert.equal(contenders.length, 100);
    for (const [first] of contenders) assert.match(first ?? '', /^k[12]$/);
    for (const name of ['k1', 'k2', 'z1', 'z2'])
      assert.ok(
        contenders.some((all) => all.includes(name)),
        name,
      );
  });

  test("read-write lock: a writer is alone, kazoo's or ours, the server killed twice", async () => {
    await using scene = await Scene.open(kazoo);
    await scene.play('readwrite', 50, 2, async (client, name, at) => {
      const lock = new ReadWriteLock(client, '/rw', { style: 'kazoo', id: name });
      if (at % 4 === 0) await held(scene, await lock.write.acquire(), 'w', name);
      else await held(scene, await lock.read.acquire(), 'r', name, 100);
    });
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    for (const line of seen) assert.ok(!line.includes('in-w-') || !line.includes(' '), line);
    await scene.meet('r', (client, id) => new ReadWriteLock(client, '/rw', { style: 'kazoo', id }).read.acquire());
    assert.ok(
      scene.lines('seen').some((line) => line.includes(' ')),
      'no two readers met',
    );
  });

  test('semaphore: never more than two, the server killed twice', async () => {
    await using scene = await Scene.open(kazoo);
    await scene.play('semaphore', 50, 2, async (client, name) => {
      const hold = await new Semaphore(client, '/semaphore', 2, { style: 'kazoo', id: name }).acquire();
      await scene.inside('s', name, undefined, 2000);
      await hold.release();
    });
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.ok(seen.every((line) => line.split(' ').length <= 2));
    await scene.meet('s', (client, id) => new Semaphore(client, '/semaphore', 2, { style: 'kazoo', id }).acquire());
    assert.ok(
      scene.lines('seen').some((line) => line.includes(' ')),
      'no two met',
    );
  });

  test('counter: each of our changes once, the server killed twice', async () => {
    await using scene = await Scene.open(kazoo);
    await scene.play('counter', 200, 2, async (client) => {
      await new Counter(client, '/counter').add(1_000_000);
      await sleep(5);
    });
    const value = await new Counter(scene.clients[0] as Client, '/counter').get();
    assert.equal(value / 1_000_000n, 400n);
    assert.ok(value % 1_000_000n >= 400n); // kazoo repeats a change whose answer was lost
  });

  test('queue: each of our items goes to one taker, the server killed twice', async () => {
    await using scene = await Scene.open(kazoo);
    let made = 0;
    await scene.play('queue', 200, 2, async (client) => {
      const queue = new Queue(client, '/queue', { style: 'kazoo' });
      await queue.put(`z${made++}`);
      const item = await queue.tryTake();
      if (item !== undefined) scene.note('took', String(item.data));
    });
    const rest = new Queue(scene.clients[0] as Client, '/queue', { style: 'kazoo' });
    for (let item = await rest.tryTake(); item !== undefined; item = await rest.tryTake())
      scene.note('took', String(item.data));
    scene.allTaken(made);
    assert.equal(made, 400);
  });

  test('locking queue: every item is done once, the server killed twice', async () => {
    await using scene = await Scene.open(kazoo);
    const [first] = scene.clients as [Client];
    const items = Array.from({ length: 200 }, (_, at) => `item ${at}`);
    for (const item of items) await new LockingQueue(first, '/work').put(item);
    await scene.play('locking', 60, 2, async (client) => {
      const taken = await new LockingQueue(client, '/work').tryTake();
      await sleep(5);
      if (taken === undefined) return;
      await taken.consume();
      scene.note('done', String(taken.data));
    });
    const rest = new LockingQueue(first, '/work');
    for (let item = await rest.tryTake(); item !== undefined; item = await rest.tryTake()) {
      await item.consume();
      scene.note('done', String(item.data));
    }
    const done = scene.lines('done');
    assert.equal(new Set(done).size, done.length, 'an item was done twice');
    assert.equal(await rest.length(), 0);
    // whose answer was lost to kazoo it may have done without hearing of it; ours know of each
    const known = new Set([...done, ...scene.lines('doubt')]);
    assert.deepEqual(
      items.filter((item) => !known.has(item)),
      [],
      'nobody did them',
    );
    assert.deepEqual(
      done.filter((item) => !items.includes(item)),
      [],
    );
  });

  test('double barrier: 200 rounds, the server killed twice: nobody is in before all are', async () => {
    await using scene = await Scene.open(kazoo);
    await scene.barriers();
  });

  test('party: 200 rounds, the server killed twice: all see each other', async () => {
    await using scene = await Scene.open(kazoo);
    await scene.groups('party', 'kazoo', 'k1 k2 z1 z2');
  });
});
