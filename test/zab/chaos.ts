/** One random life of an ensemble: faults for a while, then calm, in which it must become whole within a bounded time. */
import assert from 'node:assert/strict';
import type { Member } from '../../src/records/txns.ts';
import { Cluster } from './cluster.ts';
import { damage, reconfigure, rollBack, wipe } from './operator.ts';
import { memberOf } from './sim-node.ts';

/** Units of the simulated clock, ten to a tick. */
const TROUBLE = 2500;
const MOST_UNTIL_WHOLE = 4000;

/** What members like to crash just after: steps of the disk, and messages of learners and of leaders. */
const AMBUSHES = [
  'storeEpochs',
  'append',
  'truncate',
  'established',
  'commit',
  'ACKEPOCH',
  'ACKNEWLEADER',
  'ACK',
].concat(['LEADERINFO', 'NEWLEADER', 'PROPOSAL', 'UPTODATE', 'COMMIT']);

export interface Outcome {
  readonly marks: ReadonlyMap<string, number>;
  readonly committed: number;
  /** Units from the end of all faults until everybody is in step. */
  readonly healed: number;
}

export function live(seed: number): Outcome {
  const shape = [
    { voters: 3, observers: 0 },
    { voters: 3, observers: 1 },
    { voters: 4, observers: 0 },
    { voters: 5, observers: 0 },
  ][seed % 4] as { voters: number; observers: number };
  const birth = (['empty', 'founded', 'short', 'founded', 'alone', 'founded'] as const)[(seed >> 2) % 6] ?? 'founded';
  const cluster = new Cluster(seed, { ...shape, birth });
  const { random, agenda, weather, nodes } = cluster;
  // a short founding leaves some of the voters for later
  const late = (sid: number): number => (birth === 'short' && sid === 1 + (seed % shape.voters) ? 600 : 0);
  for (const node of nodes) agenda.add(late(node.sid) + random.below(50), () => cluster.start(node));
  const any = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;

  const disturb = (): void => {
    const node = any(nodes);
    switch (random.below(changing ? 16 : 12)) {
      case 0:
      case 1:
        return cluster.crash(node);
      case 2:
      case 3:
        return cluster.start(node);
      case 4:
        for (const each of nodes) weather.group.set(each.sid, random.below(2));
        return;
      case 5:
        weather.cut.add([node.sid, any(nodes).sid].sort((a, b) => a - b).join(' '));
        return;
      case 6:
        weather.group.clear();
        weather.cut.clear();
        return;
      case 7:
        node.pausedUntil = agenda.now + 50 + random.below(300);
        return;
      case 8: {
        const links = [...node.links.values()];
        if (links.length > 0) cluster.sever(any(links));
        return;
      }
      case 9:
        return cluster.snapshot(node);
      case 10:
        cluster.slowDisk = random.below(2) === 0 ? node.sid : undefined;
        return;
      case 12:
        return wipe(cluster, node);
      case 13:
        return damage(cluster, node);
      case 14:
        return rollBack(cluster, node);
      case 15:
        return cluster.failDisk(node);
      case 11: {
        const leader = nodes.find((each) => each.leads);
        const what = random.below(6);
        if (what === 0) for (const each of nodes) cluster.crash(each);
        else if (what === 1 && leader !== undefined) cluster.step(leader, { type: 'handOver' });
        else for (const each of nodes) cluster.start(each);
        return;
      }
    }
  };
  // half of the lives change who is a member, and lose or harm directories
  const changing = random.below(2) === 0;
  const change = (members: readonly Member[]): readonly Member[] => {
    const { sid } = any(nodes);
    const present = members.find((each) => each.sid === sid);
    const voters = members.filter(({ role }) => role === 'participant').length;
    const joins = memberOf(sid, null, random.below(4) === 0 ? 'observer' : 'participant');
    if (present === undefined) return [...members, joins];
    if (present.role === 'observer') return members.map((each) => (each === present ? joins : each));
    return voters > 2 ? members.filter((each) => each !== present) : members;
  };
  if (random.below(2) === 0) cluster.ambush = any(AMBUSHES);
  const work = (): void => {
    for (const node of nodes) {
      if (!node.serves || node.pausedUntil > agenda.now) continue;
      for (let i = random.below(4); i > 0; i--) cluster.propose(node);
      if (random.below(4) === 0) cluster.sync(node);
      if (!changing) continue;
      if (cluster.truth.lost === undefined && random.below(5) === 0) reconfigure(cluster, node, change);
    }
  };
  for (let at = 100; at < TROUBLE; at += 10 + random.below(60)) agenda.at(at, work);
  const rare = 40 + random.below(200);
  for (let at = 150; at < TROUBLE; at += 10 + random.below(rare)) agenda.at(at, disturb);
  cluster.run(TROUBLE);

  weather.calm = true;
  weather.group.clear();
  weather.cut.clear();
  cluster.slowDisk = undefined;
  for (const node of nodes) cluster.start(node);
  const before = cluster.truth.committed.length;
  const healAt = agenda.now;
  for (;;) {
    cluster.run(agenda.now + 50);
    const hasGrown = birth !== 'alone' || changing || cluster.truth.config.members.length > 1;
    if (cluster.truth.isWhole && cluster.truth.committed.length > before && hasGrown) break;
    assert.ok(
      agenda.now - healAt < MOST_UNTIL_WHOLE,
      `not whole ${MOST_UNTIL_WHOLE} units after the last fault\n${cluster.truth.describe()}`,
    );
    const leader = nodes.find((each) => each.serves);
    if (leader !== undefined && cluster.truth.committed.length === before) cluster.propose(leader);
  }
  return { marks: cluster.marks, committed: cluster.truth.committed.length, healed: agenda.now - healAt };
}
