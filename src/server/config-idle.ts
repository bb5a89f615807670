import { distance } from '../base/distance.ts';
import { ALIASES, KEYS } from './config-keys.ts';

/** Settings of ZooKeeper that are accepted and have nothing to act on here; docs/configuration.md says why. `*` ends a family. */
const IDLE = `
  connectToLearnerMasterLimit syncEnabled observer.syncEnabled observerMasterPort oraclePath
  snapshotSizeFactor snapshot.compression.method snapshot.trust.empty serializeLastProcessedZxid.enabled digest.enabled
  db.autocreate jute.maxbuffer.extrasize maxResponseCacheSize maxGetChildrenResponseCacheSize requestThrottleStallTime
  request_throttle_stall_time requestStale* request_stale_* request_throttler.* enableEagerACLCheck emulate353TTLNodes closeSessionTxn.enabled watchManagerName watcherClean*
  maxInProcessingDeadWatchers bitHashCacheSize pathStats.* multiAddress.reachability*
  tcpKeepAlive fastleader.*
  maxTimeToWaitForEpoch leader.maxTimeToWaitForEpoch
  leader.closeSocketAsync leader.nodelay leader.* follower.nodelay follower.skipLearnerRequestToNextProcessor follower.*
  observer.election.DelayMs observer.*
  learner.closeSocketAsync learner.asyncSending learner.*
  quorum.auth.enableSasl quorum.auth.learnerRequireSasl quorum.auth.serverRequireSasl quorum.auth.learner.saslLoginContext
  quorum.auth.server.saslLoginContext quorum.auth.kerberos.servicePrincipal quorum.cnxn.threads.size quorum.*
  forward_learner_requests_* nio.* commitProcessor.*
  netty.* advancedFlowControlEnabled messageTracker.* X509AuthenticationProvider.*
  ssl.context.supplier.class ssl.allowReverseDnsLookup ssl.sslProvider
  ssl.quorum.context.supplier.class ssl.quorum.allowReverseDnsLookup ssl.quorum.handshakeDetectionTimeoutMillis
  ssl.* client.secure clientCnxnSocket
  letAnySaslUserDoX requireClientAuthScheme IPAuthenticationProvider.*
  ensembleAuthName kerberos.* jaasLoginRenew security.auth_to_local audit.*
  admin.httpVersion admin.restore.enabled admin.*
  metricsProvider.ssl.* metricsProvider.numWorkerThreads metricsProvider.maxQueueSize
  metricsProvider.workerShutdownTimeoutMs metricsProvider.prometheusMetricsSummaryRotateIntervalSeconds metricsProvider.*
  peer.* sasl.* root.logger log.* log4j.* tracelog.* console.threshold
`
  .trim()
  .split(/\s+/);
const IDLE_NAMES = new Set(IDLE.filter((name) => !name.endsWith('*')));
const IDLE_FAMILIES = IDLE.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));

const ON = /^true$/i;
const OFF = /^false$/i;
const NO_CACHE = /^(0|-\d+)$/;
/**
 * Values of these that say what is done here anyway, most of them ZooKeeper's defaults: whoever writes them out gets what he
 * wrote, and is told nothing.
 */
const DONE_ANYWAY: Readonly<Record<string, RegExp>> = {
  syncEnabled: ON,
  'observer.syncEnabled': ON,
  observerMasterPort: NO_CACHE,
  'serializeLastProcessedZxid.enabled': ON,
  'snapshot.trust.empty': OFF,
  'digest.enabled': OFF,
  'db.autocreate': OFF,
  snapshotSizeFactor: /^-/,
  maxResponseCacheSize: NO_CACHE,
  maxGetChildrenResponseCacheSize: NO_CACHE,
  request_stale_latency_check: OFF,
  requestStaleLatencyCheck: OFF,
  enableEagerACLCheck: OFF,
  emulate353TTLNodes: OFF,
  'pathStats.enabled': OFF,
  'multiAddress.reachabilityCheckEnabled': OFF,
  tcpKeepAlive: ON,
  maxTimeToWaitForEpoch: /^-1$/,
  'leader.maxTimeToWaitForEpoch': /^-1$/,
  'leader.nodelay': ON,
  'follower.nodelay': ON,
  'quorum.auth.enableSasl': OFF,
  'quorum.auth.learnerRequireSasl': OFF,
  'quorum.auth.serverRequireSasl': OFF,
  'ssl.allowReverseDnsLookup': OFF,
  'ssl.quorum.allowReverseDnsLookup': OFF,
  'IPAuthenticationProvider.usexforwardedfor': OFF,
  'admin.restore.enabled': OFF,
  'admin.httpVersion': /^11$/,
};

/** What a setting without effect asks for is what is done without it. */
export const isDoneAnyway = (key: string, value: string): boolean =>
  Object.hasOwn(DONE_ANYWAY, key) && (DONE_ANYWAY[key] as RegExp).test(value);

/** Accepted without effect. */
export const isIdle = (key: string): boolean =>
  IDLE_NAMES.has(key) || IDLE_FAMILIES.some((family) => key.startsWith(family));

const KNOWN = [...Object.keys(KEYS), ...ALIASES.keys(), ...IDLE_NAMES];
/** Letters that a slip of the pen changes, at most. */
const SLIPS = 2;

/** The setting that a key known by no name of its own was probably meant to be: of a family that is accepted whole, too. */
export function meantKey(key: string): string | undefined {
  if (IDLE_NAMES.has(key)) return undefined;
  const low = key.toLowerCase();
  const most = Math.min(SLIPS, Math.floor((low.length - 1) / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const name of KNOWN) {
    const far = distance(low, name.toLowerCase(), SLIPS);
    if (far < least) {
      best = name;
      least = far;
    }
  }
  return best;
}
