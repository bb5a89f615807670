/** foundations.md 8: what a learner is given to begin with may take as long as it takes, while it comes further. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markOf, ORIGIN } from '../../src/zab/types.ts';
import { endOf, Hand, logOf } from './hand.ts';
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

const SNAP = { type: 'SNAP' as const, epoch: 2, at: endOf(LOG), configs: [], seen: [] };
const tells = (hand: Hand): number =>
  hand.effects.filter((each) => each.type === 'send' && each.message.type === 'ACK').length;

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
