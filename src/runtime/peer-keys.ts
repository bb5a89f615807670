import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { checkServerIdentity } from 'node:tls';
import type { PemOptions } from '../platform/peer-pem.ts';
import { ConfigError } from '../server/config-text.ts';
import type { PemStore, QuorumTls } from '../server/config-tls.ts';

const MAX_FILE = 1024 * 1024;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;
const DAY_MS = 86_400_000;
/** A certificate that ends sooner is worth a word at the start. */
const SOON_MS = 14 * DAY_MS;

/** What the members' certificates are: ours, whom we believe, and what should be said about them. */
export interface PeerKeys {
  readonly options: PemOptions;
  readonly warnings: readonly string[];
}

/**
 * Reads the stores that zoo.cfg names. `hosts` are those of this server's own line; `now` is ms since 1970.
 * @throws ConfigError (43) when a file is of no use
 */
export async function readPeerKeys(tls: QuorumTls, hosts: readonly string[], now: number): Promise<PeerKeys> {
  const { keyStore, trustStore, ciphers, checks } = tls;
  const mine = await readStore(keyStore);
  const keys = mine.blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [block] = keys;
  if (block === undefined || keys.length > 1) throw useless(keyStore, `holds ${keys.length} private keys, not one`);
  const key = openKey(keyStore, block.text, await passwordOf(keyStore));
  const certificates = certificatesOf(keyStore, mine.blocks);
  const own = certificates.find((each) => each.checkPrivateKey(key));
  if (own === undefined) throw useless(keyStore, 'holds no certificate of its private key');
  const authorities = certificatesOf(trustStore, (await readStore(trustStore)).blocks);
  const chain = [own, ...certificates.filter((each) => each !== own)];
  return {
    options: {
      chain: chain.map(String).join(''),
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      authorities: authorities.map(String),
      ...{ ciphers, checks },
    },
    warnings: [...mine.warnings, ...remarks(own, tls, hosts, now)],
  };
}

const isFor = (host: string, certificate: X509Certificate): boolean =>
  checkServerIdentity(host, certificate.toLegacyObject()) === undefined;

/** What others will turn this server away for, or soon will. */
function remarks(
  own: X509Certificate,
  { keyStore, checks }: QuorumTls,
  hosts: readonly string[],
  now: number,
): string[] {
  const which = `the certificate in ssl.quorum.keyStore.location=${keyStore.location}`;
  const [from, to] = [Date.parse(own.validFrom), Date.parse(own.validTo)];
  const said: string[] = [];
  if (now < from)
    said.push(`${which} is valid from ${own.validFrom} on; until then the other members turn this one away`);
  if (now > to) said.push(`${which} expired on ${own.validTo}; the other members turn this one away`);
  else if (now > to - SOON_MS)
    said.push(`${which} expires on ${own.validTo}; then the other members turn this one away`);
  const isNamed = hosts.length === 0 || hosts.some((host) => isFor(host, own));
  if (checks.dialled && !isNamed)
    said.push(
      `${which} is made out to ${own.subjectAltName ?? own.subject}, and the line of this server says ${hosts.join(', ')}; the other members turn it away where their lines say so too`,
    );
  return said;
}

interface Block {
  readonly label: string;
  readonly text: string;
}
const useless = ({ name, location }: PemStore, what: string, cause?: unknown): ConfigError => {
  const key = `ssl.quorum.${name}.location`;
  const belongs = name === 'keyStore' ? 'the certificate of this server, those above it and its key' : 'certificates';
  return Object.assign(
    new ConfigError(`${key}=${location} ${what}`, `give a file (PEM, PKCS12 or JKS) of ${belongs}`, { key }),
    {
      cause,
    },
  );
};

async function readStore(store: PemStore): Promise<{ blocks: readonly Block[]; warnings: readonly string[] }> {
  const { bytes, mode } = await readSmall(store, store.location);
  const text = bytes.includes('-----BEGIN ') ? bytes.toString('latin1') : await fromJava(store, bytes);
  const blocks = [...text.matchAll(BLOCK)].map(([block, label = '']) => ({ label, text: block }));
  const hasKey = blocks.some(({ label }) => label.endsWith('PRIVATE KEY'));
  if ((mode & 0o022) !== 0) throw useless(store, 'can be written by others than its owner');
  const isOpen = hasKey && (mode & 0o044) !== 0;
  const warning = `ssl.quorum.${store.name}.location=${store.location} holds a key and can be read by others than its owner`;
  return { blocks, warnings: isOpen ? [warning] : [] };
}
/** A store of Java as PEM. */
async function fromJava(store: PemStore, bytes: Buffer): Promise<string> {
  const { readKeyStore, KeyStoreError } = await import('../platform/key-stores.ts');
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
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    throw useless(store, file === store.location ? `cannot be read: ${code}` : `has its password in ${file}: ${code}`);
  }
  throw useless(
    store,
    file === store.location ? 'is no PEM file' : `has its password in ${file}, which is no such file`,
  );
}

/** Without the end of the line, as ZooKeeper reads it. */
async function passwordOf(store: PemStore): Promise<string | undefined> {
  if (store.passwordPath === undefined) return store.password;
  return (await readSmall(store, store.passwordPath)).bytes.toString('utf8').replace(/\r?\n$/, '');
}

function openKey(store: PemStore, text: string, password: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: text, format: 'pem', ...(password === undefined ? {} : { passphrase: password }) });
  } catch (error) {
    const isLocked = /ENCRYPTED/.test(text);
    const what = !isLocked
      ? 'holds a key that cannot be read'
      : password === undefined
        ? 'holds a key under a password; set ssl.quorum.keyStore.password or .passwordPath'
        : 'holds a key that its password does not open';
    throw useless(store, what, error);
  }
}

function certificatesOf(store: PemStore, blocks: readonly Block[]): X509Certificate[] {
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
