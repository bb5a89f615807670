import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { MemoryJudge, roomOf } from '../../src/runtime/memory-judge.ts';
import { PATIENCE_MS } from '../patience.ts';

const MIB = 1 << 20;

test('a heap that is half full, and one that is nearly full, is told once, and again after it had room', () => {
  const judge = new MemoryJudge('x', 'y');
  const told = [49, 50, 79, 80, 88, 75, 85, 69, 81, 45, 51, 39, 51].filter(
    (used) => judge.judge(used * MIB, 100 * MIB) !== undefined,
  );
  assert.deepEqual(told, [50, 80, 81, 51]);
  assert.equal(
    new MemoryJudge("V8's heap", 'raise it').judge(80 * MIB, roomOf({ used_heap_size: 0, heap_size_limit: 148 * MIB }))
      ?.text,
    "memory: 80 of 100 MiB of V8's heap. To have more, raise it; from 90 MiB on new sessions, writes and watches are refused",
  );
});

test('a full one refuses from nine tenths on, and takes again below 85 parts of a hundred', () => {
  const judge = new MemoryJudge('it', 'wait');
  const changes = [80, 89, 90, 99, 86, 85, 84, 89, 91].map((used) => judge.judge(used * MIB, 100 * MIB)?.full);
  assert.deepEqual(changes, [undefined, undefined, true, undefined, undefined, undefined, false, undefined, true]);
  assert.equal(judge.full, true);
  assert.equal(judge.judge(101 * MIB, 100 * MIB), undefined, 'it was told');
});

/** Fills a heap of 96 MiB to that part, with what stays or with garbage, and says what was said, and whether it is full. */
function filled(part: number, stays: boolean): string {
  const [watch, pressure] = ['runtime/memory-watch.js', 'server/pressure.js'].map(
    (name) => new URL(`../../src/${name}`, import.meta.url).href,
  );
  const program = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { getHeapStatistics } from 'node:v8';
    import { watchMemory } from ${JSON.stringify(watch)};
    import { Pressure } from ${JSON.stringify(pressure)};
    const pressure = new Pressure();
    watchMemory(pressure, { warn: (text) => console.log('warn ' + text), error: (text) => console.log('error ' + text) });
    const limit = 96 << 20;
    let kept = [];
    for (let taken = getHeapStatistics().used_heap_size; taken < limit * ${stays ? part : 4}; taken += 1 << 20) {
      kept.push(new Array((1 << 20) / 8 - 8).fill(0.5));
      if (${!stays} && kept.length > 4) kept = [];
      await sleep(1);
    }
    gc();
    await sleep(50);
    console.log(pressure.full);
    if (pressure.full) kept.length = 10;
    for (let tries = 0; tries < 1200 && pressure.full; tries++) await sleep(50);
    console.log(pressure.full);
    globalThis.kept = kept;`;
  const ran = spawnSync(
    process.execPath,
    ['--max-old-space-size=96', '--expose-gc', '--input-type=module', '-e', program],
    {
      encoding: 'utf8',
      timeout: 2 * PATIENCE_MS,
    },
  );
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stdout;
}

test('V8 itself: what stays is told of, garbage is not', () => {
  // at the half, too, when there happened to be a collection between the two
  assert.match(filled(0.85, true), /^(?:warn memory: \d+ of \d+ MiB[^\n]*\n){1,2}false\nfalse\n$/);
  assert.match(filled(0.6, true), /^warn memory: (?:4[89]|5\d|6\d) of \d+ MiB[^\n]*\nfalse\nfalse\n$/);
  assert.equal(filled(0.4, true), 'false\nfalse\n');
  assert.equal(filled(0, false), 'false\nfalse\n');
});

test('V8 itself: a full heap is full until it has room, though nobody allocates any more', () => {
  assert.match(
    filled(0.93, true),
    /\nerror memory: \d+ of \d+ MiB of V8's heap[^\n]*refused[^\n]*\ntrue\nwarn memory: [^\n]* are taken again\nfalse\n$/,
  );
});

test('what lies outside of that heap counts against what the system gives', () => {
  const [watch, pressure] = ['runtime/memory-watch.js', 'server/pressure.js'].map(
    (name) => new URL(`../../src/${name}`, import.meta.url).href,
  );
  const program = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { watchMemory } from ${JSON.stringify(watch)};
    import { Pressure } from ${JSON.stringify(pressure)};
    const pressure = new Pressure();
    const say = (text) => console.log(text);
    watchMemory(pressure, { warn: say, error: say }, 400 << 20);
    await sleep(1500);
    console.log(pressure.full);
    globalThis.kept = Buffer.alloc(380 << 20, 1);
    for (let tries = 0; tries < 1200 && !pressure.full; tries++) await sleep(50);
    console.log(pressure.full);`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 2 * PATIENCE_MS,
  });
  assert.match(
    ran.stdout,
    /^false\nmemory: \d+ of 400 MiB of what the system lets it have are in use by this process\. New sessions, writes and watches are refused[^\n]*\ntrue\n$/,
    ran.stderr,
  );
});

test('a system that does not say how much is in use, since all files are open that may be, ends nobody', () => {
  const [watch, pressure] = ['runtime/memory-watch.js', 'server/pressure.js'].map(
    (name) => new URL(`../../src/${name}`, import.meta.url).href,
  );
  const program = `
    import { watchMemory } from ${JSON.stringify(watch)};
    import { Pressure } from ${JSON.stringify(pressure)};
    let asked = 0;
    process.memoryUsage.rss = () => {
      asked++;
      throw new Error('EMFILE: too many open files, uv_resident_set_memory');
    };
    watchMemory(new Pressure(), { warn: console.log, error: console.log });
    const timer = setInterval(() => {
      if (asked < 2) return;
      clearInterval(timer);
      console.log('alive');
    }, 100);
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  assert.equal(stdout, 'alive\n', stderr);
});
