/** Whoever waits: while what it looks at goes away, while there is no connection, and without leaving watches behind. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Barrier,
  type Client,
  ConfigCache,
  DoubleBarrier,
  Election,
  Group,
  Lock,
  LockingQueue,
  Queue,
  RecipeError,
  Semaphore,
  STYLES,
} from '../../src/index.ts';
import { inTime, until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.openPatient();
});
after(() => world[Symbol.asyncDispose]());

const fault = (code: string) => (error: unknown) => error instanceof RecipeError && error.code === code;

test('the folder goes while somebody waits, as empty containers do: what comes after is had and seen all the same', async () => {
  const [a, b] = [await world.client(), await world.client()];
  for (const style of STYLES) {
    const path = `/went-${style}`;
    const taking = new Queue(a, path, { style }).take();
    await until('it waits', () => a.watches().some((watch) => watch.path === path));
    await b.delete(path);
    await until('it is there again', async () => (await b.exists(path)) !== undefined);
    await new Queue(b, path, { style }).put('late');
    assert.equal((await inTime(path, taking)).data?.toString(), 'late');

    const seen: number[] = [];
    const stop = new AbortController();
    const group = `/members-${style}`;
    const observing = (async () => {
      for await (const members of new Group(a, group, { style }).observe(stop.signal)) seen.push(members.length);
    })();
    await until('nobody is seen', () => seen.length === 1);
    await b.delete(group);
    await until('nobody is seen again', () => seen.length === 2);
    await new Group(b, group, { style }).join('one');
    await until('one is seen', () => seen.at(-1) === 1);
    stop.abort();
    await observing;
  }

  const work = new LockingQueue(a, '/went-work').take();
  await until('it waits', () => a.watches().some(({ path }) => path === '/went-work/taken'));
  await b.transaction().delete('/went-work/entries').delete('/went-work/taken').delete('/went-work').commit();
  await until('it is there again', async () => (await b.exists('/went-work/taken')) !== undefined);
  await new LockingQueue(b, '/went-work').put('late');
  assert.equal((await inTime('the worker', work)).data?.toString(), 'late');

  const double = new DoubleBarrier(a, '/went-double', 2);
  const entering = double.enter();
  entering.catch(() => {}); // heard below
  await until('it waits', () => a.watches().some(({ path }) => path === '/went-double'));
  const [name] = (await b.getChildren('/went-double')).children;
  await b.transaction().delete(`/went-double/${name}`).delete('/went-double').commit();
  await assert.rejects(inTime('the member', entering), fault('Lost'));
  const again = new DoubleBarrier(a, '/went-double', 1);
  await again.enter();
  const [own] = (await b.getChildren('/went-double')).children;
  await b.transaction().delete(`/went-double/${own}`).delete('/went-double/ready').delete('/went-double').commit();
  await inTime('it leaves', again.leave());
});

test('without a connection: whoever waits gives up when it is told to, and when the time is up', async () => {
  const client = await world.client();
  const inside = new DoubleBarrier(client, '/offline/inside', 1);
  await inside.enter();
  client.wire.silent = true;
  client.wire.break();
  await until('it is gone', () => client.state === 'suspended');
  const walk = async (all: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of all);
  };
  const late: readonly (readonly [string, (waitMs: number) => Promise<unknown>])[] = [
    ['lock', (waitMs) => new Lock(client, '/offline/a').acquire({ waitMs })],
    ['semaphore', (waitMs) => new Semaphore(client, '/offline/b', 2).acquire({ waitMs })],
    ['election', (waitMs) => new Election(client, '/offline/c').campaign({ waitMs })],
    ['queue', (waitMs) => new Queue(client, '/offline/d').take({ waitMs })],
    ['locking queue', (waitMs) => new LockingQueue(client, '/offline/e').take({ waitMs })],
    ['barrier', (waitMs) => new Barrier(client, '/offline/f').wait({ waitMs })],
    ['double barrier', (waitMs) => new DoubleBarrier(client, '/offline/g', 2).enter({ waitMs })],
    ['double barrier, leaving', (waitMs) => inside.leave({ waitMs })],
  ];
  await Promise.all(late.map(([name, wait]) => assert.rejects(inTime(name, wait(50), 5000), fault('TimedOut'), name)));
  const stop = new AbortController();
  const silent: readonly (readonly [string, Promise<unknown>])[] = [
    ['who leads', walk(new Election(client, '/offline/c').observe(stop.signal))],
    ['who is there', walk(new Group(client, '/offline/h').observe(stop.signal))],
  ];
  const opening = ConfigCache.open(client, '/offline/i', { signal: stop.signal });
  opening.catch(() => {}); // heard below
  await sleep(20);
  stop.abort(new Error('enough'));
  for (const [name, observing] of silent) await inTime(name, observing, 5000);
  await assert.rejects(inTime('the cache', opening, 5000), /enough/);
  client.wire.silent = false;
  await until('it left all the same', async () => (await client.getChildren('/offline/inside')).children.length === 0);
});

/** How many functions the client of a recipe was given for watches. */
function counting(client: Client): { readonly client: Client; readonly given: ReadonlySet<unknown> } {
  const given = new Set<unknown>();
  const count = (name: 'get' | 'exists' | 'getChildren') => {
    const plain = client[name].bind(client) as (path: string, options?: { watch?: unknown }) => unknown;
    return (path: string, options?: { watch?: unknown }) => {
      if (options?.watch !== undefined) given.add(options.watch);
      return plain(path, options);
    };
  };
  const counted = { get: count('get'), exists: count('exists'), getChildren: count('getChildren') };
  const proxy = new Proxy(client, {
    get(target, name) {
      if (Object.hasOwn(counted, name)) return counted[name as keyof typeof counted];
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { client: proxy, given };
}

test('who comes again and again for a short while leaves one watch behind, not one each time', async () => {
  const [a, b] = [await world.client(), await world.client()];
  const hold = await new Lock(a, '/poll/lock').acquire();
  await a.create('/poll/gate');
  const { client, given } = counting(b);
  for (let round = 0; round < 20; round++) {
    await assert.rejects(new Queue(client, '/poll/queue').take({ waitMs: 5 }), fault('TimedOut'));
    await assert.rejects(new Lock(client, '/poll/lock').acquire({ waitMs: 5 }), fault('TimedOut'));
    await assert.rejects(new Barrier(client, '/poll/gate').wait({ waitMs: 5 }), fault('TimedOut'));
  }
  assert.ok(given.size <= 3, `${given.size} functions`);
  // and each of them still tells whoever waits then
  const waiting = [new Queue(client, '/poll/queue').take(), new Lock(client, '/poll/lock').acquire()] as const;
  const opening = new Barrier(client, '/poll/gate').wait();
  await sleep(30);
  await new Queue(a, '/poll/queue').put('x');
  await hold.release();
  await new Barrier(a, '/poll/gate').remove();
  const [, next] = await inTime('all', Promise.all([...waiting, opening]));
  await next.release();
});

test('who was in front and went before it is looked at leaves no watch that never tells', async () => {
  const [a, b] = [await world.client(), await world.client()];
  for (let round = 0; round < 10; round++) {
    const hold = await new Lock(a, '/passing').acquire();
    // it goes between the list and the look at it
    const list = b.getChildren.bind(b);
    b.getChildren = async (...args) => {
      const found = await list(...args);
      if (found.children.length === 2) await hold.release();
      return found;
    };
    await (await inTime('b', new Lock(b, '/passing').acquire())).release();
    b.getChildren = list;
  }
  assert.deepEqual(b.watches(), []);
});

for (const style of STYLES)
  test(`semaphore, ${style}: its folders go while somebody waits: it gets its lease all the same`, async () => {
    const [a, b] = [await world.client(), await world.client()];
    const path = `/went-semaphore-${style}`;
    const first = await new Semaphore(a, path, 1, { style }).acquire();
    const second = new Semaphore(b, path, 1, { style }).acquire();
    second.catch(() => {}); // heard below
    await until('it waits', () => b.watches().length > 0);
    await sleep(50);
    const { children } = await a.getChildren(path);
    const all = await Promise.all(
      children.map(async (name) =>
        (await a.getChildren(`${path}/${name}`)).children.map((below) => `${name}/${below}`),
      ),
    );
    const change = a.transaction();
    for (const name of [...all.flat(), ...children]) change.delete(`${path}/${name}`);
    await change.delete(path).commit();
    const hold = await inTime('the second', second);
    assert.equal(hold.state, 'held');
    await first.release();
    await hold.release();
  });

test('semaphore: data that is no limit is refused, since nobody could go by it', async () => {
  const client = await world.client();
  for (const style of ['zoosh', 'kazoo'] as const) {
    await client.create(`/no-limit-${style}`, 'hello');
    await assert.rejects(new Semaphore(client, `/no-limit-${style}`, 2, { style }).acquire(), fault('Conflict'));
  }
});

test('who is in front by a node that may not be read is waited for, and its end is heard', async () => {
  const [a, b] = [await world.client(), await world.client()];
  await a.create('/unreadable');
  await a.addAuth('digest', 'me:secret');
  const hold = await new Lock(a, '/unreadable', { acl: [{ perms: 31, scheme: 'auth', id: '' }] }).acquire();
  await assert.rejects(b.get(hold.node), (error) => (error as { code?: string }).code === 'NoAuth');
  const waiting = new Lock(b, '/unreadable').acquire();
  assert.equal(await Promise.race([waiting, sleep(50, 'waits')]), 'waits');
  await hold.release();
  await (await inTime('the next', waiting)).release();
});
