import type { SessionId } from '../../../src/base/ids.ts';
import { Reader, Writer } from '../../../src/protocol/bytes.ts';
import { FrameCutter } from '../../../src/protocol/frame.ts';
import { ConnectRequest, ConnectResponse } from '../../../src/protocol/handshake.ts';
import { writeFrame } from '../../../src/protocol/operations.ts';
import { clientDialer } from '../world/client-net.ts';
import { Host } from '../world/host.ts';
import type { Ensemble } from './ensemble.ts';
import { FIRST_CLIENT, nameOfServer, PORT } from './member.ts';

/** For a connection to be made, ms. */
const PATIENCE_MS = 5000;

/** A session of one connection, without a library: it never pings, never leaves, and asks whatever it is told to ask. */
export class RawSession {
  /** Settled when the server hung up, or was not there. */
  readonly over: Promise<void>;
  private readonly ensemble: Ensemble;
  private readonly host: Host;
  private readonly timeoutMs: number;
  /** What opens it. */
  private welcome: Pick<ConnectResponse, 'sessionId' | 'password'> = {
    sessionId: 0n as SessionId,
    password: new Uint8Array(16),
  };
  private connection: { send(bytes: Uint8Array): unknown; destroy(): void } | undefined;
  private hungUp!: () => void;

  constructor(ensemble: Ensemble, host: Host, timeoutMs: number) {
    this.ensemble = ensemble;
    this.host = host;
    this.timeoutMs = timeoutMs;
    this.over = new Promise((resolve) => {
      this.hungUp = resolve;
    });
  }
  /** A machine for sessions like this one. */
  static machine(ensemble: Ensemble, number: number): Host {
    const host = new Host(`10.0.1.${number}`, FIRST_CLIENT + number, ensemble.scheduler);
    host.onThrow = (error) => ensemble.verdicts.fail('crash', `client ${number} threw ${String(error)}`);
    ensemble.network.add(host);
    host.boot();
    return host;
  }
  /** Resolves with whether this server made a session, or took up the one of `before`. */
  async open(sid: number, before: RawSession = this): Promise<boolean> {
    const { ensemble, host } = this;
    let greet!: (isWelcome: boolean) => void;
    const welcomed = new Promise<boolean>((resolve) => {
      greet = resolve;
    });
    const cutter = new FrameCutter(1 << 20);
    let greeted = false;
    let dialed!: ReturnType<ReturnType<typeof clientDialer>['dial']>;
    host.enter(() => {
      dialed = clientDialer(ensemble.network, host).dial(
        { host: nameOfServer(sid), port: PORT.client, timeoutMs: PATIENCE_MS },
        {
          data: (bytes) =>
            cutter.push(Buffer.from(bytes), (from, start, end) => {
              if (!greeted) {
                const { sessionId, password, timeoutMs } = ConnectResponse.read(new Reader(from, start, end));
                this.welcome = { sessionId, password: Buffer.from(password ?? []) };
                greet(timeoutMs > 0);
              }
              greeted = true;
              return true;
            }),
          closed: () => {
            greet(false);
            this.hungUp();
          },
        },
      );
    });
    this.connection = await dialed.catch(() => undefined);
    if (this.connection === undefined) {
      this.hungUp();
      return false;
    }
    this.connection.send(hello(this.timeoutMs, before.welcome));
    return welcomed;
  }
  send(bytes: Uint8Array): void {
    this.connection?.send(bytes);
  }
  destroy(): void {
    this.connection?.destroy();
    this.hungUp();
  }
}
function hello(timeoutMs: number, session: Pick<ConnectResponse, 'sessionId' | 'password'>): Buffer {
  const to = new Writer();
  writeFrame(to, () =>
    ConnectRequest.write(to, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeoutMs,
      ...session,
      readOnly: false,
    } as ConnectRequest),
  );
  return to.take();
}
