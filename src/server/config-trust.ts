import { isLoopback } from './config-servers.ts';
import { ConfigError } from './config-text.ts';

/** Makes a file of one secret, on every machine that has a shell. */
export const MAKE_SECRET = 'head -c 48 /dev/urandom | base64 > peer.secret && chmod 600 peer.secret';

/**
 * Refuses servers that would take anyone's word: their `hosts` (those of every member, this one's own included) are not
 * all on this machine, they have nothing to know each other by (a secret, certificates), and `insecure` does not say that this is meant. @throws ConfigError
 */
export function refuseOpenPeers(hosts: readonly string[], haveProof: boolean, insecure: boolean): void {
  const beyond = hosts.find((host) => !isLoopback(host));
  if (beyond === undefined || haveProof || insecure) return;
  throw new ConfigError(
    `servers of this ensemble reach each other at ${beyond}, where anyone could join them`,
    `make a secret with \`${MAKE_SECRET}\`, copy the file to every member and set peer.secretFile, or give them certificates (sslQuorum=true), or set peer.insecure=true if the network is yours alone`,
    { key: 'peer.secretFile' },
  );
}
