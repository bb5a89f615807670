/** Certificates and keys in the files that zoo.cfg names: PEM, PKCS12, JKS. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileWords } from '../base/file-words.ts';
import { KeyStoreError, readKeyStore } from '../platform/key-stores.ts';
import { type PemBlock, pemBlocks } from '../platform/pem-blocks.ts';
import { openPem } from '../platform/pem-store.ts';
import { ConfigError } from '../server/config-text.ts';
import type { PemStore } from '../server/config-tls.ts';

const MAX_FILE = 1024 * 1024;
/** Each costs part of a ms whenever keys are put to use, and nothing else is served meanwhile. System-wide bundles have about 150. */
const MOST_AUTHORITIES = 250;
const DAY_MS = 86_400_000;
/** A certificate that ends sooner is worth a word at the start. */
export const SOON_MS = 14 * DAY_MS;

/** What a server shows of itself. */
export interface OwnKeys {
  readonly own: X509Certificate;
  /** It, then those between it and an authority; PEM. */
  readonly chain: string;
  /** Not sealed; PEM. */
  readonly key: string;
  readonly warnings: readonly string[];
}

/** The one key of a store and its certificates. @throws ConfigError (43) */
export async function readOwn(store: PemStore): Promise<OwnKeys> {
  const { blocks, warnings } = await readStore(store);
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [block] = keys;
  if (block === undefined || keys.length > 1) throw useless(store, `holds ${keys.length} private keys, not one`);
  const key = openKey(store, block.text, await passwordOf(store));
  const certificates = certificatesOf(store, blocks);
  const own = certificates.find((each) => each.checkPrivateKey(key));
  if (own === undefined) throw useless(store, 'holds no certificate of its private key');
  return {
    own,
    chain: [own, ...certificates.filter((each) => each !== own)].map(String).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    warnings,
  };
}
/** The certificates of a store, PEM each. @throws ConfigError (43) */
export async function readTrusted(store: PemStore): Promise<readonly string[]> {
  const found = certificatesOf(store, (await readStore(store)).blocks);
  if (found.length > MOST_AUTHORITIES)
    throw useless(store, `holds ${found.length} certificates, and at most ${MOST_AUTHORITIES} are believed`);
  return found.map(String);
}

export const useless = ({ prefix, name, location }: PemStore, what: string, cause?: unknown): ConfigError => {
  const key = `${prefix}.${name}.location` as const;
  const belongs = name === 'keyStore' ? 'the certificate of this server, those above it and its key' : 'certificates';
  return Object.assign(
    new ConfigError(`${key}=${location} ${what}`, `give a file (PEM, PKCS12 or JKS) of ${belongs}`, { key }),
    {
      cause,
    },
  );
};

async function readStore(store: PemStore): Promise<{ blocks: readonly PemBlock[]; warnings: readonly string[] }> {
  const { bytes, mode } = await readSmall(store, store.location);
  const text = bytes.includes('-----BEGIN ') ? bytes.toString('latin1') : await fromJava(store, bytes);
  const blocks = pemBlocks(text);
  const hasKey = blocks.some(({ label }) => label.endsWith('PRIVATE KEY'));
  if ((mode & 0o022) !== 0) throw useless(store, 'can be written by others than its owner');
  const isOpen = hasKey && (mode & 0o044) !== 0;
  const warning = `${store.prefix}.${store.name}.location=${store.location} holds a key and can be read by others than its owner`;
  return { blocks, warnings: isOpen ? [warning] : [] };
}
/** A store of Java as PEM. */
async function fromJava(store: PemStore, bytes: Buffer): Promise<string> {
  try {
    const { own, trusted } = readKeyStore(bytes, (await passwordOf(store)) ?? '');
    return store.name === 'trustStore' ? trusted.join('') : own === undefined ? '' : own.key + own.chain.join('');
  } catch (error) {
    if (error instanceof KeyStoreError) throw useless(store, error.message, error);
    throw error;
  }
}
async function readSmall(store: PemStore, file: string): Promise<{ bytes: Buffer; mode: number }> {
  try {
    const found = await stat(file);
    if (found.isFile() && found.size <= MAX_FILE) return { bytes: await readFile(file), mode: found.mode };
  } catch (error) {
    const why = fileWords(error);
    throw useless(store, file === store.location ? `cannot be read: ${why}` : `has its password in ${file}: ${why}`);
  }
  throw useless(
    store,
    file === store.location ? 'is no PEM file' : `has its password in ${file}, which is no such file`,
  );
}

/** Without the end of the line, as ZooKeeper reads it. */
async function passwordOf(store: PemStore): Promise<string | undefined> {
  if (store.passwordPath === undefined) return store.password?.reveal();
  const { bytes, mode } = await readSmall(store, store.passwordPath);
  if ((mode & 0o022) !== 0)
    throw useless(store, `has its password in ${store.passwordPath}, which can be written by others than its owner`);
  return bytes.toString('utf8').replace(/\r?\n$/, '');
}

function openKey(store: PemStore, text: string, password: string | undefined): KeyObject {
  try {
    return openPem(text, password);
  } catch (error) {
    if (!(error instanceof KeyStoreError)) throw error;
    const isLocked = /ENCRYPTED/.test(text) && password === undefined;
    const how = `holds a key under a password; set ${store.prefix}.keyStore.password or .passwordPath`;
    throw useless(store, isLocked ? how : error.message, error);
  }
}

function certificatesOf(store: PemStore, blocks: readonly PemBlock[]): X509Certificate[] {
  const found = blocks.filter(({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE');
  if (found.length === 0) throw useless(store, 'holds no certificate');
  return found.map(({ text }, at) => {
    try {
      return new X509Certificate(text);
    } catch (error) {
      throw useless(store, `holds a certificate that cannot be read, number ${at + 1}`, error);
    }
  });
}
