import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaderDesk } from '../../src/server/leader-desk.ts';
import type { Server } from '../../src/server/server.ts';

test('a sync that is confirmed in the step that ends the term is dropped with it', () => {
  const told: unknown[] = [];
  const peer: { leader: { epoch: number } | undefined; phase: string } = { leader: { epoch: 3 }, phase: 'broadcast' };
  const server = {
    ...{ peer, tree: {}, pending: {}, options: {}, wall: 0, now: 0, serving: true, applying: false },
    ...{ committedEpoch: 3, committedCounter: 9 },
    toLearner: (link: number, message: unknown) => void told.push([link, message]),
  } as unknown as Server;
  const desk = new LeaderDesk(server);
  const ask = (id: number): number => {
    desk.received(7, { type: 'SYNC', epoch: 3, id });
    return desk.nextSync() as number;
  };
  desk.synced(ask(1));
  assert.deepEqual(told, [[7, { type: 'SYNCED', epoch: 3, id: 1, upTo: { epoch: 3, counter: 9 } }]]);
  const second = ask(2);
  peer.leader = undefined;
  desk.synced(second);
  assert.equal(told.length, 1);
});
