import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../base/random.ts';
import { realClock } from '../platform/clock.ts';
import { mostDescriptors } from '../platform/descriptors.ts';
import { nodeDisk } from '../platform/disk.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { PeerNetwork } from '../ports/peer-network.ts';
import type { Config } from '../records/txns.ts';
import type { AuditSink } from '../server/audit.ts';
import type { ServerConfig } from '../server/config.ts';
import type { Pressure } from '../server/pressure.ts';
import { type Listener, tcpListener } from './clients.ts';
import type { Logger } from './log.ts';
import type { Transfer } from './snapshot-sender.ts';

/** What a server stands on. */
export interface ServerPorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly listener: Listener;
  /** Files and sockets that may be open at once; undefined: nobody knows. */
  readonly descriptors?: () => number | undefined;
  /** How members reach each other; undefined: as zoo.cfg says, over TCP. */
  readonly peerNetwork?: PeerNetwork;
}
export const REAL_PORTS: ServerPorts = {
  disk: nodeDisk,
  clock: realClock,
  random: { below: (bound) => randomInt(bound), bytes: (count) => randomBytes(count) },
  listener: tcpListener,
  descriptors: mostDescriptors,
};

export interface StartOptions {
  readonly config: ServerConfig;
  readonly logger: Logger;
  readonly ignoreApacheData?: boolean;
  /** So many voters with empty directories found the ensemble, the rest are admitted later; undefined: all of them must be met. */
  readonly bootstrapWith?: number | undefined;
  /** Counter that ends an epoch; for tests, which cannot write 2^32 transactions. */
  readonly lastCounter?: number;
  /** In which parts snapshots travel; for tests, whose snapshots are small. The same at all members. */
  readonly transfer?: Transfer;
  /** Told who belongs to the ensemble, at the start and after each change; `version` is the zxid of the config record. */
  readonly configured?: (config: Config, version: bigint) => void;
  /** The disk failed under the log: nothing more can be promised (D10). */
  readonly onFailed: (error: Error) => void;
  /** Told what clients change, when an audit log is kept. */
  readonly audit?: AuditSink | undefined;
  /** Says when memory is short; absent: nobody watches it. */
  readonly pressure?: Pressure;
  /** The super user was made with this server, and is not left over. */
  readonly ownSuper?: boolean;
  /** Path of a control socket. */
  readonly control?: string | undefined;
}
export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Where TLS alone is spoken; undefined: nowhere. */
  readonly securePort: number | undefined;
  /** Resolves when it serves clients for the first time; at once for a server alone. */
  readonly serving: Promise<void>;
  /** Log files of its own are opened anew under their names. */
  reopenLogs?(): void;
  /** Stops taking requests, finishes what is under way, hands over what it leads, leaves the disk whole. */
  stop(): Promise<void>;
}
