/** The birth of an ensemble: rule 13.13 of foundations.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../src/zab/founding.ts';
import { type Input, markOf, ORIGIN } from '../../src/zab/types.ts';
import { Hand, logOf, THREE } from './hand.ts';
import { LIMITS, memberOf } from './sim-node.ts';

const FOUNDERS = {
  members: [1, 2, 3].map((sid) => memberOf(sid, null)),
  maxTxnBytes: 1000,
  lines: 'lines',
};
const empty = (sid: number): Hand => new Hand(sid, { log: [], accepted: 0, founders: FOUNDERS });
/** The vote of a server that has an empty log and nobody to vote for. */
const nobody = (from: number, lines: string | null = 'lines'): Input => ({
  type: 'voted',
  from,
  message: { type: 'VOTE', state: 'looking', round: 1, vote: null, incarnation: `i${from}`, config: null, lines },
});

test('13.13: who counts before anything is written down', () => {
  const self = { sid: 1, incarnation: 'i1' };
  const of = (...met: [sid: number, lines: string | null][]) =>
    assemble(
      FOUNDERS,
      self,
      new Map(met.map(([sid, lines]) => [sid, { incarnation: `i${sid}`, lines, epoch: undefined }])),
    );
  assert.equal(of(), undefined);
  const watched = { ...FOUNDERS, members: [...FOUNDERS.members, memberOf(4, null, 'observer')] };
  const met = [2, 3, 4].map(
    (sid) => [sid, { incarnation: `i${sid}`, lines: sid === 4 ? null : 'lines', epoch: undefined }] as const,
  );
  assert.equal(assemble(watched, self, new Map(met))?.complete, false, 'an observer has a log: there is an ensemble');
  assert.equal(of([2, 'lines']), undefined, 'one voter is missing');
  assert.equal(of([2, 'lines'], [3, 'other lines']), undefined);
  assert.deepEqual(of([2, 'lines'], [3, 'lines']), { config: THREE, complete: true });
  const beside = of([3, null]);
  assert.equal(beside?.complete, false, 'one has a log: nobody founds another');
  assert.deepEqual(
    beside?.config.members.map(({ incarnation }) => incarnation),
    ['i1', null, 'i3'],
  );
});

test('13.13: an ensemble is founded when all voters are met with empty logs and the same lines', () => {
  const hand = empty(3);
  assert.equal(hand.effect('vote').message.lines, 'lines');
  hand.feed(nobody(1));
  hand.ticks(LIMITS.notify);
  assert.equal(hand.effect('vote').message.vote, null);
  hand.feed(nobody(2));
  assert.equal(hand.effect('vote').message.vote?.sid, 3);
  const different = empty(3);
  different.feed(nobody(1), nobody(2, 'other lines'));
  different.ticks(LIMITS.init);
  assert.ok(different.effects.every((effect) => effect.type !== 'vote' || effect.message.vote === null));
});

test('13.13: one that was met and then lost is met again before anything is founded', () => {
  const hand = empty(3);
  hand.feed(nobody(1), { type: 'reached', sid: 1, up: false }, nobody(2));
  hand.ticks(LIMITS.notify);
  assert.equal(hand.effect('vote').message.vote, null);
});

test('13.13: who has met a log votes for nobody who would found another ensemble', () => {
  const founders = { ...FOUNDERS, members: [...FOUNDERS.members, memberOf(4, null, 'observer')] };
  const metAll: Input = {
    ...nobody(2),
    message: {
      ...{ type: 'VOTE', state: 'looking', round: 1, config: null, lines: 'lines', incarnation: 'i2' },
      vote: { sid: 2, incarnation: 'i2', epoch: 0, last: ORIGIN },
    },
  } as Input;
  const votes = (hand: Hand): unknown[] =>
    hand.effects.flatMap((each) => (each.type === 'vote' ? [each.message.vote?.sid] : []));
  for (const logFirst of [true, false]) {
    const hand = new Hand(1, { log: [], accepted: 0, founders });
    hand.feed(nobody(3));
    // an observer by zoo.cfg, made a voter since, whose quorum is not there
    hand.feed(...(logFirst ? [nobody(4, null), metAll] : [metAll, nobody(4, null)]));
    hand.ticks(LIMITS.notify * 2);
    assert.equal(votes(hand).at(-1), undefined, logFirst ? 'the log was met first' : 'the vote is taken back');
    // nor is one followed that leads with an empty log
    hand.feed({ ...metAll, message: { ...(metAll as { message: object }).message, state: 'leading' } } as Input);
    hand.ticks(LIMITS.notify * 2);
    assert.ok(hand.effects.every(({ type }) => type !== 'dial'));
  }
});

test('13.13: one that took part in a later epoch with an empty log is voted for: the log that was met was passed over', () => {
  const hand = new Hand(1, { log: [], accepted: 0, founders: { ...FOUNDERS, enough: 2 } });
  const log = logOf([]); // of epoch 1
  hand.feed(hand.voted(3, Hand.voteFor(3, log)));
  const later = Hand.voteFor(2, [], 2);
  hand.feed({ ...nobody(2), message: { ...(nobody(2) as { message: object }).message, vote: later } } as Input);
  assert.equal(hand.effect('vote').message.vote?.sid, 2);
});

test('13.13: nothing but who counts is proposed before that is committed', () => {
  const hand = empty(3);
  hand.feed(nobody(1), nobody(2));
  hand.elect(3);
  hand.meet(1, 1, { acceptedEpoch: 0, voter: false });
  assert.equal(hand.effect('storeEpochs').accepted, 1);
  hand.stored();
  hand.ackEpoch(1, 1, [], 0);
  hand.stored();
  hand.ackNewLeader(1, 1, ORIGIN, 'i1');
  assert.deepEqual(hand.did, ['established', 'proposeFound', 'UPTODATE']);
  const { config } = hand.effect('proposeFound');
  assert.deepEqual(config, THREE);
  const found = hand.propose({ type: 'config', config: THREE });
  hand.persisted(found);
  hand.isQuiet();
  hand.hear(1, { type: 'ACK', epoch: 1, incarnation: 'i1', upTo: markOf(found) });
  assert.deepEqual(hand.did, ['COMMIT', 'commit', 'serve', 'proposeSeen', 'proposeSeen']);
});

test('13.13: a founding that was interrupted is completed by the one that holds the record', () => {
  const log = logOf([]);
  const hand = empty(2);
  hand.feed(hand.voted(1, Hand.voteFor(1, log)));
  assert.equal(hand.effect('vote').message.vote?.sid, 1, 'though its own server id is larger');
  hand.feed(nobody(3));
  hand.ticks(LIMITS.drain + 1);
  assert.equal(hand.effect('dial').to, 1);
});
