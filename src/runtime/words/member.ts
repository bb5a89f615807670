import { configText } from '../../records/member-text.ts';
import { mode, type WordContext } from './context.ts';

/** What `conf` adds for a member, without a newline at the end, as ZooKeeper has it; undefined for a server alone. */
export function memberSettings({ config: { ensemble }, server: { tree } }: WordContext): string[] | undefined {
  if (ensemble === undefined) return undefined;
  const { listen, role, initLimit, syncLimit } = ensemble;
  const { config, members } = tree;
  const { configAt } = members;
  return [
    `initLimit=${initLimit}`,
    `syncLimit=${syncLimit}`,
    'electionAlg=3',
    `electionPort=${listen.election[0]?.port}`,
    `quorumPort=${listen.quorum[0]?.port}`,
    `peerType=${role === 'observer' ? 1 : 0}`,
    'membership: ',
    config === undefined || configAt === undefined ? '' : configText(config, configAt.epoch, configAt.counter),
  ];
}

/** What `mntr` adds for a member: of its place in the ensemble, and of those who learn from it while it leads. */
export function memberRows(context: WordContext): [string, string | number][] {
  const { server } = context;
  const { peer, tree, proposals, ledAt } = server;
  if (!peer.isMember) return [];
  const voters = tree.config?.members.filter(({ role }) => role === 'participant').length ?? 0;
  const rows: [string, string | number][] = [
    ['peer_state', `${peer.role} - ${peer.phase}`],
    ['quorum_size', voters],
    ['proposal_count', proposals.count],
    ...Object.entries(context.tally.counts),
  ];
  if (mode(context) === 'observer' && peer.followed !== undefined) rows.push(['observer_master_id', peer.followed]);
  const { audience } = peer;
  if (audience === undefined) return rows;
  return [
    ...rows,
    ['learners', audience.learners],
    ['synced_followers', audience.followers],
    ['synced_non_voting_followers', audience.nonVoting],
    ['synced_observers', audience.observers],
    ['pending_syncs', audience.pendingSyncs],
    ['leader_uptime', Math.round(server.now - (ledAt ?? server.now))],
    ['last_proposal_size', proposals.last],
    ['min_proposal_size', proposals.min],
    ['max_proposal_size', proposals.max],
  ];
}

/** The last line of `srvr` and `stat` at the leader of an ensemble. */
export const proposalSizes = (context: WordContext): string[] => {
  const { last, min, max } = context.server.proposals;
  return mode(context) === 'leader' ? [`Proposal sizes last/min/max: ${last}/${min}/${max}`] : [];
};
