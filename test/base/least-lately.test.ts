import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeastLately } from '../../src/base/least-lately.ts';

test('the least of what came lately is told, and what came long ago is not', () => {
  const lately = new LeastLately(60);
  assert.equal(lately.least(0), undefined);
  lately.add(5, 1000);
  lately.add(-2, 1010);
  lately.add(9, 1059);
  assert.equal(lately.least(1059), -2);
  // the next window: what the last one had counts yet, and no longer in the one after it
  lately.add(7, 1060);
  assert.equal(lately.least(1119), -2);
  assert.equal(lately.least(1120), 7);
  assert.equal(lately.least(1180), undefined);
  // a long silence in between
  lately.add(3, 2000);
  assert.equal(lately.least(5000), undefined);
  lately.add(4, 5001);
  assert.equal(lately.least(5001), 4);
});
