/** A damaged member: what it votes for, what it says, and how it becomes whole (foundations.md 3, 13.4, 13.12). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ORIGIN } from '../../src/zab/types.ts';
import { configOf, endOf, Hand, logOf, THREE } from './hand.ts';
import { LIMITS, memberOf } from './sim-node.ts';

const whole = logOf([[1, 6]]);
const intact = whole.slice(0, 3);
const mayHaveAcked = { epoch: 1, counter: 7 };
const damaged = (sid = 1): Hand => new Hand(sid, { log: intact, damage: { mayHaveAcked } });
/** It follows server 3, which holds everything, up to its promise of epoch 2. */
const following = (): Hand => {
  const hand = damaged();
  hand.follow(whole);
  return hand;
};
const snap = {
  type: 'SNAP',
  epoch: 2,
  at: endOf(whole.slice(0, 5)),
  configs: [{ at: endOf(whole.slice(0, 1)), config: THREE }],
  seen: [],
} as const;

test('13.12: a repairing member proposes nobody, then votes for one that holds whatever it may have acknowledged', () => {
  const hand = damaged();
  assert.equal(hand.effect('vote').message.vote, null);
  hand.feed(hand.voted(2, Hand.voteFor(2, whole.slice(0, 6))));
  hand.ticks(LIMITS.notifyMost * 2);
  assert.equal(hand.effect('vote').message.vote, null, 'one record is missing there, more than is intact here');
  hand.feed(hand.voted(3, Hand.voteFor(3, whole)));
  assert.equal(hand.effect('vote').message.vote?.sid, 3);

  const newer = damaged();
  newer.feed(newer.voted(2, { ...Hand.voteFor(2, intact), epoch: 2 }));
  assert.equal(newer.effect('vote').message.vote?.sid, 2, 'a later epoch holds all that was acknowledged before it');
});

test('13.12: a repairing member does not vote for itself because others do', () => {
  const hand = damaged(3);
  const vote = Hand.voteFor(3, whole);
  hand.feed(hand.voted(1, vote), hand.voted(2, vote));
  assert.equal(hand.peer.role, 'looking');
  hand.ticks(LIMITS.drain + 1);
  assert.equal(hand.peer.role, 'looking');
});

test('D5: one whose log is lost whole still votes for who holds what it may have acknowledged, in every round', () => {
  const hand = new Hand(1, { log: [], accepted: 1, current: 1, damage: { mayHaveAcked } });
  const less = Hand.voteFor(2, whole.slice(0, 6));
  const voted = () => hand.every('vote').at(-1)?.message.vote;
  hand.feed(hand.voted(2, less));
  assert.equal(voted(), null);
  const enough = Hand.voteFor(3, whole);
  hand.feed(hand.voted(2, enough));
  assert.equal(voted(), null, 'known from another only');
  hand.feed(hand.voted(3, enough));
  assert.equal(hand.effect('vote').message.vote?.sid, 3);
  hand.feed(hand.voted(3, enough, 'looking', 5));
  assert.deepEqual([hand.effect('vote').message.vote?.sid, hand.round], [3, 5]);
  hand.feed(hand.voted(2, Hand.voteFor(2, logOf([[1, 1]], whole)), 'looking', 4));
  assert.equal(voted()?.sid, 3, 'an older round is over');
  hand.feed(hand.voted(3, enough, 'leading', 5));
  assert.equal(hand.effect('dial').to, 3);
});

test('13.3: of a damaged log no epoch is taken that was not acknowledged', () => {
  const log = logOf([[3, 2]]);
  const hand = new Hand(1, { log, accepted: 3, current: 1, damage: { mayHaveAcked: { epoch: 3, counter: 9 } } });
  assert.ok(!hand.did.includes('storeEpochs'));
  assert.equal(hand.effect('vote').message.vote, null);
});

test('3: a leader that knows less than a repairing member may have acknowledged does not lead it', () => {
  const ack = following().sent('ACKEPOCH');
  assert.deepEqual([ack.currentEpoch, ack.last, ack.ends], [1, { ...ORIGIN, ...mayHaveAcked }, []]);
  const of = (log: typeof whole): Hand => {
    const leader = new Hand(3, { log });
    leader.elect(3);
    leader.meet(1, 1);
    leader.stored();
    leader.hear(1, ack);
    return leader;
  };
  assert.equal(of(whole.slice(0, 6)).effect('looking').reason, 'server 1 knows more');
  const leader = of(whole);
  assert.deepEqual(leader.did, ['storeEpochs'], 'its promise counts');
  leader.stored();
  assert.deepEqual(leader.did, ['SNAP', 'PROPOSAL', 'NEWLEADER'], 'and it is sent everything');
});

test('13.4: a repaired log comes beside the damaged one; nothing is acknowledged before it is whole', () => {
  const hand = following();
  hand.hear(1, snap, { type: 'PROPOSAL', epoch: 2, entries: whole.slice(5) }, { type: 'NEWLEADER', epoch: 2 });
  assert.deepEqual(hand.did, ['stageSnapshot', 'append']);
  const { generation } = hand.effect('stageSnapshot');
  assert.equal(hand.effect('append').generation, generation);
  hand.feed({ type: 'snapshotStaged', generation });
  hand.isQuiet();
  assert.ok(hand.peer.repairing);
  hand.feed({ type: 'persisted', generation, upTo: endOf(whole) });
  assert.deepEqual(hand.effects, [{ type: 'storeEpochs', accepted: 2, current: 2, install: generation }]);
  hand.stored();
  assert.deepEqual(hand.did, ['installed', 'repaired', 'ACKNEWLEADER']);
  assert.ok(!hand.peer.repairing);
});

test('13.4: a repair that breaks off leaves the member as it was', () => {
  const hand = following();
  hand.hear(1, snap);
  hand.feed({ type: 'closed', link: 1 });
  assert.ok(hand.did.includes('dropStaged'));
  assert.equal(hand.effect('vote').message.vote, null);
  hand.feed(hand.voted(2, Hand.voteFor(2, whole.slice(0, 6)), 'looking', hand.round));
  hand.ticks(LIMITS.notifyMost);
  assert.equal(hand.effect('vote').message.vote, null);
});

test('3: nothing goes on behind a hole: a leader that would go on is left', () => {
  for (const message of [
    { type: 'DIFF', epoch: 2, from: endOf(intact) },
    { type: 'TRUNC', epoch: 2, to: endOf(intact) },
    { type: 'PROPOSAL', epoch: 2, entries: whole.slice(3) },
  ] as const) {
    const hand = following();
    hand.hear(1, message);
    assert.ok(hand.did.includes('looking'), message.type);
    assert.ok(!hand.did.includes('append') && !hand.did.includes('truncate'), message.type);
  }
});

test('a member of which nothing is left founds no ensemble, and no other is founded beside it', () => {
  const founders = { members: [1, 2, 3].map((sid) => memberOf(sid, null)), maxTxnBytes: 1000, lines: 'lines' };
  const hand = new Hand(1, { log: [], accepted: 1, current: 1, founders, damage: { mayHaveAcked } });
  assert.equal(hand.effect('vote').message.lines, null);
  for (const sid of [2, 3]) {
    const vote = hand.voted(sid, Hand.voteFor(sid, []));
    assert.equal(vote.type, 'voted');
    if (vote.type === 'voted') hand.feed({ ...vote, message: { ...vote.message, vote: null, lines: 'lines' } });
  }
  hand.ticks(LIMITS.init);
  assert.ok(hand.effects.every((effect) => effect.type !== 'vote' || effect.message.vote === null));
});

test('13.10: one that seems alone by what is intact does not lead, nor take itself for an old copy', () => {
  const log = logOf([[1, 1]]).map((entry, i) =>
    i === 0 ? { ...entry, note: { type: 'config' as const, config: configOf(1) } } : entry,
  );
  const hand = new Hand(1, { log, damage: { mayHaveAcked } });
  const vote = hand.voted(2, Hand.voteFor(2, whole));
  if (vote.type === 'voted') hand.feed({ ...vote, message: { ...vote.message, config: endOf(whole) } });
  hand.ticks(LIMITS.init);
  assert.equal(hand.peer.role, 'looking');
});
