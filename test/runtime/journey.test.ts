/** How long transactions are on their way between members, by the clocks of a scene. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journey } from '../../src/runtime/journey.ts';
import { Tally, type Timed } from '../../src/runtime/tally.ts';
import type { Server } from '../../src/server/server.ts';

/** A member in this role, whose wall clock shows `all.wall` and whose log ends with a transaction of `all.last`. */
function scene(role: 'leading' | 'following') {
  const all = { wall: 1000, last: 0, serving: true };
  const log = new Map<number, number>();
  const server = {
    get serving() {
      return all.serving;
    },
    get lastTime() {
      return all.last;
    },
    peer: { role, isMember: true },
    timeOf: ({ counter }: { counter: number }) => log.get(counter),
  } as unknown as Server;
  const tally = new Tally();
  const clock = { monotonic: () => 0, wall: () => all.wall, after: () => ({ [Symbol.dispose]() {} }) };
  const journey = new Journey({ tally, sid: 1, server, ports: { clock } });
  const told = (name: Timed): number[] => [tally.times[name].count, tally.times[name].sum];
  const acked = (sid: number): number[] => [tally.acks.get(sid)?.count ?? 0, tally.acks.get(sid)?.sum ?? 0];
  return { all, log, tally, journey, told, acked };
}
const at = (counter: number, epoch = 1) => ({ epoch, counter });

test('a leader measures when members acknowledge a batch, itself among them, and when it commits', () => {
  const { all, log, journey, told, acked } = scene('leading');
  for (let batch = 1; batch <= 600; batch++) {
    all.last = 1000 + batch;
    journey.hand(at(batch * 10));
  }
  all.wall = 1700;
  journey.acknowledged(2, at(6000));
  assert.deepEqual(acked(2), [1, 100]);
  journey.acknowledged(2, at(5981)); // in the middle of one counts as that one
  assert.deepEqual(acked(2), [2, 201]);
  journey.acknowledged(3, at(10)); // of long ago: not remembered
  journey.acknowledged(3, at(6001)); // never handed
  journey.acknowledged(3, at(6000, 2)); // another term's
  assert.deepEqual(acked(3), [0, 0]);
  journey.writing();
  all.wall = 1705;
  journey.written();
  assert.deepEqual(
    [acked(1), told('proposal_ack_creation_latency')],
    [
      [1, 105],
      [1, 105],
    ],
  );
  log.set(6000, 1600);
  all.wall = 1710;
  journey.commits(at(6000));
  journey.commits(at(7000)); // applied already: nobody waited for that
  assert.deepEqual(told('quorum_ack_latency'), [1, 110]);
});

test('a follower measures proposals, its disk and commits; an observer commits; nobody what is caught up with', () => {
  const { all, log, journey, told, acked } = scene('following');
  const entries: never[] = [];
  const hear = (message: Parameters<Journey['hears']>[0]): void => {
    journey.hears(message);
    journey.heard(message);
  };
  all.serving = false;
  all.last = 10;
  hear({ type: 'PROPOSAL', epoch: 1, entries });
  journey.writing();
  all.serving = true;
  journey.written();
  assert.deepEqual(
    [told('proposal_latency'), told('proposal_ack_creation_latency')],
    [
      [0, 0],
      [0, 0],
    ],
  );
  all.last = 990;
  hear({ type: 'PROPOSAL', epoch: 1, entries });
  journey.writing();
  all.wall = 1005;
  journey.written();
  log.set(7, 990);
  all.wall = 1020;
  hear({ type: 'COMMIT', epoch: 1, upTo: at(7) });
  assert.deepEqual(
    (['proposal_latency', 'proposal_ack_creation_latency', 'commit_propagation_latency'] as const).map(told),
    [
      [1, 10],
      [1, 15],
      [1, 30],
    ],
  );
  hear({ type: 'INFORM', epoch: 1, entries });
  assert.deepEqual(told('commit_propagation_latency'), [2, 60]);
  journey.commits(at(7));
  assert.deepEqual(
    [acked(1), told('quorum_ack_latency')],
    [
      [0, 0],
      [0, 0],
    ],
  );
});
