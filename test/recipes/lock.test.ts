import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf } from '../../src/base/path.ts';
import {
  Election,
  type Hold,
  KeeperError,
  Lock,
  ReadWriteLock,
  RecipeError,
  STYLES,
  standings,
} from '../../src/index.ts';
import { lateIf, timely } from '../patience.ts';
import { cutEverywhere, inTime, until, type Wired, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.open();
});
after(() => world[Symbol.asyncDispose]());

const fault = (code: string) => (error: unknown) => error instanceof RecipeError && error.code === code;
const NAMES = {
  zoosh: /^[0-9a-f]{16}-lock-\d{10}$/,
  kazoo: /^[0-9a-f]{32}__lock__\d{10}$/,
  curator: /^_c_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-lock-\d{10}$/,
};

for (const style of STYLES)
  test(`${style}: held by one at a time, in the order of coming, tokens grow`, async () => {
    const path = `/fair/${style}`;
    const clients = await Promise.all(Array.from({ length: 5 }, () => world.client()));
    const one = clients[0] as Wired;
    const first = await new Lock(one, path, { style, id: 'first' }).acquire();
    assert.match(nameOf(first.node), NAMES[style]);
    assert.equal((await one.get(first.node)).data?.toString(), 'first');
    const order: number[] = [];
    const tokens = [first.token];
    let inside = 0;
    const waiting = [];
    for (const [at, client] of clients.slice(1).entries()) {
      const children = (await client.getChildren(path)).children.length;
      waiting.push(
        new Lock(client, path).acquire().then(async (hold) => {
          assert.equal(++inside, 1);
          assert.equal(hold.style, style);
          order.push(at);
          tokens.push(hold.token);
          await sleep(3);
          inside--;
          await hold.release();
        }),
      );
      await until('it queues', async () => (await client.getChildren(path)).children.length === children + 1);
    }
    await first.release();
    await Promise.all(waiting);
    assert.deepEqual(order, [0, 1, 2, 3]);
    assert.deepEqual(
      tokens,
      tokens.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    assert.deepEqual((await one.getChildren(path)).children, []);
  });

test('many at once: never two inside, none left out', async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => world.client()));
  let inside = 0;
  let done = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (let round = 0; round < 15; round++) {
        await using _hold = await new Lock(client, '/many').acquire();
        assert.equal(++inside, 1);
        await Promise.resolve();
        inside--;
        done++;
      }
    }),
  );
  assert.equal(done, 90);
});

test('re-entrant in a session: one node, free when all have released', async () => {
  const [client, other] = [await world.client(), await world.client()];
  const lock = new Lock(client, '/again');
  const [first, second] = await Promise.all([lock.acquire(), new Lock(client, '/again').acquire()]);
  const third = await lock.tryAcquire();
  assert.deepEqual([second.node, third?.node], [first.node, first.node]);
  assert.equal((await client.getChildren('/again')).children.length, 1);
  await first.release();
  await first.release();
  assert.equal(first.state, 'released');
  assert.equal(second.state, 'held');
  await third?.release();
  assert.equal(await new Lock(other, '/again').tryAcquire(), undefined);
  await second.release();
  assert.equal((await new Lock(other, '/again').tryAcquire())?.state, 'held');
});

test('who gives up leaves nothing behind, and those behind move up', async () => {
  const [a, b, c] = [await world.client(), await world.client(), await world.client()];
  const hold = await new Lock(a, '/up').acquire();
  await assert.rejects(new Lock(b, '/up').acquire({ waitMs: 50 }), fault('TimedOut'));
  const stop = new AbortController();
  const waiting = new Lock(b, '/up').acquire({ signal: stop.signal });
  await until('it queues', async () => (await a.getChildren('/up')).children.length === 2);
  const behind = new Lock(c, '/up').acquire();
  await until('another queues', async () => (await a.getChildren('/up')).children.length === 3);
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await until('its node went', async () => (await a.getChildren('/up')).children.length === 2);
  assert.equal(await new Lock(b, '/up').tryAcquire(), undefined);
  await hold.release();
  await (await inTime('the next', behind)).release();
  await until('all went', async () => (await a.getChildren('/up')).children.length === 0);
});

test('a second style on one path is refused, whoever says it', async () => {
  const [a, b] = [await world.client(), await world.client()];
  for (const style of STYLES) {
    await using hold = await new Lock(a, '/one', { style }).acquire();
    for (const other of STYLES.filter((each) => each !== style)) {
      await assert.rejects(new Lock(b, '/one', { style: other }).acquire(), fault('StyleConflict'));
      await assert.rejects(new Lock(a, '/one', { style: other }).acquire(), fault('StyleConflict'));
    }
    assert.equal(hold.state, 'held');
    assert.equal((await b.getChildren('/one')).children.length, 1);
  }
  await b.create('/one/0123456789abcdef-lease-', null, { mode: 'ephemeralSequential' });
  await assert.rejects(new Lock(a, '/one').acquire(), fault('StyleConflict'));
});

test('styles that meet on an empty path: the first stays, who may choose follows', async () => {
  const path = '/meet';
  const [a, b, c] = [await world.client(), await world.client(), await world.client()];
  await a.create(path);
  // b has looked at the empty path when kazoo's node comes
  const create = b.create.bind(b);
  let foreign: Hold | undefined;
  b.create = async (...args) => {
    foreign ??= await new Lock(a, path, { style: 'kazoo' }).acquire();
    return create(...args);
  };
  const waiting = new Lock(b, path).acquire();
  await until(
    'it follows',
    async () => (await a.getChildren(path)).children.filter((n) => /__lock__/.test(n)).length === 2,
  );
  await foreign?.release();
  assert.equal((await inTime('b', waiting)).style, 'kazoo');
  await assert.rejects(new Lock(c, path, { style: 'curator' }).acquire(), fault('StyleConflict'));
});

for (const style of STYLES)
  test(`${style}: readers together, writers alone, in the order of coming`, async () => {
    const path = `/rw/${style}`;
    const [a, b, c, d] = [await world.client(), await world.client(), await world.client(), await world.client()];
    const one = await new ReadWriteLock(a, path, { style }).read.acquire();
    const two = await new ReadWriteLock(b, path).read.acquire();
    const writing = new ReadWriteLock(c, path).write.acquire();
    await until('the writer queues', async () => (await a.getChildren(path)).children.length === 3);
    assert.equal(await new ReadWriteLock(d, path).read.tryAcquire(), undefined); // not past the writer
    await one.release();
    assert.equal(await Promise.race([writing, sleep(30, 'waits')]), 'waits');
    await two.release();
    const writer = await inTime('the writer', writing);
    assert.equal(await new ReadWriteLock(d, path).read.tryAcquire(), undefined);
    const own = await new ReadWriteLock(c, path).read.acquire(); // who writes may read
    await writer.release();
    const third = await inTime('a reader', new ReadWriteLock(d, path).read.acquire());
    await assert.rejects(new ReadWriteLock(d, path).write.acquire(), fault('WouldDeadlock'));
    await Promise.all([own.release(), third.release()]);
    await (await new ReadWriteLock(a, path).write.acquire()).release();
    await until('all went', async () => (await a.getChildren(path)).children.length === 0);
  });

for (const style of STYLES)
  test(`${style}: the connection cut at every step: held once, nothing left behind`, async () => {
    const looker = await world.client();
    let round = 0;
    const cuts = await cutEverywhere(world, async (client, what) => {
      const path = `/cut/${style}/${round++}`;
      const hold = await new Lock(client, path, { style }).acquire();
      assert.equal((await looker.getChildren(path)).children.length, 1, what);
      assert.notEqual(hold.state, 'lost', what);
      await hold.release();
      assert.deepEqual((await looker.getChildren(path)).children, [], what);
    });
    assert.ok(cuts > 10, String(cuts));
  });

test('the connection of a waiter cut at every step: it gets its turn all the same', async () => {
  const holder = await world.client();
  let round = 0;
  await cutEverywhere(world, async (client, what) => {
    const path = `/cut-waiter/${round++}`;
    const hold = await new Lock(holder, path).acquire();
    const waiting = new Lock(client, path).acquire();
    await sleep(60);
    await hold.release();
    const next = await waiting;
    assert.equal((await holder.getChildren(path)).children.length, 1, what);
    await next.release();
    assert.deepEqual((await holder.getChildren(path)).children, [], what);
  });
});

test('a lost connection suspends, a new one brings it back; waiters stay outside', async () => {
  const [a, b] = [await world.client(3000), await world.client()];
  const hold = await new Lock(a, '/back').acquire();
  const told: string[] = [];
  hold.onChange((state) => told.push(state));
  const waiting = new Lock(b, '/back').acquire();
  a.wire.break();
  await until('held again', () => told.includes('held'));
  assert.deepEqual(told, ['suspended', 'held']);
  assert.equal(await Promise.race([waiting, sleep(20, 'waits')]), 'waits');
  await hold.release();
  await waiting;
});

test('a holder that is cut off knows before anybody else is in', () =>
  timely(async (round) => {
    const [a, b] = [await world.client(2000), await world.client()];
    const path = `/off${round}`;
    const hold = await new Lock(a, path).acquire();
    let lostAt = 0;
    hold.signal.addEventListener('abort', () => {
      lostAt = performance.now();
    });
    const waiting = new Lock(b, path).acquire();
    await until('b queues', async () => (await b.getChildren(path)).children.length === 2);
    await sleep(900); // it is proven again and again meanwhile
    const early = hold.state;
    const cutAt = performance.now();
    a.wire.silent = true;
    const next = await inTime('b', waiting);
    const inAt = performance.now();
    assert.ok(lostAt > 0 && lostAt < inAt, `lost at ${lostAt}, next at ${inAt}`);
    assert.equal(hold.state, 'lost');
    assert.ok(hold.signal.reason instanceof RecipeError && hold.signal.reason.code === 'Lost');
    assert.ok(next.token > hold.token);
    a.wire.silent = false;
    await hold.release();
    await next.release();
    // 90 % of the timeout are believed
    return lateIf(early !== 'held' || lostAt - cutAt > 1950, `${early}, and lost after ${lostAt - cutAt} ms`);
  }));

test('a paused holder says that it is lost the moment it runs again, before it has heard anything', async () => {
  const [a, b] = [await world.client(1500), await world.client()];
  const hold = await new Lock(a, '/paused').acquire();
  const waiting = new Lock(b, '/paused').acquire();
  a.wire.freeze();
  const next = await inTime('b', waiting);
  assert.equal(hold.state, 'lost');
  assert.ok(next.token > hold.token); // what is protected refuses the smaller one
  a.wire.thaw();
  await until('a knows', () => a.state === 'expired');
  await assert.rejects(new Lock(a, '/paused').acquire(), (error) => (error as KeeperError).code === 'SessionExpired');
});

test('a killed holder and a deleted node: the next is let in, the holder is told', async () => {
  // b asks for its node every 400 ms
  const [a, b, c] = [await world.client(1500), await world.client(2000), await world.client()];
  await new Lock(a, '/killed').acquire();
  const next = new Lock(b, '/killed').acquire();
  a.wire.freeze(); // as if it were not there any more
  const hold = await inTime('b', next);
  const last = new Lock(c, '/killed').acquire();
  await until('c queues', async () => (await c.getChildren('/killed')).children.length === 2);
  await c.delete(hold.node);
  await inTime('c', last);
  await until('b is told', () => hold.state === 'lost');
  a.wire.thaw();
});

test('whose node is deleted is told at once, not by the next proof', async () => {
  const other = await world.client();
  await timely(async (round) => {
    const holder = await world.client(); // asks for its node every 6 s
    const hold = await new Lock(holder, `/deleted/${round}`).acquire();
    await holder.set(hold.node, 'other data'); // and is still watched
    await holder.get(hold.node);
    const began = performance.now();
    await other.delete(hold.node);
    await until('the holder is told', () => hold.state === 'lost');
    const took = performance.now() - began;
    assert.match((hold.signal.reason as Error).message, /its node was deleted/);
    await holder.close();
    return lateIf(took > 3000, `told after ${took.toFixed(0)} ms`);
  });
});

test('a hold that was released leaves no watch behind', async () => {
  const client = await world.client();
  for (let at = 0; at < 20; at++) await (await new Lock(client, '/released').acquire()).release();
  await client.sync('/');
  await until('no watch is left', () => client.watches().length === 0);
});

test('a session that ends while waiting rejects', async () => {
  const [a, b] = [await world.client(), await world.client(1500)];
  await using _hold = await new Lock(a, '/ended').acquire();
  const waiting = new Lock(b, '/ended').acquire();
  await until('b queues', async () => (await a.getChildren('/ended')).children.length === 2);
  b.wire.silent = true;
  await assert.rejects(
    inTime('it', waiting),
    (error) => error instanceof KeeperError && error.code === 'SessionExpired',
  );
  b.wire.silent = false;
});

test('a waiter whose node was taken away queues again', async () => {
  const [a, b] = [await world.client(), await world.client()];
  const hold = await new Lock(a, '/taken').acquire();
  const waiting = new Lock(b, '/taken').acquire();
  const names = async () => (await a.getChildren('/taken')).children;
  await until('b queues', async () => (await names()).length === 2);
  const own = (await names()).find((name) => name !== nameOf(hold.node)) as string;
  await a.delete(`/taken/${own}`);
  await hold.release();
  const next = await inTime('b', waiting);
  assert.notEqual(nameOf(next.node), own);
});

for (const style of STYLES)
  test(`${style}: who writes reads at once, also when another writer waits, and goes on reading in front of it`, async () => {
    const path = `/downgrade/${style}`;
    const [a, b, c] = [await world.client(), await world.client(), await world.client()];
    const writer = await new ReadWriteLock(a, path, { style }).write.acquire();
    const next = new ReadWriteLock(b, path).write.acquire();
    await until('the next one queues', async () => (await a.getChildren(path)).children.length === 2);
    const reader = await inTime('the reader', new ReadWriteLock(a, path).read.acquire());
    const again = await new ReadWriteLock(a, path).read.tryAcquire();
    assert.equal(again?.node, reader.node);
    await again?.release();
    assert.equal(reader.token, writer.token); // the next one's must be greater, and its node is there already
    const readers = standings(c, path).then((all) => all.filter(({ role }) => role === 'read'));
    assert.deepEqual(
      (await readers).map(({ state, node }) => [state, node]),
      [['holding', reader.node]],
    );
    await writer.release();
    assert.equal(await new ReadWriteLock(c, path).write.tryAcquire(), undefined);
    assert.equal(await Promise.race([next, sleep(50, 'waits')]), 'waits');
    assert.equal(reader.state, 'held');
    await new ReadWriteLock(a, path).read.acquire().then((hold) => hold.release());
    await reader.release();
    const written = await inTime('the next', next);
    assert.ok(written.token > reader.token);
    await written.release();
  });

test('a reader that waited before its session came to write is let in then; one whose writer went is not', async () => {
  const path = '/came-to-write';
  const [a, b] = [await world.client(), await world.client()];
  const first = await new ReadWriteLock(b, path).write.acquire();
  const names = async () => (await b.getChildren(path)).children;
  const writing = new ReadWriteLock(a, path).write.acquire();
  await until('it queues', async () => (await names()).length === 2);
  const early = new ReadWriteLock(a, path).read.acquire();
  await until('it queues, too', async () => (await names()).length === 3);
  await first.release();
  const writer = await inTime('the writer', writing);
  const reader = await inTime('a reader', new ReadWriteLock(a, path).read.acquire());
  await writer.release();
  await reader.release();
  await (await inTime('the early one', early)).release();

  // the writer's node goes just before the reader's comes, and another one is in
  const lost = await new ReadWriteLock(a, path).write.acquire();
  const create = a.create.bind(a);
  let taken: Promise<Hold> | undefined;
  a.create = async (...args) => {
    if (taken === undefined) {
      await b.delete(lost.node);
      taken = new ReadWriteLock(b, path).write.acquire();
      await taken;
    }
    return create(...args);
  };
  const late = new ReadWriteLock(a, path).read.acquire();
  assert.equal(await Promise.race([late, sleep(100, 'waits')]), 'waits');
  await (await taken)?.release();
  await (await inTime('it', late)).release();
});

test('what a session holds as one recipe it does not wait for as another', async () => {
  const client = await world.client();
  const path = '/kinds';
  const { read, write } = new ReadWriteLock(client, path);
  const lock = new Lock(client, path);
  const election = new Election(client, path);
  for (const [held, others] of [
    [() => lock.acquire(), [() => write.acquire(), () => read.acquire(), () => election.campaign()]],
    [() => write.acquire(), [() => lock.acquire(), () => election.campaign()]],
    [() => read.acquire(), [() => lock.acquire(), () => write.acquire()]],
    [() => election.campaign(), [() => lock.acquire(), () => lock.tryAcquire()]],
  ] as const) {
    const hold = await held();
    for (const other of others) await assert.rejects(inTime('it', other(), 5000), fault('WouldDeadlock'));
    assert.equal(hold.state, 'held');
    await hold.release();
  }
});

test('a listener that throws is an error of the program, and changes nothing of the hold', async () => {
  const client = await world.client(1500);
  const hold = await new Lock(client, '/listener').acquire();
  const errors: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => errors.push(error));
  try {
    const told: string[] = [];
    hold.onChange((state) => {
      throw new Error(`at ${state}`);
    });
    hold.onChange((state) => told.push(state));
    client.wire.break();
    await until('it is held again', () => told.includes('held'));
    assert.equal(hold.state, 'held');
    client.wire.silent = true;
    await until('it is lost', () => hold.state === 'lost');
    assert.ok(hold.signal.aborted);
    assert.equal(told.at(-1), 'lost');
    await until('it is told', () => errors.length >= told.length);
    assert.match(String(errors[0]), /at suspended/);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
    client.wire.silent = false;
  }
});

test('a folder without numbers left: one at a time, in the order of coming, by what the servers do then', async () => {
  // Apache's 3.8, asked with its counter set near the end: the last number again and again, negative ones for those in flight
  const numbers = ['2147483647', '2147483647', '-2147483648', '-2147483647', '2147483647'];
  let made = 0;
  const clients = await Promise.all(Array.from({ length: 5 }, () => world.client()));
  for (const client of clients) {
    const create = client.create.bind(client);
    client.create = (path, data, options = {}) =>
      options.mode === 'ephemeralSequential'
        ? create(path + numbers[made++ % numbers.length], data, { ...options, mode: 'ephemeral' })
        : create(path, data, options);
  }
  const [first] = clients as [Wired];
  for (const [style, path] of STYLES.map((each) => [each, `/spent/${each}`] as const)) {
    let inside = 0;
    const tokens: bigint[] = [];
    const leaders: unknown[] = [];
    await Promise.all(
      clients.map(async (client, at) => {
        for (let round = 0; round < 5; round++) {
          await using hold = await new Election(client, path, { style, id: `${at}` }).campaign();
          assert.equal(++inside, 1);
          tokens.push(hold.token);
          leaders.push((await new Election(first, path).leader())?.id === `${at}`);
          assert.equal((await standings(first, path))[0]?.node, hold.node);
          inside--;
        }
      }),
    );
    assert.equal(tokens.length, 25);
    assert.deepEqual(
      tokens,
      tokens.toSorted((a, b) => (a < b ? -1 : 1)),
    );
    assert.ok(leaders.every((each) => each === true));
    await until('all went', async () => (await first.getChildren(path)).children.length === 0);
  }
});
