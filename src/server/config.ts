import { HIDDEN, type Secret, secretOf } from '../base/secret.ts';
import { MAX_REQUEST } from '../records/limits.ts';
import { type AdminConfig, adminConfig } from './config-admin.ts';
import { type AuditConfig, auditConfig } from './config-audit.ts';
import { type AuthConfig, authConfig, isAuthKey } from './config-auth.ts';
import { type ClientTls, clientTls } from './config-client-tls.ts';
import { type Beside, type EnsembleConfig, formOf } from './config-ensemble.ts';
import { isDoneAnyway, isIdle, meantKey } from './config-idle.ts';
import { isKey, KEYS, type Key, listedKey, plainKey, type Row } from './config-keys.ts';
import { type LimitsConfig, limitsConfig } from './config-limits.ts';
import { isMemberKey } from './config-members.ts';
import { type Reader, reader } from './config-reader.ts';
import { type Address, isAnyHost, type ServerLine } from './config-servers.ts';
import { type Origin, type Setting, showOrigin } from './config-text.ts';

export { type Beside, type EnsembleConfig, namedFiles } from './config-ensemble.ts';
export {
  ConfigError,
  type Origin,
  parseAssignment,
  parseJvmFlags,
  parseProperties,
  type Setting,
  showOrigin,
} from './config-text.ts';

/** The hash of digest identities, as node:crypto names it. */
export type DigestAlgorithm = 'sha1' | 'sha256' | 'sha512' | 'sha3-256';

/** A checked configuration of one server, defaults applied. Times are milliseconds, sizes bytes. */
export interface ServerConfig extends LimitsConfig {
  /** By its server line, or by myid without server lines; 0 for a server alone without both. */
  readonly serverId: number;
  /** Undefined for a server alone. */
  readonly ensemble: EnsembleConfig | undefined;
  readonly tickTimeMs: number;
  readonly dataDir: string;
  /** Where the log goes; dataDir unless set. */
  readonly dataLogDir: string;
  /** Refuse to start (not make it) when dataDir is missing. */
  readonly dataDirMustExist: boolean;
  /** Undefined: no client listener. 0: any free port. */
  readonly clientPort: number | undefined;
  /** Undefined: all interfaces. */
  readonly clientPortAddress: string | undefined;
  /** Undefined: no port where TLS alone is spoken. 0: any free port. */
  readonly secureClientPort: number | undefined;
  /** Undefined: all interfaces. */
  readonly secureClientPortAddress: string | undefined;
  /** How clients are served by TLS; undefined where they are not. */
  readonly clientTls: ClientTls | undefined;
  /** Undefined: the system's own. */
  readonly listenBacklog: number | undefined;
  /** Connections of one address; 0: no limit. */
  readonly maxClientCnxns: number;
  /** Connections in all; 0: no limit. */
  readonly maxCnxns: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** The largest packet a client may send and a record may be. */
  readonly maxBufferBytes: number;
  /** Sockets of clients are asked for signs of life by the system. */
  readonly clientTcpKeepAlive: boolean;
  /** Requests in flight before sockets are no longer read. */
  readonly globalOutstandingLimit: number;

  /** Transactions between snapshots; the server draws from (n/2, n]. */
  readonly snapCount: number;
  /** Bytes logged between snapshots, drawn likewise; undefined: no such limit. */
  readonly snapSizeLimitBytes: number | undefined;
  /** Bytes of one log file; undefined: no limit. */
  readonly txnLogSizeLimitBytes: number | undefined;
  readonly preAllocBytes: number;
  readonly forceSync: boolean;
  /** A log write slower than this is warned about and counted. */
  readonly fsyncWarningMs: number;
  /** How long a group commit may wait for more, how long when nothing more comes, and with how many it waits no longer. 0: not at all. */
  readonly flushDelayMs: number;
  readonly flushIdleMs: number;
  readonly maxBatchSize: number;
  readonly snapRetainCount: number;
  /** 0: never purged by itself. */
  readonly purgeIntervalMs: number;
  /** Between two rounds that verify what lies on the disk; 0: never. */
  readonly scrubIntervalMs: number;

  readonly enforceQuota: boolean;
  readonly extendedTypesEnabled: boolean;
  readonly reconfigEnabled: boolean;
  /** A member that finds no leader serves those who only read. */
  readonly readOnlyModeEnabled: boolean;
  /** Of a member: sessions begin as its own; `upgrading`: they become everybody's with their first ephemeral. */
  readonly localSessions: { readonly upgrading: boolean } | undefined;
  readonly containers: {
    readonly checkIntervalMs: number;
    readonly maxPerMinute: number;
    /** A container that never had a child goes after this; 0: never. */
    readonly maxNeverUsedMs: number;
  };
  readonly digestAuth: {
    readonly enabled: boolean;
    readonly algorithm: DigestAlgorithm;
    /** `user:base64` of whoever may do everything. */
    readonly superDigest: Secret | undefined;
    /** The super user of digest256; undefined: that scheme is off. */
    readonly digest256: { readonly superDigest: Secret | undefined } | undefined;
    readonly requireTls: boolean;
  };
  /** Logins beyond digest. */
  readonly auth: AuthConfig;
  /** Words a client port answers. */
  readonly fourLetterWords: ReadonlySet<string> | 'all';
  readonly admin: AdminConfig;
  readonly metrics: {
    /** True when the exporter was asked for by metricsProvider.className. */
    readonly exporter: boolean;
    readonly address: string;
    readonly port: number;
    /** Also figures of the process. */
    readonly process: boolean;
    /** Counters end in `_total`. */
    readonly totals: boolean;
  };
  readonly pauses: PauseConfig;
  readonly audit: AuditConfig;
  /** What srvr, envi and mntr report instead of our own version. */
  readonly reportedVersion: string | undefined;

  /** For the log, one line each: settings that are unknown, have no effect, or were corrected. */
  readonly notes: readonly string[];
  /** Every setting, its value as given (secrets hidden) and where it came from. */
  readonly inForce: readonly InForce[];
}

/** How pauses of the loop are looked for, and from how long on they are told. */
export interface PauseConfig {
  readonly monitor: boolean;
  readonly sleepMs: number;
  readonly infoMs: number;
  readonly warnMs: number;
}

/** One row of `server config`. */
export interface InForce {
  readonly key: string;
  readonly value: string;
  /** Undefined: the default. */
  readonly from: Origin | undefined;
}

/** The class that turns the exporter on, and those that are accepted and leave it off. */
const EXPORTER = 'PrometheusMetricsProvider';
const NO_EXPORTER = /^(DefaultMetricsProvider|NullMetricsProvider)$/;

const ALGORITHMS: Readonly<Record<string, DigestAlgorithm>> = {
  SHA1: 'sha1',
  'SHA-1': 'sha1',
  SHA256: 'sha256',
  'SHA-256': 'sha256',
  SHA512: 'sha512',
  'SHA-512': 'sha512',
  'SHA3-256': 'sha3-256',
};

/**
 * Settings, in the order in which later ones win, and what stands beside the file, to a checked configuration.
 * @throws ConfigError naming the first thing that is wrong, where it stands and what to do.
 */
export function checkConfig(settings: readonly Setting[], beside: Beside = {}): ServerConfig {
  const notes: string[] = [];
  const { given, lines, named } = sort(settings, notes);
  const take = reader(given, notes);

  if (take.is('skipACL', 'yes')) {
    throw take.error(
      'skipACL',
      'skipACL=yes would let everyone do everything',
      'remove it; set superDigest to get at locked nodes',
    );
  }
  if (take.int('electionAlg') !== 3)
    throw take.error('electionAlg', 'no such election algorithm', 'only 3 exists: remove the line');
  const role = take.text('peerType')?.toLowerCase();
  if (role !== 'participant' && role !== 'observer') {
    throw take.error('peerType', `unknown role ${take.text('peerType')}`, 'write participant or observer');
  }
  const dataDir = take.text('dataDir');
  if (dataDir === undefined)
    throw take.error(
      'dataDir',
      'dataDir is not set',
      'name the folder that keeps the data: dataDir=/var/lib/zookeeper',
    );
  const dataLogDir = take.text('dataLogDir') ?? dataDir;
  for (const [key, folder] of [
    ['dataDir', dataDir],
    ['dataLogDir', dataLogDir],
  ] as const) {
    if (given.has(key) && !/^(\/|\.\/|\.\.\/|[A-Za-z]:[\\/])/.test(folder)) {
      notes.push(
        `${key}=${folder} is relative to the folder the server was started in; write ./${folder} to say that it is meant`,
      );
    }
  }
  const tickTimeMs = take.int('tickTime');
  if (tickTimeMs < 1) throw take.error('tickTime', `tickTime is ${tickTimeMs}`, 'give milliseconds, 2000 is usual');
  const least = take.int('minSessionTimeout');
  const most = take.int('maxSessionTimeout');
  const minSessionTimeoutMs = least === -1 ? tickTimeMs * 2 : least;
  const maxSessionTimeoutMs = most === -1 ? tickTimeMs * 20 : most;
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    throw take.error(
      least === -1 ? 'maxSessionTimeout' : 'minSessionTimeout',
      `the shortest session timeout (${minSessionTimeoutMs}) is above the longest (${maxSessionTimeoutMs})`,
      'unset, they are 2 and 20 ticks',
    );
  }
  const form = formOf(take, lines, beside, notes);
  const { client, secure } = clientPlaces(take, form.own);
  if (client.port === undefined && secure.port === undefined) notes.push('no clientPort: no client can connect');
  const tls = clientTls(take, secure.port !== undefined, client.port !== undefined, notes);

  const readOnlyModeEnabled = take.flag('readonlymode.enabled');
  const upgrading = take.flag('localSessionsUpgradingEnabled');
  const sizeLimit = take.int('snapSizeLimitInKb');
  const fileLimit = take.int('txnLogSizeLimitInKb');
  const flushDelayMs = Math.max(0, take.int('flushDelay'));
  const backlog = take.int('clientPortListenBacklog');
  return {
    serverId: form.sid,
    ensemble: form.ensemble,
    tickTimeMs,
    dataDir,
    dataLogDir,
    dataDirMustExist: !take.flag('datadir.autocreate'),
    clientPort: client.port,
    clientPortAddress: client.host,
    secureClientPort: secure.port,
    secureClientPortAddress: secure.host,
    clientTls: tls,
    listenBacklog: backlog < 1 ? undefined : backlog,
    maxClientCnxns: Math.max(0, take.int('maxClientCnxns')),
    maxCnxns: Math.max(0, take.int('maxCnxns')),
    minSessionTimeoutMs,
    maxSessionTimeoutMs,
    maxBufferBytes: take.within('jute.maxbuffer', 1024, MAX_REQUEST),
    globalOutstandingLimit: take.atLeast('globalOutstandingLimit', 1),
    ...limitsConfig(take),
    clientTcpKeepAlive: take.flag('clientTcpKeepAlive'),
    snapCount: take.atLeast('snapCount', 2),
    snapSizeLimitBytes: sizeLimit > 0 ? sizeLimit * 1024 : undefined,
    txnLogSizeLimitBytes: fileLimit > 0 ? fileLimit * 1024 : undefined,
    preAllocBytes: take.atLeast('preAllocSize', 64) * 1024,
    forceSync: !take.is('forceSync', 'no'),
    fsyncWarningMs: take.atLeast('fsync.warningthresholdms', 0),
    flushDelayMs,
    flushIdleMs:
      take.origin('maxWriteQueuePollTime') === undefined
        ? flushDelayMs / 3
        : Math.max(0, take.int('maxWriteQueuePollTime')),
    maxBatchSize: take.atLeast('maxBatchSize', 1),
    snapRetainCount: take.atLeast('autopurge.snapRetainCount', 3),
    purgeIntervalMs: take.interval('autopurge.purgeInterval'),
    scrubIntervalMs: take.interval('scrub.interval'),
    enforceQuota: take.flag('enforceQuota'),
    extendedTypesEnabled: take.flag('extendedTypesEnabled'),
    reconfigEnabled: take.flag('reconfigEnabled'),
    readOnlyModeEnabled,
    localSessions: form.ensemble !== undefined && take.flag('localSessionsEnabled') ? { upgrading } : undefined,
    containers: {
      checkIntervalMs: take.atLeast('znode.container.checkIntervalMs', 1),
      maxPerMinute: take.atLeast('znode.container.maxPerMinute', 1),
      maxNeverUsedMs: take.atLeast('znode.container.maxNeverUsedIntervalMs', 0),
    },
    digestAuth: {
      enabled: take.flag('DigestAuthenticationProvider.enabled'),
      algorithm: digestAlgorithm(take),
      superDigest: secretOf(superDigest(take, 'DigestAuthenticationProvider.superDigest')),
      digest256: take.flag('digest256.enabled')
        ? { superDigest: secretOf(superDigest(take, 'digest256.superDigest')) }
        : undefined,
      requireTls: take.flag('digest.requireTls'),
    },
    auth: authConfig(take, named, beside.jaas, tls !== undefined, notes),
    fourLetterWords: words(take.text('4lw.commands.whitelist') ?? '', readOnlyModeEnabled),
    admin: adminConfig(take, notes),
    metrics: {
      exporter: exporter(take, notes),
      address: take.host('metricsProvider.httpHost') ?? '0.0.0.0',
      port: take.int('metricsProvider.httpPort'),
      process: take.flag('metricsProvider.exportJvmInfo'),
      totals: take.flag('metricsProvider.counterTotals'),
    },
    pauses: {
      monitor: take.flag('jvm.pause.monitor'),
      sleepMs: take.atLeast('jvm.pause.sleep.time.ms', 1),
      infoMs: take.atLeast('jvm.pause.info-threshold.ms', 0),
      warnMs: take.atLeast('jvm.pause.warn-threshold.ms', 0),
    },
    audit: auditConfig(take, notes),
    reportedVersion: take.text('reportedVersion'),
    notes,
    inForce: inForce(given, [...named, ...form.lines]),
  };
}

/** Parts settings into those we know (the last of each wins), lines about members and logins by name; what is left becomes notes. */
function sort(
  settings: readonly Setting[],
  notes: string[],
): { given: Map<Key, Setting>; lines: Setting[]; named: Setting[] } {
  const given = new Map<Key, Setting>();
  const lines = new Map<string, Setting>();
  const named = new Map<string, Setting>();
  const idle = new Map<string, Origin>();
  const unknown = new Map<string, Origin>();
  const misspelt = new Map<string, string>();
  for (const setting of settings) {
    const key = listedKey(plainKey(setting.key));
    if (isKey(key)) given.set(key, { ...setting, key });
    else if (isMemberKey(key)) lines.set(key, { ...setting, key });
    else if (isAuthKey(key)) named.set(key, { ...setting, key });
    else {
      const meant = meantKey(key);
      if (meant === undefined) {
        idle.delete(key); // the last of one key counts
        if (!isIdle(key)) unknown.set(key, setting.from);
        else if (!isDoneAnyway(key, setting.value)) idle.set(key, setting.from);
      } else misspelt.set(key, `unknown setting ${key} (${showOrigin(setting.from)}), ignored: did you mean ${meant}?`);
    }
  }
  const list = (keys: Map<string, Origin>): string =>
    [...keys].map(([key, from]) => `${key} (${showOrigin(from)})`).join(', ');
  notes.push(...misspelt.values());
  if (unknown.size > 0) notes.push(`unknown settings, ignored: ${list(unknown)}`);
  if (idle.size > 0) notes.push(`settings accepted without effect here: ${list(idle)}`);
  return { given, lines: [...lines.values()], named: [...named.values()] };
}

/** A place for clients: a port of 0 is any; without a host it is every address. */
interface Place {
  readonly port: number | undefined;
  readonly host: string | undefined;
}

/** Where clients are served, and where by TLS alone: as the keys say, as the server line says, or nowhere; both must agree. */
function clientPlaces(take: Reader, line: ServerLine | undefined): { client: Place; secure: Place } {
  const secure = agreed(take, 'secureClientPort', 2281, line?.secureClient, line);
  const client = agreed(take, 'clientPort', 2181, line?.client, line, isPlainUnset(take, secure));
  const { port, host } = secure;
  const meets = host === undefined || client.host === undefined || isAnyHost(host) || host === client.host;
  if (port !== undefined && port !== 0 && port === client.port && meets)
    throw take.error(
      'secureClientPort',
      `secureClientPort and clientPort are both ${port}`,
      'give them different ports, or remove secureClientPort and set client.portUnification=true: then one port takes both',
    );
  return { client, secure };
}

/**
 * Beside a port for TLS, `clientPort=0` is how a zoo.cfg of ZooKeeper closes the plain one: nobody who wrote it gets a plain
 * door at a port of chance. Two ports of 0, and `--port 0`, which comes with an address, ask for any that are free.
 */
function isPlainUnset(take: Reader, secure: Place): boolean {
  const from = take.origin('clientPort');
  if (from === undefined || take.port('clientPort') !== 0 || (secure.port ?? 0) === 0) return false;
  return 'file' in from || take.host('clientPortAddress') === undefined;
}

/** What the settings `key` and `keyAddress` and this server's own line say together. */
function agreed(
  take: Reader,
  key: 'clientPort' | 'secureClientPort',
  usual: number,
  own: Address | undefined,
  line: ServerLine | undefined,
  isUnset = false,
): Place {
  const port = isUnset ? undefined : take.port(key);
  const host = take.host(`${key}Address`);
  if (port === undefined && host !== undefined)
    throw take.error(`${key}Address`, `${key}Address without ${key}`, `set ${key}, ${usual} is usual`);
  // as in Java, every address of the machine is those of IPv6, too
  if (own === undefined) return { port, host: host === undefined || isAnyHost(host) ? undefined : host };
  // the server line may be narrower than every address
  if (port !== undefined && (port !== own.port || (host !== undefined && !isAnyHost(host) && host !== own.host))) {
    const how = key === 'clientPort' ? 'clients are' : 'clients by TLS are';
    throw take.error(
      key,
      `${how} served on ${host ?? '0.0.0.0'}:${port} here and on ${own.host}:${own.port} in ${line?.from.key}`,
      'make both the same, or remove one',
    );
  }
  return { port: own.port, host: isAnyHost(own.host) ? undefined : own.host };
}

function digestAlgorithm(take: Reader): DigestAlgorithm {
  const name = take.text('DigestAuthenticationProvider.digestAlg') ?? 'SHA1';
  const found = ALGORITHMS[name.toUpperCase()];
  if (found !== undefined) return found;
  throw take.error(
    'DigestAuthenticationProvider.digestAlg',
    `no digest algorithm ${name}`,
    `use one of ${Object.keys(ALGORITHMS).join(', ')}`,
  );
}

function superDigest(
  take: Reader,
  key: 'DigestAuthenticationProvider.superDigest' | 'digest256.superDigest',
): string | undefined {
  const value = take.text(key);
  if (value === undefined || /^[^:]+:[A-Za-z0-9+/]+=*$/.test(value)) return value;
  throw take.error(key, 'superDigest is not USER:BASE64', 'make it with the digest of user:password, in Base64');
}

/** By TLS nothing is served here; where only that was asked for, to clients with certificates, no door is open instead. */
function isPlainWanted(take: Reader, notes: string[]): boolean {
  const key = 'metricsProvider.httpsPort';
  if (take.port(key) === undefined) return true;
  const isBoth = take.origin('metricsProvider.httpPort') !== undefined;
  const how = isBoth
    ? ''
    : ' and none without it is asked for: there are none. metricsProvider.httpPort=7000 serves them plain';
  notes.push(`${key}: metrics are not served by TLS here${how}`);
  return isBoth;
}

function exporter(take: Reader, notes: string[]): boolean {
  const name = take.text('metricsProvider.className');
  const short = name?.slice(name.lastIndexOf('.') + 1) ?? '';
  if (name === undefined || NO_EXPORTER.test(short)) return false;
  if (short === EXPORTER) return isPlainWanted(take, notes);
  throw take.error(
    'metricsProvider.className',
    `no metrics provider ${name}`,
    `org.apache.zookeeper.metrics.prometheus.${EXPORTER} turns the exporter on`,
  );
}

/** The words of a whitelist. srvr is always answered, isro wherever read-only mode may be. */
function words(list: string, readOnlyMode: boolean): ReadonlySet<string> | 'all' {
  const all = list.split(',').map((word) => word.trim());
  if (all.includes('*')) return 'all';
  return new Set([...all.filter((word) => word !== ''), 'srvr', ...(readOnlyMode ? ['isro'] : [])]);
}

function inForce(given: ReadonlyMap<Key, Setting>, lines: readonly Setting[]): InForce[] {
  const rows: InForce[] = [];
  for (const key of Object.keys(KEYS) as Key[]) {
    const row: Row = KEYS[key];
    const setting = given.get(key);
    const value = setting?.value ?? row.fallback;
    if (value !== undefined) rows.push({ key, value: row.secret === true ? HIDDEN : value, from: setting?.from });
  }
  for (const { key, value, from } of lines) rows.push({ key, value, from });
  return rows;
}
