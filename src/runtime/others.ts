import type { MessageOf } from '../records/peer-messages.ts';
import type { Config, Member } from '../records/txns.ts';
import type { EnsembleConfig } from '../server/config.ts';
import { type Address, addressesOf, isAnyHost } from '../server/config-servers.ts';
import { isQuorum } from '../zab/quorum.ts';
import { isBefore, ORIGIN, type Position } from '../zab/types.ts';
import { noQuorum, type Sight } from './config-words.ts';
import type { ServerNode } from './node.ts';
import { hostsOf, type PeerAddresses } from './peer-types.ts';
import type { PeerPort } from './peers.ts';

/**
 * Where each server is looked for: where the config `named` last for it says, and whoever is in zoo.cfg alone there. Without
 * reconfiguration zoo.cfg is where ports are changed, one server after another, and the config follows once one with the new
 * lines leads (foundations.md 13.14): both are tried. Neither is to hide the other, since a zoo.cfg may be older than the
 * config as well as newer. Who answers must prove to be at the host that was dialled. Who calls is held to one of the two,
 * where it has a certificate: to what is in force here, and not to whatever else was once said of that server.
 */
export function whereAll(
  named: readonly Member[],
  servers: EnsembleConfig['servers'],
  reconfigEnabled: boolean,
): PeerAddresses[] {
  const members = new Map<number, PeerAddresses>();
  for (const member of named) {
    const { quorum, election } = addressesOf(member);
    // its own line may have said 0.0.0.0 where it founded the ensemble: that is every machine, and nobody's address
    if (!quorum.every(({ host }) => isAnyHost(host))) members.set(member.sid, { sid: member.sid, quorum, election });
  }
  for (const { id, quorum, election } of servers) {
    const known = members.get(id);
    if (known === undefined) members.set(id, { sid: id, quorum, election });
    else if (!reconfigEnabled)
      members.set(id, {
        sid: id,
        quorum: union(quorum, known.quorum),
        election: union(election, known.election),
        hosts: hostsOf({ election, quorum }),
      });
  }
  return [...members.values()];
}
function union(some: readonly Address[], others: readonly Address[]): Address[] {
  const isNew = ({ host, port }: Address): boolean => !some.some((each) => each.host === host && each.port === port);
  return [...some, ...others.filter(isNew)];
}

/** Who the other members are and where, as zoo.cfg, the log and they themselves say; and what they are told of that. */
export class Others {
  private readonly node: ServerNode;
  private readonly config: EnsembleConfig;
  private readonly peers: PeerPort;
  /** Who belongs to the ensemble, as others said. */
  private told: MessageOf<'MEMBERS'> | undefined;
  /** Who was told to be missing. */
  private missing = '';

  constructor(node: ServerNode, config: EnsembleConfig, peers: PeerPort) {
    this.node = node;
    this.config = config;
    this.peers = peers;
  }
  /** Another member says who belongs to the ensemble; only the latest counts. */
  heard(message: MessageOf<'MEMBERS'>): void {
    if (this.told !== undefined && !isBefore(this.told.at, message.at)) return;
    this.told = message;
    this.know();
  }
  /** To one that was away when the members changed: the leader may be at an address that its log does not name. */
  tell(to: number, theirs: Position | null): void {
    const { config, members } = this.node.server.tree;
    const at = members.configAt;
    if (config === undefined || at === undefined || (theirs !== null && !isBefore(theirs, at))) return;
    const { epoch, counter } = at;
    this.peers.tellMembers(to, { type: 'MEMBERS', at: { epoch, counter }, members: config.members });
  }
  /** Who may be called. */
  know(): void {
    const { config, members: notes } = this.node.server.tree;
    const isLater = this.told !== undefined && isBefore(notes.configAt ?? ORIGIN, this.told.at);
    const named = [...(config?.members ?? []), ...(isLater ? (this.told?.members ?? []) : [])];
    this.peers.know(whereAll(named, this.config.servers, this.node.options.config.reconfigEnabled));
  }
  /** While the directory is empty: which voters were not met, each time that others are missing. */
  tellMissing(): void {
    const { node, config, peers } = this;
    const { server, options } = node;
    if (server.tree.config !== undefined) return this.tellNoQuorum(server.tree.config);
    if (node.storage.identity.amnesiac) return;
    const voters = config.servers.filter(({ role }) => role === 'participant');
    const met = new Set([config.sid, ...peers.connected]);
    const missing = voters.flatMap(({ id }) => (met.has(id) ? [] : [id])).join(', ');
    if (missing === this.missing) return;
    this.missing = missing;
    if (missing === '') return;
    const enough = options.bootstrapWith ?? voters.length;
    options.logger.warn(
      `this server has no history yet and waits: voters not met: ${missing}. An ensemble is founded when ${enough} of ${voters.length} are there, each started to found it so; with fewer, a majority at least, by --bootstrap-with N on each of them`,
    );
  }
  /** A founded ensemble without a leader: whom it waits for, each time that this is another. */
  private tellNoQuorum(config: Config): void {
    const { node, peers } = this;
    const { sid, storage, server } = node;
    const { identity } = storage;
    const sightOf = (member: Member): Sight => {
      const incarnation = member.sid === sid ? identity.incarnation : peers.incarnationOf(member.sid);
      if (incarnation === undefined) return 'away';
      return incarnation === member.incarnation ? 'here' : 'other';
    };
    const isWaiting = server.peer.role === 'looking' && node.waits === undefined;
    const said = isWaiting ? noQuorum(config, sightOf, (voices) => isQuorum(config, voices)) : undefined;
    if (said !== this.missing && said !== undefined) node.options.logger.warn(said);
    this.missing = said ?? '';
  }
}
