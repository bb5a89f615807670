import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Barrier,
  DoubleBarrier,
  Election,
  type Hold,
  RecipeError,
  Semaphore,
  STYLES,
  standings,
} from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { cutEverywhere, inTime, until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.open();
});
after(() => world[Symbol.asyncDispose]());

const fault = (code: string) => (error: unknown) => error instanceof RecipeError && error.code === code;

for (const style of STYLES) {
  test(`semaphore, ${style}: never more than the limit, in the order of coming, all get in`, async () => {
    const path = `/semaphore/${style}`;
    const clients = await Promise.all(Array.from({ length: 6 }, () => world.client()));
    let [inside, most, done] = [0, 0, 0];
    await Promise.all(
      clients.map(async (client) => {
        for (let round = 0; round < 6; round++) {
          await using _hold = await new Semaphore(client, path, 3, { style }).acquire();
          most = Math.max(most, ++inside);
          await sleep(5);
          // until so many have met as may: where it takes long to come in, one would leave before
          for (let waited = 0; most < 3 && waited < PATIENCE_MS; waited += 5) await sleep(5);
          inside--;
          done++;
        }
      }),
    );
    assert.deepEqual([most, done], [3, 36]);
    const [a] = clients;
    await until('all went', async () => (await standings(a as never, path)).length === 0);
  });

  test(`semaphore, ${style}: who waits is let in by whichever leaves; a killed holder's place is free again`, async () => {
    const path = `/semaphore/free/${style}`;
    const [a, b, c, d] = [await world.client(), await world.client(1500), await world.client(), await world.client()];
    const first = await new Semaphore(a, path, 2, { style }).acquire();
    await new Semaphore(b, path, 2).acquire();
    const third = new Semaphore(c, path, 2).acquire();
    await until('it waits', async () => (await standings(a, path)).length >= 3);
    assert.equal(await Promise.race([third, sleep(50, 'waits')]), 'waits');
    b.wire.freeze();
    await inTime('the third', third);
    const fourth = new Semaphore(d, path, 2, { id: 'd' }).acquire();
    assert.equal(await Promise.race([fourth, sleep(50, 'waits')]), 'waits');
    await assert.rejects(new Semaphore(a, path, 2).acquire({ waitMs: 50 }), fault('TimedOut'));
    await first.release();
    await inTime('the fourth', fourth);
    b.wire.thaw();
  });

  test(`semaphore, ${style}: the connection cut at every step`, async () => {
    const looker = await world.client();
    let round = 0;
    await cutEverywhere(world, async (client, what) => {
      const path = `/semaphore/cut/${style}/${round++}`;
      const hold = await new Semaphore(client, path, 1, { style }).acquire();
      const holding = (await standings(looker, path)).filter(({ state }) => state === 'holding');
      assert.deepEqual(
        holding.map(({ node }) => node),
        [hold.node],
        what,
      );
      await hold.release();
      await until('all went', async () => (await standings(looker, path)).length === 0);
    });
  });

  test(`election, ${style}: one leads, observers see who, the next follows`, async () => {
    const path = `/election/${style}`;
    const [a, b, c] = [await world.client(), await world.client(), await world.client()];
    const seen: (string | undefined)[] = [];
    const stop = new AbortController();
    const observing = (async () => {
      for await (const leader of new Election(c, path).observe(stop.signal)) seen.push(leader?.id);
    })();
    await until('nobody is seen', () => seen.length === 1);
    const first = await new Election(a, path, { style, id: 'one' }).campaign();
    const next = new Election(b, path, { id: 'two' }).campaign();
    await until('both are there', async () => (await standings(c, path)).length === 2);
    assert.equal((await new Election(b, path).leader())?.id, 'one');
    await until('the first is seen', () => seen.includes('one'));
    await first.release();
    const second = await inTime('the second', next);
    assert.ok(second.token > first.token);
    await until('both were seen', () => seen.includes('two'));
    await second.release();
    await until('nobody is seen again', () => seen.length >= 4 && seen.at(-1) === undefined);
    stop.abort();
    await observing;
    assert.deepEqual(
      seen.filter((each, at) => each !== undefined || at === 0 || at === seen.length - 1),
      [undefined, 'one', 'two', undefined],
    );
  });
}

test('semaphore: another limit is refused, and so is another style', async () => {
  const [a, b] = [await world.client(), await world.client()];
  for (const style of ['zoosh', 'kazoo'] as const) {
    await using _hold = await new Semaphore(a, `/limit/${style}`, 2, { style }).acquire();
    await assert.rejects(new Semaphore(b, `/limit/${style}`, 3).acquire(), fault('Conflict'));
    for (const other of STYLES.filter((each) => each !== style))
      await assert.rejects(new Semaphore(b, `/limit/${style}`, 2, { style: other }).acquire(), fault('StyleConflict'));
  }
  await a.create('/limit/empty');
  await (await new Semaphore(a, '/limit/empty', 2).acquire()).release();
  assert.equal((await a.get('/limit/empty')).data?.toString(), '2');
  assert.throws(() => new Semaphore(a, '/limit/x', 0), RangeError);
});

test('election: a Curator LeaderSelector is joined as one', async () => {
  const [a, b] = [await world.client(), await world.client()];
  await a.create('/selector');
  await a.create('/selector/_c_6f2fcf2c-0b0a-4b8f-9a3c-0a1b2c3d4e5f-lock-', 'java', { mode: 'ephemeralSequential' });
  assert.equal(await Promise.race([new Election(b, '/selector').campaign(), sleep(100, 'waits')]), 'waits');
  const all = await standings(a, '/selector');
  assert.deepEqual(
    all.map(({ style, role, state }) => [style, role, state]),
    [
      ['curator', 'lock', 'holding'],
      ['curator', 'lock', 'waiting'],
    ],
  );
});

test('barrier: closed while its node is there, through lost connections', async () => {
  const [a, b] = [await world.client(), await world.client()];
  const gate = new Barrier(a, '/gate/x');
  await gate.set();
  await gate.set();
  const waiting = new Barrier(b, '/gate/x').wait();
  await assert.rejects(new Barrier(b, '/gate/x').wait({ waitMs: 30 }), fault('TimedOut'));
  b.wire.break();
  assert.equal(await Promise.race([waiting, sleep(60, 'waits')]), 'waits');
  b.wire.break();
  assert.equal(await gate.remove(), true);
  await inTime('it opens', waiting);
  assert.equal(await gate.remove(), false);
  await new Barrier(b, '/gate/x').wait();
});

test('double barrier: nobody is in before all are, nobody out before all are; again and again', async () => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => world.client()));
  const barriers = clients.map((client) => new DoubleBarrier(client, '/double', 4));
  for (let round = 0; round < 5; round++) {
    let [came, out] = [0, 0];
    await Promise.all(
      barriers.map(async (barrier, at) => {
        await sleep(at * 3);
        came++;
        await barrier.enter();
        assert.equal(came, 4);
        await sleep(at * 3);
        out++;
        await barrier.leave();
        assert.equal(out, 4);
      }),
    );
  }
  assert.deepEqual((await clients[0]?.getChildren('/double'))?.children, []);
});

test('double barrier: who comes when a round is complete waits for the next; what a dead round left is cleared', async () => {
  const [a, b, c, d] = [await world.client(), await world.client(), await world.client(), await world.client()];
  const one = new DoubleBarrier(a, '/round', 2);
  const two = new DoubleBarrier(b, '/round', 2);
  await Promise.all([one.enter(), two.enter()]);
  const three = new DoubleBarrier(c, '/round', 2);
  const late = three.enter();
  assert.equal(await Promise.race([late, sleep(80, 'waits')]), 'waits');
  await one.depart();
  await b.close(); // without a word
  assert.equal(await Promise.race([late, sleep(80, 'waits')]), 'waits');
  await inTime('the next round', Promise.all([late, new DoubleBarrier(d, '/round', 2).enter()]));
});

test('double barrier: the connection cut at every step', async () => {
  const other = await world.client();
  let round = 0;
  await cutEverywhere(world, async (client, what) => {
    const path = `/double-cut/${round++}`;
    const [mine, theirs] = [new DoubleBarrier(client, path, 2), new DoubleBarrier(other, path, 2)];
    await Promise.all([mine.enter(), theirs.enter()]);
    assert.equal((await other.getChildren(path)).children.filter((name) => name !== 'ready').length, 2, what);
    await Promise.all([mine.leave(), theirs.leave()]);
    assert.deepEqual((await other.getChildren(path)).children, [], what);
  });
});

test('double barrier: beside members of kazoo the first one to leave takes the sign away', async () => {
  const [a, b] = [await world.client(), await world.client()];
  await a.create('/mixed');
  await a.create('/mixed/6f2fcf2c0b0a4b8f9a3c0a1b2c3d4e5f', 'kazoo', { mode: 'ephemeral' });
  const barrier = new DoubleBarrier(b, '/mixed', 2);
  await barrier.enter();
  assert.notEqual(await a.exists('/mixed/ready'), undefined);
  await barrier.depart();
  assert.deepEqual((await a.getChildren('/mixed')).children, ['6f2fcf2c0b0a4b8f9a3c0a1b2c3d4e5f']);
});

test('a lease is lost in time, as a lock is', async () => {
  const [a, b] = [await world.client(1500), await world.client()];
  for (const style of STYLES) {
    const path = `/lease-lost/${style}`;
    const client = style === 'zoosh' ? a : await world.client(1500);
    const hold: Hold = await new Semaphore(client, path, 1, { style }).acquire();
    let lostAt = 0;
    hold.signal.addEventListener('abort', () => {
      lostAt = performance.now();
    });
    const next = new Semaphore(b, path, 1).acquire();
    client.wire.silent = true;
    await inTime('b', next);
    assert.ok(lostAt > 0 && lostAt < performance.now(), style);
    client.wire.silent = false;
  }
});
