/**
 * The name of whoever a certificate is made out to, as Java writes it (`X500Principal.getName()`, RFC 2253): last part first,
 * `CN=kafka,OU=brokers,O=Example`. It is what ACLs of scheme x509 name, so it must be the same to the byte.
 */

/** A certificate or a name that is not what X.509 says. */
export class SubjectNameError extends Error {
  override readonly name = 'SubjectNameError';
}

/** Those that RFC 2253 has words for; others are written as numbers, and their values in hexadecimal. */
const KEYWORDS: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.9': 'STREET',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
};
const TAG = { oid: 0x06, sequence: 0x30, set: 0x31, version: 0xa0 } as const;
/** Strings of UTF-8, PrintableString, T61String, IA5String, GeneralString and BMPString. */
const TEXTS = new Set([0x0c, 0x13, 0x14, 0x16, 0x1b, 0x1e]);
const SPECIAL = /[,=+<>#;"\\]/g;
/** Parts of a name, at most: nobody needs more, and each costs time. */
const MOST_PARTS = 64;

interface Item {
  readonly tag: number;
  readonly body: Buffer;
  /** With tag and length. */
  readonly all: Buffer;
}

/** The subject of a certificate in DER. @throws SubjectNameError */
export function subjectOf(certificate: Uint8Array): string {
  const [body] = listOf(itemIn(Buffer.from(certificate.buffer, certificate.byteOffset, certificate.byteLength)));
  const fields = listOf(body);
  // version (absent in the first), serial number, algorithm, issuer, validity, subject
  const subject = fields[fields[0]?.tag === TAG.version ? 5 : 4];
  if (subject?.tag !== TAG.sequence) throw new SubjectNameError('a certificate without a subject');
  return nameOf(subject.all);
}

/** A name in DER. @throws SubjectNameError */
export function nameOf(der: Uint8Array): string {
  const parts = listOf(itemIn(Buffer.from(der.buffer, der.byteOffset, der.byteLength)));
  if (parts.length > MOST_PARTS) throw new SubjectNameError(`a name of ${parts.length} parts`);
  return parts.reverse().map(partOf).join(',');
}

function partOf(part: Item): string {
  if (part.tag !== TAG.set) throw new SubjectNameError('a name with a part that is no set');
  return listOf(part)
    .map((pair) => {
      const [type, value, ...more] = listOf(pair);
      if (type?.tag !== TAG.oid || value === undefined || more.length > 0)
        throw new SubjectNameError('a name with a part that is no pair');
      const number = numberOf(type.body);
      const word = KEYWORDS[number];
      if (word === undefined || !TEXTS.has(value.tag)) return `${word ?? number}=#${value.all.toString('hex')}`;
      return `${word}=${escaped(value.body.toString('utf8'))}`;
    })
    .join('+');
}

function escaped(text: string): string {
  const inside = text.replace(SPECIAL, '\\$&').replaceAll('\0', '\\00');
  const lead = /^[ \r]*/.exec(inside)?.[0].length ?? 0;
  if (lead === inside.length) return inside.replace(/[ \r]/g, '\\$&');
  let end = inside.length;
  while (inside[end - 1] === ' ' || inside[end - 1] === '\r') end--;
  const mark = (blanks: string): string => blanks.replace(/[ \r]/g, '\\$&');
  return mark(inside.slice(0, lead)) + inside.slice(lead, end) + mark(inside.slice(end));
}

/** `2.5.4.3` from its bytes. */
function numberOf(bytes: Buffer): string {
  const numbers: bigint[] = [];
  let value = 0n;
  for (const byte of bytes) {
    value = (value << 7n) | BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    numbers.push(value);
    value = 0n;
  }
  const [first = 0n, ...rest] = numbers;
  const top = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [top, first - top * 40n, ...rest].join('.');
}

/** The items within one. */
function listOf(item: Item | undefined): Item[] {
  if (item === undefined) throw new SubjectNameError('a certificate that is cut off');
  const out: Item[] = [];
  for (let rest = item.body; rest.length > 0; ) {
    const next = itemIn(rest);
    out.push(next);
    rest = rest.subarray(next.all.length);
  }
  return out;
}
function itemIn(bytes: Buffer): Item {
  const cut = (): never => {
    throw new SubjectNameError('a certificate that is cut off');
  };
  if (bytes.length < 2) cut();
  const tag = bytes[0] as number;
  let length = bytes[1] as number;
  let at = 2;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count < 1 || count > 4 || bytes.length < 2 + count) cut();
    length = bytes.readUIntBE(2, count);
    at += count;
  }
  if (bytes.length < at + length) cut();
  return { tag, body: bytes.subarray(at, at + length), all: bytes.subarray(0, at + length) };
}
