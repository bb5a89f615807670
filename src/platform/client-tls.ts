/** TLS for clients: who connected and is not done with the handshake, and what it proves once it is. */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';

/** Connections that we wait for: for their first byte, or for the rest of a handshake. The oldest makes room for a new one. */
const MOST_AWAITED = 2048;
/** Connections that wait for us: whoever comes then is turned away. */
const MOST_QUEUED = 16_384;
/** Handshakes begun in one turn of the loop: each takes about a ms, and other clients wait meanwhile. */
const HANDSHAKES_PER_TURN = 1;
const TLS_RECORD = 0x16;
/** What OpenSSL calls it when no authority of ours vouches for a certificate. */
const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|CERT_(SIGNATURE_FAILURE|UNTRUSTED)/;

/** What this server shows, whom it believes, what it speaks. */
export interface ClientTlsKeys {
  /** PEM. */
  readonly chain: string;
  readonly key: string;
  readonly authorities: readonly string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names. */
  readonly ciphers: string | undefined;
}
export interface ClientTlsRules {
  readonly clientAuth: 'need' | 'want' | 'none';
  /** A certificate must be made out to the address that its owner calls from. */
  readonly addressed: boolean;
  readonly handshakeMs: number;
}
/** Why nobody came of a connection: `late` beyond the time there is, `failed` in the handshake, `refused` by its certificate. */
export type Strangers = 'late' | 'failed' | 'refused' | 'crowded';
export interface TlsDoorEvents {
  /** The handshake is done; the client's certificate in DER, if it was asked for one and showed one that counts. */
  ready(socket: TLSSocket, certificate: Uint8Array | undefined): void;
  /** It does not speak TLS: it is another's, as it came. Undefined where TLS alone is spoken. */
  plain: ((socket: Socket) => void) | undefined;
  /** A connection is gone again; `why` is a clause about what it is. */
  gone(address: string, kind: Strangers, why: string): void;
}

const contextOf = ({
  chain,
  key,
  authorities,
  minVersion,
  maxVersion,
  ciphers,
}: ClientTlsKeys): SecureContextOptions => ({
  cert: chain,
  key,
  ca: [...authorities],
  minVersion,
  maxVersion,
  ...(ciphers === undefined ? {} : { ciphers }),
  honorCipherOrder: true,
  // nobody comes in with what was once known of him; and a handshake in mid-stream is work that a client may ask for without end
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
});
/** Fails as the server would. @throws Error of OpenSSL */
export const tryKeys = (keys: ClientTlsKeys): void => void createSecureContext(contextOf(keys));

const whoIs = ({ remoteAddress, remotePort, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localPort}`;

/** Sockets come in, those that proved what they must go on. */
export class ClientTlsDoor {
  private readonly tls: Server;
  private readonly rules: ClientTlsRules;
  private readonly events: TlsDoorEvents;
  /** By {@link whoIs}, in the order in which they were waited for. */
  private readonly awaited = new Map<string, Stranger>();
  private queued: Stranger[] = [];
  private armed = false;
  private handshakes = 0;
  private readonly most: number;
  constructor(keys: ClientTlsKeys, rules: ClientTlsRules, events: TlsDoorEvents, most = MOST_AWAITED) {
    this.most = most;
    this.rules = rules;
    this.events = events;
    this.tls = createServer({
      ...contextOf(keys),
      requestCert: rules.clientAuth !== 'none',
      // judged once the handshake is done, so that it can be told why
      rejectUnauthorized: false,
      handshakeTimeout: rules.handshakeMs,
    });
    this.tls.on('secureConnection', (socket) => this.secured(socket));
    this.tls.on('tlsClientError', (error, socket) => {
      const { code = error.message } = error as NodeJS.ErrnoException;
      const stranger = this.awaited.get(whoIs(socket));
      if (stranger !== undefined && code !== 'ECONNRESET') stranger.why ??= `the TLS handshake failed (${code})`;
      socket.destroy();
    });
  }
  /** Handshakes begun and not done. */
  get outstanding(): number {
    return this.handshakes;
  }
  /** From now on these, which were tried ({@link tryKeys}), are shown and believed. */
  renew(keys: ClientTlsKeys): void {
    this.tls.setSecureContext(contextOf(keys));
  }

  /** Somebody connected. */
  take(socket: Socket): void {
    const stranger = new Stranger(socket, () => this.late(stranger), this.rules.handshakeMs);
    socket.on('error', () => {});
    socket.on('close', () => this.closed(stranger));
    // who hangs up before he began leaves his place to others
    socket.on('end', () => {
      if (!stranger.left && !stranger.began) socket.destroy();
    });
    this.await(stranger);
    const read = (): void => {
      const head = socket.read() as Buffer | null;
      if (head === null) return;
      socket.removeListener('readable', read);
      socket.unshift(head);
      if (head[0] === TLS_RECORD) return this.queue(stranger);
      this.leave(stranger);
      if (this.events.plain !== undefined) return this.events.plain(socket);
      socket.destroy();
      this.events.gone(stranger.address, 'failed', 'it speaks without TLS');
    };
    socket.on('readable', read);
  }
  /** Ends whoever is not in yet. */
  close(): void {
    for (const { socket } of [...this.awaited.values(), ...this.queued]) socket.destroy();
  }
  private await(stranger: Stranger): void {
    for (const oldest of this.awaited.values()) {
      if (this.awaited.size < this.most) break;
      oldest.kind = 'crowded';
      oldest.why = 'others came, and it did not go on';
      this.awaited.delete(oldest.key);
      oldest.socket.destroy();
    }
    this.awaited.set(stranger.key, stranger);
  }
  private queue(stranger: Stranger): void {
    this.awaited.delete(stranger.key);
    if (this.queued.length >= MOST_QUEUED) {
      stranger.kind = 'crowded';
      stranger.why = 'too many come at once';
      stranger.socket.destroy();
      return;
    }
    this.queued.push(stranger);
    this.arm();
  }
  private arm(): void {
    if (this.armed || this.queued.length === 0) return;
    this.armed = true;
    setImmediate(() => {
      this.armed = false;
      for (let begun = 0; begun < HANDSHAKES_PER_TURN; ) {
        const stranger = this.queued.shift();
        if (stranger === undefined) break;
        const { socket } = stranger;
        if (socket.destroyed) continue;
        begun++;
        stranger.began = true;
        this.handshakes++;
        this.await(stranger);
        // half a connection finishes no handshake: it ends at once, and not only when its time is over
        socket.allowHalfOpen = false;
        this.tls.emit('connection', socket);
      }
      this.arm();
    });
  }
  private secured(socket: TLSSocket): void {
    const stranger = this.awaited.get(whoIs(socket));
    socket.on('error', () => {});
    if (stranger === undefined) return void socket.destroy();
    socket.allowHalfOpen = true; // who is in may say that he has asked everything, and still be answered
    this.leave(stranger);
    const shown = this.rules.clientAuth === 'none' ? undefined : socket.getPeerX509Certificate();
    const why = this.whyNot(socket, stranger.address);
    if (why === undefined) return this.events.ready(socket, shown?.raw);
    socket.destroy();
    this.events.gone(stranger.address, 'refused', why);
  }
  /** Why whoever is at the other end is nobody, in a clause. */
  private whyNot(socket: TLSSocket, address: string): string | undefined {
    const { clientAuth, addressed } = this.rules;
    if (clientAuth === 'none') return undefined;
    const cert = socket.getPeerCertificate();
    if (Object.keys(cert).length === 0)
      return clientAuth === 'want' ? undefined : 'it shows no certificate, and ssl.clientAuth=need';
    if (!socket.authorized) {
      const code = String(socket.authorizationError);
      if (code === 'CERT_HAS_EXPIRED') return `its certificate expired on ${cert.valid_to}`;
      if (code === 'CERT_NOT_YET_VALID')
        return `its certificate is valid from ${cert.valid_from} on; compare the clocks`;
      return UNKNOWN_AUTHORITY.test(code)
        ? `its certificate is vouched for by no authority of ssl.trustStore (${code})`
        : `its certificate is not accepted (${code})`;
    }
    if (!addressed || checkServerIdentity(address.replace(/^::ffff:(?=\d+\.)/, ''), cert) === undefined)
      return undefined;
    return `its certificate is made out to ${cert.subjectaltname ?? 'nobody'}, and it calls from elsewhere (ssl.clientHostnameVerification)`;
  }
  private late(stranger: Stranger): void {
    stranger.kind = 'late';
    stranger.why = 'it was not done with the TLS handshake in time';
    stranger.socket.destroy();
  }
  /** It is somebody, or another's. */
  private leave(stranger: Stranger): void {
    clearTimeout(stranger.timer);
    this.awaited.delete(stranger.key);
    stranger.left = true;
    if (stranger.began) this.handshakes--;
  }
  private closed(stranger: Stranger): void {
    if (stranger.left) return;
    this.leave(stranger);
    this.events.gone(stranger.address, stranger.kind, stranger.why ?? 'it hung up in the TLS handshake');
  }
}

class Stranger {
  readonly socket: Socket;
  readonly key: string;
  readonly address: string;
  readonly timer: NodeJS.Timeout;
  kind: Strangers = 'failed';
  why: string | undefined;
  /** Its handshake. */
  began = false;
  left = false;
  constructor(socket: Socket, late: () => void, ms: number) {
    this.socket = socket;
    this.key = whoIs(socket);
    this.address = socket.remoteAddress ?? '';
    this.timer = setTimeout(late, ms);
  }
}
