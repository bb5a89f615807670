/** Plans are in memory as a whole: those that would be too large are refused, and nothing is changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeRecord } from '../../src/shell/node-record.ts';
import type { NodeSource } from '../../src/shell/node-source.ts';
import { MOST_CHANGES, planOf } from '../../src/shell/tree-plan.ts';
import { LONG } from '../amount.ts';

/** A folder of so many nodes. */
function source(count: number, data: Buffer | null): NodeSource {
  const node = (path: string): NodeRecord => ({ path, data, acl: undefined, kind: 'persistent', stat: undefined });
  return {
    label: '/a',
    root: '/a',
    acl: false,
    client: undefined,
    async *nodes() {
      yield { ...node('/a'), data: null };
      for (let at = 0; at < count; at++) yield node(`/a/n${String(at).padStart(7, '0')}`);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
const OPTIONS = { prune: true, acl: { way: 'none' } } as const;

const tooLarge = { exit: 19, message: /more than 200,000 changes or 64.0M of data under \/a: .*nothing was changed/ };

test('a plan holds so much data and no more', async () => {
  const data = Buffer.alloc(1024 * 1024);
  assert.equal((await planOf(source(0, data), source(64, data), OPTIONS)).changes.length, 64);
  await assert.rejects(planOf(source(0, data), source(65, data), OPTIONS), tooLarge);
  await assert.rejects(planOf(source(65, data), source(0, data), OPTIONS), tooLarge);
});

if (LONG)
  test('a plan holds so many changes and no more; what is the same needs no room', async () => {
    const { changes } = await planOf(source(0, null), source(MOST_CHANGES, null), OPTIONS);
    assert.equal(changes.length, MOST_CHANGES);
    await assert.rejects(planOf(source(0, null), source(MOST_CHANGES + 1, null), OPTIONS), tooLarge);
    const equal = await planOf(source(MOST_CHANGES + 10, null), source(MOST_CHANGES + 10, null), OPTIONS);
    assert.deepEqual([equal.changes, equal.same], [[], MOST_CHANGES + 11]);
  });
