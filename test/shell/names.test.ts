/** Names of many children, packed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import type { Client, Stat } from '../../src/client/api.ts';
import { descending } from '../../src/commands/ls-order.ts';
import { Packed, queueOf } from '../../src/shell/names.ts';
import { walkNodes } from '../../src/shell/walk.ts';
import { amount } from '../amount.ts';
import { lateIf, timely } from '../patience.ts';

const NAMES = Array.from({ length: 12_345 }, (_, at) => (at % 1000 === 7 ? `ü${at}€😀` : at % 7 === 0 ? '' : `n${at}`));

test('names come out as they went in, one by one and from the back', async () => {
  for (const count of [0, 1, 5000, 5001, 12_345]) {
    const names = NAMES.slice(0, count);
    const queue = await queueOf(names);
    const out: string[] = [];
    assert.equal(queue.left, count);
    for (let name = queue.take(); name !== undefined; name = queue.take()) out.push(name);
    assert.deepEqual(out, names);
    assert.equal(queue.left, 0);
    const packed = new Packed();
    for (const name of names) packed.add(name);
    assert.equal(packed.length, count);
    assert.deepEqual([...packed.backwards()], names.toReversed());
  }
});

test('a walk along many children meets each once, whatever is skipped, gone or read ahead', async () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `n${String(at).padStart(5, '0')}`);
  const stat = { numChildren: 0 } as Stat;
  for (const inflight of [1, 3, 32]) {
    const client = {
      async getChildren(path: string) {
        if (path === '/') return { children: names, stat: { ...stat, numChildren: names.length } };
        return { children: [], stat };
      },
    } as unknown as Client;
    const skip = (path: string): boolean => path.endsWith('3') || path === '/n00000' || path === '/n19999';
    const seen: string[] = [];
    for await (const { path } of walkNodes(client, '/', { signal: new AbortController().signal, inflight, skip }))
      seen.push(path);
    const wanted = ['/', ...names.map((name) => `/${name}`).filter((path) => !skip(path))];
    assert.deepEqual(seen, wanted);
  }
});

test('siblings of very many children each do not wait in memory together', async () => {
  const many = Array.from({ length: 90_000 }, (_, at) => `c${at}`);
  const stat = { numChildren: 0 } as Stat;
  const asked = new Map<string, number>();
  const client = {
    async getChildren(path: string) {
      asked.set(path, (asked.get(path) ?? 0) + 1);
      if (path === '/') return { children: ['a', 'b', 'c', 'd', 'e'], stat: { ...stat, numChildren: 5 } };
      // the others are there before it: each takes a few turns
      if (path === '/a') for (let turns = 0; turns < 1000; turns++) await turn();
      if (path.length === 2) return { children: many, stat: { ...stat, numChildren: many.length } };
      return { children: [], stat };
    },
  } as unknown as Client;
  let [seen, skipped] = [0, 0];
  const skip = (path: string): boolean => path.length > 2 && ++skipped > 0;
  for await (const _node of walkNodes(client, '/', { signal: new AbortController().signal, inflight: 8, skip })) seen++;
  assert.deepEqual([seen, skipped], [6, 5 * 90_000]);
  // the first is slow; two of the others wait for it, the rest is listed again when its turn comes, and so is the first
  assert.deepEqual(
    ['/a', '/b', '/c', '/d', '/e'].map((path) => asked.get(path)),
    [2, 1, 1, 2, 2],
  );
});

test('a million numbers are put into order in turns, equal ones as they stood', async () => {
  const count = amount(1_000_000, 100_000);
  const random = seededRandom(5);
  const keys = Float64Array.from({ length: count }, (_, at) => (at % 10 === 3 ? Number.NaN : random.below(count / 4)));
  const wanted = [...keys.keys()].filter((at) => !Number.isNaN(keys[at]));
  wanted.sort((a, b) => (keys[b] as number) - (keys[a] as number) || a - b);
  await timely(async () => {
    let [longest, last] = [0, performance.now()];
    const look = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const order = await descending(keys, new AbortController().signal);
    clearInterval(look);
    assert.deepEqual([...order], wanted);
    return lateIf(longest >= 150, `others waited for ${Math.round(longest)} ms`);
  }, 5);
  const given = AbortSignal.abort(new Error('enough'));
  await assert.rejects(descending(keys, given), /enough/);
});
