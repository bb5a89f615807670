/** The comparison with Debian's ZooKeeper (test/interop/differ), tried on two servers of ours in memory: it is quiet, and finds lies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coverage } from '../interop/differ/coverage.ts';
import { deceive } from '../interop/differ/deceive.ts';
import { generate } from '../interop/differ/generate.ts';
import { LIES } from '../interop/differ/lies.ts';
import { memoryDoor, WALL } from '../interop/differ/memory.ts';
import { minimise } from '../interop/differ/minimise.ts';
import { asksOf, type Program, print } from '../interop/differ/program.ts';
import { lyingDoor } from '../interop/differ/proxy.ts';
import { attempt, closePair, pairOf } from '../interop/differ/try.ts';

const pairOfOurs = () => pairOf(memoryDoor(), memoryDoor(), () => WALL);

test('a seed gives one program', () => {
  assert.equal(print(generate(7)), print(generate(7)));
  assert.notEqual(print(generate(7)), print(generate(8)));
});

test('two servers that are the same say the same', async () => {
  const pair = await pairOfOurs();
  const coverage = new Coverage();
  for (let seed = 1; seed <= 20; seed++) {
    const { differences, apache } = await attempt(pair, generate(seed), []);
    assert.deepEqual(differences, [], `seed ${seed}`);
    coverage.note(apache);
  }
  assert.ok(coverage.count('create', 'ok', 'alone') > 0 && coverage.count('create', 'ok', 'multi') > 0);
  closePair(pair);
});

test('every lie is found', async () => {
  assert.ok(LIES.length >= 20);
  const pair = await pairOfOurs();
  assert.deepEqual(await deceive(pair, 1, []), { found: LIES.length, faults: [] });
  closePair(pair);
});

test('what is found is made short', async () => {
  const pair = await pairOfOurs();
  const lie = {
    name: 'no node may be deleted',
    answer: ({ op, frame, err }: { op: string; frame: Buffer; err: number }) => {
      if (op !== 'delete' || err !== 0) return undefined;
      const refused = Buffer.from(frame);
      refused.writeInt32BE(-102, 12);
      return [refused];
    },
  };
  const [door, other] = pair.doors;
  const fails = async (program: Program): Promise<boolean> => {
    const told = { done: false };
    const lied = { ...pair, doors: [door, lyingDoor(other, lie, told)] as const };
    return (await attempt(lied, program, [])).differences.length > 0;
  };
  let seed = 1;
  while (!(await fails(generate(seed)))) seed++;
  const shortest = await minimise(generate(seed), fails);
  // something is deleted, behind what it takes to be there
  assert.ok(asksOf(generate(seed)) > 40 && asksOf(shortest) <= 5, print(shortest));
  closePair(pair);
});

test('the table names cells that are empty, and reasons that do not hold', () => {
  const coverage = new Coverage();
  coverage.note([
    {
      step: 0,
      who: 0,
      asks: [{ op: 'ping', request: {} }],
      items: [{ kind: 'reply', op: 'ping', fields: { err: 'ok' } }],
    },
  ]);
  const reason = { ops: ['ping'], codes: 'all', modes: ['alone', 'multi'], why: 'it is so' } as const;
  assert.deepEqual(coverage.faults(['ping'], ['ok'], [reason]), [
    'ping ok alone: seen, though it is so',
    'ping ok pipelined: never seen',
  ]);
});
