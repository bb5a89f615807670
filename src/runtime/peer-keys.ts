import type { X509Certificate } from 'node:crypto';
import { checkServerIdentity } from 'node:tls';
import type { PemOptions } from '../platform/peer-pem.ts';
import type { QuorumStores } from '../server/config-tls.ts';
import { readOwn, readTrusted, SOON_MS } from './key-files.ts';

/** What the members' certificates are: ours, whom we believe, and what should be said about them. */
export interface PeerKeys {
  readonly keys: PemOptions;
  readonly warnings: readonly string[];
}

/**
 * Reads the stores that zoo.cfg names. `hosts` are those of this server's own line; `now` is ms since 1970.
 * @throws ConfigError (43) when a file is of no use
 */
export async function readPeerKeys(tls: QuorumStores, hosts: readonly string[], now: number): Promise<PeerKeys> {
  const { keyStore, trustStore, ciphers, checks } = tls;
  const { own, chain, key, warnings } = await readOwn(keyStore);
  const authorities = await readTrusted(trustStore);
  const keys: PemOptions = { chain, key, authorities, ciphers, checks };
  return {
    keys,
    warnings: [...warnings, ...remarks(own, tls, hosts, now)],
  };
}

const isFor = (host: string, certificate: X509Certificate): boolean =>
  checkServerIdentity(host, certificate.toLegacyObject()) === undefined;

/** What others will turn this server away for, or soon will. */
function remarks(
  own: X509Certificate,
  { keyStore, checks }: QuorumStores,
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
