/** Histories of synchronisation and commit (reliability.md 4.1). */
import type { Named, Tale } from './story.ts';

/** All lose power in the moment in which a new leader is established: what was acknowledged for it was on the disks. */
const powerAfterNewLeader: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 5; round++) {
    await story.run(300);
    story.crash(false, await story.leader());
    const before = story.ensemble.observer.epochs.size;
    await story.until('a new epoch', () => story.ensemble.observer.epochs.size > before);
    story.crash(true);
    story.start();
  }
};

/** A follower that is behind loses power at one of its next calls to the disk, again and again, while it is synchronised. */
const powerInsideSync: Tale = async (story) => {
  await story.beginLoad();
  const random = story.ensemble.chance.stream('tale');
  for (let round = 0; round < 12; round++) {
    const [follower = 1] = story.others(await story.leader());
    story.crash(true, follower);
    await story.run(200);
    story.member(follower).start();
    story.member(follower).crashAtCall(40 + random.below(60), random.below(2) === 0);
    await story.run(400);
  }
};

/** A follower joins while writes go on, over slow links, so that COMMIT comes at every place of the synchronisation. */
const commitDuringSync: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 8; round++) {
    const [follower = 1] = story.others(await story.leader());
    story.crash(false, follower);
    await story.run(60);
    story.member(follower).start();
    await story.serving(follower);
  }
};

/** The log that a leader remembers is short and a follower is far behind: it becomes a leader and synchronises others. */
const staleBecomesLeader: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 5; round++) {
    const leader = await story.leader();
    const [stale = 1, other = 2] = story.others(leader);
    story.crash(false, stale);
    await story.run(400);
    story.member(stale).start();
    await story.serving(stale);
    story.crash(round % 2 === 0, leader);
    await story.run(50);
    story.member(leader).start();
    await story.serving(leader, other);
  }
};

/** One write fails on a follower; the record is committed by the others. It must not come to have a hole. */
const failedWrite: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 4; round++) {
    const [follower = 1] = story.others(await story.leader());
    const { disk } = story.member(follower);
    let left = 1;
    disk.fault = (call, path) => (call === 'write' && path.includes('/log.') && left-- > 0 ? 'EIO' : undefined);
    await story.run(200);
    disk.fault = () => undefined;
    story.member(follower).start();
    await story.serving();
  }
};

/** A deposed leader has proposals that nobody else has: it is cut, and the cut is interrupted by power cuts. */
const interruptedTruncation: Tale = async (story) => {
  const random = story.ensemble.chance.stream('tale');
  await story.beginLoad();
  for (let round = 0; round < 5; round++) {
    const leader = await story.leader();
    story.partition([leader], story.others(leader));
    await story.leader(leader);
    await story.run(150);
    story.crash(true, leader);
    story.heal();
    story.member(leader).start();
    story.member(leader).crashAtCall(20 + random.below(50), true);
    await story.run(150);
    story.member(leader).start();
    await story.serving(leader);
  }
};

/** A follower that needs a snapshot is cut off, and loses power, while it comes in. */
const interruptedSnapshot: Tale = async (story) => {
  const random = story.ensemble.chance.stream('tale');
  await story.beginLoad();
  for (let round = 0; round < 6; round++) {
    const [follower = 1] = story.others(await story.leader());
    story.crash(false, follower);
    await story.run(500);
    story.member(follower).start();
    await story.run(30 + random.below(80));
    if (round % 2 === 0) story.crash(true, follower);
    else story.partition([follower], story.others(follower));
    await story.run(100);
    story.heal();
    story.member(follower).start();
    await story.serving(follower);
  }
};

/** A leader that is cut off goes on proposing; back, its memory is that of the others, not its own. */
const memoryAcrossElection: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 5; round++) {
    const leader = await story.leader();
    story.partition([leader], story.others(leader));
    await story.leader(leader);
    await story.run(300);
    story.heal();
    await story.serving();
  }
};

/** Ephemerals of sessions that began and ended at a leader which then died, with snapshots at every step. */
const ephemeralsOfADeadLeader: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 5; round++) {
    const leader = await story.leader();
    await story.run(250);
    story.partition([leader], story.others(leader));
    await story.run(30);
    story.crash(true, leader);
    story.heal();
    await story.run(300);
    story.member(leader).start();
    await story.serving();
  }
};

export const syncTales: Readonly<Record<string, Named>> = {
  '3911': { options: { plan: { logMs: 8 } }, tale: powerAfterNewLeader },
  '4646': { options: {}, tale: powerAfterNewLeader },
  '3023': { options: {}, tale: powerAfterNewLeader },
  '4643': { options: { plan: { logMs: 8 } }, tale: powerInsideSync },
  '4394': { options: { plan: { thinkMs: 3, meanDelayMs: 4, logMs: 8 } }, tale: commitDuringSync },
  '4785': { options: {}, tale: powerInsideSync },
  '4712': { options: { plan: { logMs: 30, thinkMs: 5 } }, tale: memoryAcrossElection },
  '4541': { options: {}, tale: memoryAcrossElection },
  '4925': { options: { plan: { commitLogCount: 4, snapCount: 10 } }, tale: staleBecomesLeader },
  '4882': { options: {}, tale: failedWrite },
  '5094': { options: { plan: { snapCount: 400 } }, tale: interruptedTruncation },
  '3642': { options: { plan: { commitLogCount: 4, snapCount: 12, mostBytes: 4000 } }, tale: interruptedSnapshot },
  '2872': { options: { plan: { commitLogCount: 4, snapCount: 12, mostBytes: 4000 } }, tale: interruptedSnapshot },
  '2845': { options: {}, tale: memoryAcrossElection },
  '5010': { options: { plan: { snapCount: 4, sessionMs: 800, thinkMs: 6 } }, tale: ephemeralsOfADeadLeader },
  '4837': { options: { plan: { snapCount: 4, sessionMs: 800, thinkMs: 6 } }, tale: ephemeralsOfADeadLeader },
};
