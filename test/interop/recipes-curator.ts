/** Curator beside ours: Debian's jars, and a program that is compiled first. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, Counter, Election, Lock, Queue, ReadWriteLock, Semaphore } from '../../src/index.ts';
import { CuratorProgram } from './curator.ts';
import { ascending, held, type Rivals, Scene } from './recipe-scene.ts';

const program = new CuratorProgram();
const curator: Rivals = (hosts, folder, recipe, rounds) => [
  ['java', '-Xmx128m', '-cp', program.paths, 'RecipesCurator', hosts, folder, recipe, String(rounds)],
];
before(() => program.compile('RecipesCurator'));
after(() => program[Symbol.dispose]());

describe('Curator', { concurrency: 2, timeout: 1_800_000 }, () => {
  test('mutex: 200 rounds, the server killed twice: one at a time, in the order of coming', async () => {
    await using scene = await Scene.open(curator);
    await scene.play('lock', 50, 2, async (client, name) =>
      held(scene, await new Lock(client, '/lock', { style: 'curator', id: name }).acquire(), 'w', name),
    );
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.deepEqual(
      seen.filter((line) => line.includes(' ')),
      [],
    );
    ascending(scene.lines('order'));
  });

  test('read-write lock: a writer is alone, the server killed twice', async () => {
    await using scene = await Scene.open(curator);
    await scene.play('readwrite', 50, 2, async (client, name, at) => {
      const lock = new ReadWriteLock(client, '/rw', { style: 'curator', id: name });
      const side = at % 4 === 0 ? lock.write : lock.read;
      const hold = await side.acquire();
      await scene.inside(at % 4 === 0 ? 'w' : 'r', name);
      await hold.release();
    });
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    for (const line of seen) assert.ok(!line.includes('in-w-') || !line.includes(' '), line);
    await scene.meet('r', (client, id) => new ReadWriteLock(client, '/rw', { style: 'curator', id }).read.acquire());
    assert.ok(
      scene.lines('seen').some((line) => line.includes(' ')),
      'no two readers met',
    );
  });

  test('semaphore: never more than two, the server killed twice', async () => {
    await using scene = await Scene.open(curator);
    await scene.play('semaphore', 50, 2, async (client, name) => {
      const hold = await new Semaphore(client, '/semaphore', 2, { style: 'curator', id: name }).acquire();
      await scene.inside('s', name, undefined, 2000);
      await hold.release();
    });
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.ok(seen.every((line) => line.split(' ').length <= 2));
    await scene.meet('s', (client, id) => new Semaphore(client, '/semaphore', 2, { style: 'curator', id }).acquire());
    assert.ok(
      scene.lines('seen').some((line) => line.includes(' ')),
      'no two met',
    );
  });

  test('leader latch: 200 rounds, the server killed twice: one leads, in the order of coming', async () => {
    await using scene = await Scene.open(curator);
    await scene.play('latch', 50, 2, async (client, name) =>
      held(scene, await new Election(client, '/latch', { style: 'curator', id: name }).campaign(), 'l', name),
    );
    const seen = scene.lines('seen');
    assert.equal(seen.length, 200);
    assert.deepEqual(
      seen.filter((line) => line.includes(' ')),
      [],
    );
    ascending(scene.lines('order'));
  });

  test('counter: each of our changes once, the server killed twice', async () => {
    await using scene = await Scene.open(curator);
    await scene.play('counter', 200, 2, async (client) => {
      await new Counter(client, '/counter', { style: 'curator' }).add(1_000_000);
    });
    const value = await new Counter(scene.clients[0] as Client, '/counter').get();
    assert.equal(value / 1_000_000n, 400n);
    assert.ok(value % 1_000_000n >= 400n); // Curator repeats a change whose answer was lost
  });

  test('queue: each of our items goes to one taker, the server killed twice', async () => {
    await using scene = await Scene.open(curator);
    let made = 0;
    await scene.play('queue', 200, 2, async (client) => {
      const queue = new Queue(client, '/queue', { style: 'curator' });
      await queue.put(`z${made++}`);
      const item = await queue.tryTake();
      if (item !== undefined) scene.note('took', String(item.data));
    });
    const rest = new Queue(scene.clients[0] as Client, '/queue');
    for (let item = await rest.tryTake(); item !== undefined; item = await rest.tryTake())
      scene.note('took', String(item.data));
    scene.allTaken(made);
    assert.equal(made, 400);
  });

  test('double barrier: 200 rounds, the server killed twice: nobody is in before all are', async () => {
    await using scene = await Scene.open(curator);
    await scene.barriers();
  });

  test('group: 200 rounds, the server killed twice: all see each other', async () => {
    await using scene = await Scene.open(curator);
    await scene.groups('group', 'curator', 'j1 j2 z1 z2');
  });
});
