import { Reader, Writer } from '../../../src/protocol/bytes.ts';
import { FrameCutter } from '../../../src/protocol/frame.ts';
import { ConnectRequest, ConnectResponse } from '../../../src/protocol/handshake.ts';
import { OPERATIONS, writeFrame } from '../../../src/protocol/operations.ts';
import { clientDialer } from '../world/client-net.ts';
import { Host } from '../world/host.ts';
import type { Ensemble } from './ensemble.ts';
import { nameOfServer, PORT } from './member.ts';

/** For all that a server has to say, ms. */
const PATIENCE_MS = 5000;
const ANYONE = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const PERSISTENT = 0;
const EPHEMERAL = 1;

/**
 * A client that goes on where the library stops: it ends its session and asks for more in the same breath, so that the end
 * is decided and not applied when the rest comes (3471).
 */
export class RudeClient {
  private readonly ensemble: Ensemble;
  private readonly host: Host;
  private readonly timeoutMs: number;
  private under = false;
  private serial = 0;

  constructor(ensemble: Ensemble, timeoutMs: number) {
    this.ensemble = ensemble;
    this.timeoutMs = timeoutMs;
    this.host = new Host('10.0.1.99', 199, ensemble.scheduler);
    this.host.onThrow = (error) => ensemble.verdicts.fail('crash', `the rude client threw ${String(error)}`);
    ensemble.network.add(this.host);
    this.host.boot();
  }
  /** Once, at this server; resolves when it hung up, did not answer in time, or was not there. */
  async offend(sid: number): Promise<void> {
    if (this.under) return;
    this.under = true;
    try {
      await this.talk(sid);
    } finally {
      this.under = false;
    }
  }
  private async talk(sid: number): Promise<void> {
    const { ensemble, host } = this;
    let hungUp!: () => void;
    const over = new Promise<void>((resolve) => {
      hungUp = resolve;
    });
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
              if (!greeted) greet(ConnectResponse.read(new Reader(from, start, end)).timeoutMs > 0);
              greeted = true;
              return true;
            }),
          closed: () => {
            greet(false);
            hungUp();
          },
        },
      );
    });
    const connection = await dialed.catch(() => undefined);
    if (connection === undefined) return;
    ensemble.scheduler.after(PATIENCE_MS, 4, 0, () => {
      connection.destroy();
      greet(false);
      hungUp();
    });
    connection.send(hello(this.timeoutMs));
    if (await welcomed) connection.send(this.offence());
    await over;
  }
  private offence(): Buffer {
    const to = new Writer();
    const create = (xid: number, flags: number): void =>
      writeFrame(to, () => {
        to.int32(xid);
        to.int32(OPERATIONS.create.code);
        const path = `/t/rude-${++this.serial % 6}`;
        OPERATIONS.create.request.write(to, { path, data: Buffer.from(path), acl: ANYONE, flags });
      });
    create(1, EPHEMERAL);
    writeFrame(to, () => {
      to.int32(2);
      to.int32(OPERATIONS.closeSession.code);
    });
    create(3, EPHEMERAL);
    create(4, PERSISTENT);
    return to.take();
  }
}
function hello(timeoutMs: number): Buffer {
  const to = new Writer();
  writeFrame(to, () =>
    ConnectRequest.write(to, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeoutMs,
      sessionId: 0n,
      password: new Uint8Array(16),
      readOnly: false,
    } as ConnectRequest),
  );
  return to.take();
}
