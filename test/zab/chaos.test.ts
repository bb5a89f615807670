import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../amount.ts';
import { live } from './chaos.ts';

const RUNS = Number(process.env.ZOOSH_RUNS ?? amount(2000, 500));
const seedText = process.env.ZOOSH_SEED;
/** What a batch must have met, or it proves nothing about it. */
const MARKS = [
  'established',
  'founding',
  'DIFF',
  'TRUNC',
  'SNAP',
  'SNAP installed',
  'staged files dropped',
  'election of more than one round',
  'out of hearing of a quorum',
  'server N has accepted epoch N',
  'server N knows more',
  'learner lag',
  'the leader is silent',
  'the link to the leader closed',
  'sync answered',
  'hand-over',
].concat(
  [
    'reconfiguration',
    'reconfigure',
    'admit',
    'lines',
    'refused: in-progress',
    'refused: no-quorum',
    'config done',
    'retired',
  ],
  ['directory wiped', 'damage', 'repaired', 'directory put back', 'old copy found', 'disk failed', 'no longer a voter'],
);

/** What no fault may bring about. */
const NEVER = [
  'the leader lacks what is committed here',
  'a commit of what was never proposed',
  'synchronisation begins twice',
];

test('ensembles in trouble keep what they committed and become whole again', () => {
  const first = Number(seedText ?? process.env.ZOOSH_FIRST ?? 1);
  const runs = seedText === undefined ? RUNS : 1;
  const met = new Map<string, number>();
  let slowest = 0;
  let entries = 0;
  for (let seed = first; seed < first + runs; seed++) {
    try {
      const { marks, committed, healed } = live(seed);
      for (const name of NEVER) assert.equal(marks.get(name), undefined, name);
      for (const [name, count] of marks) met.set(name, (met.get(name) ?? 0) + count);
      slowest = Math.max(slowest, healed);
      entries += committed;
    } catch (error) {
      console.error(`replay with ZOOSH_SEED=${seed}`);
      throw error;
    }
  }
  if (seedText !== undefined) return;
  for (const name of MARKS) assert.ok((met.get(name) ?? 0) > 0, `${runs} lives from seed ${first} never met: ${name}`);
  console.log(`${runs} lives, ${entries} entries committed, slowest healing ${slowest} units`);
});
