/** flushDelay, maxWriteQueuePollTime and maxBatchSize: when what has gathered is written, by a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/ports/clock.ts';
import { FlushPace } from '../../src/storage/flush-pace.ts';

class Hand implements Clock {
  now = 0;
  private readonly due = new Set<{ at: number; run: () => void }>();
  monotonic(): number {
    return this.now;
  }
  wall(): number {
    return this.now;
  }
  after(ms: number, run: () => void): Disposable {
    const each = { at: this.now + ms, run };
    this.due.add(each);
    return { [Symbol.dispose]: () => void this.due.delete(each) };
  }
  get timers(): number {
    return this.due.size;
  }
  to(now: number): void {
    for (;;) {
      const [next] = [...this.due].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.due.delete(next);
      this.now = next.at;
      next.run();
    }
    this.now = now;
  }
}
function rig(most = 1000) {
  const clock = new Hand();
  const written: { at: number; count: number }[] = [];
  let pending = 0;
  const pace = new FlushPace(
    { clock, delayMs: 30, idleMs: 10, most },
    () => pending,
    () => {
      written.push({ at: clock.now, count: pending });
      pending = 0;
    },
  );
  const add = (count: number): void => {
    pending += count;
    pace.look();
  };
  return { clock, written, add, pace };
}

test('a write alone waits until nothing came for a while', () => {
  const { clock, written, add } = rig();
  add(1);
  assert.deepEqual(written, []);
  clock.to(5);
  add(0); // a turn in which nothing was asked
  clock.to(100);
  assert.deepEqual(written, [{ at: 10, count: 1 }]);
  assert.equal(clock.timers, 0);
});

test('while more comes none waits longer than the delay', () => {
  const { clock, written, add } = rig();
  for (let at = 0; at < 60; at += 5) {
    clock.to(at);
    add(1);
  }
  clock.to(200);
  assert.deepEqual(
    written.map(({ at }) => at),
    [30, 60],
  );
  assert.equal(
    written.reduce((sum, { count }) => sum + count, 0),
    12,
  );
});

test('enough of them wait for nothing', () => {
  const { clock, written, add, pace } = rig(3);
  add(2);
  clock.to(4);
  add(1);
  assert.deepEqual(written, [{ at: 4, count: 3 }]);
  add(1);
  pace[Symbol.dispose]();
  clock.to(100);
  assert.equal(written.length, 1, 'nothing is written behind the end');
});
