/** How many voters may be lost: held against trying every loss. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { Config, Member } from '../../src/records/txns.ts';
import { isQuorumOfAll, slackOf, type Voice } from '../../src/zab/quorum.ts';
import { memberOf } from './sim-node.ts';

const listing = (...members: Member[]): Config => ({ members, maxTxnBytes: 1000 });
const voters = (count: number): Member[] => Array.from({ length: count }, (_, i) => memberOf(i + 1, `i${i + 1}`));
const voicesOf = (members: readonly Member[]): Voice[] =>
  members.map(({ sid, incarnation }) => ({ sid, incarnation: incarnation ?? '' }));

/** By the meaning of it: the most voices that may go, whichever they are. */
function tried(configs: readonly Config[], voices: readonly Voice[]): number {
  let least = voices.length + 1;
  for (let lost = 0; lost < 1 << voices.length; lost++) {
    const left = voices.filter((_, i) => (lost & (1 << i)) === 0);
    if (!isQuorumOfAll(configs, left)) least = Math.min(least, voices.length - left.length);
  }
  return least - 1;
}

test('of three voters one may be lost, of five two, of four one; none when only just enough are in step', () => {
  for (const [count, slack] of [
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
    [7, 3],
  ] as const)
    assert.equal(slackOf([listing(...voters(count))], voicesOf(voters(count))), slack, `${count} voters`);
  assert.equal(slackOf([listing(...voters(3))], voicesOf(voters(2))), 0);
  assert.equal(slackOf([listing(...voters(3))], voicesOf(voters(1))), -1, 'no quorum');
  assert.equal(slackOf([], voicesOf(voters(1))), -1);
  // while members change, both must stand
  assert.equal(slackOf([listing(...voters(5)), listing(...voters(2))], voicesOf(voters(5))), 0);
});

test('weights, groups, observers, other incarnations and two configs at once: as trying every loss tells', () => {
  const random = seededRandom(30_11);
  let [none, some] = [0, 0];
  for (let round = 0; round < 3000; round++) {
    const groups = random.below(4);
    const configs = Array.from({ length: 1 + random.below(2) }, () =>
      listing(
        ...voters(1 + random.below(8)).map(
          (member): Member => ({
            ...member,
            role: random.below(8) === 0 ? 'observer' : 'participant',
            ...(random.below(3) === 0 && { weight: random.below(4) }),
            ...(groups > 1 && { group: 1 + random.below(groups) }),
            ...(random.below(10) === 0 && { incarnation: 'another' }),
          }),
        ),
      ),
    );
    const voices = voicesOf(voters(8).filter(() => random.below(4) > 0));
    const slack = slackOf(configs, voices);
    assert.equal(slack, tried(configs, voices), JSON.stringify({ configs, voices }));
    if (slack < 0) none++;
    else if (slack > 0) some++;
  }
  assert.ok(none > 100 && some > 100, `${none} without a quorum, ${some} with more than one`);
});
