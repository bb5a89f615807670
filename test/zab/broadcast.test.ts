/** Synchronisation and broadcast: one story a rule of foundations.md 13. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../../src/zab/history.ts';
import { plan } from '../../src/zab/sync.ts';
import { type Entry, markOf, ORIGIN } from '../../src/zab/types.ts';
import { configOf, endOf, Hand, logOf, THREE } from './hand.ts';
import { LIMITS } from './sim-node.ts';

const historyOf = (log: readonly Entry[], base = ORIGIN): History => {
  const last = endOf(log);
  const beginning = { base, configs: [], seen: [], committed: ORIGIN, durable: last, generation: 1 };
  return new History(
    beginning,
    log.slice(log.findIndex((e) => e.epoch === base.epoch && e.counter === base.counter) + 1),
  );
};
const markAt = (log: readonly Entry[], epoch: number, counter: number) =>
  markOf(log.find((entry) => entry.epoch === epoch && entry.counter === counter) as Entry);

test('13.1: what a learner is sent, by what both logs hold', () => {
  const common = logOf([[1, 4]]);
  const leader = logOf([[3, 3]], common);
  const of = (log: readonly Entry[], base = ORIGIN) => plan(historyOf(leader, base), historyOf(log).ends());
  assert.deepEqual(of(leader), { type: 'diff', from: endOf(leader) }, 'equal');
  assert.deepEqual(of(leader.slice(0, 3)), { type: 'diff', from: endOf(leader.slice(0, 3)) }, 'behind');
  assert.deepEqual(of([]), { type: 'diff', from: { ...ORIGIN } }, 'empty, and we have everything');
  assert.deepEqual(
    of(logOf([[3, 1]], leader.slice(0, -1))),
    { type: 'snap', alarm: true },
    'another record at the same place: damage',
  );
  assert.deepEqual(of(logOf([[2, 2]], common)), { type: 'trunc', to: endOf(common) }, 'an epoch that we lack');
  assert.deepEqual(of(logOf([[1, 5]], common)), { type: 'trunc', to: endOf(common) }, 'longer in an epoch');
  const ahead = logOf([[3, 2]], leader);
  assert.deepEqual(of(ahead), { type: 'trunc', to: endOf(leader) }, 'not lower than our end, applied or not');
  const forked = logOf([[2, 2]], common.slice(0, 3));
  assert.deepEqual(
    of(forked),
    { type: 'trunc', to: endOf(common.slice(0, 3)) },
    'the last common record, and no other',
  );
  assert.deepEqual(of([], endOf(common)), { type: 'snap', alarm: false }, 'we do not reach back');
  assert.deepEqual(plan(historyOf(leader), []), { type: 'snap', alarm: false });
});

test('2: a log with another record at the same place is replaced, and somebody is told', () => {
  const log = logOf([[1, 2]]);
  const hand = new Hand(3, { log });
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, logOf([[1, 1]], log.slice(0, 2)));
  hand.stored();
  assert.deepEqual(hand.did, ['diverged', 'SNAP', 'PROPOSAL', 'NEWLEADER']);
});

test('13.2: what was recovered is not committed before the epoch is established, then all of it is', () => {
  const log = logOf([[1, 4]]);
  const hand = new Hand(3, { log, committed: endOf(logOf([])) });
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, log.slice(0, 2));
  hand.stored();
  assert.deepEqual(hand.did, ['DIFF', 'PROPOSAL', 'NEWLEADER']);
  assert.equal(hand.sent('PROPOSAL').entries.length, 3);
  hand.ackNewLeader(1, 2, endOf(log), 'i1');
  assert.deepEqual(hand.did.slice(0, 3), ['established', 'commit', 'serve']);
  assert.equal(hand.effect('commit').upTo.counter, 5);
  assert.equal(hand.sent('UPTODATE').committed.counter, 5);
});

test('13.2: a learner that does not count is synchronised after the epoch is established, then informed', () => {
  const hand = new Hand(3);
  hand.elect(3);
  hand.meet(1, 1);
  hand.meet(2, 9, { incarnation: 'i9' });
  hand.stored();
  hand.ackEpoch(1, 2, hand.log);
  hand.stored();
  assert.ok(hand.did.includes('NEWLEADER'));
  hand.ackEpoch(2, 2, [], null);
  hand.isQuiet();
  hand.ackNewLeader(1, 2, endOf(hand.log), 'i1');
  assert.deepEqual(
    hand.effects.flatMap((each) => (each.type === 'send' && each.link === 2 ? [each.message.type] : [])),
    ['DIFF', 'PROPOSAL', 'NEWLEADER'],
  );
  hand.ackNewLeader(2, 2, endOf(hand.log), 'i9');
  const entry = hand.propose();
  assert.deepEqual(hand.did, ['PROPOSAL']);
  hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i9', upTo: ORIGIN });
  hand.persisted(entry);
  hand.isQuiet('an observer’s word is no vote');
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: entry });
  assert.deepEqual(hand.did.sort(), ['COMMIT', 'INFORM', 'commit']);
});

test('13.3: a follower acknowledges NEWLEADER when its history is durable and then the epoch', () => {
  const hand = new Hand(1);
  hand.follow();
  const more = logOf([[1, 2]], hand.log);
  const entries = more.slice(1);
  hand.hear(1, { type: 'DIFF', epoch: 2, from: endOf(hand.log) }, { type: 'PROPOSAL', epoch: 2, entries });
  assert.deepEqual(hand.did, ['append']);
  hand.hear(1, { type: 'NEWLEADER', epoch: 2 });
  hand.isQuiet();
  hand.persisted(entries[0] as Entry);
  hand.isQuiet();
  hand.persisted(endOf(more));
  assert.deepEqual(hand.effects, [{ type: 'storeEpochs', accepted: 2, current: 2 }]);
  hand.stored();
  assert.deepEqual(hand.did, ['ACKNEWLEADER']);
  hand.hear(1, { type: 'UPTODATE', epoch: 2, committed: endOf(more) });
  assert.deepEqual(hand.did, ['commit', 'serve']);
});

test('13.3: nothing is acknowledged between NEWLEADER and the epoch on disk, then everything durable is', () => {
  const hand = new Hand(1);
  hand.follow();
  hand.hear(1, { type: 'DIFF', epoch: 2, from: endOf(hand.log) }, { type: 'NEWLEADER', epoch: 2 });
  const more = logOf([[2, 2]], hand.log);
  hand.hear(1, { type: 'PROPOSAL', epoch: 2, entries: more.slice(1) }, { type: 'COMMIT', epoch: 2, upTo: endOf(more) });
  hand.persisted(endOf(more));
  hand.isQuiet();
  hand.stored();
  assert.deepEqual(hand.did, ['ACKNEWLEADER', 'commit']);
  assert.deepEqual(hand.sent('ACKNEWLEADER').upTo, { epoch: 2, counter: 2 });
});

test('6: what is committed but not on this disk is not applied here', () => {
  const hand = new Hand(1);
  hand.follow();
  hand.hear(1, { type: 'DIFF', epoch: 2, from: endOf(hand.log) }, { type: 'NEWLEADER', epoch: 2 });
  hand.stored();
  hand.hear(1, { type: 'UPTODATE', epoch: 2, committed: endOf(hand.log) });
  const more = logOf([[2, 3]], hand.log);
  hand.hear(1, { type: 'PROPOSAL', epoch: 2, entries: more.slice(1) }, { type: 'COMMIT', epoch: 2, upTo: endOf(more) });
  assert.deepEqual(hand.did, ['append']);
  hand.persisted(more[2] as Entry);
  assert.deepEqual(hand.did, ['ACK', 'commit']);
  assert.equal(hand.effect('commit').upTo.counter, 2);
});

test('13.3, 13.1: the leader counts acks of the present link only, and none before that of NEWLEADER', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const entry = hand.propose();
  hand.persisted(entry);
  hand.meet(2, 1, { acceptedEpoch: 2 });
  assert.ok(hand.did.includes('hangUp'), 'the older link of the same server ends');
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: entry });
  hand.isQuiet();
  hand.ackEpoch(2, 2, hand.log, null);
  hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: entry });
  hand.isQuiet();
  hand.ackNewLeader(2, 2, endOf(hand.log), 'i1');
  assert.ok(!hand.did.includes('commit'), 'it may have been cut: only what it says on this link');
  hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: entry });
  assert.ok(hand.did.includes('commit'));
});

test('13.3: a leader takes part in its epoch when its own promise of it is durable', () => {
  const hand = new Hand(3);
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.meet(2, 2);
  hand.ackEpoch(1, 2, hand.log);
  hand.ackEpoch(2, 2, hand.log);
  hand.isQuiet('nobody is synchronised before currentEpoch is on disk');
  hand.stored();
  hand.ackNewLeader(1, 2, endOf(hand.log), 'wiped');
  assert.ok(!hand.did.includes('established'));
});

test('13.8: an ack under another incarnation does not count', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const entry = hand.propose();
  hand.persisted(entry);
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'wiped', upTo: entry });
  hand.isQuiet();
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: entry });
  assert.deepEqual(hand.did, ['COMMIT', 'commit']);
});

test('6: an ack is cumulative, and a commit may leave before the leader’s own flush', () => {
  const hand = new Hand(3);
  hand.elect(3);
  for (const sid of [1, 2]) hand.meet(sid, sid);
  hand.stored();
  hand.ackEpoch(1, 2, hand.log);
  hand.ackEpoch(2, 2, hand.log);
  hand.stored();
  for (const sid of [1, 2]) hand.ackNewLeader(sid, 2, endOf(hand.log), `i${sid}`);
  hand.propose();
  hand.propose();
  const last = hand.propose();
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: last });
  hand.isQuiet();
  hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i2', upTo: last });
  assert.deepEqual(hand.did, ['COMMIT', 'COMMIT'], 'not applied here yet');
  hand.persisted(last);
  assert.deepEqual(hand.did, ['commit']);
});

test('13.7: a config record needs both quorums, what is behind it needs them too, and a no-op follows it', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const config = hand.propose({ type: 'config', config: configOf(3, 4, 5) });
  const behind = hand.propose();
  assert.throws(() => hand.propose({ type: 'config', config: THREE }), /two config records/);
  hand.persisted(behind);
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: behind });
  hand.isQuiet('the old quorum alone');
  hand.meet(4, 4, { acceptedEpoch: 0, voter: false });
  hand.ackEpoch(4, 2, [], 0);
  hand.ackNewLeader(4, 2, config, 'i4');
  assert.deepEqual(hand.effect('commit').upTo, { epoch: 2, counter: 1 });
  assert.ok(hand.did.includes('proposeNoop'));
  hand.hear(4, { type: 'ACK', epoch: 2, incarnation: 'i4', upTo: behind });
  assert.ok(hand.did.includes('commit'));
});

test('13.7: the new quorum alone commits no config record', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.meet(4, 4, { acceptedEpoch: 0, voter: false });
  hand.ackEpoch(4, 2, [], 0);
  hand.ackNewLeader(4, 2, endOf(hand.log), 'i4');
  const config = hand.propose({ type: 'config', config: configOf(3, 4, 5) });
  hand.persisted(config);
  hand.hear(4, { type: 'ACK', epoch: 2, incarnation: 'i4', upTo: config });
  hand.isQuiet();
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: config });
  assert.ok(hand.did.includes('commit'));
});

test('13.7: a leader that a config leaves out goes when all can know that the config is committed', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.meet(2, 2);
  hand.ackEpoch(2, 2, hand.log);
  hand.ackNewLeader(2, 2, endOf(hand.log), 'i2');
  const ack = (upTo: Entry): void => {
    hand.persisted(upTo);
    hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo });
    hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'i2', upTo });
  };
  ack(hand.propose({ type: 'config', config: configOf(1, 2) }));
  assert.equal(hand.peer.phase, 'broadcast');
  ack(hand.propose());
  assert.ok(hand.did.includes('HANDOVER'));
  assert.equal(hand.peer.role, 'looking', 'it goes on as a learner');
  assert.equal(hand.effect('gather').voters.length, 2);
});

test('13.11: a voter that joins with a higher promise has no say before the next epoch', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.meet(4, 4, { acceptedEpoch: 9, voter: false });
  hand.ackEpoch(4, 2, hand.log, null);
  hand.ackNewLeader(4, 2, endOf(hand.log), 'i4');
  const config = hand.propose({ type: 'config', config: configOf(3, 4) });
  assert.ok(hand.did.includes('looking'));
  hand.persisted(config);
  const vote = { ...Hand.voteFor(3, [...hand.log, config]) };
  hand.feed(hand.voted(1, vote), hand.voted(4, vote));
  hand.ticks(LIMITS.drain + 1);
  hand.meet(11, 1, { acceptedEpoch: 2 });
  hand.isQuiet('a quorum of the record needs server 4');
  hand.meet(14, 4, { acceptedEpoch: 9 });
  assert.equal(hand.effect('storeEpochs').accepted, 10);
});

test('13.4: a snapshot comes in beside the log, and is the log in the write that stores the epoch', () => {
  const log = logOf([[1, 4]]);
  const hand = new Hand(1);
  hand.follow(log);
  const at = endOf(log.slice(0, 3));
  const snap = {
    type: 'SNAP',
    epoch: 2,
    at,
    configs: [{ at: endOf(log.slice(0, 1)), config: THREE }],
    seen: [],
  } as const;
  hand.hear(1, snap, { type: 'PROPOSAL', epoch: 2, entries: log.slice(3) }, { type: 'NEWLEADER', epoch: 2 });
  assert.deepEqual(hand.did, ['stageSnapshot', 'append']);
  const { generation } = hand.effect('stageSnapshot');
  assert.equal(hand.effect('append').generation, generation);
  hand.feed({ type: 'snapshotStaged', generation });
  hand.isQuiet('the log behind it is not durable yet');
  hand.feed({ type: 'persisted', generation, upTo: endOf(log) });
  assert.deepEqual(hand.effects, [{ type: 'storeEpochs', accepted: 2, current: 2, install: generation }]);
  hand.stored();
  assert.deepEqual(hand.did, ['installed', 'ACKNEWLEADER']);
});

test('13.4: a snapshot that did not get whole leaves the old log, and the vote speaks of that', () => {
  const hand = new Hand(1);
  hand.follow(logOf([[1, 4]]));
  hand.hear(1, { type: 'SNAP', epoch: 2, at: { ...ORIGIN, epoch: 1, counter: 3 }, configs: [], seen: [] });
  hand.feed({ type: 'closed', link: 1 });
  assert.ok(hand.did.includes('dropStaged'));
  assert.deepEqual(hand.effect('vote').message.vote?.last, { epoch: 1, counter: 1 });
});

test('13.1: a cut to a mark that is not ours is answered by asking for a snapshot', () => {
  const log = logOf([[1, 3]]);
  const hand = new Hand(1, { log, committed: endOf(log.slice(0, 1)) });
  hand.follow();
  hand.hear(1, { type: 'TRUNC', epoch: 2, to: { ...markAt(log, 1, 2), chainHi: 0 } }, { type: 'NEWLEADER', epoch: 2 });
  assert.deepEqual(hand.did, ['ASKSNAP']);

  const good = new Hand(1, { log, committed: endOf(log.slice(0, 1)) });
  good.follow();
  good.hear(1, { type: 'TRUNC', epoch: 2, to: markAt(log, 1, 2) }, { type: 'NEWLEADER', epoch: 2 });
  assert.deepEqual(good.did, ['truncate'], 'the cut is awaited');
  good.feed({ type: 'truncated', generation: good.peer.generation });
  assert.deepEqual(good.did, ['storeEpochs']);
});

test('13.11: a learner that does not count is not led back by a leader that was stopped for long', () => {
  const info = { type: 'LEADERINFO', epoch: 2, incarnation: 'i3', tags: ['t3'], config: null } as const;
  const follow = (log: readonly Entry[]): Hand => {
    const hand = new Hand(1, { log, incarnation: 'new', accepted: 4 });
    hand.feed(hand.voted(3, Hand.voteFor(3, log), 'leading'));
    hand.feed({ type: 'linked', sid: 3, link: 1, dialled: true });
    hand.hear(1, info);
    return hand;
  };
  assert.equal(follow(logOf([[3, 2]])).effect('looking').reason, 'epoch 2 is below the present one, 3');

  const log = logOf([[2, 2]]);
  const cut = follow(log);
  assert.equal(cut.sent('ACKEPOCH').currentEpoch, null);
  cut.hear(1, { type: 'TRUNC', epoch: 2, to: endOf(log.slice(0, 1)) });
  assert.equal(cut.effect('looking').reason, 'the leader lacks what is committed here');
  const replaced = follow(log);
  replaced.hear(
    1,
    { type: 'SNAP', epoch: 2, at: endOf(log.slice(0, 1)), configs: [], seen: [] },
    { type: 'NEWLEADER', epoch: 2 },
  );
  assert.equal(replaced.effect('looking').reason, 'the leader lacks what is committed here');
  assert.ok(replaced.did.includes('dropStaged'));
});

test('13.1: who asks for a snapshot gets one that joins on to what is remembered', () => {
  const log = logOf([[1, 9]]);
  const hand = new Hand(3, { log, base: markAt(log, 1, 5), snapshot: markAt(log, 1, 3) });
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, []);
  hand.stored();
  assert.deepEqual(hand.did, ['takeSnapshot']);
  hand.feed({ type: 'snapshotTaken', at: markAt(log, 1, 7) });
  assert.deepEqual(hand.did, ['SNAP', 'PROPOSAL', 'NEWLEADER']);
  assert.deepEqual([hand.sent('SNAP').at.counter, hand.sent('PROPOSAL').entries.length], [7, 3]);
});

test('D7: a snapshot that could not be read whole is sent to nobody before it is known to be whole, or another is there', () => {
  const log = logOf([[1, 9]]);
  const at = markAt(log, 1, 5);
  const hand = new Hand(3, { log, snapshot: at, base: at });
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, []);
  hand.stored();
  assert.deepEqual(hand.did, ['SNAP', 'PROPOSAL', 'NEWLEADER']);
  hand.feed({ type: 'snapshotDoubted', at });
  const again = (link: number, sid: number): void => {
    hand.meet(link, sid, { acceptedEpoch: 2 });
    hand.ackEpoch(link, 2, [], null);
  };
  again(2, 1);
  assert.deepEqual(hand.effects, [{ type: 'takeSnapshot', doubted: at }]);
  again(3, 2);
  hand.isQuiet('it is asked about once, and both wait');
  hand.feed({ type: 'snapshotTaken', at });
  assert.deepEqual(hand.did, ['SNAP', 'PROPOSAL', 'NEWLEADER', 'SNAP', 'PROPOSAL', 'NEWLEADER'], 'it is whole');
  hand.feed({ type: 'snapshotDoubted', at });
  again(4, 1);
  assert.deepEqual(hand.effects, [{ type: 'takeSnapshot', doubted: at }], 'each time');
  hand.feed({ type: 'snapshotTaken', at: markAt(log, 1, 7) });
  assert.equal(hand.sent('SNAP').at.counter, 7, 'another is there');
  hand.feed({ type: 'snapshotDoubted', at });
  again(5, 1);
  assert.equal(hand.sent('SNAP').at.counter, 7, 'what was said of the old one is nothing to it');
});

test('6: reports of the disk about a log that was cut since are void', () => {
  const log = logOf([[1, 3]]);
  const hand = new Hand(1, { log, committed: endOf(log.slice(0, 1)) });
  hand.follow();
  const before = hand.peer.generation;
  hand.hear(1, { type: 'TRUNC', epoch: 2, to: markAt(log, 1, 2) });
  const entries = logOf([[2, 1]], log.slice(0, 2)).slice(2);
  hand.hear(1, { type: 'PROPOSAL', epoch: 2, entries }, { type: 'NEWLEADER', epoch: 2 });
  hand.feed({ type: 'truncated', generation: hand.peer.generation });
  hand.feed({ type: 'persisted', generation: before, upTo: endOf(entries) });
  hand.isQuiet();
  hand.persisted(endOf(entries));
  assert.deepEqual(hand.did, ['storeEpochs']);
});

test('a learner that acknowledges a place between two records vouches for what is before it', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const entry = hand.propose();
  hand.persisted(entry);
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: { epoch: 1, counter: 7 } });
  hand.isQuiet();
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: { epoch: 2, counter: 7 } });
  assert.equal(hand.effect('hangUp').reason, 'acknowledged what it was not sent');
});

test('a gap between proposals, a word of another epoch, a commit of nothing: the learner leaves', () => {
  const begun = (): Hand => {
    const hand = new Hand(1);
    hand.follow();
    hand.hear(1, { type: 'DIFF', epoch: 2, from: endOf(hand.log) });
    return hand;
  };
  const gap = begun();
  gap.hear(1, { type: 'PROPOSAL', epoch: 2, entries: logOf([[2, 2]], gap.log).slice(2) });
  assert.ok(gap.did.includes('looking'));
  const other = begun();
  other.hear(1, { type: 'PING', epoch: 1, round: 0 });
  assert.ok(other.did.includes('looking'));
  const early = begun();
  early.hear(1, { type: 'COMMIT', epoch: 2, upTo: { epoch: 2, counter: 1 } });
  assert.ok(early.did.includes('looking'));
});

test('a leader out of hearing of a quorum steps down; one that hears a quorum does not', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  for (let i = 0; i < 3 * LIMITS.sync; i++) {
    hand.ticks(1);
    hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: 0 });
  }
  assert.equal(hand.peer.phase, 'broadcast');
  hand.ticks(LIMITS.sync + 1);
  assert.equal(hand.peer.role, 'looking');
});

test('a leader whose learners hung up waits two tickTimes for them, not until they count as silent', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.feed({ type: 'closed', link: 1 });
  hand.ticks(LIMITS.ask - 1);
  assert.equal(hand.peer.phase, 'broadcast');
  hand.meet(2, 1, { acceptedEpoch: 2 }); // it found us again
  hand.ticks(LIMITS.sync - LIMITS.ask);
  assert.equal(hand.peer.phase, 'broadcast');
  hand.feed({ type: 'closed', link: 2 });
  hand.ticks(LIMITS.ask + 1);
  assert.equal(hand.peer.role, 'looking');
});

test('13.8: a voter that came back without its directory is not heard for what it was: the leader steps down', () => {
  for (const sid of [1, 2]) {
    const hand = new Hand(3);
    hand.leadWithOne();
    hand.feed({ type: 'closed', link: 1 });
    hand.meet(2, sid, { incarnation: 'new', acceptedEpoch: 0, voter: false, tags: ['new.t'] });
    hand.ackEpoch(2, 2, [], null);
    hand.ackNewLeader(2, 2, endOf(hand.log), 'new');
    // counted by the record that waits, which the quorum before it must hold, too
    const entry = hand.propose({ type: 'config', config: hand.effect('proposeConfig').config });
    hand.persisted(entry);
    hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'new', upTo: markOf(entry) });
    for (let i = 0; i < 3 * LIMITS.sync && hand.peer.phase === 'broadcast'; i++) {
      hand.ticks(1);
      hand.hear(2, { type: 'PONG', epoch: 2, incarnation: 'new', round: 0 });
    }
    assert.equal(hand.peer.role, 'looking', `server ${sid}`);
  }
});

test('12: a silent leader is given up; one that is heard is not', () => {
  const hand = new Hand(1);
  hand.follow();
  hand.hear(1, { type: 'DIFF', epoch: 2, from: endOf(hand.log) }, { type: 'NEWLEADER', epoch: 2 });
  hand.stored();
  hand.hear(1, { type: 'UPTODATE', epoch: 2, committed: endOf(hand.log) });
  for (let i = 0; i < 3 * LIMITS.silence; i++) {
    hand.ticks(1);
    hand.hear(1, { type: 'PING', epoch: 2, round: i });
    assert.deepEqual(hand.did, ['PONG']);
  }
  hand.ticks(LIMITS.silence + 1);
  assert.equal(hand.peer.role, 'looking');
});

test('a learner that acknowledges nothing of what is proposed is dropped', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.propose();
  for (let i = 0; i <= LIMITS.sync; i++) {
    assert.ok(!hand.did.includes('hangUp'));
    hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: 0 });
    hand.ticks(1);
  }
  assert.equal(hand.effect('hangUp').reason, 'acknowledges nothing');
});

test('7: a sync is answered by a probe sent after it, and when what was proposed before it is committed', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const entry = hand.propose();
  hand.feed({ type: 'sync', id: 5 });
  const { round } = hand.sent('PING');
  hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: round - 1 });
  hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'wiped', round });
  hand.isQuiet();
  hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round });
  hand.isQuiet('one proposal is open');
  hand.persisted(entry);
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: entry });
  assert.ok(hand.did.includes('synced'));
  hand.feed({ type: 'sync', id: 6 });
  assert.ok(!hand.did.includes('synced'), 'nothing is open, and still it may not lead any more');
  hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round });
  hand.isQuiet('an answer to an older probe');
  hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: round + 1 });
  assert.equal(hand.effect('synced').id, 6);
});

test('12: a leader hands over when a voter holds everything, and that voter is elected at once', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  const entry = hand.propose();
  hand.feed({ type: 'handOver' });
  hand.isQuiet();
  hand.persisted(entry);
  hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: entry });
  const message = hand.sent('HANDOVER');
  assert.equal(message.vote.sid, 1);
  assert.equal(hand.peer.role, 'stopped');

  const other = new Hand(2);
  other.follow();
  other.hear(1, { type: 'DIFF', epoch: 2, from: endOf(other.log) }, message);
  assert.equal(other.effect('vote').message.vote?.sid, 1, 'though it could propose itself');
  other.feed(other.voted(1, message.vote));
  assert.equal(other.effect('dial').to, 1, 'nobody waits for the vote of the one that goes');
});

test('a term whose counter is used up ends when all it numbered is committed', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  assert.throws(() => hand.feed({ type: 'exhausted' }), /before its proposals/);
});
