/** Certificates made when a test runs (X.509, RFC 5280), so that no key is kept in a file: just the fields that tests need. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** Somebody who vouches for certificates, with its own certificate as PEM. */
export interface Authority {
  readonly name: string;
  readonly key: KeyObject;
  readonly pem: string;
}
export interface Wishes {
  /** Host names and addresses that it is made out to; the first is its subject too. */
  readonly hosts: readonly string[];
  /** Its subject in DER, in place of that. */
  readonly subject?: Uint8Array;
  /** Default: a day ago, and a day ahead. */
  readonly from?: Date;
  readonly to?: Date;
}
export interface Certificate {
  readonly pem: string;
  readonly key: KeyObject;
  /** Both in one text, as a PEM key store has them. */
  readonly store: string;
}

const DAY_MS = 86_400_000;
const SEQUENCE = 0x30;
const SET = 0x31;
const OID = { name: '2.5.4.3', hosts: '2.5.29.17', isAuthority: '2.5.29.19', ecdsa: '1.2.840.10045.4.3.2' } as const;

/** One element of DER. */
export function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
}
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const septets = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) septets.unshift((left & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return der(0x06, Buffer.from(bytes));
}
const ALGORITHM = der(SEQUENCE, oid(OID.ecdsa));
const nameOf = (text: string): Buffer =>
  der(SEQUENCE, der(SET, der(SEQUENCE, oid(OID.name), der(0x0c, Buffer.from(text)))));
const timeOf = (date: Date): Buffer => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`));
const extension = (id: string, value: Buffer, isCritical = false): Buffer =>
  der(SEQUENCE, oid(id), ...(isCritical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
const hostOf = (host: string): Buffer =>
  isIP(host) === 4 ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host));

function issue(subject: string, of: KeyObject, by: { name: string; key: KeyObject }, wishes: Partial<Wishes>): string {
  const { hosts = [] } = wishes;
  const extensions =
    hosts.length === 0
      ? extension(OID.isAuthority, der(SEQUENCE, der(0x01, Buffer.from([0xff]))), true)
      : extension(OID.hosts, der(SEQUENCE, ...hosts.map(hostOf)));
  const serial = randomBytes(8);
  serial[0] = 0x40 | ((serial[0] as number) & 0x3f); // positive, and no zero in front
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ALGORITHM,
    nameOf(by.name),
    der(
      SEQUENCE,
      timeOf(wishes.from ?? new Date(Date.now() - DAY_MS)),
      timeOf(wishes.to ?? new Date(Date.now() + DAY_MS)),
    ),
    wishes.subject === undefined ? nameOf(subject) : Buffer.from(wishes.subject),
    of.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, extensions)),
  );
  const signature = sign('sha256', body, by.key);
  const all = der(SEQUENCE, body, ALGORITHM, der(0x03, Buffer.from([0]), signature));
  const lines = all.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
const keys = (): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A self-signed authority, or one that `above` vouches for. */
export function makeAuthority(name: string, above?: Authority): Authority {
  const { publicKey, privateKey: key } = keys();
  return { name, key, pem: issue(name, publicKey, above ?? { name, key }, {}) };
}
/** Without `by`: a self-signed one. */
export function makeCertificate(by: Authority | undefined, wishes: Wishes): Certificate {
  const { publicKey, privateKey: key } = keys();
  const name = wishes.hosts[0] ?? '';
  const pem = issue(name, publicKey, by ?? { name, key }, wishes);
  return { pem, key, store: `${pem}${key.export({ type: 'pkcs8', format: 'pem' })}` };
}
