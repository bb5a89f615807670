import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Leash } from '../../src/cli/leash.ts';

test('a leash that ends in silence is torn, after keep it is not, and after free it never ends', async () => {
  const silent = new PassThrough();
  const torn = new Leash(silent);
  silent.end();
  await torn.ended;
  assert.equal(torn.isTorn, true);

  const kept = new PassThrough();
  const spared = new Leash(kept);
  for (const piece of ['ke', 'ep', '\n']) kept.write(piece);
  kept.end();
  await spared.ended;
  assert.equal(spared.isTorn, false);

  const freed = new PassThrough();
  const free = new Leash(freed);
  let isOver = false;
  free.ended.then(() => {
    isOver = true;
  });
  for (const piece of ['keep\nfr', 'ee\n']) freed.write(piece);
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual([freed.destroyed, isOver, free.isTorn], [true, false, false]);
});

test('what is said on a leash besides is not kept', async () => {
  const input = new PassThrough();
  const leash = new Leash(input);
  const before = process.memoryUsage().heapUsed;
  const chunk = 'x'.repeat(64 * 1024);
  for (let i = 0; i < 2048; i++) {
    input.write(chunk);
    await turn();
  }
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 64 * 1024 * 1024, `${grown} bytes of 134,217,728 are kept`);
  input.end();
  await leash.ended;
  assert.equal(leash.isTorn, true);
});
