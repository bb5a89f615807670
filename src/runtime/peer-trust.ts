import { plainPeerNetwork, proofName } from '../platform/peer-net.ts';
import { pskPeerNetwork } from '../platform/peer-psk.ts';
import type { PeerNetwork } from '../ports/peer-network.ts';
import type { EnsembleConfig } from '../server/config.ts';
import type { Logger } from './log.ts';
import { peerTrust } from './peer-secret.ts';

/** How the members of this ensemble reach each other: under its secret, or plainly where nobody else can. @throws ConfigError */
export async function peerNetworkFor(config: EnsembleConfig, logger: Logger): Promise<PeerNetwork> {
  const { servers, secretFile, insecure, name, sid } = config;
  const hosts = servers.flatMap(({ quorum, election }) => [...quorum, ...election].map(({ host }) => host));
  const trust = await peerTrust({ hosts, secretFile, insecure });
  for (const warning of trust.warnings) logger.warn(warning);
  if (trust.kind === 'plain') return plainPeerNetwork;
  return pskPeerNetwork({ name: proofName(name, sid), keys: trust.secrets });
}
