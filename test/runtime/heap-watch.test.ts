import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { HeapJudge } from '../../src/runtime/heap-watch.ts';

const MIB = 1 << 20;

test('a heap that is nearly full is told once, and again after it had room', () => {
  const judge = new HeapJudge();
  const told = [74, 75, 95, 70, 85, 64, 76].map(
    (used) => judge.judge({ used_heap_size: used * MIB, heap_size_limit: 148 * MIB }) !== undefined,
  );
  assert.deepEqual(told, [false, true, false, false, false, false, true]);
  assert.match(
    new HeapJudge().judge({ used_heap_size: 90 * MIB, heap_size_limit: 148 * MIB }) ?? '',
    /^memory: 90 of 100 MiB of V8's heap are in use after a collection\. Raise memory\.limit/,
  );
});

/** Fills a heap of 96 MiB to that part, with what stays or with garbage, and says what was warned about. */
function filled(part: number, stays: boolean): string {
  const watch = new URL('../../src/runtime/heap-watch.js', import.meta.url);
  const program = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { getHeapStatistics } from 'node:v8';
    import { watchHeap } from ${JSON.stringify(watch.href)};
    watchHeap((sentence) => console.log(sentence));
    const limit = 96 << 20;
    let kept = [];
    for (let taken = getHeapStatistics().used_heap_size; taken < limit * ${stays ? part : 4}; taken += 1 << 20) {
      kept.push(new Array((1 << 20) / 8 - 8).fill(0.5));
      if (${!stays} && kept.length > 4) kept = [];
      await sleep(1);
    }
    gc();
    await sleep(50);
    globalThis.kept = kept;`;
  const ran = spawnSync(
    process.execPath,
    ['--max-old-space-size=96', '--expose-gc', '--input-type=module', '-e', program],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stdout;
}

test('V8 itself: what stays is told of, garbage is not', () => {
  assert.match(filled(0.77, true), /^memory: \d+ of \d+ MiB[^\n]*\n$/);
  assert.equal(filled(0.6, true), '');
  assert.equal(filled(0, false), '');
});
