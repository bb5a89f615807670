/** Histories of disks, snapshots and lost directories (reliability.md 4.2, foundations.md 4). */
import type { Named, Story, Tale } from './story.ts';

const path = (story: Story, sid: number, part: string): string | undefined =>
  story
    .member(sid)
    .disk.paths()
    .find((each) => each.includes(part));

/** The disk of one server is full whenever it wants to write; and one fails as its log is cut back. */
const fullDisk: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 2; round++) {
    const leader = await story.leader();
    const sid = round === 0 ? leader : (story.others(leader)[0] ?? 1);
    const { disk } = story.member(sid);
    disk.fault = (call) => (call === 'write' ? 'ENOSPC' : undefined);
    disk.room = 0;
    await story.run(1500);
    await story.leader();
    disk.fault = () => undefined;
    disk.room = 1e12;
    story.start(sid);
    await story.serving();
  }
  for (let round = 0; round < 2; round++) {
    // what a leader proposed to nobody is cut when it comes back, and the first write of that fails
    const leader = await story.leader();
    const client = await story.clientOf(leader).get();
    await story.settled(client.sync('/'));
    story.partition([leader], story.others(leader));
    for (let i = 0; i < 5; i++) client.create(`/cut-${round}-${i}`).catch(() => {});
    await story.leader(leader);
    await story.run(1000);
    const { disk } = story.member(leader);
    // the first write to a new file: what is written ahead to the old one may fail
    const old = new Set(disk.paths());
    const isNew = (file: string): boolean => file.includes('/log.') && !old.has(file);
    let left = 1;
    disk.fault = (call, file) => (call === 'write' && isNew(file) && left-- > 0 ? 'EIO' : undefined);
    story.heal();
    await story.until('a cut fails', () => left <= 0);
    await story.run(500);
    disk.fault = () => undefined;
    story.start(leader);
    await story.serving();
  }
};

/** The leader's log cannot be written any more: it does not stay a leader that commits nothing. */
const leaderCannotWrite: Tale = async (story) => {
  await story.beginLoad();
  const leader = await story.leader();
  const { disk } = story.member(leader);
  disk.fault = (call, file) => (call === 'write' && file.includes('/log.') ? 'EIO' : undefined);
  const next = await story.leader(leader);
  await story.run(500);
  if (next === leader) story.ensemble.verdicts.fail('I12', 'the leader that cannot write still leads');
  disk.fault = () => undefined;
  story.start(leader);
};

/**
 * The wiped voter: a write is acknowledged by 3 and 1 while 2 is down; 3 stops, 1 comes back empty, 2 comes back. They are
 * no quorum before 3 is there again, and then 1 votes again without an operator.
 */
const wipedVoter: Tale = async (story) => {
  const client = story.clientOf(1, 3);
  await story.write(client);
  story.crash(false, 2);
  await story.leader(2);
  const kept = await story.write(client);
  story.crash(false, 3);
  story.wipe(1);
  story.start(1, 2);
  await story.run(10_000);
  if (story.ensemble.leader !== undefined)
    story.ensemble.verdicts.fail('I3', 'an empty directory and a stale one lead');
  story.start(3);
  await story.serving();
  const read = await story.settled((await story.clientOf(2).get()).sync('/'));
  void read;
  if (kept === undefined) story.ensemble.verdicts.fail('I12', 'the write was not answered');
  // 1 counts again: with it alone beside 2, writes go on
  await story.admitted(1);
  story.crash(false, 3);
  await story.leader(3);
  if ((await story.write(story.clientOf(1, 2))) === undefined)
    story.ensemble.verdicts.fail('I12', 'a wiped server that was admitted does not count');
};

/**
 * The promise of an amnesiac: B leads with A and E; E hears of a higher epoch that A promised before it was wiped. What A and
 * B acknowledge afterwards must not be cut by E.
 */
const amnesiacPromise: Tale = async (story) => {
  const client = story.clientOf();
  await story.write(client);
  for (let round = 0; round < 3; round++) {
    const leader = await story.leader();
    const [a = 1, e = 2] = story.others(leader);
    // E stands for election with A's promise, and the leader does not hear of it
    story.partition([leader], [a, e]);
    await story.leader(leader);
    story.heal();
    story.partition([e], story.others(e));
    story.wipe(a);
    story.start(a);
    await story.run(1000);
    // if this is answered, it is there for good
    const connection = await story.clientOf(leader, a).get();
    connection.create(`/promised-${round}`).catch(() => {});
    await story.run(3000);
    story.crash(false, leader);
    story.heal();
    await story.run(2000);
    story.start(leader);
    await story.serving();
    await story.admitted(a);
  }
};

/**
 * Snapshots at every few transactions, old ones purged, and all that are kept broken but the oldest: with the log behind that
 * the server comes back by itself, and needs nobody for it.
 */
const purgedAndBroken: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 3; round++) {
    await story.run(2500);
    const [follower = 1] = story.others(await story.leader());
    story.crash(false, follower);
    const { disk } = story.member(follower);
    const kept = disk.paths().filter((each) => /\/snapshot\.[0-9a-f]+$/.test(each));
    for (const each of kept.slice(1)) disk.flip(each, Math.floor(disk.raw(each).length / 2), 3);
    story.start(follower);
    await story.until('the directory is read', () => story.member(follower).program?.startedWith !== undefined);
    if (kept.length > 1 && story.member(follower).program?.startedWith?.mayHaveAcked !== undefined)
      story.ensemble.verdicts.fail('I11', `${kept[0]} is whole, and what follows it is not there`);
    await story.serving();
  }
};

/** Power goes at every step of writing the record of epochs, at every server, during elections. */
const epochSteps: Tale = async (story) => {
  const random = story.ensemble.chance.stream('tale');
  await story.beginLoad();
  for (let round = 0; round < 8; round++) {
    const leader = await story.leader();
    story.crash(false, leader);
    for (const sid of story.others(leader)) story.member(sid).crashAtCall(random.below(14), true);
    await story.run(300);
    story.calm();
    await story.run(500);
  }
};

/** Snapshots at every possible moment of a load with sessions, ephemerals, ACLs and deletions; then restarts from them. */
const fuzzySnapshots: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 6; round++) {
    await story.run(400);
    const sid = 1 + (round % 3);
    story.crash(round % 2 === 0, sid);
    story.start(sid);
    await story.serving();
  }
};

/** One bit of an older log of a follower flips; it restarts, and then leads. */
const endMarkerFlip: Tale = async (story) => {
  const random = story.ensemble.chance.stream('tale');
  await story.beginLoad();
  for (let round = 0; round < 3; round++) {
    await story.run(600);
    const leader = await story.leader();
    const [follower = 1] = story.others(leader);
    story.crash(false, follower);
    const log = path(story, follower, '/log.');
    if (log !== undefined) story.member(follower).disk.flip(log, 512 + random.below(4000), random.below(8));
    story.start(follower);
    await story.run(1000);
    story.crash(false, leader);
    await story.run(2000);
    story.start(leader);
    await story.serving();
  }
};

/** One bit of the body of an older record flips: its server heals, and neither refuses nor begins without it. */
const badChecksum: Tale = async (story) => {
  const random = story.ensemble.chance.stream('tale');
  await story.beginLoad();
  for (let round = 0; round < 3; round++) {
    await story.run(600);
    const [follower = 1] = story.others(await story.leader());
    story.crash(false, follower);
    const log = path(story, follower, '/log.');
    // the first group: behind the head of the file and its own
    if (log !== undefined) story.member(follower).disk.flip(log, 512 + 76 + 8 + random.below(60), random.below(8));
    story.start(follower);
    await story.until('the damaged member serves', () => story.member(follower).program?.serves === true, 10_000);
  }
};

/** No snapshot but logs, or nothing at all, where something is expected: nobody starts empty on its own. */
const nothingThere: Tale = async (story) => {
  await story.beginLoad();
  await story.run(500);
  const [follower = 1] = story.others(await story.leader());
  story.wipe(follower);
  story.start(follower);
  await story.serving();
};

/** A learner needs a snapshot that the leader does not have, and the first attempts to take one fail. */
const snapshotForLearner: Tale = async (story) => {
  await story.beginLoad();
  for (let round = 0; round < 3; round++) {
    const leader = await story.leader();
    const [follower = 1] = story.others(leader);
    story.crash(false, follower);
    await story.run(500);
    const { disk } = story.member(leader);
    let left = 2;
    disk.fault = (call, file) => (call === 'write' && file.includes('snapshot.') && left-- > 0 ? 'EIO' : undefined);
    story.start(follower);
    await story.until('the follower serves', () => story.member(follower).program?.serves === true, 5000);
  }
};

export const diskTales: Readonly<Record<string, Named>> = {
  '3701': { options: { plan: { commitLogCount: 5000, snapCount: 5000 } }, tale: fullDisk },
  '2247': { options: {}, tale: leaderCannotWrite },
  '2325': { options: {}, tale: nothingThere },
  'wiped-voter': { options: {}, tale: wipedVoter },
  'amnesiac-promise': { options: {}, tale: amnesiacPromise },
  '3231': { options: { plan: { snapCount: 40, logKiB: 1, thinkMs: 5 } }, tale: purgedAndBroken },
  '4269': { options: {}, tale: epochSteps },
  '3127': {
    // large enough to be written in more than one turn
    options: { plan: { snapCount: 3, thinkMs: 4, sessionMs: 900, diskMs: 1, mostBytes: 40_000, lanes: 4 } },
    tale: fuzzySnapshots,
  },
  '3144': { options: { plan: { snapCount: 3, thinkMs: 4, sessionMs: 900, diskMs: 1 } }, tale: fuzzySnapshots },
  '3145': { options: { plan: { snapCount: 3, thinkMs: 4, sessionMs: 900, diskMs: 1 } }, tale: fuzzySnapshots },
  '3249': { options: { plan: { snapCount: 3, thinkMs: 4, sessionMs: 900, diskMs: 1 } }, tale: fuzzySnapshots },
  '4846': { options: { plan: { snapCount: 3, thinkMs: 4, sessionMs: 900, diskMs: 1 } }, tale: fuzzySnapshots },
  'failed-snapshot': {
    options: { plan: { commitLogCount: 4, snapCount: 5000 } },
    tale: snapshotForLearner,
  },
  'bad-checksum': { options: { plan: { snapCount: 5000 } }, tale: badChecksum },
  'end-marker-flip': { options: { plan: { snapCount: 5000 } }, tale: endMarkerFlip },
};
