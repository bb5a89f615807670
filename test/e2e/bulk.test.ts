/** Much at once in an ensemble of real processes; the same at full size: test/bench/rejoin.ts and ephemerals.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { endSessions, WAYS } from '../bench/ephemerals.ts';
import { rejoin } from '../bench/rejoin.ts';
import { lateIf, timely } from '../patience.ts';

/** For how long a loop may be busy without a break. The aim is 50 ms; tests share the machine with others. */
const BUSY_MS = 100;
const MISSED = amount(50_000, 7_000);
/** Remembered for who comes back; who missed more is given a snapshot. */
const REMEMBERED = amount(10_000, 5_000);
const EPHEMERALS = amount(20_000, 6_000);

for (const [way, kind, lines] of [
  ['a snapshot', 'create', [`commitLogCount=${REMEMBERED}`]],
  ['a difference', 'touch', [`commitLogCount=${10 * MISSED}`, 'snapCount=10000000']],
] as const)
  test(`a member that missed ${MISSED} transactions comes back by ${way} while clients go on`, {
    timeout: 300_000,
  }, async () => {
    await timely(async () => {
      const figures = await rejoin(kind, MISSED, lines, 4);
      console.log(`back by ${way}: ${JSON.stringify(figures)}`);
      assert.equal(figures.bySnapshot, way === 'a snapshot');
      assert.equal(figures.errors, 0);
      assert.ok(figures.acknowledged > 100);
      return lateIf(!(figures.longestBlockMs < BUSY_MS), `the leader was busy for ${figures.longestBlockMs} ms`);
    });
  });

test(`a session with ${EPHEMERALS} ephemerals ends through the leader, a follower and by expiry; nobody is held up by it`, {
  timeout: 300_000,
}, async () => {
  let ways: readonly (typeof WAYS)[number][] = WAYS;
  // those alone that were late are tried again
  await timely(async () => {
    const late: (typeof WAYS)[number][] = [];
    for (const { way, members, errors, endedPings, ...rest } of await endSessions(EPHEMERALS, ways)) {
      console.log(`ended by ${way}: ${JSON.stringify({ members, ...rest })}`);
      assert.deepEqual([errors, endedPings], [0, 0]);
      if (!members.every(({ busyMs }) => busyMs < BUSY_MS)) late.push(way);
    }
    ways = late;
    return lateIf(late.length > 0, `a loop was busy for ${BUSY_MS} ms and more: ended by ${late}`);
  });
});
