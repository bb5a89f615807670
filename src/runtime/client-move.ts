import type { Member } from '../records/txns.ts';
import type { ServerConfig } from '../server/config.ts';
import { type Address, clientsOf, isAnyHost } from '../server/config-servers.ts';
import type { ClientDoors } from './client-doors.ts';
import type { Wanted } from './client-place.ts';

/**
 * Where the ensemble says that this server serves clients. As in ZooKeeper a line that comes to say something else holds at
 * once; what it said when this server started does not, since zoo.cfg may be newer.
 */
export class ClientMoves {
  /** As words and commands tell it: with the ports that clients have now. */
  config: ServerConfig;
  private readonly doors: ClientDoors;
  /** What the line says of clients; undefined: nothing was heard yet. */
  private line: string | null | undefined;
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
  /** Who this server is in the ensemble; undefined: no member. */
  heard(own: Member | undefined): void {
    const line = own?.client ?? null;
    const isNews = this.isOpen && line !== null && line !== this.line;
    this.line = line;
    if (!isNews) return;
    this.moving = this.moving.then(async () => {
      if (line === this.line) await this.move(line); // otherwise another one has been heard meanwhile
    });
  }
  private async move(client: string): Promise<void> {
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
}
const wanted = (at: Address | undefined): Wanted | undefined =>
  at && { host: isAnyHost(at.host) ? undefined : at.host, port: at.port };
