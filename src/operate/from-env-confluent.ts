import { EnvError, type FromEnv } from './from-env.ts';
import type { Env } from './settings.ts';

const DATA = '/var/lib/zookeeper/data';
const LOG = '/var/lib/zookeeper/log';

/** Variables without their prefix whose keys are not made of their words. */
const TLS = (prefix: string, key: string): Readonly<Record<string, string>> => ({
  [`${prefix}CLIENT_AUTH`]: `${key}.clientAuth`,
  [`${prefix}KEYSTORE_LOCATION`]: `${key}.keyStore.location`,
  [`${prefix}KEYSTORE_PASSWORD`]: `${key}.keyStore.password`,
  [`${prefix}KEYSTORE_TYPE`]: `${key}.keyStore.type`,
  [`${prefix}TRUSTSTORE_LOCATION`]: `${key}.trustStore.location`,
  [`${prefix}TRUSTSTORE_PASSWORD`]: `${key}.trustStore.password`,
  [`${prefix}TRUSTSTORE_TYPE`]: `${key}.trustStore.type`,
  [`${prefix}ENABLED_PROTOCOLS`]: `${key}.enabledProtocols`,
  [`${prefix}CONTEXT_SUPPLIER_CLASS`]: `${key}.context.supplier.class`,
  [`${prefix}CIPHER_SUITES`]: `${key}.ciphersuites`,
  [`${prefix}HOSTNAME_VERIFICATION`]: `${key}.hostnameVerification`,
  [`${prefix}CRL`]: `${key}.crl`,
  [`${prefix}OCPS`]: `${key}.ocsp`, // so the image spells it
  [`${prefix}HANDSHAKE_DETECTION_TIMEOUT_MILLIS`]: `${key}.handshakeDetectionTimeoutMillis`,
});
const KEYS: Readonly<Record<string, string>> = {
  CLIENT_PORT: 'clientPort',
  TICK_TIME: 'tickTime',
  GLOBAL_OUTSTANDING_LIMIT: 'globalOutstandingLimit',
  PRE_ALLOC_SIZE: 'preAllocSize',
  SNAP_COUNT: 'snapCount',
  TRACE_FILE: 'traceFile',
  MAX_CLIENT_CNXNS: 'maxClientCnxns',
  CLIENT_PORT_ADDRESS: 'clientPortAddress',
  MIN_SESSION_TIMEOUT: 'minSessionTimeout',
  MAX_SESSION_TIMEOUT: 'maxSessionTimeout',
  FSYNC_WARNING_THRESHOLDMS: 'fsync.warningthresholdms',
  AUTOPURGE_SNAP_RETAIN_COUNT: 'autopurge.snapRetainCount',
  AUTOPURGE_PURGE_INTERVAL: 'autopurge.purgeInterval',
  SYNC_ENABLED: 'syncEnabled',
  ELECTION_ALG: 'electionAlg',
  INIT_LIMIT: 'initLimit',
  LEADER_SERVES: 'leaderServes',
  SYNC_LIMIT: 'syncLimit',
  CNX_TIMEOUT: 'cnxTimeout',
  FORCE_SYNC: 'forceSync',
  JUTE_MAX_BUFFER: 'jute.maxbuffer',
  SKIP_ACL: 'skipACL',
  QUORUM_LISTEN_ON_ALL_IPS: 'quorumListenOnAllIPs',
  CLIENT_CNXN_SOCKET: 'clientCnxnSocket',
  SECURE_CLIENT_PORT: 'secureClientPort',
  SERVER_CNXN_SOCKET: 'serverCnxnSocket',
  TCP_KEEP_ALIVE: 'tcpKeepAlive',
  X509_AUTHENTICATION_PROVIDER_SUPER_USER: 'X509AuthenticationProvider.superUser',
  SSL_AUTH_PROVIDER: 'ssl.authProvider',
  ...TLS('SSL_', 'ssl'),
  SSL_QUORUM: 'sslQuorum',
  ...TLS('SSL_QUORUM_', 'ssl.quorum'),
  SERVER_CNXN_FACTORY: 'serverCnxnFactory',
  AUTH_PROVIDER_X509: 'authProvider.x509',
  AUTH_PROVIDER_SASL: 'authProvider.sasl',
  CLIENT_PORT_UNIFICATION: 'client.portUnification',
  ADMIN_ENABLE_SERVER: 'admin.enableServer',
  ADMIN_SERVER_ADDRESS: 'admin.serverAddress',
  ADMIN_SERVER_PORT: 'admin.serverPort',
  ADMIN_IDLE_TIMEOUT: 'admin.idleTimeout',
  ADMIN_COMMAND_URL: 'admin.commandURL',
  // ours: how members know each other
  PEER_SECRET_FILE: 'peer.secretFile',
  PEER_INSECURE: 'peer.insecure',
};
/** Variables that are about something else than zoo.cfg. */
const OTHERS = /^(?:SERVERS|SERVER_ID|GROUPS|WEIGHTS|LOG4J_\w+|TOOLS_LOG4J_\w+|COMPONENT|HOME|VERSION)$/;

/** The variables of Confluent's image cp-zookeeper. @throws EnvError for what the image does not start without, too */
export function confluent(given: Env): FromEnv {
  const env: Env =
    (given.ZOOKEEPER_SERVERS ?? '') === ''
      ? given
      : {
          ...given,
          ZOOKEEPER_INIT_LIMIT: given.ZOOKEEPER_INIT_LIMIT ?? '10',
          ZOOKEEPER_SYNC_LIMIT: given.ZOOKEEPER_SYNC_LIMIT ?? '5',
        };
  const value = (name: string): string | undefined => env[`ZOOKEEPER_${name}`];
  if (!value('CLIENT_PORT') && !value('SECURE_CLIENT_PORT'))
    throw new EnvError('ZOOKEEPER_CLIENT_PORT or ZOOKEEPER_SECURE_CLIENT_PORT must be set');
  if (value('SERVERS') && !value('SERVER_ID'))
    throw new EnvError('ZOOKEEPER_SERVERS is set, and ZOOKEEPER_SERVER_ID is not');
  const lines = [`dataDir=${DATA}`, `dataLogDir=${LOG}`];
  for (const [name, key] of Object.entries(KEYS)) if (value(name) !== undefined) lines.push(`${key}=${value(name)}`);
  const list = (name: string): string[] => (value(name) ? (value(name) as string).split(';') : []);
  for (const [at, server] of list('SERVERS').entries()) {
    const bar = server.indexOf('|'); // an older image took ID|HOST:PORT:PORT
    const hasId = bar > 0 && /^\d+$/.test(server.slice(0, bar));
    lines.push(hasId ? `server.${server.slice(0, bar)}=${server.slice(bar + 1)}` : `server.${at + 1}=${server}`);
  }
  for (const [at, group] of list('GROUPS').entries()) lines.push(`group.${at + 1}=${group}`);
  for (const [at, weight] of list('WEIGHTS').entries()) lines.push(`weight.${at + 1}=${weight}`);
  const unknown = Object.keys(env)
    .filter((name) => name.startsWith('ZOOKEEPER_'))
    .filter(
      (name) => KEYS[name.slice('ZOOKEEPER_'.length)] === undefined && !OTHERS.test(name.slice('ZOOKEEPER_'.length)),
    );
  return {
    config: lines,
    configDir: '/etc/kafka',
    configName: 'zookeeper.properties',
    dataDir: DATA,
    myid: value('SERVER_ID') || undefined,
    flags: ['KAFKA_HEAP_OPTS', 'KAFKA_OPTS'].flatMap((name) => ((env[name] ?? '') === '' ? [] : [env[name] as string])),
    jaas: undefined,
    notes: unknown.length === 0 ? [] : [`the image does not know these either: ${unknown.join(', ')}`],
  };
}
