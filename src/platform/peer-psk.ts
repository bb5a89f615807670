/**
 * TLS 1.3 between servers, with a key both know in place of certificates. Three holes are closed here (each was seen open):
 * the context holds no certificate, or whoever does not know the key could complete the handshake; a connection counts
 * only when the key was handed out for this very socket, or a ticket would outlive the key; and who dials gives no session.
 */
import type { TLSSocket } from 'node:tls';
import { type PeerNetwork, type PeerProof, PeerProofError } from '../ports/peer-network.ts';
import { resolveHost } from './peer-net.ts';
import { dialTls, listenTls } from './peer-tls.ts';

/** A key of 32 bytes and a name that tells it from the key it replaces, without telling it. */
export interface SharedKey {
  readonly id: string;
  key(): Buffer;
}
export interface PskOptions {
  /** Who we are; see {@link proofName}. */
  readonly name: string;
  /** Every one is accepted; the first is tried first. */
  readonly keys: readonly SharedKey[];
}

const CIPHERS = { ciphers: 'TLS_AES_128_GCM_SHA256' } as const;
const NO_PROOF = 'it does not know the secret of this ensemble; give every member the same peer.secretFile';
const NO_TLS = 'it speaks without TLS and this server asks for the secret; give both the same peer.secretFile';
const HAS_IT_ONE = 'has it a peer.secretFile?';

/** The name a server proves itself under: the ensemble's, and its own id. */
export const proofName = (ensembleName: string, sid: number): string => `${encodeURIComponent(ensembleName)}/${sid}`;

const proofOf = (name: string): PeerProof => ({
  denies: ({ ensembleName, sid }) => (proofName(ensembleName, sid) === name ? undefined : `proved to be ${name}`),
});
/** Whoever we dialled knows the key; which of the servers that is it tells itself. */
const KNOWS_THE_KEY: PeerProof = { denies: () => undefined };

export function pskPeerNetwork({ name, keys }: PskOptions): PeerNetwork {
  return {
    resolve: resolveHost,
    dial(to, handler, signal) {
      const key = keys[(to.attempt - 1) % keys.length] as SharedKey;
      const call = {
        options: {
          ...CIPHERS,
          ca: [],
          pskCallback: () => ({ psk: key.key(), identity: `${name}/${key.id}` }),
          // asked only when the other end did not take the key but showed a certificate: anybody has one
          checkServerIdentity: () => new PeerProofError(NO_PROOF),
        },
        judge: (socket: TLSSocket) =>
          socket.isSessionReused() && Object.keys(socket.getPeerCertificate()).length === 0 ? KNOWS_THE_KEY : NO_PROOF,
        failed: ({ code }: NodeJS.ErrnoException) => `the TLS handshake failed (${code}): ${NO_PROOF}`,
        hungUp: HAS_IT_ONE,
      };
      return dialTls(call, to, handler, signal);
    },
    listen(at, accept, turnedAway) {
      /** Sockets that a key was handed out for, and the name they gave. */
      const names = new WeakMap<TLSSocket, string>();
      const door = {
        options: {
          ...CIPHERS,
          pskCallback(socket: TLSSocket, identity: string) {
            const cut = identity.lastIndexOf('/');
            const key = keys.find(({ id }) => id === identity.slice(cut + 1));
            if (cut < 0 || key === undefined) return null;
            names.set(socket, identity.slice(0, cut));
            return key.key();
          },
        },
        judge(socket: TLSSocket) {
          const known = names.get(socket);
          return known === undefined ? NO_PROOF : proofOf(known);
        },
        failed: NO_PROOF,
        plain: NO_TLS,
      };
      return listenTls(door, at, accept, turnedAway);
    },
  };
}
