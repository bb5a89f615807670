import { plainPeerNetwork } from '../platform/peer-net.ts';
import { type PemOptions, pemPeerNetwork } from '../platform/peer-pem.ts';
import { proofName, pskPeerNetwork } from '../platform/peer-psk.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeerNetwork } from '../ports/peer-network.ts';
import type { EnsembleConfig } from '../server/config.ts';
import { isAnyHost } from '../server/config-servers.ts';
import type { QuorumTls } from '../server/config-tls.ts';
import { KeyWatch } from './key-watch.ts';
import { peerKeysApart } from './keys-apart.ts';
import type { Logger } from './log.ts';
import { readPeerKeys } from './peer-keys.ts';
import { peerTrust } from './peer-secret.ts';
import type { Certificates } from './tally.ts';

/** A network, and the end of what is done to keep it up to date. */
export interface KeptNetwork extends Disposable {
  readonly net: PeerNetwork;
}

/**
 * How the members of this ensemble reach each other: by certificates, under its secret, or plainly where nobody else can.
 * Certificates that change are read again until it is disposed, and noted in `shown`. @throws ConfigError
 */
export async function peerNetworkFor(
  config: EnsembleConfig,
  logger: Logger,
  clock: Clock,
  shown: Certificates = {},
): Promise<KeptNetwork> {
  const { servers, own, secretFile, tls, insecure, name, sid } = config;
  const hosts = servers.flatMap(({ quorum, election }) => [...quorum, ...election].map(({ host }) => host));
  const trust = tls !== undefined && !tls.takesPlain ? undefined : await peerTrust({ hosts, secretFile, insecure });
  for (const warning of trust?.warnings ?? []) logger.warn(warning);
  if (tls !== undefined) {
    const named = own.quorum.map(({ host }) => host).filter((host) => !isAnyHost(host));
    return certified(tls, named, logger, clock, shown);
  }
  if (trust === undefined || trust.kind === 'plain') return kept(plainPeerNetwork);
  return kept(pskPeerNetwork({ name: proofName(name, sid), keys: trust.secrets }));
}

const kept = (net: PeerNetwork): KeptNetwork => ({ net, [Symbol.dispose]() {} });

async function certified(
  tls: QuorumTls,
  hosts: readonly string[],
  logger: Logger,
  clock: Clock,
  shown: Certificates,
): Promise<KeptNetwork> {
  const { keys, warnings } = await readPeerKeys(tls, hosts, clock.wall());
  for (const warning of warnings) logger.warn(warning);
  const net = pemPeerNetwork(keys, { dials: !tls.dials, takes: tls.takesPlain });
  shown.members = keys.chain;
  if (!tls.reload) return kept(net);
  const watched = {
    stores: [tls.keyStore, tls.trustStore],
    whose: 'members',
    read: (now: number) => peerKeysApart(tls, hosts, now),
    renewed: (renewed: PemOptions) => {
      net.renew(renewed);
      shown.members = renewed.chain;
    },
  } as const;
  const watch = new KeyWatch<PemOptions>(watched, clock, logger);
  await watch.start();
  return { net, [Symbol.dispose]: () => watch[Symbol.dispose]() };
}
