/** What greets us on a peer port when it is not one of our servers, from its first bytes. */

/** Apache's election port opens with a protocol version: one address (-65536) or several (-65535). */
const ELECTION_VERSIONS = new Set([-65536n, -65535n]);
const SASL_MAGIC = BigInt.asIntN(64, -0xa0dbcafecafe1234n);
const FOLLOWERINFO = 11;
const OBSERVERINFO = 16;

const MIXED = 'mixed ensembles do not work';
/** Whether a sentence of {@link foreignGreeting} is about a server of Apache's. */
export const isAboutApache = (sentence: string): boolean => sentence.endsWith(MIXED);

/** What sent these bytes, as a sentence with the remedy in it; undefined when nothing is known that begins so. */
export function foreignGreeting(bytes: Buffer): string | undefined {
  if (bytes.length >= 8) {
    const first = bytes.readBigInt64BE(0);
    if (ELECTION_VERSIONS.has(first)) {
      const sid = bytes.length >= 16 ? bytes.readBigInt64BE(8) : undefined;
      return `${sid === undefined ? 'it' : `member ${sid}`} is an Apache server; ${MIXED}`;
    }
    if (first === SASL_MAGIC) return `it is an Apache server that wants SASL; ${MIXED}`;
  }
  if (bytes.length >= 12) {
    const type = bytes.readInt32BE(0);
    // a learner's first packet: its type, then its accepted epoch in the upper half of a zxid
    if ((type === FOLLOWERINFO || type === OBSERVERINFO) && bytes.readInt32BE(4) >= 0 && bytes.readInt32BE(8) === 0)
      return `it is an Apache server that follows; ${MIXED}`;
  }
  if (bytes.length >= 3 && bytes[0] === 0x16 && bytes[1] === 3)
    return 'it speaks TLS and this server does not; give both the same peer.secretFile, or sslQuorum=true';
  const head = bytes.toString('latin1', 0, Math.min(bytes.length, 4));
  if (/^(GET |POST|HEAD|PUT )/.test(head)) return 'it speaks HTTP; this port is for servers of the ensemble';
  if (/^[a-z]{4}$/.test(head)) return `it sent "${head}"; four-letter words belong to the client port`;
  // a client's connect request: a length of 44 or 45, then protocol version 0
  if (bytes.length >= 8 && [44, 45].includes(bytes.readInt32BE(0)) && bytes.readInt32BE(4) === 0)
    return 'it is a client; clients belong to the client port';
  return undefined;
}
