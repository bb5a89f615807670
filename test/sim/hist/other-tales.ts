/** Histories of sessions, elections and load (reliability.md 4.3, 4.4). */
import { both } from '../run/fault.ts';
import { RudeClient } from '../run/rude.ts';
import type { Named, Tale } from './story.ts';

/** Creates of ephemerals race with the end of their sessions, at leaders and learners, and packets are lost. */
const ephemeralsRaceWithClose: Tale = async (story) => {
  await story.beginLoad();
  const { network } = story.ensemble;
  const random = story.ensemble.chance.stream('tale');
  const rude = new RudeClient(story.ensemble, story.plan.sessionMs);
  for (let round = 0; round < 40; round++) {
    await story.run(60 + random.below(100));
    await story.settled(rude.offend(1 + (round % 3)));
    const streams = [...network.streams].filter(({ channel }) => channel === 'client' || random.below(3) === 0);
    streams[random.below(Math.max(1, streams.length))]?.break(2);
  }
};

/** The wall clock jumps, on the leader too, back and forth: no session ends of it, and none lives for ever. */
const wallJumps: Tale = async (story) => {
  await story.beginLoad();
  const owner = story.clientOf();
  await story.write(owner);
  const { sessionId } = await owner.get();
  const jump = (ms: number): void => {
    for (const { host } of story.ensemble.members) host.wallOffset += ms * (host.number === 1 ? 1 : 0.5);
  };
  for (const ms of [3_600_000, -7_200_000, 10 * 365 * 86_400_000]) {
    await story.run(400);
    jump(ms);
  }
  await story.run(400);
  for (const { host } of story.ensemble.members)
    for (const [from, to] of both(owner.host.name, host.name))
      story.ensemble.network.links.block({ from, to, channel: undefined });
  // when the leader has heard of it for the last time every clock goes back
  await story.run(2 * story.plan.tickMs);
  jump(-86_400_000);
  await story.until(
    'a silent session ends',
    () => !story.ensemble.oracle.state.isLive(sessionId),
    3 * story.plan.sessionMs,
  );
};

/** One follower does not read: the leader does not wait for it. */
const blockedSocket: Tale = async (story) => {
  await story.beginLoad();
  const leader = await story.leader();
  const [follower = 1, other = 2] = story.others(leader);
  const { host } = story.member(follower);
  host.pause();
  const client = story.clientOf(leader, other);
  for (let i = 0; i < 5; i++)
    if ((await story.write(client, 'x'.repeat(5000))) === undefined)
      story.ensemble.verdicts.fail('I12', 'a follower that does not read holds up the leader');
  host.resume();
};

/** zoo.cfg changes, server by server, from three voters to four, to five, and back to three, while clients write. */
const rollingSizes: Tale = async (story) => {
  await story.beginLoad();
  for (const size of [4, 5, 3]) {
    const kept = Array.from({ length: size }, (_, i) => i + 1);
    story.ensemble.configs.ask(new Map(kept.map((sid) => [sid, 'participant'])));
    // who is new comes first, the leader last
    const leader = await story.leader();
    const old = kept.filter((sid) => !story.out.has(sid) && sid !== leader);
    const order = [...kept.filter((sid) => story.out.has(sid)), ...old, ...(kept.includes(leader) ? [leader] : [])];
    for (const sid of order) {
      story.out.delete(sid);
      story.configure(sid, size);
      story.crash(false, sid);
      story.start(sid);
      await story.serving(sid);
    }
    for (const sid of story.others(...kept)) {
      story.out.add(sid);
      story.crash(false, sid);
    }
    await story.until(`${size} are members`, () => {
      const config = story.ensemble.leader?.program?.tree?.config;
      return config?.members.length === size && config.members.every(({ sid }) => sid <= size);
    });
    await story.run(10 * story.plan.tickMs); // and those that stay know that it is committed
    if ((await story.write(story.clientOf(...kept))) === undefined)
      story.ensemble.verdicts.fail('I12', `with ${size} members nothing is written`);
  }
};

/**
 * Requests as large as a client may send, which come to more than that in the log: sequence numbers and Stats are added.
 * Members follow, and one that was away comes back.
 */
const grownTransactions: Tale = async (story) => {
  await story.beginLoad();
  const leader = await story.leader();
  const [follower = 1, other = 2] = story.others(leader);
  const client = await story.clientOf(leader, other).get();
  story.crash(false, follower);
  for (let round = 0; round < 2; round++) {
    const parts = Array.from({ length: 900 }, (_, i) => ({
      op: 'create' as const,
      path: `/t/grown-${round}-${i}-${'x'.repeat(80)}`,
      data: Buffer.alloc(900, i),
      options: { mode: 'persistentSequential' as const },
    }));
    if ((await story.settled(client.multi(parts))) === undefined)
      story.ensemble.verdicts.fail('I12', 'a request of an allowed size is not answered');
    // one beyond the limit ends its own connection and nothing else
    await story.settled(client.create('/t/too-large', Buffer.alloc(1_200_000)).catch(() => {}));
  }
  story.start(follower);
  await story.serving();
};

/** The leader is stopped for long, and answers syncs when it wakes up: none of them may be stale. */
const deposedLeaderAnswersSync: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 5; round++) {
    const leader = await story.leader();
    const clients = Array.from({ length: 4 }, () => story.clientOf(leader));
    const connections = await Promise.all(clients.map((client) => client.get()));
    await story.run(100);
    const { host } = story.member(leader);
    host.pause();
    await story.leader(leader);
    await story.write(story.clientOf(...story.others(leader)));
    const syncs = connections.map((connection) => connection.sync('/').catch(() => {}));
    await story.run(50);
    host.resume();
    await story.settled(Promise.all(syncs));
    await story.serving();
  }
};

export const otherTales: Readonly<Record<string, Named>> = {
  '3471': { options: { plan: { sessionMs: 800, thinkMs: 4, clients: 5 } }, tale: ephemeralsRaceWithClose },
  '1626': { options: {}, tale: wallJumps },
  '2201': { options: { plan: { mostBytes: 8000, thinkMs: 4 } }, tale: blockedSocket },
  '2865': { options: { spare: 2, plan: { thinkMs: 30 } }, tale: rollingSizes },
  '3496': { options: { plan: { snapCount: 5000, diskMs: 0.3 } }, tale: grownTransactions },
  '1675': { options: {}, tale: deposedLeaderAnswersSync },
};
