import { zxid } from '../../base/ids.ts';
import type { Member } from '../../records/txns.ts';
import { type Address, addressesOf, showHost } from '../../server/config-servers.ts';
import { roleIn, type WordContext } from '../words/context.ts';
import { type Command, CommandError, fields } from './command.ts';
import type { JsonObject } from './json.ts';
import { zxidOf } from './server-commands.ts';

const show = ({ host, port }: Address): string => `${showHost(host)}:${port}`;
/** As Java prints a host and its address; whether it can be reached now is not tried. */
function addressSet(addresses: readonly Address[]): JsonObject {
  const all = addresses.map(show);
  const one = all[0] ?? null;
  return {
    empty: all.length === 0,
    all_addresses: all,
    all_reachable_addresses: all,
    one,
    reachable_address: one,
    wildcard_addresses: addresses.map(({ port }) => `0.0.0.0:${port}`),
    all_ports: addresses.map(({ port }) => port),
    all_host_strings: addresses.map(({ host }) => host),
    all_reachable_addresses_or_all: all,
    reachable_or_one: one,
  };
}
const members = ({ server: { tree } }: WordContext): readonly Member[] => tree.config?.members ?? [];
const viewOf = (member: Member): JsonObject => {
  const { quorum, election } = addressesOf(member);
  return {
    server_addresses: quorum.map(show),
    election_addresses: election.map(show),
    client_address: member.client?.split(';')[0] ?? '',
    learner_type: member.role,
  };
};

/** The commands about an ensemble, as a member sees it. */
export const MEMBER_COMMANDS: readonly Command[] = [
  {
    names: ['leader', 'lead'],
    for: 'everybody',
    method: 'GET',
    run: (context) => {
      const { peer, readOnly } = context.server;
      if (!peer.isMember || readOnly) throw new CommandError(200, 'server is not initialized');
      const isLeader = peer.role === 'leading';
      const id = isLeader ? context.config.serverId : peer.followed;
      const leader = members(context).find(({ sid }) => sid === id);
      const host = leader === undefined ? undefined : addressesOf(leader).quorum[0]?.host;
      return fields({ is_leader: isLeader, leader_id: id ?? null, leader_ip: host ?? null });
    },
  },
  {
    names: ['observers', 'obsr'],
    for: 'admins',
    method: 'GET',
    run: (context) => {
      const observers = context.learners().filter(({ isObserver }) => isObserver);
      return fields({
        synced_observers: context.server.peer.audience?.observers ?? 0,
        observers: observers.map((each) => ({
          remote_socket_address: `/${each.address}`,
          sid: each.sid,
          established: each.established,
          queued_packets_size: each.waitingBytes,
          packets_received: each.traffic.received,
          packets_sent: each.traffic.sent,
          last_zxid: each.zxid,
        })),
      });
    },
  },
  {
    names: ['observer_connection_stat_reset', 'orst'],
    for: 'admins',
    method: 'GET',
    changes: true,
    run: ({ learners }) => {
      for (const { isObserver, traffic } of learners())
        if (isObserver) Object.assign(traffic, { sent: 0, received: 0 });
      return fields({});
    },
  },
  {
    names: ['voting_view'],
    for: 'admins',
    method: 'GET',
    run: (context) => {
      const voters = context.server.peer.isMember ? members(context).filter(({ role }) => role === 'participant') : [];
      return fields({ current_config: Object.fromEntries(voters.map((each) => [String(each.sid), viewOf(each)])) });
    },
  },
  {
    names: ['zabstate'],
    for: 'everybody',
    method: 'GET',
    always: true,
    run: (context) => {
      const { server, config } = context;
      const { peer, tree } = server;
      // one that serves reads alone is asked as a server for itself, as in ZooKeeper
      if (!peer.isMember || server.readOnly || config.ensemble === undefined)
        return fields({ voting: false, zabstate: '' });
      const { own } = config.ensemble;
      return fields({
        myid: config.serverId,
        is_leader: peer.role === 'leading',
        quorum_address: addressSet(own.quorum),
        election_address: addressSet(own.election),
        client_address: own.client === undefined ? null : show(own.client),
        voting: roleIn(config.ensemble, server) === 'participant',
        last_zxid: zxid.show(zxid.of(tree.zxidHi, tree.zxidLo >>> 0)),
        zab_epoch: Number(zxidOf(context) >> 32n),
        zab_counter: Number(zxidOf(context) & 0xffffffffn),
        zabstate: peer.role === 'looking' ? 'election' : peer.phase,
      });
    },
  },
];
