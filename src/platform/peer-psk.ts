/**
 * TLS 1.3 between servers, with a key both know in place of certificates. Three holes are closed here (each was seen open):
 * the context holds no certificate, or whoever does not know the key could complete the handshake; a connection counts
 * only when the key was handed out for this very socket, or a ticket would outlive the key; and who dials gives no session.
 */
import { constants } from 'node:crypto';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { AcceptPeer, PeerNetwork, PeerTurnedAway } from '../ports/peer-network.ts';
import { foreignGreeting } from './peer-foreign.ts';
import { linkOf, resolveHost, startListening, untilReady } from './peer-net.ts';

/** A key of 32 bytes and a name that tells it from the key it replaces, without telling it. */
export interface SharedKey {
  readonly id: string;
  key(): Buffer;
}
export interface PskOptions {
  /** Who we are; see `proofName`. */
  readonly name: string;
  /** Every one is accepted; the first is tried first. */
  readonly keys: readonly SharedKey[];
}

const TLS = {
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
} as const;
const HANDSHAKE_MS = 5000;
/** Connections that have not proved themselves yet; the oldest makes room for a new one. */
const MAX_STRANGERS = 128;
const NO_PROOF = 'it does not know the secret of this ensemble; give every member the same peer.secretFile';
const NO_TLS = 'it speaks without TLS and this server asks for the secret; give both the same peer.secretFile';
const HAS_IT_ONE = 'has it a peer.secretFile?';
const TLS_RECORD = 0x16;

export function pskPeerNetwork({ name, keys }: PskOptions): PeerNetwork {
  return {
    resolve: resolveHost,
    async dial({ address, port, timeoutMs, attempt }, handler, signal) {
      const key = keys[(attempt - 1) % keys.length] as SharedKey;
      const raw = connectTcp({ host: address, port, noDelay: true, keepAlive: true });
      const socket = connectTls({
        ...TLS,
        socket: raw,
        ca: [],
        pskCallback: () => ({ psk: key.key(), identity: `${name}/${key.id}` }),
        // asked only when the other end did not take the key but showed a certificate: anybody has one
        checkServerIdentity: () => new Error(NO_PROOF),
      });
      await untilReady(socket, 'secureConnect', timeoutMs, signal, ({ code = '' }) => {
        if (code === 'ECONNRESET' && !raw.connecting) return `it hung up in the TLS handshake; ${HAS_IT_ONE}`;
        // what is no errno is TLS's own: an alert, or a certificate
        return code === '' || /^E(?!RR_)/.test(code) ? undefined : `the TLS handshake failed (${code}): ${NO_PROOF}`;
      });
      if (!socket.isSessionReused() || Object.keys(socket.getPeerCertificate()).length > 0) {
        socket.destroy();
        throw new Error(NO_PROOF);
      }
      const { link, attach } = linkOf(socket, name);
      attach(handler);
      return link;
    },
    listen: (at, accept, turnedAway) => listenPsk(keys, at, accept, turnedAway),
  };
}

function listenPsk(
  keys: readonly SharedKey[],
  at: { host: string; port: number },
  accept: AcceptPeer,
  turnedAway: PeerTurnedAway,
) {
  /** Sockets that a key was handed out for, and the name they gave. */
  const proofs = new WeakMap<TLSSocket, string>();
  const strangers = new Map<string, Socket>();
  const whereFrom = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;
  const tls = createTlsServer({
    ...TLS,
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: HANDSHAKE_MS,
    pskCallback(socket, identity) {
      const cut = identity.lastIndexOf('/');
      const key = keys.find(({ id }) => id === identity.slice(cut + 1));
      if (cut < 0 || key === undefined) return null;
      proofs.set(socket, identity.slice(0, cut));
      return key.key();
    },
  });
  tls.on('secureConnection', (socket) => {
    strangers.delete(whereFrom(socket));
    const proof = proofs.get(socket);
    const { link, attach } = linkOf(socket, proof);
    if (proof === undefined) {
      socket.destroy();
      turnedAway(link.remoteAddress, NO_PROOF);
      return;
    }
    attach(accept(link));
  });
  tls.on('tlsClientError', (_error, socket) => {
    turnedAway(socket.remoteAddress ?? '', NO_PROOF);
    socket.destroy();
  });

  const net = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    for (const [key, oldest] of strangers) {
      if (strangers.size < MAX_STRANGERS) break;
      strangers.delete(key);
      oldest.destroy();
    }
    const key = whereFrom(socket);
    strangers.set(key, socket);
    const address = socket.remoteAddress ?? '';
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      if (strangers.get(key) === socket) strangers.delete(key);
    });
    // who does not speak TLS is told apart by its first byte, so that it can be named
    socket.once('readable', () => {
      clearTimeout(timer);
      const head = socket.read() as Buffer | null;
      if (head === null) return;
      if (head[0] !== TLS_RECORD) {
        socket.destroy();
        turnedAway(address, foreignGreeting(head) ?? NO_TLS);
        return;
      }
      socket.unshift(head);
      tls.emit('connection', socket);
    });
  });
  return startListening(net, at);
}
