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

function rig(room: () => boolean = () => true) {
  const sent: [number, PeerMessage][] = [];
  const turns: (() => void)[] = [];
  const outgoing = new Outgoing({
    send: (link, message) => {
      sent.push([link, message]);
      return room();
    },
    flush: () => {},
    later: (run) => turns.push(run),
  });
  const countOf = (link: number): number =>
    sent.reduce((sum, [to, m]) => sum + (to === link && m.type === 'PROPOSAL' ? m.entries.length : 0), 0);
  const turn = (): boolean => {
    const run = turns.shift();
    run?.();
    return run !== undefined;
  };
  return { outgoing, sent, turn, countOf };
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
