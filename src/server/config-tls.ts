import { type Secret, secretOf } from '../base/secret.ts';
import { listed } from './config-auth.ts';
import { KEYS, type Key } from './config-keys.ts';
import type { Reader } from './config-reader.ts';
import type { ConfigError } from './config-text.ts';

/** A file of certificates (PEM, PKCS12, JKS), a key among them or not, and what opens it. The caller reads it: this room reads no file. */
export interface PemStore {
  /** `ssl.quorum` for members and the admin server, `ssl` for clients: what its settings begin with. */
  readonly prefix: StorePrefix;
  /** `keyStore` or `trustStore`. */
  readonly name: StoreName;
  readonly location: string;
  readonly password: Secret | undefined;
  /** A file that holds the password; it wins over `password`, as in ZooKeeper. */
  readonly passwordPath: string | undefined;
}
export type StoreName = 'keyStore' | 'trustStore';
export type StorePrefix = 'ssl.quorum' | 'ssl';

/** The files by which members prove who they are, and what is asked of them. */
export interface QuorumStores {
  /** This server's certificate, those between it and an authority, and its key. */
  readonly keyStore: PemStore;
  /** The authorities that are believed. */
  readonly trustStore: PemStore;
  /** TLS 1.3 suites, best first; undefined: all. */
  readonly ciphers: readonly string[] | undefined;
  /** Whether a certificate must be made out to the host of the server that is dialled, or that calls. */
  readonly checks: { readonly dialled: boolean; readonly callers: boolean };
  /** Files that change are read again. */
  readonly reload: boolean;
}
/** How members prove to each other who they are by certificates (sslQuorum), or begin to (portUnification). */
export interface QuorumTls extends QuorumStores {
  /** Others are dialled by TLS (sslQuorum); false: plainly, and TLS is only taken. */
  readonly dials: boolean;
  /** Who speaks without TLS is let in, too (portUnification), and so is anybody. */
  readonly takesPlain: boolean;
}

const isOurs = (key: string): key is Key => key.startsWith('ssl.quorum.');
const OURS = Object.keys(KEYS).filter(isOurs);
/** The suites of TLS 1.3, which have one name in Java and in OpenSSL. */
const SUITES = new Set(['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']);
const words = listed;

/** The settings `sslQuorum`, `portUnification` and `ssl.quorum.*`; undefined when neither of the first two is true. @throws ConfigError */
export function quorumTls(take: Reader, notes: string[]): QuorumTls | undefined {
  const dials = take.flag('sslQuorum');
  const takesPlain = take.flag('portUnification');
  const wanted = dials ? 'sslQuorum' : 'portUnification';
  if (!dials && !takesPlain) {
    const idle = OURS.filter((key) => take.differs(key));
    const isForAdmin = take.flag('admin.portUnification') || take.flag('admin.forceHttps');
    if (idle.length > 0 && !isForAdmin) notes.push(`without sslQuorum=true these have no effect: ${idle.join(', ')}`);
    return undefined;
  }
  if (take.text('peer.secretFile') !== undefined)
    throw dials
      ? take.error(
          'sslQuorum',
          'sslQuorum=true and peer.secretFile are two ways for members to know each other',
          'remove one of them, on every member alike',
        )
      : take.error(
          'portUnification',
          'portUnification=true lets in members without TLS, and peer.secretFile nobody who does not know the secret',
          'remove portUnification: all members change from the secret to certificates (sslQuorum=true) in one stop',
        );
  const clientAuth = take.text('ssl.quorum.clientAuth')?.toLowerCase();
  if (clientAuth !== 'need')
    throw take.error(
      'ssl.quorum.clientAuth',
      `ssl.quorum.clientAuth=${clientAuth} would let servers without a certificate join`,
      'remove it: every member shows one',
    );
  for (const key of ['ssl.quorum.crl', 'ssl.quorum.ocsp'] as const)
    if (take.flag(key))
      throw take.error(
        key,
        `${key}=true: whether a certificate was revoked cannot be looked up`,
        'remove it; to shut a member out give the others certificates of a new authority',
      );
  const dialled = take.flag('ssl.quorum.hostnameVerification');
  if (!dialled)
    notes.push(
      'ssl.quorum.hostnameVerification=false: whoever has a certificate of an authority in ssl.quorum.trustStore can be any member',
    );
  noteVersions(take, notes);
  return {
    keyStore: quorumStore('keyStore', take, wanted),
    trustStore: quorumStore('trustStore', take, wanted),
    ciphers: suitesOf(take, notes),
    checks: { dialled, callers: dialled && take.flag('ssl.quorum.clientHostnameVerification') },
    reload: take.flag('sslQuorumReloadCertFiles'),
    ...{ dials, takesPlain },
  };
}

function noteVersions(take: Reader, notes: string[]): void {
  for (const key of ['ssl.quorum.protocol', 'ssl.quorum.enabledProtocols'] as const) {
    const value = take.text(key);
    if (value !== undefined && words(value).some((word) => word.toUpperCase() !== 'TLSV1.3'))
      notes.push(`${key}=${value}: members speak TLS 1.3 and nothing older`);
  }
}

function suitesOf(take: Reader, notes: string[]): readonly string[] | undefined {
  const text = take.text('ssl.quorum.ciphersuites');
  if (text === undefined) return undefined;
  const named = words(text);
  const others = named.filter((name) => !SUITES.has(name));
  if (others.length > 0)
    notes.push(`ssl.quorum.ciphersuites: without effect, since they are not of TLS 1.3: ${others.join(', ')}`);
  const suites = named.filter((name) => SUITES.has(name));
  return suites.length === 0 ? undefined : suites;
}

const ENDINGS: Readonly<Record<string, string>> = {
  pem: 'PEM',
  jks: 'JKS',
  p12: 'PKCS12',
  pfx: 'PKCS12',
  bcfks: 'BCFKS',
};
/** Which of them a file is, is told by what stands in it: its name may lie. */
const TYPES = new Set(['PEM', 'PKCS12', 'JKS']);
const HOLDS: Readonly<Record<StorePrefix, Readonly<Record<StoreName, string>>>> = {
  'ssl.quorum': {
    keyStore: 'the PEM file of its certificate and key, ssl.quorum.keyStore.location=/etc/zoosh/member.pem',
    trustStore:
      'the PEM file of the authorities that gave members their certificates, ssl.quorum.trustStore.location=/etc/zoosh/ca.pem',
  },
  ssl: {
    keyStore: 'the file (PEM, PKCS12 or JKS) of its certificate and key, ssl.keyStore.location=/etc/zoosh/server.pem',
    trustStore:
      'the file (PEM, PKCS12 or JKS) of the authorities that gave clients their certificates, ssl.trustStore.location=/etc/zoosh/clients-ca.pem, or ask clients for none with ssl.clientAuth=none',
  },
};

/** A store of `ssl.quorum.*`, which `wanted` needs. @throws ConfigError */
export const quorumStore = (name: StoreName, take: Reader, wanted: string): PemStore =>
  storeOf('ssl.quorum', name, take, `${wanted}=true`);

/** A store, which `wanted` needs. @throws ConfigError */
export function storeOf(of: StorePrefix, name: StoreName, take: Reader, wanted: string): PemStore {
  const prefix = `${of}.${name}` as const;
  const location = take.text(`${prefix}.location`);
  if (location === undefined)
    throw take.error(`${prefix}.location`, `${wanted} and ${prefix}.location is not set`, `name ${HOLDS[of][name]}`);
  const ending = location.slice(location.lastIndexOf('.') + 1).toLowerCase();
  const type = take.text(`${prefix}.type`)?.toUpperCase() ?? (location.includes('.') ? ENDINGS[ending] : undefined);
  if (type === undefined || !TYPES.has(type)) throw otherType(prefix, location, type, take);
  return {
    ...{ prefix: of, name, location },
    password: secretOf(take.text(`${prefix}.password`)),
    passwordPath: take.text(`${prefix}.passwordPath`),
  };
}

/** A store that says neither by its name nor by a setting what it is, or that is of another type. */
function otherType(
  prefix: `${StorePrefix}.${StoreName}`,
  location: string,
  type: string | undefined,
  take: Reader,
): ConfigError {
  const key = `${prefix}.location` as const;
  return type === undefined
    ? take.error(
        key,
        `${location} does not say by its name what it is`,
        `name it .pem, .p12 or .jks, or set ${prefix}.type=PEM, PKCS12 or JKS`,
      )
    : take.error(key, `${location} is a store of type ${type}`, 'give certificates and keys as PEM, PKCS12 or JKS');
}
