import type { Member } from '../records/txns.ts';
import type { EnsembleConfig, ServerConfig } from '../server/config.ts';
import { type Address, addressesOf, clientsOf, isAnyHost } from '../server/config-servers.ts';
import type { ClientDoors } from './client-doors.ts';
import type { Wanted } from './client-place.ts';

export type MemberPlaces = EnsembleConfig['listen'];

/**
 * Where the ensemble says that this server listens. As in ZooKeeper a line that comes to say something else holds at once; what
 * it said when this server started does not, since zoo.cfg may be newer.
 */
export class OwnPlaces {
  /** As words and commands tell it: with the ports of now. */
  config: ServerConfig;
  private readonly doors: ClientDoors;
  /** What was heard last; undefined: of no such member. */
  private own: Member | undefined;
  private isOpen = false;
  private moving: Promise<void> = Promise.resolve();

  constructor(config: ServerConfig, doors: ClientDoors) {
    this.config = config;
    this.doors = doors;
  }
  /** The places that zoo.cfg names are open: from now on what is heard is news. */
  opened(): void {
    this.isOpen = true;
  }
  /**
   * Who this server is in the ensemble; undefined: no member. `moveMember` listens for other servers there instead, and resolves
   * with where it does then.
   */
  heard(own: Member | undefined, moveMember: (to: MemberPlaces) => Promise<MemberPlaces>): void {
    const before = this.own;
    this.own = own;
    if (!this.isOpen || own === undefined) return;
    const { client, addresses } = own;
    const isCurrent = (): boolean => own === this.own; // otherwise another one has been heard meanwhile
    if (client !== null && client !== before?.client)
      this.moving = this.moving.then(async () => void (isCurrent() && (await this.moveClients(client))));
    // of one that joins zoo.cfg knows better where it can listen
    if (before !== undefined && String(addresses) !== String(before.addresses))
      this.moving = this.moving.then(async () => void (isCurrent() && (await this.moveMember(own, moveMember))));
  }
  private async moveClients(client: string): Promise<void> {
    const { plain, secure } = clientsOf({ client });
    const { plain: at, secure: secureAt } = await this.doors.move({ plain: wanted(plain), secure: wanted(secure) });
    const { ensemble } = this.config;
    this.config = {
      ...this.config,
      ...{ clientPort: at?.port, clientPortAddress: at?.host },
      ...{ secureClientPort: secureAt?.port, secureClientPortAddress: secureAt?.host },
      ensemble: ensemble && { ...ensemble, own: { ...ensemble.own, client: plain ?? ensemble.own.client } },
    };
  }
  /** Who listens on every address goes on so. */
  private async moveMember(own: Member, move: (to: MemberPlaces) => Promise<MemberPlaces>): Promise<void> {
    const { ensemble } = this.config;
    if (ensemble === undefined) return;
    const [any] = ensemble.listen.quorum;
    const everywhere = any !== undefined && isAnyHost(any.host) ? any.host : undefined;
    const on = (addresses: readonly Address[]): Address[] =>
      everywhere === undefined
        ? [...addresses]
        : [...new Set(addresses.map(({ port }) => port))].map((port) => ({ host: everywhere, port }));
    const { quorum, election } = addressesOf(own);
    if (quorum.length === 0 || election.length === 0) return; // there is nowhere to go
    const listen = await move({ quorum: on(quorum), election: on(election) });
    const now = this.config.ensemble ?? ensemble;
    this.config = { ...this.config, ensemble: { ...now, listen, own: { ...now.own, quorum, election } } };
  }
}
const wanted = (at: Address | undefined): Wanted | undefined =>
  at && { host: isAnyHost(at.host) ? undefined : at.host, port: at.port };
