import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { readChildren } from '../../src/client/child-names.ts';
import { Reader, Writer } from '../../src/protocol/bytes.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';

const STAT = {
  ...{ czxid: 1n, mzxid: 2n, ctime: 3, mtime: 4, version: 5, cversion: 6, aversion: 7, ephemeralOwner: 0n },
  ...{ dataLength: 8, numChildren: 9, pzxid: 10n },
};
function answer(names: readonly (string | null)[]): Buffer {
  const to = new Writer();
  OPERATIONS.getChildren2.answer.write(to, { children: names, stat: STAT } as never);
  return to.take();
}
const random = seededRandom(11);
const shuffled = (names: readonly string[]): string[] =>
  names
    .map((name) => ({ name, at: random.below(2 ** 30) }))
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name);
const some = (count: number): string[] => Array.from({ length: count }, (_, i) => `n\u00e4me-${i}`);

test('children are sorted by code unit, many as few', async () => {
  for (const count of [0, 1, 3, 20_000, 20_001, 60_000, 123_457])
    for (const names of [some(count), shuffled(some(count)), some(count).sort()]) {
      const frame = answer(names);
      const from = new Reader(frame);
      const read = readChildren(from, undefined);
      assert.equal(read instanceof Promise, count > 20_000);
      assert.equal(from.left, 0);
      frame.fill(0); // it belongs to the connection
      const { children, stat } = await read;
      assert.deepEqual(children, [...names].sort());
      assert.equal(stat.pzxid, 10n);
    }
});

test('a null name is an empty one, and no vector is an empty folder', async () => {
  const { children } = await readChildren(new Reader(answer([null, ...shuffled(some(30_000))])), undefined);
  assert.equal(children[0], '');
  assert.equal(children.length, 30_001);
  const none = answer([]);
  none.writeInt32BE(-1, 0);
  assert.deepEqual((await readChildren(new Reader(none), undefined)).children, []);
});

test('many names do not hold up the loop, and are given up when nobody wants them any more', async () => {
  const frame = answer(shuffled(some(300_000)));
  let turns = 0;
  const turn = (): void => {
    turns++;
    if (turns < 1000) setImmediate(turn);
  };
  setImmediate(turn);
  await readChildren(new Reader(frame), undefined);
  assert.ok(turns >= 60, `${turns} turns`); // merged in parts, too
  const abort = new AbortController();
  const given = readChildren(new Reader(frame), abort.signal);
  setImmediate(() => abort.abort(new Error('enough')));
  await assert.rejects(async () => given, /enough/);
});

test('a length that is not true is named, where it is', () => {
  const frame = answer(some(30_000));
  frame.writeInt32BE(2 ** 30, 4);
  assert.throws(
    () => readChildren(new Reader(frame), undefined),
    (error: Error) => error instanceof ProtocolError && error.message.startsWith('children: a length of'),
  );
});
