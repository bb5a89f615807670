import type { Socket } from 'node:net';
import { ClientTlsDoor, type ClientTlsKeys, type Strangers, tryKeys } from '../platform/client-tls.ts';
import type { Clock } from '../ports/clock.ts';
import { areCarried, type Identity } from '../server/acl.ts';
import type { ServerConfig } from '../server/config.ts';
import type { ClientTls } from '../server/config-client-tls.ts';
import { javaAddress } from '../server/ip.ts';
import { certificateIdentities } from '../server/x509.ts';
import { type At, ClientPlace, shown, type Wanted } from './client-place.ts';
import type { Listener } from './clients.ts';
import { clientsFor, RAISE_DESCRIPTORS } from './descriptors.ts';
import { KeyWatch } from './key-watch.ts';
import { clientKeysApart } from './keys-apart.ts';
import type { Logger } from './log.ts';
import { Complaints } from './peer-complaints.ts';
import type { Certificates } from './tally.ts';
import type { Traffic } from './traffic.ts';

/** Where clients are served: at the client port, or else at the secure one. */
export interface Served extends At {
  readonly securePort: number | undefined;
}
/** Where clients are served after a move, as it was asked for. */
export interface MovedTo {
  readonly plain: Wanted | undefined;
  readonly secure: Wanted | undefined;
}
const isSame = (a: Wanted, b: Wanted | undefined): boolean =>
  a.port === b?.port && javaAddress(a.host ?? '') === javaAddress(b.host ?? '');
/** Nothing is listened to. */
const NOWHERE: At = { host: '0.0.0.0', port: 0 };
const WHY = { late: 'exceeded', failed: 'failed', refused: 'refused', crowded: 'exceeded' } as const satisfies Record<
  Strangers,
  string
>;

export interface DoorOptions {
  readonly config: ServerConfig;
  readonly clock: Clock;
  readonly listener: Listener;
  readonly logger: Logger;
  readonly traffic: Traffic;
  /** What is shown by TLS; undefined where it is not spoken. */
  readonly keys: ClientTlsKeys | undefined;
  /** Where it is noted what is shown. */
  readonly shown: Certificates;
  /** That this process may have; undefined: nobody knows. */
  readonly descriptors: number | undefined;
  /** A client is in: its socket, its address as Java prints it, and what a certificate proves. Undefined: no TLS. */
  serve(socket: Socket, ip: string, proved: readonly Identity[] | undefined): void;
  /** A certificate was not accepted. */
  refused(): void;
}

/** How many are connected by one port, from each address. */
class Crowd {
  readonly perAddress = new Map<string, number>();
  size = 0;
}

/** The ports for clients: plain, by TLS, or both. Who has come through is served; how many may, is counted here. */
export class ClientDoors {
  private readonly options: DoorOptions;
  private readonly plain: ClientPlace;
  private readonly secure: ClientPlace;
  private readonly crowds: Crowd[] = [];
  private readonly complaints: Complaints;
  /** For TLS: of the client port, and of the secure one. */
  private readonly doors: ClientTlsDoor[] = [];
  private watch: KeyWatch<ClientTlsKeys> | undefined;
  private readonly unified: boolean;
  /** Of them all may be connected so many. */
  private readonly most: number;

  constructor(options: DoorOptions) {
    this.options = options;
    const { config, listener, clock, logger } = options;
    this.unified = config.clientTls?.unified === true;
    this.complaints = new Complaints(clock, (sentence) => logger.warn(sentence));
    const { descriptors = Number.POSITIVE_INFINITY } = options;
    this.most = config.maxCnxns > 0 ? config.maxCnxns : clientsFor(descriptors);
    const plain = new Crowd();
    const secure = new Crowd();
    this.crowds.push(plain, secure);
    const { clientTls: tls } = config;
    if (tls !== undefined && options.keys !== undefined) {
      options.shown.clients = options.keys.chain;
      for (const unified of [true, false]) this.doors.push(this.tlsDoor(tls, options.keys, unified));
    }
    const backlog = config.listenBacklog;
    const enter = (crowd: Crowd, door: number | undefined) => (socket: Socket) => this.enter(socket, crowd, door);
    const ofPlain = enter(plain, this.unified ? 0 : undefined);
    this.plain = new ClientPlace({ listener, backlog, key: 'clientPort', enter: ofPlain });
    this.secure = new ClientPlace({ listener, backlog, key: 'secureClientPort', enter: enter(secure, 1) });
  }
  /** Opens the ports. @throws StartError */
  async listen(): Promise<Served> {
    const { config, logger } = this.options;
    const { clientTls: tls, clientPort, clientPortAddress, secureClientPort, secureClientPortAddress } = config;
    if (tls?.reload === true) await this.watchKeys(tls);
    const plain =
      clientPort === undefined ? undefined : await this.plain.open({ host: clientPortAddress, port: clientPort });
    const secure =
      secureClientPort === undefined
        ? undefined
        : await this.secure.open({ host: secureClientPortAddress, port: secureClientPort });
    if (secure !== undefined) logger.info(`binding to secure port ${secure.host}:${secure.port}`);
    return { ...(plain ?? secure ?? NOWHERE), securePort: secure?.port };
  }
  /** Handshakes begun and not done. */
  get outstanding(): number {
    return this.doors.reduce((sum, door) => sum + door.outstanding, 0);
  }
  /** Nobody comes in any more. */
  close(): void {
    this.watch?.[Symbol.dispose]();
    this.plain.close();
    this.secure.close();
    for (const door of this.doors) door.close();
  }
  /**
   * Clients are to be served elsewhere: at these places, of which one that is not named stays where it is. Resolves with where
   * they are served then; what cannot be had is told, and stays where it was.
   */
  async move(to: { readonly plain: Wanted | undefined; readonly secure: Wanted | undefined }): Promise<MovedTo> {
    let left: [place: ClientPlace, to: Wanted][] = [];
    if (to.plain !== undefined && !isSame(to.plain, this.plain.wanted)) left.push([this.plain, to.plain]);
    if (to.secure !== undefined && !isSame(to.secure, this.secure.wanted)) left.push([this.secure, to.secure]);
    // once more at the end: one may have wanted what the other had until now
    for (let round = left.length; round > 0; round--) {
      const again: typeof left = [];
      for (const [place, wanted] of left)
        if (!(await this.moveOne(place, wanted, round === 1))) again.push([place, wanted]);
      left = again;
    }
    return { plain: this.plain.wanted, secure: this.secure.wanted };
  }
  private async moveOne(place: ClientPlace, to: Wanted, isLast: boolean): Promise<boolean> {
    const { logger, keys } = this.options;
    const before = place.wanted;
    const failed = (why: string): void => {
      const where = place.wanted === undefined ? 'nowhere' : `at ${shown(place.wanted)} only`;
      logger.error(
        `reconfig moves the ${place.key} of this server, but ${why}. It is ${where} until this server is restarted, or reconfig moves it again`,
      );
    };
    if (place === this.secure && keys === undefined) {
      failed(`${shown(to)} needs a certificate: set ssl.keyStore.location`);
      return true;
    }
    try {
      const { host, port } = await place.move(to);
      const left = before === undefined ? '' : `, and no longer at ${shown(before)}; who is connected stays`;
      logger.info(`${place.key} moved by reconfig: clients are served at ${host}:${port}${left}`);
      return true;
    } catch (error) {
      if (isLast) failed((error as Error).message);
      return false;
    }
  }
  private async watchKeys(tls: ClientTls): Promise<void> {
    const { clock, logger, shown } = this.options;
    const watched = {
      stores: [tls.keyStore, tls.trustStore],
      whose: 'clients',
      read: (now: number) => clientKeysApart(tls, now),
      renewed: (keys: ClientTlsKeys) => {
        tryKeys(keys);
        shown.clients = keys.chain;
        // with many authorities each takes a while: one in a turn
        for (const door of this.doors) setImmediate(() => door.renew(keys));
      },
    } as const;
    this.watch = new KeyWatch<ClientTlsKeys>(watched, clock, logger);
    await this.watch.start();
  }
  private tlsDoor(tls: ClientTls, keys: ClientTlsKeys, unified: boolean): ClientTlsDoor {
    const { serve, config, refused, traffic } = this.options;
    const { x509SuperUser } = config.auth;
    const gone = (address: string, kind: Strangers, why: string): void => {
      traffic.handshakes[WHY[kind]]++;
      if (kind === 'refused') refused();
      if (kind === 'failed' && why.startsWith('it hung up')) return; // a look at the port, or a client that thought better of it
      this.complaints.about(address, `a client at ${javaAddress(address)} was not let in: ${why}`);
    };
    return new ClientTlsDoor(keys, tls, {
      ready: (socket, certificate) => {
        const address = socket.remoteAddress ?? '';
        try {
          const proved = certificate === undefined ? [] : certificateIdentities(certificate, x509SuperUser);
          // it would be nobody, and not know why
          if (!areCarried(proved)) throw new Error('a certificate whose name is longer than an ACL can have');
          serve(socket, javaAddress(address), proved);
        } catch (error) {
          socket.destroy();
          gone(address, 'refused', `it shows ${(error as Error).message}`);
        }
      },
      plain: unified
        ? (socket) => {
            serve(socket, javaAddress(socket.remoteAddress ?? ''), undefined);
            socket.resume();
          }
        : undefined,
      gone,
    });
  }
  private get fullness(): string {
    const { config, descriptors } = this.options;
    if (config.maxCnxns > 0) return `a client was not let in: maxCnxns=${config.maxCnxns} are connected`;
    return `a client was not let in: ${this.most} are connected, and the rest of the ${descriptors} open files that this process may have is kept for its work. ${RAISE_DESCRIPTORS}`;
  }
  /** Somebody connected; `door` is the one for TLS that it is sent to. */
  private enter(socket: Socket, crowd: Crowd, door: number | undefined): void {
    const { config, traffic, serve } = this.options;
    const { maxClientCnxns } = config;
    const ip = javaAddress(socket.remoteAddress ?? '');
    const { perAddress } = crowd;
    const same = perAddress.get(ip) ?? 0;
    const all = (this.crowds[0] as Crowd).size + (this.crowds[1] as Crowd).size;
    const isFull = all >= this.most;
    if (isFull || (maxClientCnxns > 0 && same >= maxClientCnxns)) {
      if (isFull) this.complaints.about('all', this.fullness);
      else {
        const why = `maxClientCnxns=${maxClientCnxns} of that address are connected`;
        this.complaints.about(`many ${ip}`, `a client at ${ip} was not let in: ${why}`);
      }
      traffic.rejected++;
      socket.destroy();
      return;
    }
    perAddress.set(ip, same + 1);
    crowd.size++;
    socket.on('close', () => {
      crowd.size--;
      const left = (perAddress.get(ip) ?? 1) - 1;
      if (left === 0) perAddress.delete(ip);
      else perAddress.set(ip, left);
    });
    if (door === undefined) serve(socket, ip, undefined);
    else this.doors[door]?.take(socket);
  }
}
