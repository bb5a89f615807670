/** Each recipe, with the connection broken at each of its steps. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Barrier, Counter, Election, standings } from '../../src/index.ts';
import { HOLDERS, SOME } from './kinds.ts';
import { cutEverywhere, PATIENT_MS, until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.openPatient();
});
after(() => world[Symbol.asyncDispose]());

describe('the connection cut at every step', { concurrency: true }, () => {
  for (const style of SOME)
    for (const [name, acquire] of HOLDERS.slice(1)) {
      test(`${name}, ${style}: held once, nothing left behind`, async () => {
        const looker = await world.client(PATIENT_MS);
        let round = 0;
        const cuts = await cutEverywhere(world, async (client, what) => {
          const path = `/${name}/${style}/${round++}`;
          const hold = await acquire(client, path, style);
          const holding = (await standings(looker, path)).filter(({ state }) => state === 'holding');
          assert.deepEqual(
            holding.map(({ node }) => node),
            [hold.node],
            what,
          );
          await hold.release();
          await until(what, async () => (await standings(looker, path)).length === 0);
        });
        assert.ok(cuts >= 10, String(cuts));
      });
    }
  for (const style of SOME)
    for (const [name, acquire] of HOLDERS.filter(([name]) => name !== 'reader'))
      test(`${name}, ${style}: who waits gets its turn all the same`, async () => {
        const holder = await world.client(PATIENT_MS);
        let round = 0;
        await cutEverywhere(world, async (client, what) => {
          const path = `/waiting/${name}/${style}/${round++}`;
          const hold = await acquire(holder, path, style);
          const waiting = acquire(client, path, style);
          await sleep(60);
          await hold.release();
          const next = await waiting;
          const holding = (await standings(holder, path)).filter(({ state }) => state === 'holding');
          assert.deepEqual(
            holding.map(({ node }) => node),
            [next.node],
            what,
          );
          await next.release();
          await until(`${what}: all went`, async () => (await standings(holder, path)).length === 0);
        });
      });

  test('barrier: closed, waited for, opened', async () => {
    const looker = await world.client(PATIENT_MS);
    let round = 0;
    await cutEverywhere(world, async (client, what) => {
      const gate = new Barrier(client, `/gate/${round++}`);
      await gate.set();
      assert.notEqual(await looker.exists(gate.path), undefined, what);
      const waiting = gate.wait();
      assert.equal(await gate.remove(), true, what);
      await waiting;
      assert.equal(await looker.exists(gate.path), undefined, what);
    });
  });

  test('counter, curator: every change once', async () => {
    let round = 0;
    await cutEverywhere(world, async (client, what) => {
      const counter = new Counter(client, `/integer/${round++}`, { style: 'curator' });
      assert.equal(await counter.add(5), 5n, what);
      assert.equal(await counter.set(7), 7n, what);
      assert.equal(await counter.add(-9), -2n, what);
    });
  });

  test('election: an observer sees who leads', async () => {
    const candidate = await world.client(PATIENT_MS);
    let round = 0;
    await cutEverywhere(world, async (client, what) => {
      const path = `/observed/${round++}`;
      const seen: (string | undefined)[] = [];
      const stop = new AbortController();
      const observing = (async () => {
        for await (const leader of new Election(client, path).observe(stop.signal)) seen.push(leader?.id);
      })();
      const hold = await new Election(candidate, path, { id: 'one' }).campaign();
      await until(`${what}: it is seen`, () => seen.at(-1) === 'one');
      await hold.release();
      await until(`${what}: it is seen to go`, () => seen.at(-1) === undefined);
      stop.abort();
      await observing;
    });
  });
});
