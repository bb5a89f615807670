/** Where a member listens, as its line comes to say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from '../../src/records/txns.ts';
import type { ClientDoors } from '../../src/runtime/client-doors.ts';
import { type MemberPlaces, OwnPlaces } from '../../src/runtime/own-places.ts';
import type { ServerConfig } from '../../src/server/config.ts';

const at = (port: number) => [{ host: '127.0.0.1', port }];
const line = (...addresses: string[]): Member => ({
  ...{ sid: 1, role: 'participant', incarnation: null, addresses, client: null },
});

test('a member moves to where its line comes to say, and stays where one says nothing that can be listened on', async () => {
  const own = { quorum: at(1), election: at(2), client: undefined };
  const config = { ensemble: { listen: { quorum: at(1), election: at(2) }, own } } as unknown as ServerConfig;
  const places = new OwnPlaces(config, {} as ClientDoors);
  const moves: MemberPlaces[] = [];
  const move = async (to: MemberPlaces): Promise<MemberPlaces> => {
    moves.push(to);
    return to;
  };
  places.opened();
  for (const addresses of [['127.0.0.1:1:2'], [], ['127.0.0.1:1:2'], ['127.0.0.1:3'], ['127.0.0.1:5:6']])
    places.heard(line(...addresses), move);
  await new Promise(setImmediate);
  assert.deepEqual(moves, [{ quorum: at(5), election: at(6) }], 'only the last that was heard counts');
  for (const addresses of [[], ['127.0.0.1:3'], ['127.0.0.1:7:8']]) {
    places.heard(line(...addresses), move);
    await new Promise(setImmediate);
  }
  assert.deepEqual(moves.slice(1), [{ quorum: at(7), election: at(8) }]);
  assert.deepEqual(places.config.ensemble?.listen, { quorum: at(7), election: at(8) });
});
