/** A long history goes out part by part; what is sent behind it stays behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerMessage } from '../../src/records/peer-messages.ts';
import { Outgoing } from '../../src/runtime/outgoing.ts';
import type { Entry } from '../../src/zab/types.ts';

const COUNT = 5000;
const BYTES = 1000;
const entries: Entry[] = Array.from({ length: COUNT }, (_, i) => ({
  epoch: 1,
  counter: i + 1,
  chainHi: 0,
  chainLo: 0,
  bytes: Buffer.alloc(BYTES),
  note: undefined,
}));
const proposal: PeerMessage = { type: 'PROPOSAL', epoch: 1, entries };
const commit = (counter: number): PeerMessage => ({ type: 'COMMIT', epoch: 1, upTo: { epoch: 1, counter } });

const MOST = 2_000_000;
/** Of one link's history, `count` transactions from the one numbered `first` on. */
const few = (first: number, count: number): PeerMessage => ({
  ...proposal,
  entries: entries.slice(first - 1, first - 1 + count),
});

function rig(room: () => boolean = () => true) {
  const sent: [number, PeerMessage][] = [];
  const turns: (() => void)[] = [];
  const overrun: [number, number][] = [];
  const outgoing = new Outgoing(
    {
      send: (link, message) => {
        sent.push([link, message]);
        return room();
      },
      flush: () => {},
      later: (run) => turns.push(run),
      overrun: (link, bytes) => overrun.push([link, bytes]),
    },
    MOST,
  );
  const countOf = (link: number): number =>
    sent.reduce((sum, [to, m]) => sum + (to === link && m.type === 'PROPOSAL' ? m.entries.length : 0), 0);
  const turn = (): boolean => {
    const run = turns.shift();
    run?.();
    return run !== undefined;
  };
  return { outgoing, sent, turn, countOf, overrun };
}

test('a part a turn, in order, other links meanwhile, and what comes behind stays behind', () => {
  const { outgoing, sent, turn, countOf } = rig();
  outgoing.send(7, proposal);
  outgoing.send(7, commit(1));
  outgoing.send(8, commit(2));
  assert.ok(countOf(7) > 0 && countOf(7) * BYTES <= 1024 * 1024, 'one part at first');
  assert.deepEqual(sent.at(-1), [8, commit(2)], 'another link does not wait');
  let turns = 0;
  for (let before = countOf(7); turn(); before = countOf(7)) {
    turns++;
    assert.ok((countOf(7) - before) * BYTES <= 1024 * 1024, 'a part a turn');
  }
  assert.ok(turns >= 4);
  assert.equal(countOf(7), COUNT);
  const own = sent.filter(([link]) => link === 7).map(([, message]) => message);
  assert.deepEqual(own.at(-1), commit(1));
  let next = 1;
  for (const message of own)
    if (message.type === 'PROPOSAL') for (const { counter } of message.entries) assert.equal(counter, next++);
  outgoing.send(7, commit(3));
  assert.deepEqual(sent.at(-1), [7, commit(3)], 'the backlog is over');
});

test('a link that is full is waited for, and a link that closed is forgotten', () => {
  let room = false;
  const { outgoing, turn, countOf } = rig(() => room);
  outgoing.send(7, proposal);
  const first = countOf(7);
  while (turn());
  assert.equal(countOf(7), first, 'nothing before there is room');
  room = true;
  outgoing.drained(7);
  while (turn());
  assert.equal(countOf(7), COUNT);
  outgoing.send(9, proposal);
  outgoing.closed(9);
  const before = countOf(9);
  while (turn());
  assert.equal(countOf(9), before);
});

test('what a link that is full is sent waits, in order, and goes out as there is room; it is not counted twice', () => {
  let room = true;
  const { outgoing, sent, turn, overrun } = rig(() => room);
  let next = 1;
  // as much again and again as may wait: nothing of it may be counted once it is gone
  for (let round = 0; round < 4; round++) {
    room = false;
    for (let i = 0; i < 10; i++, next += 100) outgoing.send(7, few(next, 100));
    outgoing.send(7, commit(next - 1));
    const before = sent.length;
    while (turn());
    assert.equal(sent.length, before, 'nothing more goes to a full link');
    room = true;
    outgoing.drained(7);
    while (turn());
    assert.deepEqual(sent.at(-1), [7, commit(next - 1)]);
  }
  const counters = sent.flatMap(([, m]) => (m.type === 'PROPOSAL' ? m.entries.map(({ counter }) => counter) : []));
  assert.deepEqual(
    counters,
    entries.slice(0, 4000).map(({ counter }) => counter),
  );
  assert.deepEqual(overrun, []);
});

test('a link for which too much waits is given up once, and gets nothing more; the history it was given first does not count', () => {
  let room = false;
  const { outgoing, sent, turn, overrun } = rig(() => room);
  assert.ok(COUNT * BYTES > MOST);
  outgoing.send(7, proposal);
  outgoing.send(7, few(1, 1900));
  assert.deepEqual(overrun, []);
  outgoing.send(8, few(1, 1));
  outgoing.send(7, few(1, 101));
  assert.deepEqual(overrun, [[7, 2_001_000]]);
  const before = sent.length;
  room = true;
  outgoing.send(7, few(1, 101));
  outgoing.drained(7);
  while (turn());
  assert.deepEqual(overrun.length, 1);
  assert.equal(sent.length, before, 'after a gap nothing can follow');
  outgoing.drained(8);
  outgoing.send(8, commit(1));
  assert.deepEqual(sent.at(-1), [8, commit(1)]);
  // the next learner on that place begins anew
  outgoing.closed(7);
  outgoing.send(7, commit(2));
  assert.deepEqual(sent.at(-1), [7, commit(2)]);
});
