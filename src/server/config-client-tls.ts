import { listed } from './config-auth.ts';
import { cipherList } from './config-cipher-names.ts';
import { KEYS, type Key } from './config-keys.ts';
import type { Reader } from './config-reader.ts';
import { type PemStore, storeOf } from './config-tls.ts';

/** How clients are served by TLS: the settings `ssl.*`. */
export interface ClientTls {
  /** This server's certificate, those between it and an authority, and its key. */
  readonly keyStore: PemStore;
  /** The authorities whose word about clients counts; undefined: clients are asked for no certificate. */
  readonly trustStore: PemStore | undefined;
  /** Whether a client must show a certificate (`need`), may (`want`), or is not asked for one. One that is shown must be good. */
  readonly clientAuth: ClientAuth;
  /** A client's certificate must be made out to the address that it calls from. */
  readonly addressed: boolean;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** As OpenSSL has them, colons between; undefined: Node's own. */
  readonly ciphers: string | undefined;
  /** From the connection to the end of the handshake. */
  readonly handshakeMs: number;
  /** The client port takes TLS, too: the first byte says which. */
  readonly unified: boolean;
  /** Files that change are read again. */
  readonly reload: boolean;
}
export type ClientAuth = 'need' | 'want' | 'none';
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3'];
/** What is known, and not spoken: broken or on its way there. */
const OLD = new Set(['SSLV2HELLO', 'SSLV3', 'TLSV1', 'TLSV1.1']);
const isAuth = (word: string): word is ClientAuth => word === 'need' || word === 'want' || word === 'none';
const isOurs = (key: string): key is Key => key.startsWith('ssl.') && !key.startsWith('ssl.quorum.');
/** Whoever is a client as well, on the same machine, sets these for that. */
const OF_CLIENTS = new Set<string>(['ssl.hostnameVerification']);

/**
 * The settings `ssl.*` and `client.*`. `secure`: there is a port for TLS alone; `plain`: there is a client port. Undefined where
 * neither serves by TLS. @throws ConfigError
 */
export function clientTls(take: Reader, secure: boolean, plain: boolean, notes: string[]): ClientTls | undefined {
  const unified = take.flag('client.portUnification');
  if (unified && !plain && !secure)
    throw take.error('client.portUnification', 'client.portUnification=true without a clientPort', 'set clientPort');
  if (!secure && !unified) {
    const idle = Object.keys(KEYS).filter((key) => isOurs(key) && !OF_CLIENTS.has(key) && take.differs(key));
    if (idle.length > 0)
      notes.push(`without secureClientPort and client.portUnification=true these have no effect: ${idle.join(', ')}`);
    return undefined;
  }
  const wanted = secure ? 'secureClientPort is set' : 'client.portUnification=true';
  for (const key of ['ssl.crl', 'ssl.ocsp'] as const)
    if (take.flag(key))
      throw take.error(
        key,
        `${key}=true: whether a certificate was revoked cannot be looked up`,
        'remove it; to shut a client out take its identity out of the ACLs, or give the others certificates of a new authority',
      );
  const scheme = take.text('ssl.authProvider');
  if (scheme !== 'x509')
    throw take.error(
      'ssl.authProvider',
      `ssl.authProvider=${scheme}: certificates are known as x509 alone`,
      'remove the line: x509 is what holds without it',
    );
  const clientAuth = take.text('ssl.clientAuth')?.toLowerCase() ?? 'need';
  if (!isAuth(clientAuth))
    throw take.error('ssl.clientAuth', `no such word, ssl.clientAuth=${clientAuth}`, 'write need, want or none');
  if (clientAuth === 'none' && take.text('X509AuthenticationProvider.superUser') !== undefined)
    notes.push(
      'X509AuthenticationProvider.superUser has no effect with ssl.clientAuth=none: nobody shows a certificate',
    );
  const { versions, ciphers } = spoken(take, notes);
  return {
    keyStore: storeOf('ssl', 'keyStore', take, wanted),
    trustStore:
      clientAuth === 'none' ? undefined : storeOf('ssl', 'trustStore', take, `${wanted}, ssl.clientAuth=${clientAuth}`),
    clientAuth,
    addressed: clientAuth !== 'none' && take.flag('ssl.clientHostnameVerification'),
    minVersion: versions[0] as TlsVersion,
    maxVersion: versions.at(-1) as TlsVersion,
    ciphers,
    handshakeMs: take.atLeast('ssl.handshakeDetectionTimeoutMillis', 100),
    unified: unified && plain,
    reload: take.flag('client.certReload'),
  };
}

/** Versions, oldest first, and suites, which must fit each other. */
function spoken(
  take: Reader,
  notes: string[],
): { readonly versions: readonly TlsVersion[]; readonly ciphers: string | undefined } {
  const key = take.text('ssl.enabledProtocols') === undefined ? 'ssl.protocol' : 'ssl.enabledProtocols';
  const asked = listed(take.text(key) ?? '').map((word) => word.toUpperCase());
  const isAny = asked.length === 0 || asked.includes('TLS');
  const unknown = asked.filter((word) => word !== 'TLS' && !OLD.has(word) && !isKnown(word));
  if (unknown.length > 0)
    throw take.error(key, `${key} names what is no version of TLS: ${unknown.join(', ')}`, 'use TLSv1.2 and TLSv1.3');
  const old = asked.filter((word) => OLD.has(word));
  const versions = isAny ? VERSIONS : VERSIONS.filter((version) => asked.includes(version.toUpperCase()));
  if (versions.length === 0)
    throw take.error(key, `${key}=${take.text(key)}: these are broken and not spoken here`, 'use TLSv1.2 and TLSv1.3');
  if (old.length > 0) notes.push(`${key}=${take.text(key)}: nothing older than TLSv1.2 is spoken`);

  const text = take.text('ssl.ciphersuites');
  if (text === undefined) return { versions, ciphers: undefined };
  const { unknown: strange, modern, classic } = cipherList(listed(text));
  if (strange.length > 0)
    throw take.error(
      'ssl.ciphersuites',
      `ssl.ciphersuites names suites that are not known here: ${strange.join(', ')}`,
      'remove them; docs/configuration.md lists those there are',
    );
  const usable = versions.filter((version) => (version === 'TLSv1.3' ? modern : classic).length > 0);
  if (usable.length === 0)
    throw take.error(
      'ssl.ciphersuites',
      `none of ssl.ciphersuites is a suite of ${versions.join(' or ')}`,
      'name some that are, or change ssl.enabledProtocols',
    );
  return { versions: usable, ciphers: [...modern, ...classic].join(':') };
}
const isKnown = (word: string): boolean => VERSIONS.some((version) => version.toUpperCase() === word);
