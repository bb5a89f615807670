/** What people and bad luck do to a simulated ensemble: members change, directories are lost, damaged, or put back as they were. */
import type { Member } from '../../src/records/txns.ts';
import { type Entry, isBefore, ORIGIN } from '../../src/zab/types.ts';
import { type Cluster, MOST_UNNOTICED } from './cluster.ts';
import { IDENTITY, LOG } from './sim-disk.ts';
import type { Node } from './sim-node.ts';

/** An operator asks a leader for these members instead. */
export function reconfigure(
  cluster: Cluster,
  leader: Node,
  change: (members: readonly Member[]) => readonly Member[],
): void {
  // nobody is to be counted on who was lost and whose silence was not noticed yet
  if (!leader.serves || leader.peer === undefined || cluster.agenda.now < cluster.harmedAt + MOST_UNNOTICED) return;
  const { config } = cluster.truth;
  const members = change(config.members);
  if (members === config.members) return;
  cluster.mark('reconfiguration');
  cluster.step(leader, { type: 'reconfigure', config: { ...config, members } });
}

/**
 * A directory may be harmed: three voters at least, none is harmed already, no change of members is under way, and all
 * know the last config committed: before that a change is not done, and members of the config before are still needed (13.7).
 */
function isSettled({ truth, nodes }: Cluster): boolean {
  const last = truth.committed[truth.committed.length - 1];
  if (last === undefined) return false;
  const done = truth.committed.findLast(({ note }) => note?.type === 'config') as Entry;
  const voters = truth.config.members.filter(({ role }) => role === 'participant');
  if (voters.length < 3) return false;
  for (const { sid, incarnation } of voters) {
    const { disk } = nodes[sid - 1] as Node;
    if (disk.incarnation !== incarnation || disk.damage !== undefined || disk.isOldCopy) return false;
    if (isBefore(disk.committed, done)) return false;
  }
  // with a change of members under way the one that is lost might be needed for it
  return nodes.every(({ disk, leads, configAt }) => {
    const config = disk.log.findLast(({ note }) => note?.type === 'config') ?? ORIGIN;
    const newest = leads && isBefore(config, configAt) ? configAt : config;
    if (disk.pending(LOG) + disk.pending(IDENTITY) > 0 || isBefore(last, newest)) return false;
    return !isBefore(config, newest);
  });
}
/** Voters that hold everything committed. */
function holders({ truth, nodes }: Cluster): Node[] {
  const last = truth.committed.length - 1;
  const entry = truth.committed[last] as Entry;
  return truth.config.members.flatMap(({ sid, role }) => {
    const node = nodes[sid - 1] as Node;
    const holds = role === 'participant' && node.disk.holds(entry, last) && node.disk.current >= entry.epoch;
    return holds ? [node] : [];
  });
}
const allHold = (cluster: Cluster): boolean =>
  holders(cluster).length === cluster.truth.config.members.filter(({ role }) => role === 'participant').length;

/** An empty directory. */
export function wipe(cluster: Cluster, node: Node): void {
  if (!isSettled(cluster) || !allHold(cluster)) return;
  cluster.crash(node);
  node.disk.wipe(`i${node.sid}.${node.life}`);
  cluster.harmedAt = cluster.agenda.now;
  cluster.mark('directory wiped');
}
/** A part of the log, or all of it, cannot be read any more. */
export function damage(cluster: Cluster, node: Node): void {
  if (!isSettled(cluster) || !holders(cluster).some((each) => each !== node)) return;
  if (node.disk.log.length === 0 || node.disk.damage !== undefined) return;
  cluster.crash(node);
  node.disk.harm(cluster.random.below(node.disk.log.length));
  cluster.harmedAt = cluster.agenda.now;
  cluster.mark('damage');
}
/** An older copy, told apart by a start that the others have seen and the copy does not know (13.16). */
export function rollBack(cluster: Cluster, node: Node): void {
  const { copy, disk } = node;
  if (copy === undefined || copy.incarnation !== disk.incarnation || !isSettled(cluster) || !allHold(cluster)) return;
  const isSeen = cluster.truth.committed.some(({ note }) => {
    if (note?.type !== 'seen' || note.sid !== node.sid || note.incarnation !== disk.incarnation) return false;
    return !copy.tags.includes(note.tag);
  });
  if (!isSeen) return;
  cluster.crash(node);
  disk.restore(copy);
  cluster.harmedAt = cluster.agenda.now;
  cluster.mark('directory put back');
}
