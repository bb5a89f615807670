import { configText } from '../../records/member-text.ts';
import { mode, roleIn, type WordContext } from './context.ts';

/** What `conf` adds for a member, without a newline at the end, as ZooKeeper has it; undefined for a server alone. */
export function memberSettings({ config: { ensemble }, server }: WordContext): string[] | undefined {
  if (ensemble === undefined) return undefined;
  const { listen, initLimit, syncLimit } = ensemble;
  const { config, members } = server.tree;
  const { configAt } = members;
  const text =
    config === undefined || configAt === undefined ? '' : configText(config, configAt.epoch, configAt.counter);
  return [
    `initLimit=${initLimit}`,
    `syncLimit=${syncLimit}`,
    'electionAlg=3',
    `electionPort=${listen.election[0]?.port}`,
    `quorumPort=${listen.quorum[0]?.port}`,
    `peerType=${roleIn(ensemble, server) === 'observer' ? 1 : 0}`,
    ...(server.readOnly ? [''] : ['membership: ', text]),
  ];
}

/** The last line of `srvr` and `stat` at the leader of an ensemble. */
export const proposalSizes = (context: WordContext): string[] => {
  const { last, min, max } = context.server.proposals;
  return mode(context) === 'leader' ? [`Proposal sizes last/min/max: ${last}/${min}/${max}`] : [];
};
