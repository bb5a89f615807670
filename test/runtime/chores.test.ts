/** Sessions whose time is over end slice by slice, and not at all after a pause of the process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chores } from '../../src/runtime/chores.ts';
import { checkConfig } from '../../src/server/config.ts';
import { parseProperties } from '../../src/server/config-text.ts';
import type { Server } from '../../src/server/server.ts';

const TICK_MS = 2000;
const SLICE = 128;

/** A clock that a test moves, and a server with so many sessions whose time is over. */
function scene(late: number, lines = '') {
  const timers = new Map<object, { readonly at: number; readonly run: () => void }>();
  const done: string[] = [];
  const all = { now: 0, late, rest: late, reaped: 0 };
  const clock = {
    monotonic: () => all.now,
    wall: () => all.now,
    after(ms: number, run: () => void) {
      const timer = { [Symbol.dispose]: () => void timers.delete(timer) };
      timers.set(timer, { at: all.now + ms, run });
      return timer;
    },
  };
  const server = {
    now: 0,
    expiresMore: false,
    expire() {
      const count = Math.min(SLICE, all.rest);
      all.rest -= count;
      server.expiresMore = count === SLICE;
      done.push(`${all.now}: ${count}`);
      return count;
    },
    renewSessions: () => void done.push(`${all.now}: renewed`),
    // there is more to be removed than anybody may
    reap(limit: number) {
      const reaped = Math.min(SLICE, limit);
      all.reaped += reaped;
      return { reaped, done: false };
    },
  };
  let turns = 0;
  const chores = new Chores({
    config: {
      ...checkConfig(parseProperties(`clientPort=2181\ndataDir=d\n${lines}`, 'zoo.cfg')),
      tickTimeMs: TICK_MS,
      purgeIntervalMs: 0,
    },
    clock,
    server: () => server as unknown as Server,
    clocks: () => {
      server.now = all.now;
    },
    turn: () => void turns++,
    purge: () => {},
  });
  chores.start();
  /** Time goes on to `to`; each timer runs when it is due. */
  const goTo = (to: number): void => {
    for (;;) {
      const [next] = [...timers].filter(([, { at }]) => at <= to).sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined) break;
      timers.delete(next[0]);
      all.now = Math.max(all.now, next[1].at);
      next[1].run();
    }
    all.now = to;
  };
  /** The process stands still until `to`: whatever is due runs then, in its order. */
  const stand = (to: number): void => {
    all.now = to;
    goTo(to);
  };
  return { goTo, stand, chores, done, turns: () => turns, waiting: () => timers.size, reaped: () => all.reaped };
}

test('sessions that end at once go 128 at a time, a moment apart; each slice is sent', () => {
  const { goTo, done, turns } = scene(300);
  goTo(TICK_MS - 1);
  assert.deepEqual(done, []);
  goTo(TICK_MS + 100);
  assert.deepEqual(done, ['2000: 128', '2001: 128', '2002: 44']);
  assert.equal(turns(), 3);
  // the tick that follows begins anew
  goTo(2 * TICK_MS + 100);
  assert.deepEqual(done.slice(3), ['4000: 0']);
  assert.equal(turns(), 3);
});

test('a tick between two slices begins no second round', () => {
  const { goTo, done } = scene(2500 * SLICE);
  goTo(2 * TICK_MS + 100);
  // one slice in each millisecond since the first tick, that of the second tick among them
  assert.equal(done.length, TICK_MS + 101);
  assert.equal(new Set(done).size, done.length);
});

test('after a pause of the process nobody is ended before a full turn in which he can be heard', () => {
  const { goTo, stand, done } = scene(300);
  goTo(TICK_MS);
  assert.deepEqual(done, ['2000: 128']);
  stand(5 * TICK_MS); // the second slice is due, and would find sessions late that nobody could hear
  assert.deepEqual(done.slice(1), ['10000: renewed']);
  goTo(6 * TICK_MS);
  assert.deepEqual(done.slice(2, 3), ['12000: 128']);
});

test('nothing goes on once they are stopped', () => {
  const { goTo, chores, done } = scene(300);
  goTo(TICK_MS);
  chores.stop();
  goTo(3 * TICK_MS);
  assert.deepEqual(done, ['2000: 128']);
});

test('znode.container.maxPerMinute: no more are removed in a minute, however often is looked', () => {
  for (const [lines, most] of [
    ['znode.container.maxPerMinute=600\nznode.container.checkIntervalMs=1000', 600],
    ['znode.container.maxPerMinute=600\nznode.container.checkIntervalMs=60000', 600],
    ['znode.container.checkIntervalMs=60000', 10_000],
  ] as const) {
    const { goTo, reaped } = scene(0, lines);
    goTo(60_000);
    goTo(60_000 + 59_000); // what a round has left goes on in slices
    assert.ok(reaped() >= most && reaped() <= 2 * most, `${lines}: ${reaped()}`);
  }
});
