import { plainPeerNetwork } from '../platform/peer-net.ts';
import { pemPeerNetwork } from '../platform/peer-pem.ts';
import { proofName, pskPeerNetwork } from '../platform/peer-psk.ts';
import type { PeerNetwork } from '../ports/peer-network.ts';
import type { EnsembleConfig } from '../server/config.ts';
import { isAnyHost } from '../server/config-servers.ts';
import type { Logger } from './log.ts';
import { readPeerKeys } from './peer-keys.ts';
import { peerTrust } from './peer-secret.ts';

/**
 * How the members of this ensemble reach each other: by certificates, under its secret, or plainly where nobody else can.
 * `now` is ms since 1970. @throws ConfigError
 */
export async function peerNetworkFor(config: EnsembleConfig, logger: Logger, now: number): Promise<PeerNetwork> {
  const { servers, own, secretFile, tls, insecure, name, sid } = config;
  if (tls !== undefined) {
    const hosts = own.quorum.map(({ host }) => host).filter((host) => !isAnyHost(host));
    const keys = await readPeerKeys(tls, hosts, now);
    for (const warning of keys.warnings) logger.warn(warning);
    return pemPeerNetwork(keys.options);
  }
  const hosts = servers.flatMap(({ quorum, election }) => [...quorum, ...election].map(({ host }) => host));
  const trust = await peerTrust({ hosts, secretFile, insecure });
  for (const warning of trust.warnings) logger.warn(warning);
  if (trust.kind === 'plain') return plainPeerNetwork;
  return pskPeerNetwork({ name: proofName(name, sid), keys: trust.secrets });
}
