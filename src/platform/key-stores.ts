/**
 * Key stores of Java: PKCS12 (of keytool and openssl, with old encryption, too) and JKS. The only place that knows
 * node-forge, which is loaded when a store is read.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import type Forge from 'node-forge';
import { MOST_TURNS } from './key-cost.ts';

/** What a store holds, in PEM. */
export interface KeyStore {
  /** A private key (PKCS 8, not encrypted), its certificate first, then those between it and an authority. */
  readonly own: { readonly key: string; readonly chain: readonly string[] } | undefined;
  /** Every certificate that is believed when this is a trust store: all but those between the own one and its authority. */
  readonly trusted: readonly string[];
}

/** A store that cannot be read; the message says why, to be put behind the name of the file. */
export class KeyStoreError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KeyStoreError';
  }
}

const JKS = 0xfeedfeed;
const JCEKS = 0xcececece;
/** The object identifier of the encryption that JKS has for keys, 1.3.6.1.4.1.42.2.17.1.1, as it stands in a file. */
const JKS_PROTECTION = Buffer.from('2b060104012a02110101', 'hex');
const SHA1 = 20;

/** Certificates from the own one to its authority. OpenSSL looks at no more. */
const MOST_CHAIN = 100;

/** What is in DER: certificates and keys. */
interface Found {
  readonly keys: readonly Uint8Array[];
  readonly certificates: readonly Uint8Array[];
  /** Those that the store itself tells to believe. */
  readonly believed: readonly Uint8Array[];
}

/**
 * Reads a store of either type, told by its first bytes. With several keys the first counts, as in Java.
 * @throws KeyStoreError
 */
export function readKeyStore(bytes: Uint8Array, password: string): KeyStore {
  try {
    return read(bytes, password);
  } catch (error) {
    // whatever node-forge and OpenSSL make of bytes that anybody may have written
    throw error instanceof KeyStoreError ? error : new KeyStoreError(reasonOf(error), { cause: error });
  }
}
function read(bytes: Uint8Array, password: string): KeyStore {
  const store = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = store.length < 4 ? 0 : store.readUInt32BE(0);
  if (magic === JCEKS) throw new KeyStoreError('is a JCEKS store: keytool -importkeystore makes PKCS12 of it');
  const { keys, certificates, believed } = magic === JKS ? readJks(store, password) : readPkcs12(store, password);
  const known = distinct([...certificates, ...believed].map(certificateOf));
  const trusted = new Set(believed.map((der) => pem('CERTIFICATE', der)));
  if (keys[0] === undefined) return { own: undefined, trusted: known.map((each) => each.toString()).map(trim) };
  const key = keyOf(keys[0]);
  const leaf = known.find((each) => each.checkPrivateKey(key));
  if (leaf === undefined) throw new KeyStoreError('has a key, and no certificate that belongs to it');
  const chain = chainOf(leaf, known);
  const between = new Set(chain.slice(1));
  const own = {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    chain: chain.map((each) => trim(each.toString())),
  };
  const isTrusted = (each: X509Certificate): boolean => !between.has(each) || trusted.has(pem('CERTIFICATE', each.raw));
  return { own, trusted: known.filter(isTrusted).map((each) => trim(each.toString())) };
}

const trim = (text: string): string => `${text.trim()}\n`;
function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
function distinct(all: readonly X509Certificate[]): readonly X509Certificate[] {
  return [...new Map(all.map((each) => [each.fingerprint256, each])).values()];
}
function certificateOf(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new KeyStoreError('holds a certificate that cannot be read');
  }
}
function keyOf(der: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch {
    throw new KeyStoreError('holds a key that cannot be read');
  }
}
/** From a certificate up to the one that vouches for itself, or to one whose authority is not there. */
function chainOf(leaf: X509Certificate, known: readonly X509Certificate[]): readonly X509Certificate[] {
  const chain = [leaf];
  while (chain.length < MOST_CHAIN) {
    const last = chain.at(-1) as X509Certificate;
    const above = known.find((each) => !chain.includes(each) && last.checkIssued(each) && last.verify(each.publicKey));
    if (above === undefined) break;
    chain.push(above);
  }
  return chain;
}

/** JKS: a list of entries, and a digest over them that is keyed with the password. */
function readJks(store: Buffer, password: string): Found {
  const secret = Buffer.from(password, 'utf16le').swap16();
  const body = store.subarray(0, Math.max(0, store.length - SHA1));
  const digest = createHash('sha1').update(secret).update('Mighty Aphrodite').update(body).digest();
  if (!digest.equals(store.subarray(body.length))) throw new KeyStoreError('is damaged, or that is not its password');
  let at = 4;
  const keys: Buffer[] = [];
  const certificates: Buffer[] = [];
  const believed: Buffer[] = [];
  const version = int();
  if (version !== 1 && version !== 2) throw new KeyStoreError(`is a JKS store of version ${version}`);
  for (let left = int(); left > 0; left--) {
    const tag = int();
    take(short());
    take(8);
    if (tag === 1) {
      keys.push(openJksKey(take(int()), secret));
      for (let chain = int(); chain > 0; chain--) certificates.push(certificate());
    } else if (tag === 2) believed.push(certificate());
    else throw new KeyStoreError(`has an entry of a kind that is not known: ${tag}`);
  }
  return { keys, certificates, believed };

  function take(length: number): Buffer {
    if (length < 0 || at + length > body.length) throw new KeyStoreError('is cut off');
    at += length;
    return body.subarray(at - length, at);
  }
  function int(): number {
    return take(4).readInt32BE(0);
  }
  function short(): number {
    return take(2).readUInt16BE(0);
  }
  function certificate(): Buffer {
    if (version === 2) take(short());
    return take(int());
  }
}

/** Sun's own protection: a stream of SHA-1 digests over the password and what came before it, beginning with the salt. */
function openJksKey(bytes: Buffer, secret: Buffer): Buffer {
  const parts = listOf(derOf(bytes, 'holds a key that cannot be read'));
  const [algorithm] = listOf(parts[0]);
  const sealed = parts[1]?.value;
  if (typeof algorithm?.value !== 'string' || typeof sealed !== 'string')
    throw new KeyStoreError('holds a key that cannot be read');
  // as bytes: an identifier may have numbers beyond all that can be shown
  if (!Buffer.from(algorithm.value, 'latin1').equals(JKS_PROTECTION))
    throw new KeyStoreError('holds a key that is protected in a way that is not known');
  const all = Buffer.from(sealed, 'latin1');
  const key = Buffer.from(all.subarray(SHA1, Math.max(SHA1, all.length - SHA1)));
  let stream = all.subarray(0, SHA1);
  for (let i = 0; i < key.length; i++) {
    if (i % SHA1 === 0) stream = createHash('sha1').update(secret).update(stream).digest();
    key[i] = (key[i] as number) ^ (stream[i % SHA1] as number);
  }
  const check = createHash('sha1').update(secret).update(key).digest();
  if (!check.equals(all.subarray(all.length - SHA1))) throw new KeyStoreError('has a key with a password of its own');
  return key;
}

function readPkcs12(store: Buffer, password: string): Found {
  const { asn1, pkcs12, pki } = forge();
  turnsLeft = MOST_TURNS;
  const der = (node: Forge.asn1.Asn1): Buffer => Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
  const outer = derOf(store, 'is neither PEM nor a PKCS12 nor a JKS store');
  const bags = pkcs12.pkcs12FromAsn1(outer, false, password).safeContents.flatMap(({ safeBags }) => safeBags);
  const keys: Buffer[] = [];
  const certificates: Buffer[] = [];
  for (const { type, key, cert, asn1: raw } of bags) {
    // what forge cannot take apart, such as elliptic curves, it leaves as it was
    if (type === pki.oids.certBag) certificates.push(der(cert ? pki.certificateToAsn1(cert) : raw));
    else if (type === pki.oids.keyBag || type === pki.oids.pkcs8ShroudedKeyBag)
      keys.push(der(key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(key)) : raw));
  }
  return { keys, certificates, believed: [] };
}

/** A store asks for more than anybody waits for. */
class TooDear extends Error {}
/** For the store that is being read. */
let turnsLeft = 0;
/** What derives keys from passwords in node-forge; `place`: where it takes the number of turns. */
type Derive = (...given: unknown[]) => unknown;
function bounded(derive: Derive, place: 2 | 3): Derive {
  return (...given) => {
    const turns = Number(given[place]);
    if (!(turns <= turnsLeft)) throw new TooDear();
    turnsLeft -= turns;
    return derive(...given);
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof TooDear) return `takes too long to open on purpose: more than ${MOST_TURNS} turns of a hash`;
  const message = error instanceof Error ? error.message : '';
  if (/MAC could not be verified|Invalid password/i.test(message)) return 'is damaged, or that is not its password';
  if (/not a PKCS#12|ASN.1 object is not|Cannot read PKCS#12/i.test(message))
    return 'is neither PEM nor a PKCS12 nor a JKS store';
  return 'cannot be opened: it is damaged, or encrypted in a way that is not known';
}

/** @throws KeyStoreError with `what` where it is none */
function derOf(bytes: Buffer, what: string): Forge.asn1.Asn1 {
  try {
    return forge().asn1.fromDer(bytes.toString('latin1'));
  } catch {
    throw new KeyStoreError(what);
  }
}
function listOf(node: Forge.asn1.Asn1 | undefined): readonly Forge.asn1.Asn1[] {
  return Array.isArray(node?.value) ? (node.value as Forge.asn1.Asn1[]) : [];
}

let loaded: typeof Forge | undefined;
function forge(): typeof Forge {
  if (loaded !== undefined) return loaded;
  loaded = createRequire(import.meta.url)('node-forge') as typeof Forge;
  // whatever a store is made of, its keys are derived by one of these
  const { pbe } = loaded.pki as unknown as { pbe: { generatePkcs12Key: Derive } };
  const pkcs5 = loaded.pkcs5 as unknown as { pbkdf2: Derive };
  const pkcs12 = loaded.pkcs12 as unknown as { generateKey: Derive };
  pbe.generatePkcs12Key = bounded(pbe.generatePkcs12Key, 3);
  pkcs12.generateKey = pbe.generatePkcs12Key;
  // told the name of the hash in place of the hash, it has Node derive the key, in a twentieth of the time
  const { pbkdf2 } = pkcs5;
  const named: Derive = (password, salt, turns, bytes, md) =>
    pbkdf2(password, salt, turns, bytes, (md as { algorithm?: string } | null | undefined)?.algorithm ?? null);
  pkcs5.pbkdf2 = bounded(named, 2);
  return loaded;
}
