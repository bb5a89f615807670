/** Who counts, and how a leader changes it: 13.7, 13.8, 13.11 and 13.14 of foundations.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config, Member } from '../../src/records/txns.ts';
import { type Entry, markOf } from '../../src/zab/types.ts';
import { configOf, endOf, Hand, logOf, THREE, withNote } from './hand.ts';
import { LIMITS, memberOf } from './sim-node.ts';

const listing = (...members: Member[]): Config => ({ members, maxTxnBytes: 1000 });
/** A learner arrives on a link and is synchronised, whether it counts or not. */
function join(hand: Hand, link: number, sid: number, incarnation = `i${sid}`, acceptedEpoch = 0): void {
  hand.meet(link, sid, { incarnation, acceptedEpoch, voter: false, tags: [`${incarnation}.t`] });
  hand.ackEpoch(link, 2, [], null);
  hand.ackNewLeader(link, 2, hand.end, incarnation);
}
/** Everybody named holds `entry` on disk, the leader first. */
function hold(hand: Hand, entry: Entry, ...sids: number[]): void {
  hand.persisted(entry);
  for (const sid of sids) hand.hear(sid, { type: 'ACK', epoch: 2, incarnation: `i${sid}`, upTo: markOf(entry) });
}
const leading = (): Hand => {
  const hand = new Hand(3);
  hand.leadWithOne();
  return hand;
};
/** It leads with servers 1 and 2. */
const leadingTwo = (): Hand => {
  const hand = leading();
  hand.meet(2, 2);
  hand.ackEpoch(2, 2, hand.log);
  hand.ackNewLeader(2, 2, endOf(hand.log), 'i2');
  return hand;
};

test('13.8: a voter with a new directory is admitted once it is synchronised, by a record of its own', () => {
  const hand = leading();
  hand.meet(2, 2, { incarnation: 'new', acceptedEpoch: 0, voter: false, tags: ['new.t'] });
  hand.ackEpoch(2, 2, [], null);
  assert.ok(!hand.did.includes('proposeConfig'), 'what it was sent is not on its disk yet');
  hand.ackNewLeader(2, 2, endOf(hand.log), 'new');
  const { config, reason } = hand.effect('proposeConfig');
  assert.equal(reason, 'admit');
  assert.deepEqual(config, listing(memberOf(1, 'i1'), memberOf(2, 'new'), memberOf(3, 'i3')));
  assert.equal(hand.peer.canReconfigure(THREE), 'in-progress', 'asked for is under way');
  const entry = hand.propose({ type: 'config', config });
  hold(hand, entry, 1);
  const tags = hand.effects.flatMap((effect) => (effect.type === 'proposeSeen' ? [effect.tag] : []));
  assert.deepEqual(tags, ['new.t'], 'it counts now, so its start is noted');
  assert.ok(!hand.did.includes('proposeConfig'));
});

test('13.8: an observer that is not listed as what it is, is; it may be made a voter while it is away', () => {
  const config = listing(...THREE.members, memberOf(4, 'i4', 'observer'), memberOf(5, null, 'observer'));
  const log = withNote(logOf([]), 1, { type: 'config', config });
  const hand = new Hand(3, { log });
  hand.leadWithOne();
  const listed = (): (string | null)[] => {
    const { config, reason } = hand.effect('proposeConfig');
    assert.equal(reason, 'admit');
    hold(hand, hand.propose({ type: 'config', config }), 1);
    return config.members.map(({ incarnation }) => incarnation);
  };
  join(hand, 4, 4, 'new');
  const first = hand.effect('proposeConfig');
  join(hand, 5, 5);
  join(hand, 2, 2, 'other');
  assert.ok(!hand.did.includes('proposeConfig'), 'one at a time');
  hold(hand, hand.propose({ type: 'config', config: first.config }), 1);
  assert.deepEqual(listed(), ['i1', 'other', 'i3', 'new', null], 'a voter before observers');
  assert.deepEqual(listed(), ['i1', 'other', 'i3', 'new', 'i5']);
  assert.ok(!hand.did.includes('proposeConfig'));
});

test('13.8, 13.11: an observer that promised a later epoch is not listed in this one', () => {
  const config = listing(...THREE.members, memberOf(4, 'i4', 'observer'), memberOf(5, 'i5', 'observer'));
  const hand = new Hand(3, { log: withNote(logOf([]), 1, { type: 'config', config }) });
  hand.leadWithOne();
  // listed by its own log, it would say that it has a voice when it comes again, and this term would end of it
  join(hand, 4, 4, 'new', 7);
  assert.ok(!hand.did.includes('proposeConfig'));
  join(hand, 5, 5, 'new');
  assert.deepEqual(
    hand.effect('proposeConfig').config.members.map(({ incarnation }) => incarnation),
    ['i1', 'i2', 'i3', 'i4', 'new'],
    'it keeps no other from that',
  );
});

test('13.8: those that were absent at the founding are admitted one after another', () => {
  const five = listing(...[1, 2, 3].map((sid) => memberOf(sid, `i${sid}`)), memberOf(4, null), memberOf(5, null));
  const log = withNote(logOf([]), 1, { type: 'config', config: five });
  const hand = new Hand(3, { log });
  hand.elect(3);
  hand.ticks(LIMITS.drain);
  for (const sid of [1, 2]) hand.meet(sid, sid);
  hand.stored();
  for (const sid of [1, 2]) hand.ackEpoch(sid, 2, log);
  hand.stored();
  for (const sid of [1, 2]) hand.ackNewLeader(sid, 2, endOf(log), `i${sid}`);
  join(hand, 4, 4);
  const first = hand.effect('proposeConfig').config;
  join(hand, 5, 5);
  assert.ok(!hand.did.includes('proposeConfig'), 'one at a time');
  hold(hand, hand.propose({ type: 'config', config: first }), 1, 2);
  hand.hear(4, { type: 'ACK', epoch: 2, incarnation: 'i4', upTo: hand.end });
  const [, config] = hand.every('proposeConfig');
  assert.ok(config !== undefined);
  assert.deepEqual(
    config.config.members.map(({ incarnation }) => incarnation),
    ['i1', 'i2', 'i3', 'i4', 'i5'],
  );
});

test('13.11: before a learner becomes a voter the leader starts a term above its promise', () => {
  const hand = leading();
  join(hand, 2, 2, 'new', 9);
  assert.equal(hand.effect('looking').reason, 'server 2 has accepted epoch 9');
  assert.ok(!hand.did.includes('proposeConfig'));
  hand.feed(hand.voted(1, Hand.voteFor(3, hand.log, 2)));
  hand.feed({ type: 'reached', sid: 2, up: false });
  hand.meet(11, 1, { acceptedEpoch: 2 });
  assert.equal(hand.effect('storeEpochs').accepted, 10);

  const asked = leading();
  join(asked, 4, 4, 'i4', 9);
  const config = configOf(1, 2, 3, 4);
  assert.equal(asked.peer.canReconfigure(config), undefined);
  asked.feed({ type: 'reconfigure', config });
  assert.equal(asked.effect('reconfigRefused').refusal, 'in-progress', 'nothing was proposed: it may be asked again');
  assert.ok(asked.did.includes('looking') && !asked.did.includes('proposeConfig'));

  const watched = leading();
  join(watched, 4, 4, 'i4', 9);
  watched.feed({ type: 'reconfigure', config: listing(...THREE.members, memberOf(4, null, 'observer')) });
  assert.ok(watched.did.includes('proposeConfig'), 'the promise of an observer binds nobody');
});

test('17: a reconfiguration needs a quorum of the new voters, connected and synchronised', () => {
  const hand = leading();
  const config = configOf(3, 4, 5);
  assert.equal(hand.peer.canReconfigure(config), 'no-quorum');
  hand.meet(4, 4, { acceptedEpoch: 0, voter: false });
  hand.ackEpoch(4, 2, [], null);
  assert.equal(hand.peer.canReconfigure(config), 'no-quorum', 'connected is not enough');
  hand.feed({ type: 'reconfigure', config });
  assert.deepEqual(hand.effects, [{ type: 'reconfigRefused', refusal: 'no-quorum' }]);
  hand.ackNewLeader(4, 2, endOf(hand.log), 'i4');
  assert.equal(hand.peer.canReconfigure(config), undefined);
  hand.feed({ type: 'reconfigure', config });
  assert.deepEqual(hand.effects, [{ type: 'proposeConfig', config, reason: 'reconfigure' }]);
  hand.feed({ type: 'reconfigure', config });
  assert.deepEqual(hand.effects, [{ type: 'reconfigRefused', refusal: 'in-progress' }]);
  const entry = hand.propose({ type: 'config', config });
  assert.equal(hand.peer.canReconfigure(THREE), 'in-progress', 'until it is committed');
  hold(hand, entry, 1, 4);
  assert.equal(hand.peer.canReconfigure(THREE), undefined);
  assert.equal(new Hand(3).peer.canReconfigure(THREE), 'in-progress', 'nobody leads');
});

test('17: unknown incarnations are those of synchronised learners, then those listed, then none', () => {
  const hand = leading();
  join(hand, 4, 4, 'four');
  const unknown = listing(...[1, 2, 3, 4, 5].map((sid) => memberOf(sid, null)));
  hand.feed({ type: 'reconfigure', config: unknown });
  assert.deepEqual(
    hand.effect('proposeConfig').config.members.map(({ incarnation }) => incarnation),
    ['i1', 'i2', 'i3', 'four', null],
  );
});

test('13.7: a config is done when a quorum of it holds something appended after it was told of the commit', () => {
  const hand = leadingTwo();
  const config = configOf(1, 2, 3);
  hold(hand, hand.propose({ type: 'config', config }), 1, 2);
  assert.ok(!hand.everDid('configDone'), 'committed, and nobody knows it from its own disk');
  const noop = hand.propose();
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: markOf(noop) });
  assert.ok(!hand.everDid('configDone'), 'a follower alone');
  hand.persisted(noop);
  assert.deepEqual(hand.effect('configDone').at, { ...hand.effect('configDone').at, epoch: 2, counter: 1 });
});

test('13.7: the leader alone does not know for all', () => {
  const hand = leadingTwo();
  hold(hand, hand.propose({ type: 'config', config: configOf(1, 2, 3) }), 1, 2);
  hand.persisted(hand.propose());
  assert.ok(!hand.everDid('configDone'));
});

test('13.7: what a learner was sent before it was told of the commit proves nothing', () => {
  const hand = leading();
  const config = configOf(1, 2, 3);
  hold(hand, hand.propose({ type: 'config', config }), 1);
  const noop = hand.propose();
  hand.persisted(noop);
  hand.feed({ type: 'closed', link: 1 });
  hand.meet(2, 2, { acceptedEpoch: 2 });
  hand.ackEpoch(2, 2, hand.log, null);
  hand.ackNewLeader(2, 2, noop, 'i2');
  assert.ok(!hand.everDid('configDone'), 'its groups were written before UPTODATE');
  hand.ticks(1);
  assert.ok(hand.did.includes('proposeNoop'), 'nothing is under way that would prove it');
  const next = hand.propose();
  hand.persisted(next);
  hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i2', upTo: markOf(next) });
  assert.ok(hand.did.includes('configDone'));
});

test('13.7: a leader that finds a config record in its log sees it through', () => {
  const log = withNote(logOf([]), 1, { type: 'config', config: configOf(1, 2, 3) });
  const hand = new Hand(3, { log, committed: endOf(logOf([])) });
  hand.leadWithOne();
  assert.ok(hand.everDid('established'));
  hand.ticks(1);
  assert.ok(hand.did.includes('proposeNoop'));
  hold(hand, hand.propose(), 1);
  assert.ok(hand.did.includes('configDone'));
});

test('13.7: a leader that establishes its term with the record that leaves it out goes when that is done', () => {
  const log = withNote(logOf([]), 1, { type: 'config', config: configOf(1, 2) });
  const hand = new Hand(3, { log, committed: endOf(logOf([])) });
  hand.elect(3);
  for (const sid of [1, 2]) hand.meet(sid, sid);
  hand.stored();
  for (const sid of [1, 2]) hand.ackEpoch(sid, 2, log);
  hand.stored();
  for (const sid of [1, 2]) hand.ackNewLeader(sid, 2, endOf(log), `i${sid}`);
  assert.ok(hand.everDid('established') && hand.everDid('drain'));
  assert.equal(hand.peer.canReconfigure(THREE), 'in-progress');
  hand.ticks(1);
  assert.ok(hand.did.includes('proposeNoop'));
  hold(hand, hand.propose(), 1, 2);
  assert.ok(hand.everDid('HANDOVER'));
  assert.equal(hand.effect('looking').reason, 'no longer a voter');
});

test('13.7: a leader that is left out goes also when a learner told it first that the record is committed', () => {
  for (const knows of [false, true]) {
    const log = withNote(logOf([]), 1, { type: 'config', config: configOf(1, 2, 4) });
    const hand = new Hand(3, { log, committed: endOf(logOf([])) });
    hand.elect(3);
    hand.ticks(LIMITS.drain);
    hand.meet(1, 1);
    hand.meet(2, 2, { config: knows ? endOf(log) : null });
    hand.stored();
    for (const sid of [1, 2]) hand.ackEpoch(sid, 2, log);
    hand.stored();
    for (const sid of [1, 2]) hand.ackNewLeader(sid, 2, endOf(log), `i${sid}`);
    assert.ok(hand.everDid('established') && hand.everDid('drain'), `committed on the way: ${knows}`);
    hand.ticks(1);
    hold(hand, hand.propose(), 1, 2);
    assert.equal(hand.effect('looking').reason, 'no longer a voter');
  }
});

test('13.7: learners that a record makes voters were heard before it: the term does not end for want of them', () => {
  const alone = withNote([], 1, { type: 'config', config: configOf(3) });
  const hand = new Hand(3, { log: alone, peers: [3] });
  hand.stored();
  hand.stored();
  join(hand, 1, 1);
  join(hand, 2, 2);
  const pong = (sid: number): void => {
    hand.hear(sid, { type: 'PONG', epoch: 2, incarnation: `i${sid}`, round: 0 });
  };
  for (let i = 0; i < LIMITS.sync; i++) {
    hand.ticks(1);
    pong(1);
    if (i === 0) pong(2);
  }
  const config = configOf(1, 2, 3);
  hand.feed({ type: 'reconfigure', config });
  hand.propose({ type: 'config', config: hand.effect('proposeConfig').config });
  hand.ticks(1);
  assert.equal(hand.peer.role, 'leading', 'both were heard in time');

  const five = new Hand(3, { log: alone, peers: [3] });
  five.stored();
  five.stored();
  join(five, 1, 1);
  join(five, 2, 2);
  five.ticks(LIMITS.sync);
  five.feed({ type: 'reconfigure', config });
  five.propose({ type: 'config', config: five.effect('proposeConfig').config });
  five.ticks(1);
  assert.equal(five.effect('looking').reason, 'out of hearing of a quorum', 'a record makes nobody heard');
});

test('13.7: a leader that is left out takes nothing more and goes when that is done', () => {
  const hand = leadingTwo();
  hold(hand, hand.propose({ type: 'config', config: configOf(1, 2) }), 1, 2);
  assert.ok(hand.everDid('drain'));
  assert.equal(hand.peer.canReconfigure(THREE), 'in-progress');
  const noop = hand.propose();
  hold(hand, noop, 1);
  assert.equal(hand.peer.phase, 'broadcast', 'one of two knows');
  hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i2', upTo: markOf(noop) });
  const { did } = hand;
  assert.ok(did.indexOf('configDone') >= 0 && did.indexOf('configDone') < did.indexOf('HANDOVER'));
  assert.equal(hand.effect('looking').reason, 'no longer a voter');
});

const lines = { stored: 'old', now: 'new', members: configOf(1, 2, 3, 4).members, govern: true };
const leadingWith = (more: Partial<typeof lines> | { stored: undefined }): Hand => {
  const hand = new Hand(3, { lines: { ...lines, ...more } });
  hand.leadWithOne();
  return hand;
};
test('13.14: a leader whose server lines were changed proposes them when it can, and not again once they are settled', () => {
  const both = (more: Parameters<typeof leadingWith>[0]): Hand => {
    const hand = leadingWith(more);
    assert.ok(!hand.everDid('proposeConfig'), 'two of four');
    hand.meet(2, 2);
    hand.ackEpoch(2, 2, hand.log);
    hand.ackNewLeader(2, 2, hand.end, 'i2');
    return hand;
  };
  const hand = both({});
  const { config, reason } = hand.effect('proposeConfig');
  assert.equal(reason, 'lines');
  assert.deepEqual(config, listing(...THREE.members, memberOf(4, null)), 'incarnations of zoo.cfg are void');
  hold(hand, hand.propose({ type: 'config', config }), 1);
  assert.ok(!hand.everDid('linesSettled'), 'two of four hold it');
  hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i2', upTo: hand.end });
  assert.ok(hand.did.includes('linesSettled'));
  assert.equal(hand.every('proposeConfig').length, 1);
  join(hand, 4, 4);
  assert.equal(hand.effect('proposeConfig').reason, 'admit');

  for (const more of [{ stored: 'new' }, { stored: undefined }, { govern: false }, { members: THREE.members }])
    assert.ok(!both(more).everDid('proposeConfig'), JSON.stringify(more));
});

test('13.14: lines wait for a quorum of the voters they list, and any later change of members makes them void', () => {
  const hand = leadingWith({ members: configOf(3, 4, 5).members });
  assert.ok(!hand.everDid('proposeConfig'));
  const other = configOf(1, 3);
  hand.feed({ type: 'reconfigure', config: other });
  hold(hand, hand.propose({ type: 'config', config: other }), 1);
  assert.ok(hand.everDid('linesSettled'));
  join(hand, 4, 4);
  join(hand, 5, 5);
  assert.equal(hand.every('proposeConfig').length, 1);

  const admitted = leadingWith({ members: configOf(3, 4, 5).members });
  join(admitted, 2, 2, 'new');
  const { config } = admitted.effect('proposeConfig');
  hold(admitted, admitted.propose({ type: 'config', config }), 1);
  assert.ok(!admitted.everDid('linesSettled'), 'an admission changes no members');
});

test('13.14: a follower’s lines are settled by the config that its leader commits', () => {
  const hand = new Hand(1, { lines });
  hand.follow();
  const log = withNote(hand.log, 2, { type: 'config', config: configOf(1, 2, 3, 4) });
  hand.hear(1, { type: 'DIFF', epoch: 2, from: endOf(hand.log) }, { type: 'NEWLEADER', epoch: 2 });
  hand.stored();
  hand.hear(1, { type: 'UPTODATE', epoch: 2, committed: endOf(hand.log) });
  hand.hear(1, { type: 'PROPOSAL', epoch: 2, entries: log.slice(1) });
  hand.persisted(endOf(log));
  assert.ok(!hand.everDid('linesSettled'));
  hand.hear(1, { type: 'COMMIT', epoch: 2, upTo: endOf(log) });
  assert.ok(hand.did.includes('linesSettled'));
});

test('4: a server alone takes in the others of its zoo.cfg, whatever governs and whatever it started with', () => {
  const [first] = logOf([]);
  assert.ok(first !== undefined);
  const log = [{ ...first, note: { type: 'config' as const, config: configOf(3) } }];
  const hand = new Hand(3, { log, lines: { stored: 'new', now: 'new', members: THREE.members, govern: false } });
  for (const sid of [1, 2]) hand.feed({ type: 'reached', sid, up: false });
  hand.stored();
  hand.stored();
  assert.equal(hand.peer.phase, 'broadcast');
  assert.ok(!hand.everDid('proposeConfig'));
  join(hand, 1, 1);
  assert.deepEqual(
    hand.effect('proposeConfig').config,
    listing(memberOf(1, 'i1'), memberOf(2, null), memberOf(3, 'i3')),
  );
});

test('D10: a leader whose disk fails hands over what others hold; a follower leaves; neither goes on in this life', () => {
  const hand = leadingTwo();
  const entry = hand.propose();
  hand.feed({ type: 'diskFailed' });
  assert.deepEqual(hand.did, ['drain']);
  for (const sid of [1, 2]) hand.hear(sid, { type: 'ACK', epoch: 2, incarnation: `i${sid}`, upTo: markOf(entry) });
  assert.ok(hand.everDid('HANDOVER'), 'though its own disk never had it');
  assert.equal(hand.peer.role, 'stopped');

  const lonely = leading();
  lonely.propose();
  lonely.feed({ type: 'diskFailed' });
  for (let i = 0; i < LIMITS.silence; i++) {
    lonely.ticks(1);
    lonely.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: 0 });
  }
  assert.equal(lonely.peer.role, 'stopped', 'nobody could take over in time');

  const follower = new Hand(1);
  follower.follow();
  follower.feed({ type: 'diskFailed' });
  assert.deepEqual(follower.did, ['hangUp', 'looking']);
  assert.equal(follower.peer.role, 'stopped');
  assert.deepEqual(follower.ticks(50), []);
});
