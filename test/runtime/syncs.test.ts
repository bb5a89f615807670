/** How many learners are synchronised at once, and who is sent away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Syncs } from '../../src/runtime/syncs.ts';
import { Tally } from '../../src/runtime/tally.ts';

test('observers beyond the bound are sent away and come again; voters never are; the figures see each that begins', () => {
  const tally = new Tally();
  const away: [number, string][] = [];
  const syncs = new Syncs({
    tally,
    most: { snap: 2, diff: 1 },
    isObserver: (link) => link >= 10,
    sendAway: (link, reason) => void away.push([link, reason]),
  });
  assert.ok(syncs.begin(10, 'snap'));
  assert.ok(syncs.begin(11, 'snap'));
  assert.ok(!syncs.begin(12, 'snap'));
  assert.ok(syncs.begin(1, 'snap'), 'a voter');
  assert.ok(syncs.begin(12, 'diff'), 'a bound of its own');
  assert.ok(!syncs.begin(13, 'diff'));
  assert.deepEqual(away, [
    [12, '2 learners are sent a snapshot already'],
    [13, '1 learners are sent what they lack already'],
  ]);
  // up to date, or gone
  syncs.ended(10);
  assert.ok(!syncs.begin(14, 'snap'), 'two are left: an observer and a voter');
  syncs.ended(1);
  assert.ok(syncs.begin(14, 'snap'));
  // one that is given a snapshot in place of what it lacks counts once
  assert.ok(syncs.begin(12, 'diff'));
  assert.ok(!syncs.begin(12, 'snap'));
  assert.ok(syncs.begin(15, 'diff'));
  assert.deepEqual([tally.counts.snap_count, tally.counts.diff_count], [4, 3]);
  const { inflight_snap_count: snap, inflight_diff_count: diff } = tally.times;
  assert.deepEqual([snap.count, snap.sum, snap.max], [4, 1 + 2 + 3 + 2, 3]);
  assert.deepEqual([diff.count, diff.sum, diff.max], [3, 3, 1]);
});
