/** What tests lean on where time and chance are concerned: it must be able to fail. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { goOnUntil, lateIf, stopwatch, timely } from './patience.ts';
import { ownBlock } from './ports.ts';

test('what is late every time fails with all its times, what was late now and then does not', async () => {
  const runs: number[] = [];
  const late = (until: number) => (round: number) => {
    runs.push(round);
    return lateIf(round < until, `${round} was late`);
  };
  await timely(late(0));
  await timely(late(2));
  assert.deepEqual(runs, [0, 0, 1, 2]);
  await assert.rejects(timely(late(3)), /^AssertionError.*: 0 was late\n1 was late\n2 was late$/);
  await timely(late(4), 5);
});

test('whatever else fails, fails at once', async () => {
  let runs = 0;
  const wrong = async (): Promise<undefined> => {
    runs++;
    assert.fail('lost');
  };
  await assert.rejects(timely(wrong), /lost/);
  assert.equal(runs, 1);
});

test('what is gone on for is not gone on for when it is there, nor for ever', async () => {
  const seen: number[] = [];
  const more = (at: number): void => void seen.push(at);
  await goOnUntil(() => true, 9, more);
  await goOnUntil(() => seen.length === 2, 9, more);
  assert.deepEqual(seen, [0, 1]);
  await goOnUntil(() => false, 3, more);
  assert.deepEqual(seen, [0, 1, 0, 1, 2]);
});

test('a stopwatch counts work, and not the time in which another had the processor', async () => {
  await timely(() => {
    const work = stopwatch();
    for (const end = performance.now() + 30; performance.now() < end; );
    const worked = work();
    assert.ok(worked > 0, `${worked} ms`);
    return lateIf(worked >= 1000, `${worked} ms`);
  });
  const rest = stopwatch();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  assert.ok(rest() < 200);
});

test('processes that run side by side choose ports of different thousands', async () => {
  const own = await ownBlock('127.0.0.1', 3);
  const url = new URL('./ports.js', import.meta.url).href;
  const script = `import { ownBlock } from '${url}'; console.log(await ownBlock('127.0.0.1', 3)); process.stdin.resume();`;
  const children = [1, 2].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const ports = await Promise.all(children.map(async ({ stdout }) => Number((await once(stdout, 'data')).join())));
  for (const child of children) {
    child.stdin.end();
    await once(child, 'close');
  }
  const thousands = [own, ...ports].map((port) => Math.floor(port / 1000));
  assert.equal(new Set(thousands).size, 3, `${[own, ...ports]}`);
  assert.ok(thousands.every((each) => each >= 3 && each < 10));
});
