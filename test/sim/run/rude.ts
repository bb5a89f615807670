import { Writer } from '../../../src/protocol/bytes.ts';
import { OPERATIONS, writeFrame } from '../../../src/protocol/operations.ts';
import type { Host } from '../world/host.ts';
import type { Ensemble } from './ensemble.ts';
import { RawSession } from './raw.ts';

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
  private offences = 0;

  constructor(ensemble: Ensemble, timeoutMs: number) {
    this.ensemble = ensemble;
    this.timeoutMs = timeoutMs;
    this.host = RawSession.machine(ensemble, 99);
  }
  /** Once, at this server; resolves when it hung up, did not answer in time, or was not there. */
  async offend(sid: number): Promise<void> {
    if (this.under) return;
    this.under = true;
    const session = new RawSession(this.ensemble, this.host, this.timeoutMs);
    this.ensemble.scheduler.after(PATIENCE_MS, 4, 0, () => session.destroy());
    try {
      if (await session.open(sid)) session.send(this.offence());
      await session.over;
    } finally {
      this.under = false;
    }
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
    // behind a sync that a leader has to confirm all of it waits, its end too
    if (++this.offences % 2 === 0)
      writeFrame(to, () => {
        to.int32(0);
        to.int32(OPERATIONS.sync.code);
        OPERATIONS.sync.request.write(to, { path: '/t' });
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
