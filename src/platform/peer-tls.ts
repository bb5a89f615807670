/** TLS 1.3 between servers, whatever they prove themselves with: how connections come in, and how they go out. */
import { constants } from 'node:crypto';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  createServer as createTlsServer,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import type { ConnectionHandler } from '../ports/network.ts';
import {
  type AcceptPeer,
  type PeerDial,
  type PeerLink,
  type PeerListening,
  type PeerProof,
  PeerProofError,
  type PeerTurnedAway,
} from '../ports/peer-network.ts';
import { foreignGreeting } from './peer-foreign.ts';
import { callerOf, linkOf, startListening, untilReady } from './peer-net.ts';

const VERSION = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
const HANDSHAKE_MS = 5000;
/** Connections that have not proved themselves yet; the oldest makes room for a new one. */
const MAX_STRANGERS = 128;
/** Handshakes begun in one turn of the loop: each may cost a few ms, and members that are in wait meanwhile. */
const HANDSHAKES_PER_TURN = 4;
const TLS_RECORD = 0x16;

/** How whoever dials us proves to be a member. */
export interface TlsDoor {
  readonly options: TlsOptions;
  /** What a finished handshake proved, or in a clause why it proves nothing. */
  judge(socket: TLSSocket): PeerProof | string;
  /** What a handshake that failed most likely means. */
  readonly failed: string;
  /** What is said of who speaks without TLS; undefined: it comes in, and has proved nothing. */
  readonly plain: string | undefined;
}
/** Takes other keys from now on, for whoever comes in then. */
export type Renew = (options: TlsOptions) => void;
/** How whoever we dial proves to be a member. */
export interface TlsCall {
  readonly options: ConnectionOptions;
  /** What the handshake proved, or in a clause why it proves nothing. */
  judge(socket: TLSSocket): PeerProof | string;
  /** What an error of TLS itself means, in a clause. */
  failed(error: NodeJS.ErrnoException): string;
  /** What it may mean that the other end hung up in the handshake. */
  readonly hungUp: string;
}

/** Dials, and gives no session: one that is resumed proves what was once known, not what is known now. */
export async function dialTls(
  call: TlsCall,
  { address, port, timeoutMs }: PeerDial,
  handler: ConnectionHandler,
  signal: AbortSignal,
): Promise<PeerLink> {
  const raw = connectTcp({ host: address, port, noDelay: true, keepAlive: true });
  const socket = connect({ ...VERSION, ...call.options, socket: raw });
  await untilReady(socket, 'secureConnect', timeoutMs, signal, (error) => {
    if (error instanceof PeerProofError) return error;
    const { code = '' } = error;
    if (code === 'ECONNRESET' && !raw.connecting) return `it hung up in the TLS handshake; ${call.hungUp}`;
    // what is no errno is TLS's own: an alert, or a certificate
    return code === '' || /^E(?!RR_)/.test(code) ? undefined : new PeerProofError(call.failed(error));
  });
  const proof = call.judge(socket);
  if (typeof proof === 'string') {
    socket.destroy();
    throw new PeerProofError(proof);
  }
  const { link, attach } = linkOf(socket, proof);
  attach(handler);
  return link;
}

/** Those who connected and have not proved themselves: few, briefly, and a few handshakes a turn. */
class Porch {
  private readonly strangers = new Map<string, Socket>();
  private readonly waiting: Socket[] = [];
  private armed = false;
  private readonly begin: (socket: Socket) => void;
  constructor(begin: (socket: Socket) => void) {
    this.begin = begin;
  }
  private static key({ remoteAddress, remotePort }: Socket): string {
    return `${remoteAddress}:${remotePort}`;
  }
  /** `failed`: it went before it was done with the handshake, and not to make room. */
  enter(socket: Socket, failed: () => void): void {
    for (const [key, oldest] of this.strangers) {
      if (this.strangers.size < MAX_STRANGERS) break;
      this.strangers.delete(key);
      oldest.destroy();
    }
    const key = Porch.key(socket);
    this.strangers.set(key, socket);
    socket.on('close', () => {
      if (this.strangers.get(key) !== socket) return;
      this.strangers.delete(key);
      failed();
    });
  }
  /** It speaks TLS. */
  queue(socket: Socket): void {
    this.waiting.push(socket);
    this.arm();
  }
  private arm(): void {
    if (this.armed || this.waiting.length === 0) return;
    this.armed = true;
    setImmediate(() => {
      this.armed = false;
      for (let begun = 0; begun < HANDSHAKES_PER_TURN; ) {
        const socket = this.waiting.shift();
        if (socket === undefined) break;
        if (socket.destroyed) continue;
        this.begin(socket);
        begun++;
      }
      this.arm();
    });
  }
  /** It is done with the handshake. */
  leave(socket: Socket): void {
    this.strangers.delete(Porch.key(socket));
  }
}

/** What a listener is told beside its keys, when it begins and whenever they change. */
const BESIDE = { ...VERSION, secureOptions: constants.SSL_OP_NO_TICKET } as const;

/** Fails as a listener would. @throws Error of OpenSSL */
export const tryListening = (options: TlsOptions): void => void createSecureContext({ ...BESIDE, ...options });

/** Listens for members, and names those who are none. `renewable`: how its keys are changed, told before it listens. */
export async function listenTls(
  door: TlsDoor,
  at: { host: string; port: number },
  accept: AcceptPeer,
  turnedAway: PeerTurnedAway,
  renewable: (renew: Renew) => void = () => {},
): Promise<PeerListening> {
  const tls = createTlsServer({ ...BESIDE, handshakeTimeout: HANDSHAKE_MS, ...door.options });
  renewable((options) => tls.setSecureContext({ ...BESIDE, ...options }));
  const porch = new Porch((socket) => void tls.emit('connection', socket));
  tls.on('secureConnection', (socket) => {
    porch.leave(socket);
    const proof = door.judge(socket);
    if (typeof proof === 'string') {
      turnedAway(callerOf(socket), proof);
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const { link, attach } = linkOf(socket, proof);
    attach(accept(link));
  });
  tls.on('tlsClientError', (_error, socket) => void socket.destroy());

  const net = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const address = callerOf(socket);
    let isTls = false;
    porch.enter(socket, () => {
      if (isTls) turnedAway(address, door.failed);
    });
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    socket.on('error', () => {});
    socket.on('close', () => clearTimeout(timer));
    // who does not speak TLS is told apart by its first byte, so that it can be named
    socket.once('readable', () => {
      clearTimeout(timer);
      const head = socket.read() as Buffer | null;
      if (head === null) return;
      const isPlain = head[0] !== TLS_RECORD;
      if (isPlain && door.plain !== undefined) {
        socket.destroy();
        turnedAway(address, foreignGreeting(head) ?? door.plain);
        return;
      }
      socket.unshift(head);
      if (isPlain) {
        porch.leave(socket);
        const { link, attach } = linkOf(socket);
        attach(accept(link));
        return;
      }
      isTls = true;
      porch.queue(socket);
    });
  });
  return startListening(net, at);
}
