/** What of the log a member remembers while it reads it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackWriter } from '../../src/records/pack.ts';
import { KIND, writeEnvelope } from '../../src/records/txns.ts';
import { RecentEntries } from '../../src/runtime/recent.ts';
import { ORIGIN } from '../../src/zab/types.ts';

function push(recent: RecentEntries, counter: number, bytes: number, least = 0): void {
  const to = new PackWriter();
  const txn = { kind: KIND.setData, path: '/a', data: Buffer.alloc(bytes), version: counter };
  writeEnvelope(to, 1, counter, 0, 0n, 0, txn, 0, 0);
  recent.push(to.bytes, 0, to.at, least);
}

test('large transactions are remembered as far as there is room for them', () => {
  const recent = new RecentEntries(ORIGIN, 100_000, 1_000_000);
  for (let i = 1; i <= 500; i++) {
    push(recent, i, 90_000);
    const held = (recent as unknown as { bytes: number }).bytes;
    assert.ok(held <= 2_000_000, `${held} bytes after ${i}`);
  }
  const entries = recent.entries(0);
  assert.deepEqual([entries.length, entries[0]?.counter, recent.base.counter], [11, 490, 489]);
  for (const [at, entry] of entries.entries()) assert.equal(entry.counter, 490 + at);
});

test('what is not known committed is kept whatever it weighs, and so is the last', () => {
  const recent = new RecentEntries(ORIGIN, 100_000, 1_000_000);
  for (let i = 1; i <= 60; i++) push(recent, i, 90_000, i - 20);
  assert.equal(recent.entries(40)[0]?.counter, 21);
  const one = new RecentEntries(ORIGIN, 100_000, 1000);
  for (let i = 1; i <= 3; i++) push(one, i, 90_000);
  assert.deepEqual(
    one.entries(0).map(({ counter }) => counter),
    [3],
  );
});
