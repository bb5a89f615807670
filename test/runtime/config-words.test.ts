/** What members say of who belongs to an ensemble, and of why nobody leads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config, Member } from '../../src/records/txns.ts';
import { changesOf, membersOf, noQuorum, type Sight } from '../../src/runtime/config-words.ts';
import { isQuorum } from '../../src/zab/quorum.ts';
import { memberOf } from '../zab/sim-node.ts';

const listing = (...members: Member[]): Config => ({ members, maxTxnBytes: 1000 });
const [one, two, three] = [memberOf(1, 'i1'), memberOf(2, 'i2'), memberOf(3, 'i3')];
const watcher = memberOf(4, 'i4', 'observer');

test('members are told by their role, and what a record changed', () => {
  assert.equal(membersOf(listing(one, two, watcher)), 'voters 1, 2, observers 4');
  const before = listing(one, two, watcher);
  const told = (...after: Member[]): string => changesOf(before, listing(...after)).join('; ');
  assert.equal(told(one, two, watcher), '');
  assert.equal(told(one, two, watcher, three), 'server 3 joins as a voter');
  assert.equal(told(one, two, { ...watcher, role: 'participant' }), 'server 4 is a voter now');
  assert.equal(told(one, watcher), 'server 2 belongs to it no longer');
  assert.equal(told(one, { ...two, incarnation: 'new' }, watcher), 'server 2 is admitted with a new directory');
  assert.equal(told(one, { ...two, weight: 3 }, watcher), 'the line of server 2 is another');
  assert.deepEqual(changesOf(listing(one, memberOf(2, null)), listing(one, two)), ['server 2 is admitted']);
});

test('without a quorum it is said who is missing, and who came back as another', () => {
  const config = listing(one, two, three, watcher);
  const seen = (...sights: Sight[]): string | undefined =>
    noQuorum(
      config,
      ({ sid }) => sights[sid - 1] ?? 'away',
      (voices) => isQuorum(config, voices),
    );
  assert.equal(seen('here', 'here', 'away'), undefined);
  assert.match(
    seen('here', 'away', 'away', 'here') ?? '',
    /^no quorum, and so no leader: voters not met: 2, 3\. Of 1, 2, 3 only 1 can vote\. Start those .* accept-loss/,
  );
  assert.match(
    seen('here', 'other', 'away') ?? '',
    /: voters not met: 3; without the history that they had, and so without a vote: 2\. Of 1, 2, 3 only 1 can/,
  );
  assert.match(seen('other', 'other', 'other') ?? '', /so without a vote: 1, 2, 3\. Of 1, 2, 3 only none can vote/);
});
