/** A member whose log is too old to know who counts, and without whose vote nobody leads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect, Input } from '../../src/zab/types.ts';
import { Hand, logOf, THREE, withNote } from './hand.ts';
import { LIMITS, memberOf } from './sim-node.ts';

const listing = (first: string, third: string): typeof THREE => ({
  ...THREE,
  members: [memberOf(1, first), memberOf(2, 'i2'), memberOf(3, third), memberOf(4, 'i4')],
});
/** Servers 1 and 3 were emptied and admitted anew while 4 was away. */
const OLD = withNote(logOf([]), 1, { type: 'config', config: listing('i1', 'i3') });
const LATER = withNote(OLD, 2, { type: 'config', config: listing('n1', 'n3') });

/** Servers that vote, 2 lost for good; a vote takes no time. */
class Votes {
  readonly hands = new Map<number, Hand>();
  private readonly under: { readonly to: number; readonly input: Input }[] = [];

  start(...sids: number[]): void {
    for (const sid of sids) {
      const isOld = sid === 4;
      const hand = new Hand(sid, {
        log: isOld ? OLD : LATER,
        incarnation: isOld ? 'i4' : `n${sid}`,
        peers: [1, 2, 3, 4],
      });
      this.hands.set(sid, hand);
      this.send(sid, hand.effects);
      this.send(sid, hand.feed({ type: 'reached', sid: 2, up: false }));
    }
  }
  private send(from: number, effects: readonly Effect[]): void {
    for (const each of effects)
      if (each.type === 'vote') this.under.push({ to: each.to, input: { type: 'voted', from, message: each.message } });
  }
  tick(times: number, done = (): boolean => false): number {
    for (let i = 1; i <= times; i++) {
      for (const [sid, hand] of this.hands) this.send(sid, hand.feed({ type: 'tick' }));
      for (let next = this.under.shift(); next !== undefined; next = this.under.shift()) {
        const hand = this.hands.get(next.to);
        if (hand !== undefined) this.send(next.to, hand.feed(next.input));
      }
      if (done()) return i;
    }
    return times;
  }
}

for (const [first, then] of [
  [[1, 3], [4]],
  [[4], [1, 3]],
] as const)
  test(`${first} look for a leader, then ${then}: whenever that is, one is found and followed soon`, () => {
    const bound = 2 * LIMITS.init;
    for (let offset = 0; offset < 6 * LIMITS.init; offset++) {
      const votes = new Votes();
      votes.start(...first);
      votes.tick(offset);
      votes.start(...then);
      const leads = (): boolean => [1, 3].some((sid) => votes.hands.get(sid)?.peer.role === 'leading');
      const follows = (): boolean => votes.hands.get(4)?.every('dial').length !== 0;
      const elected = votes.tick(bound, leads);
      assert.ok(elected < bound, `${offset} ticks apart nobody leads after ${elected}`);
      const late = votes.tick(bound, follows);
      // its leader waits for it as long as an election may take
      assert.ok(late <= (2 * LIMITS.init) / 3, `${offset} ticks apart 4 hears of it after ${late}`);
    }
  });
