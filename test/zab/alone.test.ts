/** A server that needs nobody else, foundings that do not wait for all, and old copies: 13.9, 13.10, 13.13 of foundations.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../src/zab/founding.ts';
import { type Entry, type Input, type Mark, markOf } from '../../src/zab/types.ts';
import { configOf, endOf, Hand, logOf } from './hand.ts';
import { LIMITS, memberOf } from './sim-node.ts';

const alone = (): Entry[] => {
  const [first] = logOf([]);
  assert.ok(first !== undefined);
  return [{ ...first, note: { type: 'config', config: configOf(3) } }];
};
/** What another server of zoo.cfg answers. */
const answer = (from: number, config: Mark | null): Input => ({
  type: 'voted',
  from,
  message: { type: 'VOTE', state: 'looking', round: 1, vote: null, incarnation: `i${from}`, config, lines: null },
});
const later: Mark = { epoch: 1, counter: 9, chainHi: 5, chainLo: 6 };

test('13.10: a server alone asks every other of its zoo.cfg first, two ticks at most', () => {
  const silent = new Hand(3, { log: alone() });
  assert.deepEqual(silent.effect('gather').voters, [1, 2]);
  silent.ticks(LIMITS.ask - 1);
  assert.equal(silent.peer.role, 'looking');
  silent.ticks(1);
  assert.equal(silent.peer.role, 'leading');

  const hand = new Hand(3, { log: alone() });
  hand.feed({ type: 'reached', sid: 1, up: false });
  assert.equal(hand.peer.role, 'looking', 'server 2 may know better');
  hand.feed(answer(2, markOf(alone()[0] as Entry)));
  assert.equal(hand.peer.role, 'leading', 'it knows the config that is in our log');
  assert.equal(new Hand(3, { log: alone(), peers: [3] }).peer.role, 'leading', 'there is nobody to ask');
});

test('13.10: who hears of a later config than the one it is alone in is an old copy, then or later', () => {
  const asked = new Hand(3, { log: alone() });
  asked.feed(answer(2, later));
  assert.deepEqual(asked.did, ['rolledBack']);
  assert.equal(asked.peer.role, 'stopped');

  const leads = (): Hand => {
    const hand = new Hand(3, { log: alone() });
    hand.ticks(LIMITS.ask);
    hand.stored();
    hand.stored();
    assert.equal(hand.peer.phase, 'broadcast');
    return hand;
  };
  const voted = leads();
  voted.feed(answer(2, later));
  assert.deepEqual(voted.did, ['rolledBack', 'looking']);
  assert.equal(voted.peer.role, 'stopped');
  const followed = leads();
  followed.meet(1, 1, { config: later });
  assert.ok(followed.did.includes('rolledBack'));
  assert.equal(followed.peer.role, 'stopped');

  const many = new Hand(3);
  many.feed(answer(2, later));
  assert.equal(many.peer.role, 'looking', 'one of several was just away for long');
});

test('13.13: an ensemble of one is founded at once', () => {
  const founders = { members: [memberOf(3, null)], maxTxnBytes: 1000, lines: 'lines' };
  const hand = new Hand(3, { log: [], accepted: 0, founders, peers: [3] });
  hand.stored();
  hand.stored();
  assert.deepEqual(hand.effect('proposeFound').config, configOf(3));
});

const five = { members: [1, 2, 3, 4, 5].map((sid) => memberOf(sid, null)), maxTxnBytes: 1000, lines: 'lines' };
const met = (...sids: [sid: number, lines: string | null, epoch?: number][]) =>
  new Map(sids.map(([sid, lines, epoch]) => [sid, { incarnation: `i${sid}`, lines, epoch }]));

test('13.13: with --bootstrap-with some of the voters suffice, and the absent are none', () => {
  const self = { sid: 1, incarnation: 'i1' };
  const short = { ...five, enough: 3 };
  assert.equal(assemble(short, self, met([2, 'lines'])), undefined);
  assert.equal(assemble(short, self, met([2, 'lines'], [3, 'other'])), undefined);
  const done = assemble(short, self, met([2, 'lines'], [3, 'other'], [5, 'lines']));
  assert.equal(done?.complete, true);
  assert.deepEqual(
    done?.config.members.map(({ incarnation }) => incarnation),
    ['i1', 'i2', null, null, 'i5'],
  );
  assert.throws(() => assemble({ ...five, enough: 2 }, self, met()), /found nothing/, 'two halves could found two');
});

test('13.13: what a few began gives way to a later founding that got further', () => {
  const self = { sid: 1, incarnation: 'i1' };
  const short = { ...five, enough: 3 };
  const others = met([2, 'lines'], [3, 'lines'], [4, null, 1]);
  assert.equal(assemble(short, self, others, 1)?.complete, false, 'its holder completes it');
  assert.equal(assemble(short, self, others, 2)?.complete, true, 'we were in an epoch that began without it');
  assert.equal(assemble(short, self, met([2, 'lines'], [3, 'lines'], [4, null]), 2)?.complete, false);
});

test('13.13: servers that are empty too and have other lines are told of, once each', () => {
  const hand = new Hand(3, { log: [], accepted: 0, founders: { ...five, members: five.members.slice(0, 3) } });
  const other = hand.voted(1, Hand.voteFor(1, []));
  assert.equal(other.type, 'voted');
  if (other.type !== 'voted') return;
  const input: Input = { ...other, message: { ...other.message, vote: null, lines: 'other' } };
  hand.feed(input, input);
  assert.deepEqual(hand.every('otherLines'), [{ type: 'otherLines', sid: 1 }]);
  // one that waits for a leader says no lines: it has no others
  const waits = hand.voted(2, Hand.voteFor(2, []));
  if (waits.type !== 'voted') return;
  hand.feed({ ...waits, message: { ...waits.message, vote: null, lines: '' } });
  assert.deepEqual(hand.every('foundsNothing'), [{ type: 'foundsNothing', sid: 2 }]);
  assert.equal(hand.every('otherLines').length, 1);
});

test('13.9: a promise that is taken back proves an old copy, the leader’s too', () => {
  const leader = new Hand(3);
  leader.leadWithOne();
  leader.meet(2, 1, { acceptedEpoch: 1 });
  assert.deepEqual(leader.did.slice(-2), ['ROLLEDBACK', 'hangUp'], 'it had promised epoch 2 on its link before');
  leader.meet(3, 1, { acceptedEpoch: 2 });
  assert.ok(leader.did.includes('LEADERINFO'));

  const learner = new Hand(1);
  learner.follow();
  learner.feed({ type: 'closed', link: 1 });
  learner.elect(3);
  learner.feed({ type: 'linked', sid: 3, link: 2, dialled: true });
  learner.hear(2, { type: 'LEADERINFO', epoch: 1, incarnation: 'i3', tags: ['t3'], config: null });
  assert.deepEqual(learner.did.slice(0, 2), ['ROLLEDBACK', 'hangUp']);
});

test('13.9: an acknowledgement that is taken back proves an old copy while no later leader can have cut it', () => {
  const leading = (): { hand: Hand; entry: Entry } => {
    const hand = new Hand(3);
    hand.leadWithOne();
    const entry = hand.propose();
    hand.persisted(entry);
    hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: markOf(entry) });
    return { hand, entry };
  };
  const { hand } = leading();
  hand.meet(2, 1, { acceptedEpoch: 2 });
  hand.ackEpoch(2, 2, hand.log, null);
  assert.deepEqual(hand.did, ['ROLLEDBACK', 'hangUp']);

  const good = leading();
  good.hand.meet(2, 1, { acceptedEpoch: 2 });
  good.hand.ackEpoch(2, 2, [...good.hand.log, good.entry], null);
  assert.ok(good.hand.did.includes('DIFF'));
  const damaged = leading();
  damaged.hand.meet(2, 1, { acceptedEpoch: 2 });
  const { epoch, counter } = damaged.entry;
  const last = { epoch, counter, chainHi: 0, chainLo: 0 };
  damaged.hand.hear(2, { type: 'ACKEPOCH', epoch: 2, currentEpoch: null, last, ends: [] });
  assert.ok(damaged.hand.did.includes('SNAP'), 'it knows what it acknowledged, and says that it lost it');
});

test('13.9: what a later leader may have cut proves nothing', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const entry = hand.propose();
  hand.persisted(entry);
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: markOf(entry) });
  hand.meet(2, 1, { acceptedEpoch: 3 });
  assert.equal(hand.effect('looking').reason, 'server 1 has accepted epoch 3');
  hand.elect(3, [...hand.log, entry]);
  hand.meet(3, 1, { acceptedEpoch: 3 });
  hand.stored();
  hand.ackEpoch(3, 4, hand.log, 3);
  assert.ok(!hand.did.includes('ROLLEDBACK'));
});

test('who counts and cannot stand votes for nobody that it would refuse, and stands when no other is found', () => {
  const base = logOf([]);
  const four = { type: 'config' as const, config: configOf(1, 2, 3, 4) };
  const [config, more] = (() => {
    const log = logOf([[1, 1]], base);
    const at = log[1] as Entry;
    return [{ ...at, note: four }, log] as const;
  })();
  const log = logOf([[1, 1]], [more[0] as Entry, config]);
  const hand = new Hand(4, { log, committed: endOf(base), peers: [1, 2, 3, 4] });
  hand.feed(hand.voted(3, Hand.voteFor(3, log.slice(0, 2))));
  hand.ticks(LIMITS.notify);
  assert.equal(hand.effect('vote').message.vote, null, 'it holds a record that server 3 lacks');
  hand.ticks(LIMITS.init / 2);
  assert.equal(hand.every('vote').at(-1)?.message.vote?.sid, 4);
});

test('who waits for a candidate that votes for another looks again, in the same round, and may follow that one', () => {
  const hand = new Hand(1);
  const three = Hand.voteFor(3, hand.log);
  hand.feed(hand.voted(2, three), hand.voted(3, three));
  assert.equal(hand.effect('dial').to, 3);
  const stranger = Hand.voteFor(7, logOf([[1, 3]]));
  hand.feed(hand.voted(3, three));
  assert.equal(hand.peer.role, 'following', 'it still votes for itself');
  hand.feed(hand.voted(3, stranger));
  assert.equal(hand.effect('looking').reason, 'the candidate votes for another');
  const votes = hand.effects.flatMap((effect) => (effect.type === 'vote' ? [effect.message] : []));
  assert.ok(votes.length > 0 && votes.every(({ state, round }) => state === 'looking' && round === 1));
  hand.feed(hand.voted(3, stranger));
  assert.equal(hand.effect('vote').message.vote?.sid, 7);
});

test('who counts here votes, though its own log does not list it yet and it calls itself an observer', () => {
  const config = { type: 'config' as const, config: configOf(2, 3) };
  const found = logOf([])[0] as Entry;
  const log = logOf([[1, 1]], [{ ...found, note: { type: 'config', config: configOf(3) } }]);
  const last = { ...(log[1] as Entry), note: config };
  const hand = new Hand(3, { log: [log[0] as Entry, last], committed: endOf(log.slice(0, 1)) });
  hand.feed(hand.voted(2, Hand.voteFor(3, log), 'observing', 1));
  hand.ticks(LIMITS.drain);
  assert.equal(hand.peer.role, 'leading');
});

test('a voter without weight keeps nobody from leading: what it acknowledged committed nothing', () => {
  const light = {
    ...configOf(1, 2, 3),
    members: [{ ...memberOf(1, 'i1'), weight: 0 }, memberOf(2, 'i2'), memberOf(3, 'i3')],
  };
  const found = { ...(logOf([])[0] as Entry), note: { type: 'config' as const, config: light } };
  const hand = new Hand(3, { log: [found] });
  hand.elect(3, [found]);
  hand.meet(1, 1);
  hand.meet(2, 2);
  hand.stored();
  hand.ackEpoch(1, 2, logOf([[1, 3]], [found]));
  hand.isQuiet();
  hand.ackEpoch(2, 2, [found]);
  assert.deepEqual(hand.did, ['storeEpochs']);
});

test('a learner that knew the outcome first waits until its leader knows it too, or is turned away', () => {
  const info = {
    type: 'FOLLOWERINFO',
    incarnation: 'i1',
    tags: ['t1'],
    acceptedEpoch: 1,
    voter: true,
    config: null,
  } as const;
  const early = (): Hand => {
    const hand = new Hand(3);
    hand.feed({ type: 'linked', sid: 1, link: 7, dialled: false }, { type: 'received', link: 7, message: info });
    hand.isQuiet();
    return hand;
  };
  const leader = early();
  leader.elect(3);
  assert.deepEqual(leader.did, ['storeEpochs'], 'it is a quorum with the one that waited');
  const other = early();
  other.feed(other.voted(1, Hand.voteFor(2, logOf([[1, 2]]))), other.voted(2, Hand.voteFor(2, logOf([[1, 2]]))));
  assert.equal(other.peer.role, 'following');
  assert.equal(other.effect('hangUp').link, 7);
  const gone = early();
  gone.feed({ type: 'closed', link: 7 });
  gone.elect(3);
  gone.isQuiet();
  const again = early();
  again.feed({ type: 'linked', sid: 1, link: 8, dialled: false });
  assert.deepEqual(again.effects, [{ type: 'hangUp', link: 7, reason: 'not leading' }]);
});

test('one whose log is old asks the leader that others name, and follows it when nobody else is found', () => {
  const hand = new Hand(3);
  const newcomer = { ...Hand.voteFor(3, logOf([[2, 1]])), sid: 7, incarnation: 'i7' };
  hand.feed(hand.voted(1, newcomer, 'observing'));
  const asked = hand.effects.flatMap((effect) => (effect.type === 'vote' ? [effect.to] : []));
  assert.deepEqual(asked, [7]);
  hand.feed(hand.voted(7, newcomer, 'leading'));
  assert.equal(hand.peer.role, 'looking');
  hand.ticks(LIMITS.init / 2 + 1);
  assert.equal(hand.effect('dial').to, 7);
});
