/** What is remembered of a log: how much, how long, and at what cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Entries } from '../../src/zab/entries.ts';
import { History } from '../../src/zab/history.ts';
import { type Entry, markOf, ORIGIN, type Position } from '../../src/zab/types.ts';
import { configOf, endOf, Hand, logOf, withNote } from './hand.ts';
import { entryAfter, LIMITS } from './sim-node.ts';

const historyOf = (log: readonly Entry[], committed: Position = ORIGIN): History =>
  new History({ base: ORIGIN, configs: [], seen: [], committed, durable: endOf(log), generation: 1 }, log);
const sized = (log: readonly Entry[], bytes: number): Entry[] =>
  log.map((entry) => ({ ...entry, bytes: new Uint8Array(bytes) }));

test('entries in blocks are what an array of them is', () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const entries = new Entries([]);
    const model: Entry[] = [];
    let last = ORIGIN;
    for (let step = 0; step < 400; step++) {
      const many = random.below(700);
      switch (random.below(4)) {
        case 0:
        case 1:
          for (let i = 0; i < many; i++) {
            const entry = { ...entryAfter(last, 1, last.counter + 1), bytes: new Uint8Array(random.below(9)) };
            entries.push(entry);
            model.push(entry);
            last = markOf(entry);
          }
          break;
        case 2:
          for (let i = 0; i < many && model.length > 0; i++) assert.equal(entries.dropFirst(), model.shift());
          break;
        case 3: {
          const length = Math.max(0, model.length - random.below(2) * many);
          entries.cut(length);
          model.length = length;
          last = markOf(model[length - 1] ?? { ...ORIGIN, epoch: 1 });
          break;
        }
      }
      assert.equal(entries.length, model.length, `seed ${seed} step ${step}`);
      assert.equal(entries.last, model[model.length - 1]);
      const bytes = model.reduce((sum, entry) => sum + entry.bytes.length, 0);
      assert.equal(entries.bytes, bytes);
      const from = random.below(model.length + 1);
      const to = Math.min(model.length, from + random.below(50));
      assert.deepEqual(entries.slice(from, to), model.slice(from, to));
    }
  }
});

test('old entries are forgotten by number and by bytes, never one that is not committed', () => {
  const log = sized(logOf([[1, 99]]), 10);
  const at = (counter: number): Position => ({ epoch: 1, counter });
  const history = historyOf(log, at(60));
  history.forget(1000, 1000);
  assert.equal(history.base.counter, 0, 'within both bounds');
  history.forget(90, 1000);
  assert.equal(history.base.counter, 10);
  history.forget(90, 700);
  assert.equal(history.base.counter, 30);
  assert.ok(history.has(history.base) && !history.has(markOf(log[20] as Entry)));
  history.forget(0, 0);
  assert.equal(history.base.counter, 60, 'what is not committed stays');
  assert.equal(history.between(at(60), at(100)).length, 40);
});

test('places are found wherever they are, and between epochs', () => {
  const log = logOf([
    [1, 30],
    [3, 40],
    [7, 1],
  ]);
  const history = historyOf(log);
  for (const [i, entry] of log.entries()) {
    assert.equal(history.floor(entry), entry);
    assert.deepEqual(history.before(entry), i === 0 ? ORIGIN : log[i - 1]);
    assert.deepEqual(history.between(entry, endOf(log)), log.slice(i + 1));
  }
  assert.equal(history.floor({ epoch: 2, counter: 5 }), log[30]);
  assert.deepEqual(
    history.ends().map(({ epoch, counter }) => [epoch, counter]),
    [
      [7, 1],
      [3, 40],
      [1, 31],
      [0, 0],
    ],
  );
});

test('13.9: a start that was seen for good is not forgotten for one that may be cut again', () => {
  const seen = (tag: string) => ({ type: 'seen' as const, sid: 1, incarnation: 'i1', tag });
  const log = withNote(withNote(logOf([]), 1, seen('first')), 1, seen('second'));
  const history = new History(
    { base: ORIGIN, configs: [], seen: [], committed: ORIGIN, durable: endOf(log), generation: 1 },
    [],
  );
  for (const entry of log) history.append(entry);
  history.commit(markOf(log[1] as Entry));
  history.forget(1000, 1000);
  history.truncate(markOf(log[1] as Entry), 2);
  const voice = { sid: 1, incarnation: 'i1' };
  assert.ok(!history.provesOld(voice, ['first'], undefined) && history.provesOld(voice, ['second'], undefined));
});

test('13.7: who counts is found anew when a config record is appended, committed or cut', () => {
  const log = withNote(logOf([]), 1, { type: 'config', config: configOf(3, 4) });
  const history = new History(
    { base: ORIGIN, configs: [], seen: [], committed: ORIGIN, durable: endOf(log), generation: 1 },
    [],
  );
  const sids = () => history.configsInForce().map(({ members }) => members.map(({ sid }) => sid).join(''));
  assert.deepEqual(sids(), []);
  history.append(log[0] as Entry);
  assert.deepEqual(sids(), ['123']);
  history.commit(markOf(log[0] as Entry));
  history.append(log[1] as Entry);
  assert.deepEqual(sids(), ['123', '34']);
  history.truncate(markOf(log[0] as Entry), 2);
  assert.deepEqual(sids(), ['123']);
  history.append(log[1] as Entry);
  history.commit(markOf(log[1] as Entry));
  assert.deepEqual(sids(), ['34']);
});

test('learners that lack the same are sent one message', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.meet(2, 2);
  hand.ackEpoch(2, 2, hand.log);
  hand.ackNewLeader(2, 2, endOf(hand.log), 'i2');
  hand.propose();
  const [first, second] = hand.effects;
  assert.ok(first?.type === 'send' && second?.type === 'send');
  assert.equal(first.message, second.message, 'so that it is encoded once');
});

test('more is remembered while a snapshot is taken that has to join on, and still not everything', () => {
  const hand = new Hand(3, { remember: 2, rememberBytes: 1000 });
  hand.leadWithOne();
  const write = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const entry = hand.propose(undefined, 100);
      hand.persisted(entry);
      hand.hear(1, { type: 'ACK', epoch: 2, incarnation: 'i1', upTo: markOf(entry) });
    }
  };
  write(10);
  hand.meet(2, 2);
  hand.ackEpoch(2, 2, []);
  assert.deepEqual(hand.did, ['takeSnapshot'], 'what it needs is forgotten');
  const at = hand.end;
  write(20);
  hand.feed({ type: 'snapshotTaken', at });
  assert.equal(hand.sent('PROPOSAL').entries.length, 20);
  hand.meet(4, 2, { acceptedEpoch: 2 });
  write(10);
  hand.ackEpoch(4, 2, [], null);
  assert.deepEqual(hand.did, ['takeSnapshot']);
  const slow = hand.end;
  write(100);
  hand.feed({ type: 'snapshotTaken', at: slow });
  assert.deepEqual(hand.did, ['takeSnapshot'], 'it took too long');
});

test('what is sent again in a later term names that term', () => {
  const log = logOf([[1, 3]]);
  const hand = new Hand(3, { log });
  const lead = (link: number, epoch: number): number => {
    const vote = Hand.voteFor(3, log, epoch - 1);
    hand.feed(hand.voted(1, vote), hand.voted(2, vote));
    hand.meet(link, 1, { acceptedEpoch: epoch - 1 });
    hand.stored();
    hand.ackEpoch(link, epoch, log.slice(0, 2), epoch === 2 ? 1 : null);
    if (epoch > 2) {
      hand.meet(link + 10, 2, { acceptedEpoch: 1 });
      hand.ackEpoch(link + 10, epoch, log, 1);
    }
    hand.stored();
    return hand.sent('PROPOSAL').epoch;
  };
  assert.equal(lead(1, 2), 2);
  hand.ticks(LIMITS.init + 1);
  assert.equal(lead(2, 3), 3);
});

test('7: syncs that come while a probe is out share the next one', () => {
  const hand = new Hand(3);
  hand.leadWithOne();
  hand.feed({ type: 'sync', id: 1 });
  const { round } = hand.sent('PING');
  hand.feed({ type: 'sync', id: 2 }, { type: 'sync', id: 3 });
  hand.isQuiet('they would be answered by a probe from before they came');
  const pong = (of: number) => hand.hear(1, { type: 'PONG', epoch: 2, incarnation: 'i1', round: of });
  pong(round);
  assert.deepEqual(hand.did, ['PING', 'synced']);
  assert.equal(hand.effect('synced').id, 1);
  pong(round + 1);
  assert.deepEqual(hand.effects, [
    { type: 'synced', id: 2 },
    { type: 'synced', id: 3 },
  ]);
});
