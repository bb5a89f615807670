import type { Client, Credential } from '../../../src/client/api.ts';
import { connect } from '../../../src/client/connect.ts';
import { clientDialer } from '../world/client-net.ts';
import { Host } from '../world/host.ts';
import type { Ensemble } from './ensemble.ts';
import { FIRST_CLIENT, nameOfServer, PORT } from './member.ts';

/** The library on a machine of its own, which never dies; after the end of a session it opens another. */
export class SimClient {
  readonly number: number;
  readonly host: Host;
  client: Client | undefined;
  /** Sessions begun so far, and those that ended without being asked to. */
  sessions = 0;
  expired = 0;
  /** Called when a session of its own begins. */
  onSession: () => void = () => {};
  private readonly ensemble: Ensemble;
  private readonly timeoutMs: number;
  private readonly servers: readonly number[];
  private readonly auth: readonly Credential[];
  private readonly allowReadOnly: boolean;
  private closing = false;

  constructor(
    number: number,
    ensemble: Ensemble,
    timeoutMs: number,
    servers: readonly number[],
    auth: readonly Credential[] = [],
    allowReadOnly = false,
  ) {
    this.number = number;
    this.ensemble = ensemble;
    this.timeoutMs = timeoutMs;
    this.servers = servers;
    this.auth = auth;
    this.allowReadOnly = allowReadOnly;
    this.host = new Host(`10.0.1.${number}`, FIRST_CLIENT + number, ensemble.scheduler);
    this.host.onThrow = (error) => ensemble.verdicts.fail('crash', `client ${number} threw ${String(error)}`);
    ensemble.network.add(this.host);
    this.host.boot();
  }
  /** A client with a session, or one that will get one. */
  async open(): Promise<Client> {
    const { ensemble } = this;
    this.sessions++;
    let made!: Promise<Client>;
    this.host.enter(() => {
      made = connect(
        this.servers.map((sid) => `${nameOfServer(sid)}:${PORT.client}`).join(),
        { timeoutMs: this.timeoutMs, lazy: true, auth: this.auth, allowReadOnly: this.allowReadOnly },
        {
          clock: this.host.clock(),
          dialer: clientDialer(ensemble.network, this.host),
          random: ensemble.chance.stream(`client/${this.number}`),
        },
      );
    });
    const client = await made;
    let isNew = true;
    client.on('state', ({ state }) => {
      if (state === 'connected' && isNew) {
        isNew = false;
        this.onSession();
      }
      if (state !== 'expired' && state !== 'closed') return;
      if (state === 'expired') this.expired++;
      if (client === this.client) this.client = undefined;
    });
    this.client = client;
    return client;
  }
  /** The present client; a new one when the last session ended. */
  async get(): Promise<Client> {
    return this.client ?? (await this.open());
  }
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await this.client?.close();
  }
}
