/** What it takes to open a key under a password: as long as its file says. */

/** Turns of a hash, for a whole file: some seconds. ZooKeeper's stores (keytool, openssl) ask for 2,048 to 300,000. */
export const MOST_TURNS = 1_000_000;
/** Scrypt's N, r and p multiplied: some seconds, too. openssl asks for 131,072. */
const MOST_SCRYPT = 4_194_304;
const SCRYPT = '1.3.6.1.4.1.11591.4.11';

const TAG = { integer: 0x02, oid: 0x06, sequence: 0x30 } as const;
/** Algorithms lie four deep at most. */
const MOST_DEPTH = 8;

/** Whether a sealed PKCS 8 key (EncryptedPrivateKeyInfo, RFC 5958, in PEM) is to be opened: no when it is none, or asks for too much. */
export function isBearable(pem: string): boolean {
  const bytes = Buffer.from(pem.replace(/-----[^-]*-----/g, ''), 'base64');
  const outer = read(bytes, 0, bytes.length);
  const algorithm = outer?.tag === TAG.sequence ? read(bytes, outer.from, outer.to) : undefined;
  if (algorithm?.tag !== TAG.sequence) return false;
  const found = { integers: [] as number[], isScrypt: false };
  if (!gather(bytes, algorithm.from, algorithm.to, found, 0)) return false;
  const { integers, isScrypt } = found;
  if (isScrypt) return integers.slice(0, 3).reduce((product, each) => product * each, 1) <= MOST_SCRYPT;
  return integers.every((each) => each <= MOST_TURNS);
}

/** All integers in a piece of DER, in order; false when it is none. */
function gather(
  bytes: Buffer,
  start: number,
  end: number,
  found: { integers: number[]; isScrypt: boolean },
  depth: number,
): boolean {
  for (let at = start; at < end; ) {
    const part = read(bytes, at, end);
    if (part === undefined || depth > MOST_DEPTH) return false;
    const { tag, from, to } = part;
    if (tag === TAG.sequence && !gather(bytes, from, to, found, depth + 1)) return false;
    if (tag === TAG.integer) found.integers.push(to - from > 6 ? Number.POSITIVE_INFINITY : wide(bytes, from, to));
    if (tag === TAG.oid && oidOf(bytes, from, to) === SCRYPT) found.isScrypt = true;
    at = to;
  }
  return true;
}
const wide = (bytes: Buffer, from: number, to: number): number => (to > from ? bytes.readUIntBE(from, to - from) : 0);

function oidOf(bytes: Buffer, from: number, to: number): string {
  const arcs: number[] = [];
  let arc = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...rest] = arcs;
  return [Math.min(2, Math.floor(first / 40)), first - 40 * Math.min(2, Math.floor(first / 40)), ...rest].join('.');
}

/** The element that begins at `at`; undefined when it does not lie within. */
function read(bytes: Buffer, at: number, end: number): { tag: number; from: number; to: number } | undefined {
  const [tag, short] = [bytes[at], bytes[at + 1]];
  if (at + 2 > end || tag === undefined || short === undefined) return undefined;
  const more = short < 0x80 ? 0 : short & 0x7f;
  if ((short >= 0x80 && more === 0) || more > 4 || at + 2 + more > end) return undefined;
  const from = at + 2 + more;
  const to = from + (more === 0 ? short : bytes.readUIntBE(at + 2, more));
  return to > end ? undefined : { tag, from, to };
}
