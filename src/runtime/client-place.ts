import type { Server as NetServer, Socket } from 'node:net';
import type { Listener } from './clients.ts';
import { listenError } from './start-error.ts';

/** Where somebody listens. */
export interface At {
  readonly host: string;
  readonly port: number;
}
/** Where one is to listen: without a host on every address, at port 0 on any that is free. */
export interface Wanted {
  readonly host: string | undefined;
  readonly port: number;
}

export interface PlaceOptions {
  readonly listener: Listener;
  /** The setting that names its port. */
  readonly key: 'clientPort' | 'secureClientPort';
  readonly backlog: number | undefined;
  enter(socket: Socket): void;
}

export const shown = ({ host, port }: Wanted): string => `${host ?? '0.0.0.0'}:${port}`;

/** One of the two places where clients come in. It can be moved: who came in before stays connected. */
export class ClientPlace {
  /** Where it was told to listen, and does; undefined: nowhere. */
  wanted: Wanted | undefined;
  private readonly options: PlaceOptions;
  private server: NetServer | undefined;
  private closed = false;

  constructor(options: PlaceOptions) {
    this.options = options;
  }
  get key(): PlaceOptions['key'] {
    return this.options.key;
  }
  /** @throws StartError */
  async open(wanted: Wanted): Promise<At> {
    const { server, at } = await this.listen(wanted);
    if (this.closed) server.close();
    this.server = server;
    this.wanted = wanted;
    return at;
  }
  /** The new place first, then the old one no more; where the new one cannot be had the old one stays. @throws StartError */
  async move(wanted: Wanted): Promise<At> {
    const { server: old, wanted: before } = this;
    // the same port on other addresses: each would be in the other's way
    const isInTheWay = before !== undefined && before.port === wanted.port;
    if (isInTheWay) {
      old?.close();
      this.wanted = undefined;
    }
    try {
      return await this.open(wanted);
    } catch (error) {
      if (isInTheWay) await this.open(before);
      throw error;
    } finally {
      if (!isInTheWay && this.server !== old) old?.close();
    }
  }
  /** Nobody comes in any more. */
  close(): void {
    this.closed = true;
    this.server?.close();
  }
  private listen(wanted: Wanted): Promise<{ server: NetServer; at: At }> {
    const { listener, enter, key, backlog } = this.options;
    const { host, port } = wanted;
    const server = listener(enter);
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, shown(wanted), host, key)));
      server.listen({ port, host, backlog: backlog ?? 511 }, () => {
        const address = server.address();
        if (address === null || typeof address === 'string') return reject(new Error('no address'));
        const at = { host: address.address === '::' ? '0.0.0.0' : address.address, port: address.port };
        resolve({ server, at });
      });
    });
  }
}
