/**
 * Every setting we know, under the name an operator writes in zoo.cfg. A setting may also be given as its system property,
 * with or without the prefix `zookeeper.`; where the property is spelled otherwise it is listed under `also`.
 */

/** How a value is read. `bool` takes true or false only; `property` takes anything for false, as Java's properties do. */
export type Kind = 'int' | 'part' | 'port' | 'bool' | 'property' | 'yesno' | 'text' | 'interval';

export interface Row {
  readonly kind: Kind;
  /** The value when none is given, written as in a file; absent: it depends on others, or means unset. */
  readonly fallback?: string;
  readonly also?: readonly string[];
  /** Not to be shown in a listing or a log. */
  readonly secret?: true;
}

export const KEYS = {
  tickTime: { kind: 'int', fallback: '3000' },
  dataDir: { kind: 'text' },
  dataLogDir: { kind: 'text' },
  clientPort: { kind: 'port' },
  clientPortAddress: { kind: 'text' },
  secureClientPort: { kind: 'port' },
  secureClientPortAddress: { kind: 'text' },
  clientPortListenBacklog: { kind: 'int', fallback: '-1' },
  maxClientCnxns: { kind: 'int', fallback: '60' },
  maxCnxns: { kind: 'int', fallback: '0' },
  clientTcpKeepAlive: { kind: 'property', fallback: 'false' },
  minSessionTimeout: { kind: 'int', fallback: '-1' },
  maxSessionTimeout: { kind: 'int', fallback: '-1' },
  initLimit: { kind: 'int' },
  syncLimit: { kind: 'int' },
  electionAlg: { kind: 'int', fallback: '3' },
  peerType: { kind: 'text', fallback: 'participant' },
  quorumListenOnAllIPs: { kind: 'bool', fallback: 'false' },
  standaloneEnabled: { kind: 'bool', fallback: 'true' },
  reconfigEnabled: { kind: 'bool', fallback: 'false' },
  dynamicConfigFile: { kind: 'text' },
  leaderServes: { kind: 'yesno', fallback: 'yes' },
  cnxTimeout: { kind: 'int', fallback: '5000' },
  electionPortBindRetry: { kind: 'int', fallback: '3' },
  commitLogCount: { kind: 'int', fallback: '100000' },
  sslQuorum: { kind: 'bool', fallback: 'false' },
  portUnification: { kind: 'bool', fallback: 'false' },
  'ssl.quorum.keyStore.location': { kind: 'text' },
  'ssl.quorum.keyStore.type': { kind: 'text' },
  'ssl.quorum.keyStore.password': { kind: 'text', secret: true },
  'ssl.quorum.keyStore.passwordPath': { kind: 'text' },
  'ssl.quorum.trustStore.location': { kind: 'text' },
  'ssl.quorum.trustStore.type': { kind: 'text' },
  'ssl.quorum.trustStore.password': { kind: 'text', secret: true },
  'ssl.quorum.trustStore.passwordPath': { kind: 'text' },
  'ssl.quorum.hostnameVerification': { kind: 'property', fallback: 'true' },
  'ssl.quorum.clientHostnameVerification': { kind: 'property', fallback: 'true' },
  'ssl.quorum.clientAuth': { kind: 'text', fallback: 'need' },
  'ssl.quorum.protocol': { kind: 'text' },
  'ssl.quorum.enabledProtocols': { kind: 'text' },
  'ssl.quorum.ciphersuites': { kind: 'text' },
  sslQuorumReloadCertFiles: { kind: 'property', fallback: 'true' },
  'ssl.quorum.crl': { kind: 'property', fallback: 'false' },
  'ssl.quorum.ocsp': { kind: 'property', fallback: 'false' },
  serverCnxnFactory: { kind: 'text' },
  'ssl.keyStore.location': { kind: 'text' },
  'ssl.keyStore.type': { kind: 'text' },
  'ssl.keyStore.password': { kind: 'text', secret: true },
  'ssl.keyStore.passwordPath': { kind: 'text' },
  'ssl.trustStore.location': { kind: 'text' },
  'ssl.trustStore.type': { kind: 'text' },
  'ssl.trustStore.password': { kind: 'text', secret: true },
  'ssl.trustStore.passwordPath': { kind: 'text' },
  'ssl.clientAuth': { kind: 'text', fallback: 'need' },
  'ssl.authProvider': { kind: 'text', fallback: 'x509' },
  'ssl.hostnameVerification': { kind: 'property', fallback: 'true' },
  'ssl.clientHostnameVerification': { kind: 'property', fallback: 'false' },
  'ssl.protocol': { kind: 'text' },
  'ssl.enabledProtocols': { kind: 'text' },
  'ssl.ciphersuites': { kind: 'text' },
  'ssl.handshakeDetectionTimeoutMillis': { kind: 'int', fallback: '5000' },
  'ssl.crl': { kind: 'property', fallback: 'false' },
  'ssl.ocsp': { kind: 'property', fallback: 'false' },
  'client.portUnification': { kind: 'property', fallback: 'false' },
  'client.certReload': { kind: 'property', fallback: 'true' },
  'leader.silenceTicks': { kind: 'int' },
  'peer.secretFile': { kind: 'text' },
  'peer.insecure': { kind: 'bool', fallback: 'false' },
  'peer.ensembleName': { kind: 'text', fallback: 'zoosh' },
  'multiAddress.enabled': { kind: 'bool', fallback: 'false' },
  localSessionsEnabled: { kind: 'bool', fallback: 'false' },
  localSessionsUpgradingEnabled: { kind: 'bool', fallback: 'false' },
  'autopurge.snapRetainCount': { kind: 'int', fallback: '3' },
  'autopurge.purgeInterval': { kind: 'interval', fallback: '0' },
  'scrub.interval': { kind: 'interval', fallback: '24' },
  '4lw.commands.whitelist': { kind: 'text', fallback: 'srvr' },
  snapCount: { kind: 'int', fallback: '100000' },
  snapSizeLimitInKb: { kind: 'int', fallback: '4194304' },
  txnLogSizeLimitInKb: { kind: 'int', fallback: '-1' },
  preAllocSize: { kind: 'int', fallback: '65536' },
  forceSync: { kind: 'yesno', fallback: 'yes' },
  'fsync.warningthresholdms': { kind: 'int', fallback: '1000' },
  flushDelay: { kind: 'int', fallback: '0' },
  maxWriteQueuePollTime: { kind: 'int' },
  maxBatchSize: { kind: 'int', fallback: '1000' },
  'datadir.autocreate': { kind: 'property', fallback: 'true' },
  'jute.maxbuffer': { kind: 'int', fallback: '1048575' },
  globalOutstandingLimit: { kind: 'int', fallback: '1000' },
  largeRequestMaxBytes: { kind: 'int', fallback: '104857600' },
  largeRequestThreshold: { kind: 'int', fallback: '-1' },
  request_throttle_max_requests: { kind: 'int', fallback: '0', also: ['requestThrottleLimit'] },
  request_throttle_drop_stale: { kind: 'property', fallback: 'true', also: ['requestThrottleDropStale'] },
  throttled_op_wait_time: { kind: 'int', fallback: '0', also: ['throttledOpWaitTime'] },
  connection_throttle_tokens: { kind: 'int', fallback: '0', also: ['connectionMaxTokens'] },
  connection_throttle_fill_time: { kind: 'int', fallback: '1', also: ['connectionTokenFillTime'] },
  connection_throttle_fill_count: { kind: 'int', fallback: '1', also: ['connectionTokenFillCount'] },
  connection_throttle_freeze_time: { kind: 'int', fallback: '-1', also: ['connectionFreezeTime'] },
  connection_throttle_drop_increase: { kind: 'part', fallback: '0.02', also: ['connectionDropIncrease'] },
  connection_throttle_drop_decrease: { kind: 'part', fallback: '0.002', also: ['connectionDropDecrease'] },
  connection_throttle_decrease_ratio: { kind: 'part', fallback: '0', also: ['connectionDecreaseRatio'] },
  connection_throttle_weight_enabled: { kind: 'property', fallback: 'false' },
  connection_throttle_global_session_weight: { kind: 'int', fallback: '3' },
  connection_throttle_local_session_weight: { kind: 'int', fallback: '1' },
  connection_throttle_renew_session_weight: { kind: 'int', fallback: '2' },
  enforceQuota: { kind: 'property', fallback: 'false' },
  skipACL: { kind: 'yesno', fallback: 'no' },
  extendedTypesEnabled: { kind: 'property', fallback: 'false' },
  'readonlymode.enabled': { kind: 'property', fallback: 'false' },
  'znode.container.checkIntervalMs': { kind: 'int', fallback: '60000' },
  'znode.container.maxPerMinute': { kind: 'int', fallback: '10000' },
  'znode.container.maxNeverUsedIntervalMs': { kind: 'int', fallback: '300000' },
  'DigestAuthenticationProvider.superDigest': { kind: 'text', secret: true },
  'DigestAuthenticationProvider.digestAlg': { kind: 'text', fallback: 'SHA1' },
  'DigestAuthenticationProvider.enabled': { kind: 'property', fallback: 'true' },
  'java.security.auth.login.config': { kind: 'text' },
  'sasl.serverconfig': { kind: 'text', fallback: 'Server' },
  'SASLAuthenticationProvider.superPassword': { kind: 'text', secret: true },
  allowSaslFailedClients: { kind: 'property', fallback: 'false' },
  sessionRequireClientSASLAuth: { kind: 'property', fallback: 'false' },
  'enforce.auth.enabled': { kind: 'property', fallback: 'false' },
  'enforce.auth.schemes': { kind: 'text' },
  'X509AuthenticationProvider.superUser': { kind: 'text' },
  'fips-mode': { kind: 'property', fallback: 'false' },
  'digest.requireTls': { kind: 'property', fallback: 'false' },
  'admin.enableServer': { kind: 'property', fallback: 'false' },
  'admin.serverAddress': { kind: 'text', fallback: '0.0.0.0' },
  'admin.serverPort': { kind: 'port', fallback: '8080' },
  'admin.commandURL': { kind: 'text', fallback: '/commands' },
  'admin.idleTimeout': { kind: 'int', fallback: '30000' },
  'admin.portUnification': { kind: 'property', fallback: 'false' },
  'admin.forceHttps': { kind: 'property', fallback: 'false' },
  'admin.needClientAuth': { kind: 'property', fallback: 'false' },
  'admin.snapshot.enabled': { kind: 'property', fallback: 'true' },
  'admin.rateLimiterIntervalInMS': { kind: 'int', fallback: '300000' },
  'metricsProvider.className': { kind: 'text' },
  'metricsProvider.httpHost': { kind: 'text', fallback: '0.0.0.0' },
  'metricsProvider.httpPort': { kind: 'port', fallback: '7000' },
  'metricsProvider.exportJvmInfo': { kind: 'property', fallback: 'true' },
  'metricsProvider.counterTotals': { kind: 'property', fallback: 'false' },
  'audit.enable': { kind: 'property', fallback: 'false' },
  'audit.impl.class': { kind: 'text' },
  'audit.logFile': { kind: 'text' },
  'audit.format': { kind: 'text', fallback: 'text' },
  'audit.maxFileSizeInKb': { kind: 'int', fallback: '51200' },
  'audit.maxFiles': { kind: 'int', fallback: '10' },
  reportedVersion: { kind: 'text' },
} as const satisfies Readonly<Record<string, Row>>;
export type Key = keyof typeof KEYS;

/** Settings of ZooKeeper that are accepted and have nothing to act on here (yet); `*` ends a family. */
const IDLE = `
  connectToLearnerMasterLimit syncEnabled observer.syncEnabled observerMasterPort oraclePath
  snapshotSizeFactor snapshot.compression.method snapshot.trust.empty serializeLastProcessedZxid.enabled digest.enabled
  db.autocreate jute.maxbuffer.extrasize maxResponseCacheSize maxGetChildrenResponseCacheSize requestThrottleStallTime
  request_throttle_stall_time requestStale* request_stale_* request_throttler.* enableEagerACLCheck emulate353TTLNodes closeSessionTxn.enabled watchManagerName watcherClean*
  maxInProcessingDeadWatchers bitHashCacheSize pathStats.* multiAddress.reachability* quorumCnxnTimeoutMs
  tcpKeepAlive fastleader.* maxTimeToWaitForEpoch leader.* follower.* observer.*
  maxConcurrentSnapSyncs maxConcurrentDiffSyncs learner.* quorum.* forward_learner_requests_* nio.* commitProcessor.*
  netty.* advancedFlowControlEnabled messageTracker.* jvm.pause.* X509AuthenticationProvider.*
  ssl.* client.secure clientCnxnSocket
  letAnySaslUserDoX requireClientAuthScheme IPAuthenticationProvider.*
  ensembleAuthName kerberos.* jaasLoginRenew security.auth_to_local audit.*
  admin.* metricsProvider.* peer.* sasl.* root.logger log.* log4j.* tracelog.* console.threshold
`
  .trim()
  .split(/\s+/);
const IDLE_NAMES = new Set(IDLE.filter((name) => !name.endsWith('*')));
const IDLE_FAMILIES = IDLE.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));

/** Accepted without effect. */
export const isIdle = (key: string): boolean =>
  IDLE_NAMES.has(key) || IDLE_FAMILIES.some((family) => key.startsWith(family));

/** Without its prefix, the name under which a setting is looked up. */
export const plainKey = (key: string): string => (key.startsWith('zookeeper.') ? key.slice('zookeeper.'.length) : key);

const ALIASES: ReadonlyMap<string, Key> = new Map(
  (Object.entries(KEYS) as [Key, Row][]).flatMap(([key, { also = [] }]) => also.map((name) => [name, key] as const)),
);
/** The name under which a setting is listed here that may be given under another. */
export const listedKey = (key: string): string => ALIASES.get(key) ?? key;

export const isKey = (key: string): key is Key => Object.hasOwn(KEYS, key);
