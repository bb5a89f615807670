import type { ServerConfig } from '../server/config.ts';
import type { ServerOptions } from '../server/office.ts';

/** Of zoo.cfg, what the server that decides and answers must know. */
export const serverOptionsOf = (config: ServerConfig, sid: number): ServerOptions => ({
  sid,
  tickMs: config.tickTimeMs,
  minSessionTimeoutMs: config.minSessionTimeoutMs,
  maxSessionTimeoutMs: config.maxSessionTimeoutMs,
  extendedTypes: config.extendedTypesEnabled,
  enforceQuota: config.enforceQuota,
  reconfigEnabled: config.reconfigEnabled,
  standaloneEnabled: config.ensemble?.standaloneEnabled ?? true,
  multiAddress: config.ensemble?.multiAddress ?? false,
  trustsAnyone: config.ensemble?.trustsAnyone,
  leaderServes: config.ensemble?.leaderServes ?? true,
  localSessions: config.localSessions,
  auth: {
    superDigest: config.digestAuth.superDigest?.reveal(),
    digestAlgorithm: config.digestAuth.algorithm,
    digestEnabled: config.digestAuth.enabled,
    digest256: config.digestAuth.digest256 && { superDigest: config.digestAuth.digest256.superDigest?.reveal() },
    digestByTls: config.digestAuth.requireTls,
    providers: config.auth.providers,
    sasl: config.auth.sasl,
    enforced: config.auth.enforced,
  },
  reaperMaxPerMinute: config.containers.maxPerMinute,
  reaperMaxNeverUsedMs: config.containers.maxNeverUsedMs,
});
