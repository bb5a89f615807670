/** foundations.md 8: what a learner is given to begin with may take as long as it takes, while it comes further. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markOf, ORIGIN, type Position } from '../../src/zab/types.ts';
import { configOf, endOf, Hand, logOf, withNote } from './hand.ts';
import { LIMITS } from './sim-node.ts';

const LOG = logOf([[1, 4]]);

/** Leads nobody yet: server 1, or who it is, must be given a snapshot before the epoch is established. */
function waitsFor(sid: number, voter: boolean): Hand {
  const hand = new Hand(3, { log: LOG, base: markOf(LOG[2] as never) });
  hand.elect(3);
  hand.meet(1, 1);
  if (sid !== 1) hand.meet(sid, sid, { incarnation: voter ? `i${sid}` : 'other', voter });
  hand.stored();
  hand.ackEpoch(1, 2, logOf([]));
  if (sid !== 1) hand.ackEpoch(sid, 2, logOf([]));
  hand.stored();
  assert.equal(hand.peer.phase, 'synchronization');
  return hand;
}

test('8: a term goes on while a voter that is sent a snapshot gets more of it, and ends when it does not', () => {
  const hand = waitsFor(1, true);
  for (let i = 0; i < 20; i++) {
    hand.feed({ type: 'progress', link: 1 });
    hand.ticks(LIMITS.init - 1);
    assert.equal(hand.peer.role, 'leading', `after ${i + 1} times initLimit`);
  }
  // it answers heartbeats, and its disk stands still
  for (let i = 0; i < LIMITS.init; i++) {
    hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: 0 });
    hand.ticks(1);
  }
  assert.equal(hand.peer.role, 'looking');
});

test('8: a learner says itself that it gets further; once it has everything the epoch is established', () => {
  const hand = waitsFor(1, true);
  for (let i = 0; i < 20; i++) {
    hand.ticks(LIMITS.init - 1);
    hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: ORIGIN });
    hand.isQuiet('it acknowledges nothing');
  }
  hand.ackNewLeader(1, 2, endOf(LOG), 'i1');
  assert.equal(hand.peer.phase, 'broadcast');
});

test('8: what a learner gets that does not count holds up no term', () => {
  const hand = waitsFor(2, false);
  for (let i = 0; i <= LIMITS.init; i++) {
    hand.feed({ type: 'progress', link: 2 });
    hand.hear(2, { type: 'ACK', epoch: 2, incarnation: 'other', upTo: ORIGIN });
    hand.ticks(1);
  }
  assert.equal(hand.peer.role, 'looking');
});

/** The voter comes back over a link of its own, and is sent all of it anew. */
function comesBack(hand: Hand, sid: number, link: number): void {
  hand.feed({ type: 'closed', link: link - 10 });
  hand.meet(link, sid, { acceptedEpoch: 2 });
  hand.ackEpoch(link, 2, logOf([]), null);
  assert.ok(hand.did.includes('SNAP'));
}
const parts = (hand: Hand, link: number, count: number): void => {
  for (let i = 0; i < count; i++) hand.feed({ type: 'progress', link });
};

test('8: a link that breaks again and again gains its term nothing, until more came over one than over any before', () => {
  const hand = waitsFor(1, true);
  parts(hand, 1, 3);
  hand.ticks(LIMITS.init - 2);
  comesBack(hand, 1, 11);
  parts(hand, 11, 2);
  hand.hear(11, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: ORIGIN });
  hand.ticks(1);
  comesBack(hand, 1, 21);
  parts(hand, 21, 4);
  hand.ticks(LIMITS.init);
  assert.equal(hand.peer.role, 'leading', 'it came further than ever');
  comesBack(hand, 1, 31);
  parts(hand, 31, 4);
  hand.ticks(1);
  assert.equal(hand.peer.role, 'looking', 'it did not');
});

test('8: who lost its link gets the rest of the entries, and each step of that is progress', () => {
  const hand = new Hand(3, { log: LOG });
  hand.elect(3);
  hand.meet(1, 1);
  hand.stored();
  hand.ackEpoch(1, 2, LOG.slice(0, 1));
  hand.stored();
  assert.ok(hand.did.includes('DIFF'));
  const acks = (link: number, upTo: Position, count: number): void => {
    for (let i = 0; i < count; i++) hand.hear(link, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo });
  };
  const holding = (link: number, counter: number): void => {
    hand.feed({ type: 'closed', link: link - 10 });
    hand.meet(link, 1, { acceptedEpoch: 2 });
    hand.ackEpoch(link, 2, LOG.slice(0, counter));
  };
  acks(1, { epoch: 1, counter: 1 }, 5);
  hand.ticks(LIMITS.init - 1);
  holding(11, 2);
  acks(11, { epoch: 1, counter: 2 }, 1);
  hand.ticks(LIMITS.init);
  assert.equal(hand.peer.role, 'leading', 'it lacks two less than before');
  holding(21, 2);
  acks(21, { epoch: 1, counter: 2 }, 1);
  hand.ticks(1);
  assert.equal(hand.peer.role, 'looking', 'it lacks as many as before');
});

/** Server 5 of five leads, and 1 and 2 of the others are there; each must be given a snapshot. */
function leadsFive(): Hand {
  const five = withNote([], 1, { type: 'config', config: configOf(1, 2, 3, 4, 5) });
  const log = logOf([[1, 4]], five);
  const hand = new Hand(5, { log, base: markOf(log[2] as never), peers: [1, 2, 3, 4, 5] });
  const vote = Hand.voteFor(5, log);
  hand.feed(...[1, 2, 3, 4].map((from) => hand.voted(from, vote)));
  for (const sid of [1, 2]) hand.meet(sid, sid);
  hand.stored();
  for (const sid of [1, 2]) hand.ackEpoch(sid, 2, logOf([]));
  hand.stored();
  assert.equal(hand.peer.phase, 'synchronization');
  return hand;
}

test('8: a term that can get no quorum ends, however far one of its voters comes', () => {
  const alone = leadsFive();
  for (let i = 0; i <= LIMITS.init; i++) {
    parts(alone, 1, 1);
    alone.ticks(1);
  }
  assert.equal(alone.peer.role, 'looking', 'two of five');

  const left = leadsFive();
  for (const sid of [1, 2]) parts(left, sid, 1);
  left.feed({ type: 'closed', link: 2 });
  for (let i = 0; i <= LIMITS.init; i++) {
    parts(left, 1, 1);
    left.ticks(1);
  }
  assert.equal(left.peer.role, 'looking', 'the third has gone');

  const stands = leadsFive();
  for (const sid of [1, 2]) parts(stands, sid, 1);
  for (let i = 0; i <= 2 * LIMITS.init + 1; i++) {
    stands.hear(2, { type: 'PONG', epoch: 2, incarnation: 'i2', round: 0 });
    parts(stands, 1, 1);
    stands.ticks(1);
    if (i < 2 * LIMITS.init) assert.equal(stands.peer.role, 'leading', 'it may be slow');
  }
  assert.equal(stands.peer.role, 'looking', 'the third stands still');
});

test('8: a term goes on while those that have everything and those that come further are a quorum', () => {
  const both = leadsFive();
  for (let i = 0; i < 10; i++) {
    for (const sid of [1, 2]) {
      parts(both, sid, 1);
      both.ticks(LIMITS.init / 2);
    }
    assert.equal(both.peer.role, 'leading', `after ${i + 1} times initLimit`);
  }
  both.ackNewLeader(1, 2, endOf(both.log), 'i1');
  for (let i = 0; i < 10; i++) {
    parts(both, 2, 1);
    both.ticks(LIMITS.init);
    both.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: 0 });
    assert.equal(both.peer.role, 'leading', 'one has everything');
  }
  both.ackNewLeader(2, 2, endOf(both.log), 'i2');
  assert.equal(both.peer.phase, 'broadcast');
});

const SNAP = { type: 'SNAP' as const, epoch: 2, at: endOf(LOG), configs: [], seen: [] };
const tells = (hand: Hand): number =>
  hand.effects.filter((each) => each.type === 'send' && each.message.type === 'ACK').length;

test('8: a voter that waits for the snapshot of its leader is none that has gone', () => {
  const hand = leadsFive();
  hand.feed({ type: 'closed', link: 2 }, { type: 'snapshotDoubted', at: markOf(hand.log[2] as never) });
  hand.meet(12, 2, { acceptedEpoch: 2 });
  hand.ackEpoch(12, 2, logOf([]), null);
  assert.ok(hand.did.includes('takeSnapshot'));
  const pass = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      for (const sid of [1, 2])
        hand.hear(sid === 1 ? 1 : 12, { type: 'PONG', epoch: 2, incarnation: `i${sid}`, round: 0 });
      hand.ticks(1);
    }
  };
  for (let i = 0; i < 3; i++) {
    parts(hand, 1, 1);
    pass(LIMITS.init);
    assert.equal(hand.peer.role, 'leading');
  }
  pass(1);
  assert.equal(hand.peer.role, 'looking', 'the one that is sent it stands still');
});

test('8: a learner waits for its leader as long as the snapshot comes further, and tells it so, not too often', () => {
  const hand = new Hand(1, { log: LOG.slice(0, 2) });
  hand.follow();
  hand.hear(1, SNAP);
  for (let i = 0; i < 10; i++) {
    let told = 0;
    for (let tick = 0; tick < LIMITS.init; tick++) {
      hand.feed({ type: 'progress', link: 1 }, { type: 'progress', link: 1 }, { type: 'tick' });
      told += tells(hand);
    }
    assert.equal(told, LIMITS.init / LIMITS.ping, 'as often as heartbeats at most');
    assert.equal(hand.peer.role, 'following');
  }
  hand.ticks(LIMITS.ping);
  hand.ticks(LIMITS.init);
  assert.equal(tells(hand), 0, 'nothing came');
  assert.equal(hand.peer.role, 'looking', 'the leader is silent');
});

test('8: entries that come before NEWLEADER are progress, and so is what the disk reports of them; later ones are acknowledged', () => {
  const hand = new Hand(1, { log: LOG.slice(0, 2) });
  hand.follow();
  hand.hear(1, { type: 'DIFF', epoch: 2, from: endOf(LOG.slice(0, 2)) });
  hand.ticks(1);
  assert.equal(tells(hand), 0);
  hand.hear(1, { type: 'PROPOSAL', epoch: 2, entries: LOG.slice(2) }, { type: 'NEWLEADER', epoch: 2 });
  hand.ticks(LIMITS.ping);
  assert.deepEqual(hand.sent('ACK').upTo, { epoch: 0, counter: 0 });
  hand.persisted(markOf(LOG[3] as never));
  hand.ticks(LIMITS.ping);
  assert.deepEqual(hand.sent('ACK').upTo, { epoch: 0, counter: 0 });
  hand.persisted(endOf(LOG));
  hand.stored();
  assert.deepEqual(hand.sent('ACKNEWLEADER').upTo, { epoch: 1, counter: 5 });
  hand.ticks(LIMITS.ping);
  assert.equal(tells(hand), 0);
});
