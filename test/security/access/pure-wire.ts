import { seededRandom } from '../../../src/base/random.ts';
import { ClientConnection } from '../../../src/server/connection.ts';
import { certificateIdentities } from '../../../src/server/x509.ts';
import { hello } from '../../e2e/raw.ts';
import { type RigOptions, rig } from '../../server/rig.ts';
import type { Certificate } from '../../tls/certificates.ts';
import { derOf, PROVIDERS, SASL, SUPER_SUBJECT } from './holders.ts';
import { Line, type Wire } from './wire.ts';

/** `super:adminpass`. */
export const SUPER_DIGEST = 'super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=';

/** Logins by SASL and certificates, beside digests. */
export const ALL_SCHEMES: RigOptions = {
  server: {
    auth: {
      ...{ superDigest: SUPER_DIGEST, digestAlgorithm: 'sha1', digestEnabled: true },
      ...{ providers: PROVIDERS, sasl: SASL },
    },
  },
};

/** The whole server in memory, one step for each request. */
export class PureWire implements Wire {
  readonly rig: ReturnType<typeof rig>;
  private readonly lines = new Map<ClientConnection, Line>();
  /** The answer to a handshake, length and all. */
  private readonly greetings = new Map<ClientConnection, Buffer>();
  private resumed = 0;

  constructor(options: RigOptions = {}) {
    this.rig = rig(seededRandom(1), {
      ...options,
      server: {
        auth: { superDigest: SUPER_DIGEST, digestAlgorithm: 'sha1', digestEnabled: true },
        enforceQuota: false,
        ...options.server,
      },
      sent: (connection, bytes) => {
        if (this.greetings.has(connection)) this.lines.get(connection)?.feed(bytes);
        else this.greetings.set(connection, Buffer.from(bytes));
      },
    });
  }
  openNow(ip = '127.0.0.1', shown?: Certificate): Line {
    const connection = this.rig.attach(ip);
    if (shown !== undefined) {
      connection.secure = true;
      connection.prove(certificateIdentities(derOf(shown), SUPER_SUBJECT));
    }
    return this.lineOf(connection);
  }
  /** Another connection takes up the session of this one, with its password. */
  resume(line: Line): Line {
    const greeting = this.greetings.get(this.connectionOf(line)) as Buffer;
    const connection = new ClientConnection(1_000_000 + ++this.resumed, '127.0.0.1', 1, 0);
    const bytes = hello(greeting.readBigInt64BE(12), greeting.subarray(24, 40));
    this.rig.server.handshake(connection, bytes, 4, bytes.length);
    this.rig.settle();
    return this.lineOf(connection);
  }
  private lineOf(connection: ClientConnection): Line {
    const { server, settle, closed } = this.rig;
    const line = new Line((body) => {
      server.receive(connection, body, 0, body.length);
      settle();
      if (!closed.has(connection)) return;
      server.disconnected(connection);
      line.end();
    });
    this.lines.set(connection, line);
    return line;
  }
  open(shown?: Certificate): Promise<Line> {
    return Promise.resolve(this.openNow(undefined, shown));
  }
  connectionOf(line: Line): ClientConnection {
    for (const [connection, each] of this.lines) if (each === line) return connection;
    throw new Error('no line of this wire');
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}
