import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { connect } from '../../src/client/connect.ts';
import {
  Counter,
  DoubleBarrier,
  Election,
  Group,
  KeeperError,
  Lock,
  LockingQueue,
  Queue,
  RecipeError,
  RequestError,
  Semaphore,
  STYLES,
} from '../../src/index.ts';
import { cutEverywhere, inTime, until, Wire, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.open();
});
after(() => world[Symbol.asyncDispose]());

const fault = (code: string) => (error: unknown) => error instanceof RecipeError && error.code === code;
const NAMES = { zoosh: /^item-100-\d{10}$/, kazoo: /^entry-100-\d{10}$/, curator: /^qn-\d{10}$/ };
const text = (item: { data: Buffer | null } | undefined): string | undefined => item?.data?.toString();

for (const style of STYLES) {
  test(`queue, ${style}: first in, first out, each item to one of many takers`, async () => {
    const path = `/queue/${style}`;
    const clients = await Promise.all(Array.from({ length: 4 }, () => world.client()));
    const [first] = clients;
    const queue = new Queue(first as never, path, { style });
    for (let at = 0; at < 40; at++) await queue.put(`item ${at}`);
    const names = (await first?.getChildren(path))?.children ?? [];
    assert.ok(names.every((name) => NAMES[style].test(name) || name.startsWith('op-')));
    assert.equal(text(await queue.peek()), 'item 0');
    assert.equal(await queue.length(), 40);
    const taken: string[] = [];
    await Promise.all(
      clients.map(async (client) => {
        const own = new Queue(client, path);
        const mine: number[] = [];
        for (let item = await own.tryTake(); item !== undefined; item = await own.tryTake()) {
          mine.push(Number(text(item)?.slice(5)));
          taken.push(text(item) as string);
        }
        assert.deepEqual(
          mine,
          mine.toSorted((a, b) => a - b),
        );
      }),
    );
    assert.equal(new Set(taken).size, 40);
    assert.equal(taken.length, 40);
    const waiting = new Queue(first as never, path).take();
    await sleep(20);
    await new Queue(clients[1] as never, path, { style }).put('late');
    assert.equal(text(await inTime('it', waiting)), 'late');
    await assert.rejects(queue.take({ waitMs: 30 }), fault('TimedOut'));
    await until(
      'markers are gone',
      async () => (await first?.getChildren('/queue'))?.children.every((n) => !/op-/.test(n)) === true,
    );
  });

  test(`queue, ${style}: the connection cut at every step: put once, taken once`, async () => {
    const looker = await world.client();
    let round = 0;
    await cutEverywhere(world, async (client, what) => {
      const path = `/queue/cut/${style}/${round++}`;
      const queue = new Queue(client, path, { style });
      await queue.put('one');
      await queue.put('two');
      const other = new Queue(looker, path, { style });
      assert.equal(await other.length(), 2, what);
      assert.equal(text(await queue.take()), 'one', what);
      assert.equal(await other.length(), 1, what);
      assert.equal(text(await queue.take()), 'two', what);
      assert.equal(await other.length(), 0, what);
    });
  });
}

test('queue: priorities, and what does not go together', async () => {
  const client = await world.client();
  const queue = new Queue(client, '/rank');
  for (const priority of [500, 7, 100]) await queue.put(`p${priority}`, { priority });
  assert.deepEqual([text(await queue.tryTake()), text(await queue.tryTake())], ['p7', 'p100']);
  await assert.rejects(queue.put('x', { priority: 1000 }), RangeError);
  await assert.rejects(new Queue(client, '/rank2', { style: 'curator' }).put('x', { priority: 1 }), fault('Conflict'));
  await assert.rejects(new Queue(client, '/rank', { style: 'kazoo' }).put('x'), fault('StyleConflict'));
  await new LockingQueue(client, '/rank3').put('x');
  await assert.rejects(new Queue(client, '/rank3').put('x'), fault('StyleConflict'));
});

test('queue: a session that ends in doubt says that the outcome is unknown', async () => {
  const client = await world.client(1500);
  const queue = new Queue(client, '/doubt');
  await queue.put('first');
  const { wire } = client;
  wire.cut = { at: wire.writes + 2, how: 'unanswered' };
  const putting = queue.put('second');
  await until('the cut', () => wire.cuts === 1);
  wire.silent = true;
  await assert.rejects(
    inTime('it', putting),
    (error) =>
      error instanceof KeeperError &&
      error.code === 'ConnectionLoss' &&
      /SessionExpired|expired/.test(String(error.cause)),
  );
  wire.silent = false;
});

test('locking queue: an item stays until the work is done, and comes back when the worker dies', async () => {
  const [a, b] = [await world.client(), await world.client(1500)];
  const queue = new LockingQueue(a, '/jobs');
  for (const item of ['one', 'two', 'three']) await queue.put(item);
  await queue.put('soon', { priority: 1 });
  const soon = await queue.take();
  assert.equal(text(soon), 'soon');
  await soon.consume();
  await assert.rejects(soon.consume(), fault('Lost'));
  const dying = await new LockingQueue(b, '/jobs').take();
  assert.equal(text(dying), 'one');
  const two = await queue.take();
  assert.equal(text(two), 'two');
  await two.release();
  assert.equal(text(await queue.tryTake()), 'two');
  b.wire.freeze();
  await until('one is back', async () => (await a.getChildren('/jobs/taken')).children.length === 1);
  const again = await queue.take();
  assert.equal(text(again), 'one');
  assert.ok(again.hold.token > dying.hold.token);
  await assert.rejects(dying.consume(), fault('Lost')); // it has been paused, and knows by its clock
  b.wire.thaw();
  await again.consume();
  assert.equal(await queue.length(), 2);
  assert.equal(text(await queue.take()), 'three');
  assert.equal(await queue.tryTake(), undefined);
  await assert.rejects(queue.take({ waitMs: 30 }), fault('TimedOut'));
});

test('locking queue: the connection cut at every step', async () => {
  const looker = await world.client();
  let round = 0;
  await cutEverywhere(world, async (client, what) => {
    const path = `/work-cut/${round++}`;
    const queue = new LockingQueue(client, path);
    await queue.put('one');
    assert.equal(await new LockingQueue(looker, path).length(), 1, what);
    const taken = await queue.take();
    assert.equal(await new LockingQueue(looker, path).tryTake(), undefined, what);
    await taken.consume();
    assert.equal(await new LockingQueue(looker, path).length(), 0, what);
    await until('nothing is left', async () => (await looker.getChildren(`${path}/taken`)).children.length === 0);
  });
});

test('counter: many at once, none lost', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => world.client()));
  await Promise.all(
    clients.map(async (client) => {
      for (let round = 0; round < 15; round++) await new Counter(client, '/count/er').add(2);
    }),
  );
  const [a] = clients;
  const counter = new Counter(a as never, '/count/er');
  assert.equal(await counter.get(), 120n);
  assert.equal(await counter.add(-21), 99n);
  assert.equal(await counter.set(2n ** 70n), 2n ** 70n);
  assert.equal(await counter.get(), 2n ** 70n);
  assert.equal(await new Counter(a as never, '/count/none').get(), 0n);
});

test('counter: the connection cut at every step: every change once', async () => {
  const looker = await world.client();
  let round = 0;
  await cutEverywhere(world, async (client, what) => {
    const path = `/count-cut/${round++}`;
    const counter = new Counter(client, path);
    assert.equal(await counter.add(5), 5n, what);
    assert.equal(await new Counter(looker, path).add(10), 15n, what);
    assert.equal(await counter.add(-1), 14n, what);
    assert.equal(await new Counter(looker, path).get(), 14n, what);
  });
});

test('counter: text, and the integers of Curator', async () => {
  const client = await world.client();
  const java = Buffer.alloc(4);
  java.writeInt32BE(-3);
  await client.create('/int', java);
  assert.equal(await new Counter(client, '/int').add(10), 7n);
  assert.deepEqual([...((await client.get('/int')).data ?? [])], [0, 0, 0, 7]);
  const long = Buffer.alloc(8);
  long.writeBigInt64BE(2n ** 40n);
  await client.create('/long', long);
  assert.equal(await new Counter(client, '/long').add(1), 2n ** 40n + 1n);
  await assert.rejects(new Counter(client, '/int').set(2n ** 31n), fault('Conflict'));
  await assert.rejects(new Counter(client, '/int', { style: 'kazoo' }).get(), fault('StyleConflict'));
  await client.create('/four', '1234');
  assert.equal(await new Counter(client, '/four').get(), 1234n);
  await client.create('/word', 'word!');
  await assert.rejects(new Counter(client, '/word').get(), fault('Conflict'));
  assert.equal(await new Counter(client, '/new', { style: 'curator' }).add(1), 1n);
  assert.equal((await client.get('/new')).data?.length, 4);
});

test('a chroot that is not there: every recipe says so, and none tries for ever', async () => {
  const wire = new Wire();
  const client = await connect(
    `${world.server.connectString}/none`,
    {},
    { clock: wire.clock, dialer: wire, random: seededRandom(1) },
  );
  const work: Record<string, () => Promise<unknown>> = {
    lock: () => new Lock(client, '/l').acquire(),
    election: () => new Election(client, '/e').campaign(),
    semaphore: () => new Semaphore(client, '/s', 1).acquire(),
    counter: () => new Counter(client, '/c').add(1),
    queue: () => new Queue(client, '/q').put('x'),
    'queue, taken from': () => new Queue(client, '/q').take(),
    'locking queue': () => new LockingQueue(client, '/lq').put('x'),
    barrier: () => new DoubleBarrier(client, '/b', 1).enter(),
    group: () => new Group(client, '/g').join('one'),
  };
  try {
    for (const [name, each] of Object.entries(work)) {
      const before = wire.writes;
      const isFault = (error: unknown): boolean => error instanceof KeeperError && error.code === 'NoNode';
      await assert.rejects(inTime(name, each()), isFault, name);
      assert.ok(wire.writes - before < 10, `${name}: ${wire.writes - before} requests`);
    }
  } finally {
    await client.close();
  }
});

test('what an item cannot be is told by its own name, by no number of what the recipe asks for besides', async () => {
  const client = await world.client();
  for (const queue of [new Queue(client, '/queue/wrong'), new LockingQueue(client, '/queue/wrong-locking')])
    await assert.rejects(queue.put({ a: 1 } as never), (error: Error) => {
      assert.match(error.message, /^data: /);
      return error instanceof RequestError && error.code === 'BadArguments';
    });
});
