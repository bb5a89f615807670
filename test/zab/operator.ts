/** What people do to a simulated ensemble: they change its members, lose a directory, and admit its server again. */
import type { Member } from '../../src/records/txns.ts';
import { type Entry, isBefore, ORIGIN } from '../../src/zab/types.ts';
import type { Cluster } from './cluster.ts';
import { IDENTITY, LOG } from './sim-disk.ts';
import type { Node } from './sim-node.ts';

/** An operator asks a leader for these members instead; refused while another change is under way. */
export function reconfigure(
  cluster: Cluster,
  leader: Node,
  change: (members: readonly Member[]) => readonly Member[],
): void {
  if (!leader.serves || isBefore(cluster.appliedAt(leader), leader.configAt)) return;
  const { config } = cluster.truth;
  const members = change(config.members);
  if (members === config.members) return;
  cluster.mark('reconfiguration');
  cluster.propose(leader, { type: 'config', config: { ...config, members } });
}
/** Voters whose directory is not the one that the config lists are admitted again. */
export function admit(cluster: Cluster, leader: Node): void {
  const { lost } = cluster.truth;
  if (lost === undefined || !cluster.truth.isSynchronised(cluster.node(lost.sid))) return;
  const { incarnation } = cluster.node(lost.sid).disk;
  reconfigure(cluster, leader, (members) => members.map((each) => (each === lost ? { ...each, incarnation } : each)));
}
/**
 * An empty directory, when all voters have everything committed, none is lost already, and all know the last config
 * committed: before that a change of members is not done, and members of the config before are still needed (13.7).
 */
export function wipe(cluster: Cluster, node: Node): void {
  const last = cluster.truth.committed.length - 1;
  if (last < 0) return;
  const done = cluster.truth.committed.findLast(({ note }) => note?.type === 'config') as Entry;
  for (const { sid, role, incarnation } of cluster.truth.config.members) {
    const { disk } = cluster.node(sid);
    if (disk.incarnation !== incarnation) return;
    const entry = cluster.truth.committed[last] as Entry;
    if (role !== 'participant') continue;
    if (!disk.holds(entry, last) || disk.current < entry.epoch || isBefore(disk.committed, done)) return;
  }
  if (cluster.truth.config.members.filter(({ role }) => role === 'participant').length < 3) return;
  // with a change of members under way the one that is lost might be needed for it
  for (const { disk, leads, configAt } of cluster.nodes) {
    const config = disk.log.findLast(({ note }) => note?.type === 'config') ?? ORIGIN;
    const newest = leads && isBefore(config, configAt) ? configAt : config;
    if (disk.pending(LOG) + disk.pending(IDENTITY) > 0 || isBefore(cluster.truth.committed[last] as Entry, newest))
      return;
    if (isBefore(config, newest)) return;
  }
  cluster.crash(node);
  node.disk.wipe(`i${node.sid}.${node.life}`);
  cluster.mark('directory wiped');
}
