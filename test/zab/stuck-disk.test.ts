/** disk.slow: a leader whose own log stands still goes where others can go on, and stays where they cannot. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, markOf } from '../../src/zab/types.ts';
import { endOf, Hand, logOf, withNote } from './hand.ts';
import { LIMITS, memberOf } from './sim-node.ts';

const pong = (hand: Hand, ...sids: number[]): void => {
  for (const sid of sids) hand.hear(sid, { type: 'PONG', epoch: 2, incarnation: `i${sid}`, round: 0 });
};
const ack = (hand: Hand, sid: number, entry = hand.end): void => {
  hand.hear(sid, { type: 'ACK', epoch: 2, incarnation: `i${sid}`, upTo: markOf(entry) });
};
/** It leads with servers 1 and 2. */
function leadingTwo(): Hand {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.meet(2, 2);
  hand.ackEpoch(2, 2, hand.log);
  hand.ackNewLeader(2, 2, endOf(hand.log), 'i2');
  return hand;
}
const ticks = (hand: Hand, count: number, ...alive: number[]): void => {
  for (let i = 0; i < count; i++) {
    hand.ticks(1);
    pong(hand, ...alive);
  }
};

test('a leader whose log stands still while others commit hands over, and looks on when its disk answers', () => {
  const hand = leadingTwo();
  hand.propose();
  ack(hand, 1);
  ack(hand, 2);
  ticks(hand, LIMITS.sync, 1, 2);
  assert.equal(hand.peer.role, 'leading', 'not yet');
  ticks(hand, 1, 1, 2);
  assert.equal(hand.every('drain').length, 1);
  assert.ok(hand.everDid('HANDOVER'));
  assert.equal(hand.every('looking')[0]?.reason, 'the disk stands still');
  assert.deepEqual([hand.peer.role, hand.every('handedOver').length], ['looking', 0], 'this life is not over');
  assert.equal(hand.every('gather').length, 1, 'no election before the disk is at rest');
  hand.persisted(hand.end);
  assert.equal(hand.every('gather').length, 2);
});

test('what is proposed on the way is committed first; if that takes too long it goes without', () => {
  const hand = leadingTwo();
  hand.propose();
  ack(hand, 1);
  ack(hand, 2);
  ticks(hand, LIMITS.sync - 1, 1, 2);
  hand.propose();
  ticks(hand, 2, 1, 2);
  assert.deepEqual([hand.peer.role, hand.every('drain').length], ['leading', 1]);
  ticks(hand, LIMITS.silence, 1, 2);
  assert.equal(hand.peer.role, 'looking');
  assert.ok(!hand.everDid('HANDOVER'));

  const other = leadingTwo();
  other.propose();
  ack(other, 1);
  ack(other, 2);
  ticks(other, LIMITS.sync - 1, 1, 2);
  other.propose();
  ticks(other, 2, 1, 2);
  assert.deepEqual([other.peer.role, other.every('drain').length], ['leading', 1]);
  ack(other, 1);
  ack(other, 2);
  assert.ok(other.everDid('HANDOVER'));
});

test('a slow disk that reports something now and then is no reason', () => {
  const hand = leadingTwo();
  for (let i = 0; i < 5; i++) {
    const entry = hand.propose();
    hand.propose();
    ack(hand, 1);
    ack(hand, 2);
    ticks(hand, LIMITS.sync, 1, 2);
    hand.persisted(entry);
  }
  assert.deepEqual([hand.peer.role, hand.every('drain').length], ['leading', 0]);
});

test('where all disks stood still for a while, a leader whose own is the last to be back is not taken for stuck', () => {
  const hand = leadingTwo();
  hand.propose();
  ticks(hand, LIMITS.sync, 1, 2);
  for (const sid of [1, 2]) ack(hand, sid);
  ticks(hand, LIMITS.sync, 1, 2);
  assert.deepEqual([hand.peer.role, hand.every('drain').length], ['leading', 0]);
  ticks(hand, 1, 1, 2);
  assert.equal(hand.peer.role, 'looking');
});

/** It is about to go: its disk stands still, and something that was proposed on the way is not committed yet. */
function aboutToGo(): { hand: Hand; written: Entry } {
  const hand = leadingTwo();
  const written = hand.propose();
  for (const sid of [1, 2]) ack(hand, sid);
  ticks(hand, LIMITS.sync - 1, 1, 2);
  hand.propose();
  ticks(hand, 2, 1, 2);
  assert.deepEqual([hand.peer.role, hand.every('drain').length], ['leading', 1]);
  return { hand, written };
}

test('a leader that was about to go stays when its disk answers, and what was held back is taken', () => {
  const { hand, written } = aboutToGo();
  ticks(hand, 1, 1, 2);
  hand.persisted(written);
  assert.deepEqual(hand.did, ['undrain', 'commit']);
  for (const sid of [1, 2]) ack(hand, sid);
  ticks(hand, LIMITS.sync, 1, 2);
  assert.deepEqual([hand.peer.role, hand.everDid('HANDOVER')], ['leading', false], 'it is counted anew');
  ticks(hand, 1, 1, 2);
  assert.equal(hand.every('drain').length, 2);
  assert.ok(hand.everDid('HANDOVER'));
});

test('a leader stays when the others are not enough any more, and goes when they are again', () => {
  const { hand, written } = aboutToGo();
  hand.feed({ type: 'closed', link: 2 });
  ack(hand, 1);
  ticks(hand, 1, 1);
  assert.equal(hand.every('undrain').length, 1);
  ticks(hand, 2 * LIMITS.silence, 1);
  assert.deepEqual([hand.peer.role, hand.every('drain').length], ['leading', 1]);
  hand.meet(12, 2, { acceptedEpoch: 2 });
  hand.ackEpoch(12, 2, [...hand.log, written], null);
  hand.ackNewLeader(12, 2, hand.end, 'i2');
  hand.ticks(1);
  assert.deepEqual([hand.peer.role, hand.every('drain').length], ['looking', 2]);
  assert.ok(hand.everDid('HANDOVER'));
});

test('who goes for another reason as well goes, though its disk answers', () => {
  const asked = aboutToGo();
  asked.hand.feed({ type: 'handOver' });
  asked.hand.persisted(asked.written);
  ticks(asked.hand, LIMITS.silence, 1, 2);
  assert.deepEqual([asked.hand.peer.role, asked.hand.every('undrain').length], ['leading', 0]);
  for (const sid of [1, 2]) ack(asked.hand, sid);
  assert.equal(asked.hand.effect('handedOver').to, 1);

  const fails = aboutToGo();
  fails.hand.feed({ type: 'diskFailed' });
  fails.hand.persisted(fails.written);
  ticks(fails.hand, LIMITS.silence, 1, 2);
  assert.deepEqual([fails.hand.peer.role, fails.hand.every('undrain').length], ['stopped', 0]);
  assert.equal(fails.hand.every('looking').at(-1)?.reason, 'the disk fails');
});

test('a leader that is needed stays: a quorum of one, one of two, and one beside voters that stand still as well', () => {
  const alone = { members: [memberOf(3, 'i3')], maxTxnBytes: 1000 };
  const sole = new Hand(3, { log: withNote([], 1, { type: 'config', config: alone }), peers: [3] });
  sole.stored();
  sole.stored();
  sole.propose();
  ticks(sole, 10 * LIMITS.sync);
  assert.deepEqual([sole.peer.role, sole.every('drain').length], ['leading', 0]);

  const pair = new Hand(3, { log: logOf([]) });
  pair.leadWithOne();
  pair.propose();
  ack(pair, 1);
  ticks(pair, 10 * LIMITS.sync, 1);
  assert.deepEqual([pair.peer.role, pair.every('drain').length], ['leading', 0], 'one other is no quorum of three');

  const all = leadingTwo();
  all.propose();
  ticks(all, LIMITS.sync + LIMITS.ask + 1, 1, 2);
  assert.deepEqual([all.peer.role, all.every('drain').length], ['looking', 0]);
  assert.equal(all.every('looking')[0]?.reason, 'out of hearing of a quorum');
});

test('an observer that acknowledges nothing is dropped like a voter: what it is sent would gather there', () => {
  const hand = leadingTwo();
  hand.meet(9, 9, { incarnation: 'i9', voter: false });
  hand.ackEpoch(9, 2, hand.log, null);
  hand.ackNewLeader(9, 2, endOf(hand.log), 'i9');
  hand.propose();
  ack(hand, 1);
  hand.persisted(hand.end);
  ack(hand, 2);
  ticks(hand, LIMITS.sync, 1, 2, 9);
  assert.equal(hand.every('hangUp').length, 0);
  hand.ticks(1);
  assert.deepEqual(hand.effect('hangUp'), { type: 'hangUp', link: 9, reason: 'acknowledges nothing' });
});
