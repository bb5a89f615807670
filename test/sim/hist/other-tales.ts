/** Histories of sessions, elections and load (reliability.md 4.3, 4.4). */
import type { Named, Tale } from './story.ts';

/** Creates of ephemerals race with the end of their sessions, at leaders and learners, and packets are lost. */
const ephemeralsRaceWithClose: Tale = async (story) => {
  await story.beginLoad();
  const { network } = story.ensemble;
  const random = story.ensemble.chance.stream('tale');
  for (let round = 0; round < 40; round++) {
    await story.run(60 + random.below(100));
    const streams = [...network.streams].filter(({ channel }) => channel === 'client' || random.below(3) === 0);
    streams[random.below(Math.max(1, streams.length))]?.break(2);
  }
};

/** The wall clock jumps, on the leader too, back and forth: no session ends of it. */
const wallJumps: Tale = async (story) => {
  await story.beginLoad();
  for (const ms of [3_600_000, -7_200_000, 10 * 365 * 86_400_000, -86_400_000]) {
    await story.run(400);
    for (const { host } of story.ensemble.members) host.wallOffset += ms * (host.number === 1 ? 1 : 0.5);
  }
  await story.run(400);
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
  '1675': { options: {}, tale: deposedLeaderAnswersSync },
};
