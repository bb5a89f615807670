/** Elections, promises and who counts: one story a rule of foundations.md 13. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { canLead, counts, isQuorum, isQuorumOfAll } from '../../src/zab/quorum.ts';
import { type Input, type Mark, markOf, ORIGIN, type Position } from '../../src/zab/types.ts';
import { beats, isSameLeader, isSameVote } from '../../src/zab/vote.ts';
import { Witness } from '../../src/zab/witness.ts';
import { configOf, endOf, Hand, logOf, THREE, withNote } from './hand.ts';
import { entryAfter, LIMITS, memberOf } from './sim-node.ts';

test('a vote wins by epoch, then by the end of the log, then by server id', () => {
  const vote = (sid: number, epoch: number, last: [number, number]) => ({
    sid,
    incarnation: `i${sid}`,
    epoch,
    last: { epoch: last[0], counter: last[1] },
  });
  const order = [vote(3, 1, [1, 9]), vote(1, 2, [2, 1]), vote(2, 2, [2, 1]), vote(1, 2, [2, 5]), vote(1, 3, [2, 1])];
  order.forEach((a, i) => {
    assert.ok(beats(a, null));
    order.forEach((b, j) => {
      assert.equal(beats(a, b), i > j, `${i} ${j}`);
    });
  });
  assert.ok(isSameLeader(vote(1, 2, [2, 1]), vote(1, 2, [2, 9])));
  assert.ok(!isSameVote(vote(1, 2, [2, 1]), vote(1, 2, [2, 9])));
  assert.ok(!isSameVote({ ...vote(1, 2, [2, 1]), incarnation: 'other' }, vote(1, 2, [2, 1])));
});

test('13.7, 13.8: a quorum is a majority of every config in force, each voice under its listed incarnation', () => {
  const voice = (sid: number, incarnation = `i${sid}`) => ({ sid, incarnation });
  assert.ok(isQuorum(THREE, [voice(1), voice(2)]));
  assert.ok(!isQuorum(THREE, [voice(1), voice(2, 'wiped')]));
  assert.ok(!isQuorum(configOf(1, 2, 3, 4), [voice(1), voice(2)]));
  const lost = { ...THREE, members: [memberOf(1, 'i1'), memberOf(2, null), memberOf(3, 'i3')] };
  assert.ok(!isQuorum(lost, [voice(1), voice(2)]), 'none counts for nothing');
  assert.ok(isQuorum(lost, [voice(1), voice(3)]));
  const watched = { ...THREE, members: [...THREE.members, memberOf(4, 'i4', 'observer')] };
  assert.ok(!isQuorum(watched, [voice(1), voice(4)]));
  assert.ok(!counts([watched], voice(4)));
  assert.ok(!isQuorumOfAll([THREE, configOf(3, 4, 5)], [voice(1), voice(2), voice(4)]));
  assert.ok(isQuorumOfAll([THREE, configOf(3, 4, 5)], [voice(1), voice(3), voice(4)]));
  assert.ok(!isQuorumOfAll([], [voice(1)]), 'no config, no quorum');
});

test('3: any two quorums of weights and groups have a voter in common', () => {
  const random = seededRandom(7);
  let seen = 0;
  for (let round = 0; round < 60; round++) {
    const members = [1, 2, 3, 4, 5, 6].map((sid) => ({
      ...memberOf(sid, `i${sid}`),
      group: 1 + random.below(3),
      weight: random.below(4),
    }));
    const config = { members, maxTxnBytes: 1 };
    const sets = Array.from({ length: 64 }, (_, bits) => [1, 2, 3, 4, 5, 6].filter((sid) => bits & (1 << (sid - 1))));
    const quorums = sets.filter((sids) =>
      isQuorum(
        config,
        sids.map((sid) => ({ sid, incarnation: `i${sid}` })),
      ),
    );
    seen += quorums.length;
    const bits = (sids: readonly number[]): number => sids.reduce((sum, sid) => sum | (1 << (sid - 1)), 0);
    for (const a of quorums) for (const b of quorums) assert.ok((bits(a) & bits(b)) !== 0, `${a} and ${b}`);
  }
  assert.ok(seen > 500);
  const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((sid) => ({ ...memberOf(sid, `i${sid}`), group: Math.ceil(sid / 3) }));
  const voices = (...sids: number[]) => sids.map((sid) => ({ sid, incarnation: `i${sid}` }));
  assert.ok(isQuorum({ members: nine, maxTxnBytes: 1 }, voices(1, 2, 4, 5)), 'two of three in two groups of three');
  assert.ok(!isQuorum({ members: nine, maxTxnBytes: 1 }, voices(1, 2, 3, 4, 7)));
  const light = { members: [{ ...memberOf(1, 'i1'), weight: 0 }, memberOf(2, 'i2')], maxTxnBytes: 1 };
  assert.ok(isQuorum(light, voices(2)));
  assert.deepEqual([canLead([light], voices(1)[0]!), canLead([light], voices(2)[0]!)], [false, true]);
});

test('13.12: an election ends at once when all have voted alike, and waits for one that is still connecting', () => {
  const hand = new Hand(3);
  const mine = Hand.voteFor(3, hand.log);
  hand.feed(hand.voted(1, mine));
  assert.equal(hand.peer.role, 'looking', 'server 2 may still bring a better vote');
  hand.feed({ type: 'reached', sid: 2, up: false });
  assert.equal(hand.peer.role, 'leading');

  const patient = new Hand(3);
  patient.feed(patient.voted(1, mine));
  patient.ticks(LIMITS.drain - 1);
  assert.equal(patient.peer.role, 'looking');
  patient.ticks(1);
  assert.equal(patient.peer.role, 'leading');
});

test('a better vote that comes while a decided election waits is followed', () => {
  const hand = new Hand(3);
  hand.feed(hand.voted(1, Hand.voteFor(3, hand.log)));
  const longer = logOf([[1, 5]]);
  hand.feed(hand.voted(2, Hand.voteFor(2, longer)));
  assert.equal(hand.effect('vote').message.vote?.sid, 2);
  hand.ticks(LIMITS.drain - 1);
  assert.equal(hand.peer.role, 'looking', 'the wait begins anew');
  hand.ticks(1);
  assert.equal(hand.effect('dial').to, 2);
});

test('a later round begins an election anew, from what this member itself can claim', () => {
  const hand = new Hand(2);
  hand.feed(hand.voted(3, Hand.voteFor(3, hand.log)));
  hand.feed(hand.voted(1, Hand.voteFor(1, hand.log), 'looking', 7));
  const { message } = hand.effect('vote');
  assert.equal(message.round, 7);
  assert.equal(message.vote?.sid, 2, 'not the vote of the round before');
});

test('a vote known only from others is not enough: its candidate may be gone, and then all begin anew', () => {
  const hand = new Hand(1);
  const best = Hand.voteFor(3, logOf([[1, 5]]));
  hand.feed(hand.voted(2, best), { type: 'reached', sid: 3, up: false });
  hand.ticks(LIMITS.drain + 1);
  assert.equal(hand.peer.role, 'looking');
  hand.ticks(LIMITS.init);
  assert.equal(hand.effect('gather').voters.length, 2);
  const votes = hand.effects.flatMap((effect) => (effect.type === 'vote' ? [effect.message.vote?.sid] : []));
  assert.equal(votes.at(-1), 1);
});

test('13.12: a vote for, or by, one that does not count is ignored', () => {
  const hand = new Hand(2);
  const stranger = { ...Hand.voteFor(3, logOf([[1, 9]])), incarnation: 'wiped' };
  hand.feed(hand.voted(1, stranger), hand.voted(3, stranger, 'looking', 1, 'wiped'));
  hand.ticks(LIMITS.notify);
  assert.equal(hand.effect('vote').message.vote?.sid, 2);
});

test('13.12: one that does not count never proposes itself, and follows whoever leads', () => {
  const amnesiac = new Hand(1, { log: [], incarnation: 'new', accepted: 0 });
  assert.equal(amnesiac.effect('vote').message.vote, null);
  const log = logOf([[1, 3]]);
  amnesiac.feed(amnesiac.voted(3, Hand.voteFor(3, log)), amnesiac.voted(2, Hand.voteFor(3, log)));
  assert.equal(amnesiac.peer.role, 'looking');
  amnesiac.feed(amnesiac.voted(3, Hand.voteFor(3, log), 'leading'));
  assert.equal(amnesiac.effect('dial').to, 3);
});

test('who finds nobody for long follows a leader that its own log does not know', () => {
  const hand = new Hand(1);
  const vote = Hand.voteFor(7, hand.log, 5);
  hand.feed(hand.voted(7, vote, 'leading'));
  hand.ticks(LIMITS.init / 2);
  assert.ok(!hand.did.includes('dial'));
  hand.ticks(1);
  assert.equal(hand.effect('dial').to, 7);
  const late = new Hand(1);
  late.ticks(LIMITS.init - 1);
  late.feed(late.voted(7, vote, 'leading'));
  assert.equal(late.effect('dial').to, 7);
});

test('who finds nobody for long votes for a candidate that its own log does not know and that knows of later members', () => {
  // servers 1 and 3 were emptied and admitted anew while 2 was away; the others need its vote now
  const later = endOf(logOf([[2, 5]]));
  const log = logOf([[3, 2]]);
  const anew = (n: number, config: Mark | null): Input => {
    const input = hand.voted(n, { ...Hand.voteFor(n, log, 3), incarnation: 'anew' }, 'looking', hand.round, 'anew');
    assert.ok(input.type === 'voted');
    return { ...input, message: { ...input.message, config } };
  };
  const voted = (): number | undefined => hand.every('vote').at(-1)?.message.vote?.sid;
  let hand = new Hand(2);
  hand.feed(anew(1, later), anew(3, later));
  hand.ticks(LIMITS.init / 2);
  assert.equal(voted(), 2, 'not before it is late');
  hand.ticks(1);
  assert.equal(voted(), 3, 'the better one');
  hand.feed(hand.voted(3, { ...Hand.voteFor(3, log, 3), incarnation: 'anew' }, 'leading', hand.round, 'anew'));
  assert.equal(hand.effect('dial').to, 3);

  hand = new Hand(2);
  hand.feed(anew(3, endOf(hand.log)), anew(1, null));
  hand.ticks(LIMITS.init - 1);
  assert.equal(voted(), 2, 'those that know of no later members may be what the others have left behind');

  const longer = logOf([[4, 9]]);
  hand = new Hand(2, { log: longer, accepted: 4, current: 4 });
  hand.feed(anew(3, later));
  hand.ticks(LIMITS.init - 1);
  assert.equal(voted(), 2, 'one that has less than this member is no better than itself');

  hand = new Hand(2, { log: longer, accepted: 4, current: 4 });
  hand.round++;
  hand.feed(anew(3, later));
  hand.ticks(LIMITS.init - 1);
  assert.equal(voted(), 2, 'in a later round neither');

  hand = new Hand(2, { committed: ORIGIN });
  hand.feed(anew(3, later));
  hand.ticks(LIMITS.init - 1);
  assert.equal(voted(), 3, 'whether it knows that the ensemble was founded or not');

  hand = new Hand(2);
  hand.feed(anew(3, later), { type: 'reached', sid: 3, up: false });
  hand.ticks(LIMITS.init - 1);
  assert.equal(voted(), 2, 'who is gone since is not heard');

  hand = new Hand(2, { peers: [1, 2, 3] });
  const other = hand.voted(7, Hand.voteFor(7, log, 3));
  assert.ok(other.type === 'voted');
  hand.feed({ ...other, message: { ...other.message, config: later } });
  hand.ticks(LIMITS.init / 2 + 1);
  assert.ok(
    hand.effects.some((each) => each.type === 'vote' && each.to === 7),
    'it hears of it, though it is not asked otherwise',
  );
});

test('who finds nobody for long follows a leader that counts, though it may not know who else is with it', () => {
  const five = entryAfter(ORIGIN, 1, 1, { type: 'config', config: configOf(1, 2, 3, 4, 5) });
  const begin = (): Hand => new Hand(1, { log: [five], committed: endOf([five]) });
  const hand = begin();
  const vote = Hand.voteFor(3, hand.log, 5);
  hand.feed(hand.voted(3, vote, 'leading'));
  hand.ticks(LIMITS.init / 2);
  assert.equal(hand.peer.role, 'looking', 'two of five');
  hand.ticks(1);
  assert.equal(hand.effect('dial').to, 3);
  const warned = begin();
  warned.feed(warned.voted(3, vote, 'leading'), warned.voted(3, vote, 'looking', 1));
  warned.ticks(LIMITS.init / 2 + 1);
  assert.equal(warned.peer.role, 'looking', 'it does not lead any more');
});

test('a leader is followed when it says so itself and a quorum, ourselves among it, is with it', () => {
  const hand = new Hand(1);
  const vote = Hand.voteFor(3, hand.log, 4);
  hand.feed(hand.voted(2, vote, 'following', 9));
  assert.equal(hand.peer.role, 'looking', 'the leader may be dead');
  hand.feed(hand.voted(3, { ...vote, last: { epoch: 4, counter: 4 } }, 'leading', 9));
  assert.equal(hand.effect('dial').to, 3);
  hand.feed(hand.voted(2, Hand.voteFor(2, hand.log)));
  const answer = hand.effect('vote').message;
  assert.deepEqual([answer.state, answer.vote?.sid, answer.round], ['following', 3, 9]);
});

test('13.3: an election begins when the epoch of the log is that of the member, and its log at rest', () => {
  const hand = new Hand(1, { log: logOf([[4, 2]]), accepted: 5, current: 1 });
  assert.deepEqual(hand.did, ['storeEpochs']);
  assert.equal(hand.effect('storeEpochs').current, 4);
  hand.stored();
  assert.equal(hand.effect('vote').message.vote?.epoch, 4);
});

test('13.3: a term that ends with a write under way waits for it before a vote', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const entry = hand.propose();
  hand.ticks(LIMITS.sync + 1);
  assert.ok(hand.did.includes('looking'));
  assert.ok(!hand.did.includes('vote'));
  hand.persisted(entry);
  assert.deepEqual(hand.effect('vote').message.vote?.last, { epoch: entry.epoch, counter: entry.counter });
});

test('5: the epoch is above every promise of a quorum, durable before it is said, and fixed for the term', () => {
  const hand = new Hand(3);
  hand.elect(3);
  assert.deepEqual(hand.meet(1, 1, { acceptedEpoch: 6 }), [{ type: 'storeEpochs', accepted: 7, current: 1 }]);
  hand.meet(2, 2, { acceptedEpoch: 3 });
  hand.isQuiet();
  hand.feed({ type: 'epochsStored', accepted: 7, current: 1 });
  assert.deepEqual(hand.did, ['LEADERINFO', 'LEADERINFO']);
  assert.equal(hand.sent('LEADERINFO').epoch, 7);
});

test('13.8: a promise under another incarnation than the listed one does not count', () => {
  const hand = new Hand(3);
  hand.elect(3);
  hand.meet(1, 1, { incarnation: 'wiped', tags: ['x'] });
  hand.isQuiet();
  hand.meet(2, 2);
  assert.deepEqual(hand.did, ['storeEpochs']);
});

test('5: one that accepted the epoch before promises nothing, and does not count for it', () => {
  const hand = new Hand(3);
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, hand.log, null);
  hand.isQuiet();
  hand.meet(2, 2);
  hand.ackEpoch(2, 2, hand.log);
  assert.deepEqual(hand.did, ['storeEpochs']);
});

test('5: a candidate behind a member of its quorum does not lead it', () => {
  const hand = new Hand(3);
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, logOf([[1, 4]], hand.log));
  assert.ok(hand.did.includes('looking'));
});

test('13.11: a higher promise of a member that counts ends the term, and the next goes above it', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.meet(2, 2, { acceptedEpoch: 8 });
  assert.ok(hand.did.includes('looking'));
  hand.feed(...[1, 2].map((from) => hand.voted(from, Hand.voteFor(3, hand.log, 2))));
  hand.meet(3, 1, { acceptedEpoch: 2 });
  assert.equal(hand.effect('storeEpochs').accepted, 9, 'though server 2 is not there any more');
});

test('13.11: an epoch that nobody can have come to is not topped: epochs would end there', () => {
  for (const acceptedEpoch of [0x7fff_ffff, 0x7fff_fff0, 2 ** 21]) {
    const leader = new Hand(3);
    leader.leadWithOne();
    leader.meet(2, 9, { acceptedEpoch });
    assert.deepEqual(leader.did, ['hangUp'], `${acceptedEpoch}`);
  }
});

test('of directories that never acknowledged anything only so many are remembered', () => {
  const witness = new Witness();
  const voice = (n: number) => ({ sid: 2, incarnation: `i${n}` });
  witness.acked(voice(0), 3, { epoch: 3, counter: 9 });
  witness.accepted(voice(1), 7);
  for (let n = 2; n < 10_000; n++) witness.accepted(voice(n), 7);
  assert.ok(witness.misses(voice(0), 3, { epoch: 3, counter: 8 }), 'what was acknowledged is');
  assert.ok(witness.saw(voice(9_999), 6));
  assert.ok(!witness.saw(voice(1), 6));
});

test('13.11: a higher promise of a stranger is nothing to a leader, nor a lower epoch to a stranger', () => {
  const leader = new Hand(3);
  leader.leadWithOne();
  leader.meet(2, 9, { incarnation: 'wiped', acceptedEpoch: 8, voter: false });
  assert.deepEqual(leader.did, ['LEADERINFO']);

  const info = { type: 'LEADERINFO', epoch: 2, incarnation: 'i3', tags: ['t3'], config: null } as const;
  const learner = new Hand(1, { log: [], incarnation: 'new', accepted: 8 });
  learner.feed(learner.voted(3, Hand.voteFor(3, leader.log), 'leading'));
  learner.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
  learner.hear(1, info);
  assert.equal(learner.sent('ACKEPOCH').currentEpoch, null);
  const voter = new Hand(1, { accepted: 8 });
  voter.elect(3);
  voter.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
  voter.hear(1, info);
  assert.ok(voter.did.includes('looking'));
});

test('a follower promises durably before it says so', () => {
  const hand = new Hand(1);
  hand.elect(3);
  hand.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
  assert.equal(hand.sent('FOLLOWERINFO').acceptedEpoch, 1);
  hand.hear(1, { type: 'LEADERINFO', epoch: 2, incarnation: 'i3', tags: ['t3'], config: null });
  assert.deepEqual(hand.effects, [{ type: 'storeEpochs', accepted: 2, current: 1 }]);
  hand.stored();
  const ack = hand.sent('ACKEPOCH');
  assert.deepEqual([ack.currentEpoch, ack.last], [1, endOf(hand.log)]);
});

test('13.9: a directory that lacks a start which the log has seen is an old copy, the leader’s too', () => {
  const log = withNote(logOf([]), 1, { type: 'seen', sid: 1, incarnation: 'i1', tag: 'late' });
  const leader = new Hand(3, { log });
  leader.elect(3);
  leader.meet(1, 1, { tags: ['early'] });
  assert.deepEqual(leader.did, ['ROLLEDBACK', 'hangUp']);
  leader.meet(2, 1, { tags: ['early', 'late', 'now'] });
  assert.deepEqual(leader.did, ['storeEpochs']);

  const old = new Hand(1);
  old.elect(3);
  old.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
  old.hear(1, { type: 'ROLLEDBACK', incarnation: 'i1' });
  assert.ok(old.did.includes('rolledBack'));
  assert.equal(old.peer.role, 'stopped');
  assert.deepEqual(old.ticks(50), []);

  const knowing = new Hand(1, { log: withNote(logOf([]), 1, { type: 'seen', sid: 3, incarnation: 'i3', tag: 'z' }) });
  knowing.elect(3);
  knowing.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
  knowing.hear(1, { type: 'LEADERINFO', epoch: 2, incarnation: 'i3', tags: ['t3'], config: null });
  assert.deepEqual(knowing.did.slice(0, 2), ['ROLLEDBACK', 'hangUp']);
});

test('13.9: a directory that keeps its oldest tags no longer says up to where it knows its starts, and is no old copy by them', () => {
  const log = withNote(logOf([]), 1, { type: 'seen', sid: 1, incarnation: 'i1', tag: 'dropped' });
  const { epoch, counter } = endOf(log);
  const answers = (upTo: Position): string[] => {
    const leader = new Hand(3, { log });
    leader.elect(3);
    leader.feed({ type: 'linked', sid: 1, link: 1, dialled: false });
    const info = {
      type: 'FOLLOWERINFO',
      incarnation: 'i1',
      tags: ['now'],
      acceptedEpoch: 1,
      voter: true,
      config: null,
    } as const;
    leader.hear(1, { type: 'STARTS', upTo }, info);
    return leader.did;
  };
  assert.deepEqual(answers({ epoch, counter }), ['storeEpochs']);
  assert.deepEqual(answers({ epoch: 2, counter: 7 }), ['storeEpochs']);
  assert.deepEqual(answers({ epoch, counter: counter - 1 }), ['ROLLEDBACK', 'hangUp'], 'it was seen later than that');

  const leads = (upTo: Position): string[] => {
    const hand = new Hand(1, { log: withNote(logOf([]), 1, { type: 'seen', sid: 3, incarnation: 'i3', tag: 'z' }) });
    hand.elect(3);
    hand.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
    hand.hear(
      1,
      { type: 'STARTS', upTo },
      { type: 'LEADERINFO', epoch: 2, incarnation: 'i3', tags: ['t3'], config: null },
    );
    return hand.did.slice(0, 2);
  };
  assert.deepEqual(leads({ epoch, counter }), ['storeEpochs']);
  assert.deepEqual(leads({ epoch, counter: counter - 1 }), ['ROLLEDBACK', 'hangUp']);
});

test('13.9: who keeps not all its tags says so before it tells them, on every link', () => {
  const startsUpTo = { epoch: 1, counter: 9 };
  const learner = new Hand(1, { startsUpTo });
  learner.elect(3);
  learner.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
  assert.deepEqual(learner.did, ['STARTS', 'FOLLOWERINFO']);
  assert.deepEqual(learner.sent('STARTS').upTo, startsUpTo);
  const leader = new Hand(3, { startsUpTo });
  leader.elect(3);
  leader.meet(1, 1);
  leader.meet(2, 2);
  leader.stored();
  assert.deepEqual(leader.did, ['STARTS', 'LEADERINFO', 'STARTS', 'LEADERINFO']);
});

test('13.9: a leader has every unseen start of a voter put into the log', () => {
  const hand = new Hand(3);
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, hand.log);
  hand.stored();
  hand.ackNewLeader(1, 2, endOf(hand.log), 'i1');
  const tags = hand.effects.flatMap((effect) => (effect.type === 'proposeSeen' ? [effect.tag] : []));
  assert.deepEqual(tags, ['t3', 't1']);
});

test('13.7: a config that another knows committed silences the one before it', () => {
  const four = withNote(logOf([]), 1, { type: 'config', config: configOf(1, 2, 3, 4) });
  const log = withNote(four, 1, { type: 'config', config: configOf(3, 4, 5) });
  const before = endOf(four);
  const hand = new Hand(3, { log, committed: before });
  const vote = Hand.voteFor(3, log);
  hand.feed(hand.voted(4, vote));
  hand.ticks(LIMITS.drain + 1);
  assert.equal(hand.peer.role, 'looking', 'the config before is in force too');
  const message = {
    type: 'VOTE',
    state: 'looking',
    round: 1,
    vote,
    incarnation: 'i4',
    config: endOf(log),
    lines: null,
  } as const;
  hand.feed({ type: 'voted', from: 4, message });
  assert.equal(hand.effect('commit').upTo.counter, 3);
  hand.ticks(LIMITS.drain + 1);
  assert.equal(hand.peer.role, 'leading');
  const liar = new Hand(3, { log, committed: before });
  liar.feed({ type: 'voted', from: 4, message: { ...message, config: { ...endOf(log), chainLo: 0 } } });
  assert.ok(!liar.did.includes('commit'), 'only a record that our own log holds');
});

test('13.7: of two configs in force only voters of the older one stand: nobody else is known to all', () => {
  const log = withNote(logOf([]), 1, { type: 'config', config: configOf(1, 2, 3, 4) });
  const votes = (sid: number) => new Hand(sid, { log, committed: endOf(logOf([])) }).effect('vote').message.vote?.sid;
  assert.deepEqual([votes(3), votes(4)], [3, undefined]);
});

test('two logs without anything begin at the same place', () => {
  assert.deepEqual(markOf(ORIGIN), { ...ORIGIN });
});
