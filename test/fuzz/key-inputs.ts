/** Files of keys that are damaged or made up: each is read, or refused by a sentence; nothing else, and soon. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Forge from 'node-forge';
import type { Random } from '../../src/base/random.ts';
import { type KeyStore, KeyStoreError, readKeyStore } from '../../src/platform/key-stores.ts';
import { readPem } from '../../src/platform/pem-store.ts';
import { stopwatch } from '../patience.ts';
import { noise } from './mutate.ts';

const forge = createRequire(import.meta.url)('node-forge') as typeof Forge;
const PASSWORD = 'apassword';
const SHA1 = 20;
/** Nothing may take longer, ms. */
const SLOW_MS = 100;
const fileOf = (name: string): Buffer => readFileSync(new URL(`../../../test/tls/stores/${name}`, import.meta.url));

const PEM = ['ec-chain.pem', 'rsa-chain.pem', 'ec.key', 'rsa.key'].map(fileOf);
const JKS = ['ec.jks', 'rsa.jks', 'trust.jks', 'j.jceks'].map(fileOf);
const SEALED = ['ec.p12', 'rsa.p12', 'rsa-legacy.p12', 'trust.p12', 'trust-openssl.p12', 'empty.p12'].map(fileOf);
/** Stores without a check over all, of which nothing is encrypted or all is: what is changed in them is looked at. */
const OPEN = (['rsa', undefined] as const).flatMap((kind) =>
  [null, PASSWORD].map((password) => unchecked(kind, password)),
);
function unchecked(kind: 'rsa' | undefined, password: string | null): Buffer {
  const { pki, pkcs12, asn1 } = forge;
  const key = kind === undefined ? null : pki.privateKeyFromPem(fileOf(`${kind}.key`).toString());
  const chain = fileOf('rsa-chain.pem')
    .toString()
    .split(/(?<=-----END CERTIFICATE-----)/)
    .filter((text) => text.includes('BEGIN') && new X509Certificate(text).publicKey.asymmetricKeyType === 'rsa')
    .map((text) => pki.certificateFromPem(text));
  const options = { useMac: false, count: 1, algorithm: '3des' as const };
  const made = pkcs12.toPkcs12Asn1(key as Forge.pki.rsa.PrivateKey, chain, password, options);
  return Buffer.from(asn1.toDer(made).getBytes(), 'latin1');
}

/** Elements of DER with other lengths, tags or numbers: what a parser goes by. */
const ODD = [
  '30',
  '31',
  '02',
  '04',
  '05',
  '06',
  'a0',
  '80',
  '3080',
  '3084ffffffff',
  '308200ff',
  '0202ffff',
  '0500',
  '0400',
].map((hex) => Buffer.from(hex, 'hex'));
function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}
function oddDer(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length);
  const odd = pick(random, ODD);
  const skip = random.below(3) === 0 ? 0 : odd.length;
  return Buffer.concat([bytes.subarray(0, at), odd, bytes.subarray(at + skip)]);
}
const changed = (random: Random, bytes: Buffer): Buffer =>
  random.below(2) === 0 ? noise(random, bytes) : oddDer(random, bytes);

/** With a digest over it that is right, so that what stands in it is looked at. */
function resealed(bytes: Buffer): Buffer {
  const body = bytes.subarray(0, Math.max(0, bytes.length - SHA1));
  const secret = Buffer.from(PASSWORD, 'utf16le').swap16();
  const digest = createHash('sha1').update(secret).update('Mighty Aphrodite').update(body).digest();
  return Buffer.concat([body, digest]);
}
const LABELS = ['CERTIFICATE', 'PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'X', ''];
function oddPem(random: Random): Buffer {
  const base = pick(random, PEM);
  if (random.below(3) > 0) return noise(random, base);
  const parts: Buffer[] = [];
  for (let left = random.below(6); left >= 0; left--) {
    const bytes = Buffer.from(random.bytes(random.below(400)));
    const text = random.below(2) === 0 ? bytes.toString('base64') : bytes.toString('latin1');
    const [begin, end] = [pick(random, LABELS), pick(random, LABELS)];
    const same = random.below(4) > 0 ? begin : end;
    parts.push(
      Buffer.from(`-----BEGIN ${begin}-----\n${text}\n-----END ${same}-----\n`, 'latin1'),
      pick(random, [base, bytes]),
    );
  }
  return Buffer.concat(parts);
}

/** A file, and what it was made of. */
function madeUp(random: Random): { kind: string; bytes: Buffer } {
  const roll = random.below(100);
  if (roll < 60) return { kind: 'PEM', bytes: oddPem(random) };
  if (roll < 85) {
    const bytes = changed(random, pick(random, JKS));
    return { kind: 'JKS', bytes: random.below(5) > 0 ? resealed(bytes) : bytes };
  }
  if (roll < 99) return { kind: 'PKCS12 without a check', bytes: changed(random, pick(random, OPEN)) };
  return { kind: 'PKCS12', bytes: changed(random, pick(random, SEALED)) };
}
const read = (bytes: Buffer, password: string): KeyStore =>
  bytes.includes('-----BEGIN ') ? readPem(bytes.toString('latin1'), password) : readKeyStore(bytes, password);

export interface KeyFuzz {
  /** By kind and what became of it; sentences of refusal without what differs from file to file. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Of work, ms. */
  readonly slowestMs: number;
}
/** @throws Error with the file when reading one throws what is no sentence */
export function fuzzKeyFiles(count: number, random: Random): KeyFuzz {
  const outcomes = new Map<string, number>();
  let slowestMs = 0;
  for (let number = 0; number < count; number++) {
    const { kind, bytes } = madeUp(random);
    const password = random.below(8) === 0 ? 'another' : PASSWORD;
    let took = Number.POSITIVE_INFINITY;
    let outcome = '';
    // one that is slow is slow every time; the machine has others to serve
    for (let again = 0; again < 4 && took > SLOW_MS; again++) {
      const spent = stopwatch();
      try {
        const { own, trusted } = read(bytes, password);
        outcome = own === undefined ? `read, ${trusted.length > 0 ? 'certificates' : 'empty'}` : 'read, with a key';
      } catch (error) {
        if (!(error instanceof KeyStoreError))
          throw new Error(`input ${number}, ${kind}: ${bytes.toString('base64')}`, { cause: error });
        outcome = error.message.replace(/-?\d+/g, 'N');
      }
      took = Math.min(took, spent());
    }
    slowestMs = Math.max(slowestMs, took);
    const key = `${kind}: ${outcome}`;
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  }
  return { outcomes, slowestMs };
}
