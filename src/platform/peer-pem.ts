/**
 * TLS 1.3 between servers that show each other certificates (sslQuorum). Whoever shows none, or one that no authority of ours
 * vouches for, is nobody; so is a session that is resumed, which may be older than an expiry or a change of authorities. A
 * certificate says which hosts it is made out to, so it proves its owner to be a server that is looked for there.
 */
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { PeerNetwork, PeerProof } from '../ports/peer-network.ts';
import { callerOf, plainPeerNetwork, resolveHost } from './peer-net.ts';
import { dialTls, listenTls, type Renew, tryListening } from './peer-tls.ts';

export interface PemOptions {
  /** Our certificate, then those of the authorities between it and one that others know; PEM. */
  readonly chain: string;
  /** Its key, PEM. */
  readonly key: string;
  /** Self-signed certificates that are believed, and whom they vouch for; PEM. */
  readonly authorities: readonly string[];
  /** TLS 1.3 suites, best first; undefined: all. */
  readonly ciphers: readonly string[] | undefined;
  /** Whether a certificate must be made out to the host of the server that is dialled, or that calls. */
  readonly checks: { readonly dialled: boolean; readonly callers: boolean };
}

const NO_TLS = 'it speaks without TLS and this server asks for a certificate; set sslQuorum=true on every member';
const NO_CERTIFICATE = 'it shows no certificate; set sslQuorum=true on every member';
const FAILED =
  'the TLS handshake failed: it does not take our certificate, or speaks no TLS 1.3; compare sslQuorum and ssl.quorum.trustStore of both';
const RESUMED = 'it resumes a session, which proves nothing';
/** What OpenSSL calls it when no authority of ours vouches for a certificate. */
const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|CERT_(SIGNATURE_FAILURE|UNTRUSTED)/;

/** Whose certificate it is, as people read it: what it is made out to. */
const showNames = ({ subject, subjectaltname }: PeerCertificate): string =>
  subjectaltname ?? (subject?.CN === undefined ? 'nobody' : String(subject.CN));

/** Why a certificate counts for nothing; `code` is OpenSSL's name of the fault. */
function whyNot(code: string, cert: PeerCertificate): string {
  const whose = `its certificate (${showNames(cert)})`;
  if (code === 'CERT_HAS_EXPIRED') return `${whose} expired on ${cert.valid_to}; renew it`;
  if (code === 'CERT_NOT_YET_VALID') return `${whose} is valid from ${cert.valid_from} on; compare the clocks`;
  if (UNKNOWN_AUTHORITY.test(code))
    return `${whose} is vouched for by no authority of ssl.quorum.trustStore (${code}); give all members certificates of one authority`;
  return `${whose} is not accepted (${code})`;
}
/** The certificate that the other end showed, or a clause about why there is none that counts. */
function certificateOf(socket: TLSSocket): PeerCertificate | string {
  const cert = socket.getPeerCertificate();
  if (socket.isSessionReused()) return RESUMED;
  if (Object.keys(cert).length === 0) return NO_CERTIFICATE;
  return socket.authorized ? cert : whyNot(String(socket.authorizationError), cert);
}
const isFor = (host: string, cert: PeerCertificate): boolean => checkServerIdentity(host, cert) === undefined;

/** What a caller's certificate proves: a server whose line names a host of it, or an unlisted one that calls from there. */
const callersProof = (cert: PeerCertificate, address: string): PeerProof => ({
  denies({ hosts }) {
    if ((hosts.length > 0 ? hosts : [address]).some((host) => isFor(host, cert))) return undefined;
    const why =
      hosts.length > 0 ? `and its server line says ${hosts.join(', ')}` : `calls from ${address} and is listed nowhere`;
    return `shows a certificate made out to ${showNames(cert)}, ${why}`;
  },
});
const VOUCHED_FOR: PeerProof = { denies: () => undefined };

/** A network whose keys may change. */
export interface PemPeerNetwork extends PeerNetwork {
  /**
   * From now on these are shown and believed, by whoever is dialled or comes in; connections that stand go on. What a
   * certificate must be made out to stays as it was. @throws Error of OpenSSL: then everything stays as it was
   */
  renew(keys: PemOptions): void;
}

const contextOf = ({ chain, key, authorities, ciphers }: PemOptions) => ({
  cert: chain,
  key,
  ca: [...authorities],
  ...(ciphers === undefined ? {} : { ciphers: ciphers.join(':') }),
});

/** Which ways are open beside that of certificates, for as long as members change to them one by one. */
export interface PlainBeside {
  /** Others are dialled without TLS. */
  readonly dials: boolean;
  /** Who speaks without TLS is let in. */
  readonly takes: boolean;
}

export function pemPeerNetwork(
  options: PemOptions,
  plain: PlainBeside = { dials: false, takes: false },
): PemPeerNetwork {
  const { checks } = options;
  let context = contextOf(options);
  const listeners = new Set<Renew>();
  // judged once the handshake is done and before anything is said, so that it can be told why
  const judged = { rejectUnauthorized: false };
  return {
    resolve: resolveHost,
    renew(keys) {
      const next = contextOf(keys);
      tryListening(next);
      context = next;
      // with many authorities each takes a while: one in a turn
      for (const renew of listeners) setImmediate(() => renew(next));
    },
    dial(to, handler, signal) {
      if (plain.dials) return plainPeerNetwork.dial(to, handler, signal);
      const call = {
        options: { ...context, ...judged, checkServerIdentity: () => undefined },
        judge(socket: TLSSocket) {
          const cert = certificateOf(socket);
          if (typeof cert === 'string') return cert;
          if (!checks.dialled || to.hosts.some((host) => isFor(host, cert))) return VOUCHED_FOR;
          return `its certificate is made out to ${showNames(cert)}, and it is looked for at ${to.hosts.join(', ')}`;
        },
        failed: ({ code }: NodeJS.ErrnoException) => `${FAILED} (${code})`,
        hungUp: 'has it sslQuorum=true?',
      };
      return dialTls(call, to, handler, signal);
    },
    async listen(at, accept, turnedAway) {
      const first = context;
      const door = {
        options: { ...first, ...judged, requestCert: true },
        judge(socket: TLSSocket) {
          const cert = certificateOf(socket);
          if (typeof cert === 'string') return cert;
          return checks.callers ? callersProof(cert, callerOf(socket)) : VOUCHED_FOR;
        },
        failed: FAILED,
        plain: plain.takes ? undefined : NO_TLS,
      };
      let renew: Renew = () => {};
      const listening = await listenTls(door, at, accept, turnedAway, (given) => {
        renew = given;
      });
      if (context !== first) renew(context); // in the meantime they changed
      listeners.add(renew);
      return {
        ...listening,
        close() {
          listeners.delete(renew);
          listening.close();
        },
      };
    },
  };
}
