/** A reconfiguration that ends the term of the leader that was asked for it (foundations.md 13.11). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { PackWriter } from '../../src/records/pack.ts';
import { PEER_LEVEL } from '../../src/records/peer-frame.ts';
import type { ServerOptions, Surroundings } from '../../src/server/office.ts';
import { Server } from '../../src/server/server.ts';
import { DataTree } from '../../src/tree/data-tree.ts';
import { ORIGIN } from '../../src/zab/types.ts';
import { Hand } from '../zab/hand.ts';
import { entryAfter, memberOf } from '../zab/sim-node.ts';

/** A leader of three, with a learner that would be a fourth voter, asked for that by a client of another member. */
function asked(acceptedEpoch: number) {
  const members = [1, 2, 3].map((sid) => ({
    ...memberOf(sid, `i${sid}`),
    addresses: [`127.0.0.1:${4000 + sid}:${5000 + sid}`],
    client: `127.0.0.1:${6000 + sid}`,
  }));
  const config = { members, maxTxnBytes: 1000 };
  const hand = new Hand(3, { log: [entryAfter(ORIGIN, 1, 1, { type: 'config', config })] });
  hand.leadWithOne();
  hand.meet(4, 4, { incarnation: 'i4', acceptedEpoch, voter: false, tags: ['t4'] });
  hand.ackEpoch(4, 2, [], null);
  hand.ackNewLeader(4, 2, hand.end, 'i4');
  const said: string[] = [];
  const log = new PackWriter(65_536);
  const options = {
    ...{ sid: 3, tickMs: 2000, minSessionTimeoutMs: 4000, maxSessionTimeoutMs: 40_000, extendedTypes: true },
    ...{ reconfigEnabled: true, standaloneEnabled: false, leaderServes: true, auth: {} },
  } as ServerOptions;
  const around = {
    log: { writer: () => log, commitEnvelope() {} },
    random: seededRandom(1),
    ...{ close() {}, later() {}, configured() {}, toLeader() {}, hand() {}, leaderLevel: () => PEER_LEVEL },
    toLearner: (_link: number, message: { type: string }) => void said.push(message.type),
    effect: (effect: { type: string; config?: never; reason?: string }) => {
      said.push(effect.type);
      if (effect.type === 'looking') server.look();
      if (effect.type === 'proposeConfig') server.proposeConfig(effect.config as never);
    },
  } as unknown as Surroundings;
  const server: Server = new Server(new DataTree(1), hand.peer, options, around);
  server.wall = 1_700_000_000_000;
  server.now = 1000;
  server.lead();
  server.serve();
  server.tracker.add(77n as never, 10_000, server.now);
  const to = new Writer(256);
  OPERATIONS.reconfig.request.write(to, {
    joiningServers: 'server.4=127.0.0.1:4004:5004;127.0.0.1:6004',
    leavingServers: null,
    newMembers: null,
    curConfigId: -1n,
  });
  const identities = [{ scheme: 'super', id: '' }];
  server.received(1, {
    ...({ type: 'REQUEST', epoch: 2, session: 77n, xid: 5, op: OPERATIONS.reconfig.code } as const),
    body: to.take(),
    identities,
  });
  server.tell();
  return { said, role: hand.peer.role };
}

test('a learner without a higher promise becomes a voter', () => {
  const { said, role } = asked(0);
  assert.equal(role, 'leading');
  assert.deepEqual(said.slice(-1), ['TAKEN']);
});

test('for one that promised a higher epoch the term ends, and the server lives', () => {
  const { said, role } = asked(9);
  assert.equal(role, 'looking');
  assert.ok(said.includes('looking') && !said.includes('proposeConfig'), String(said));
});
