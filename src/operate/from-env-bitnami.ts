import { EnvError, type FromEnv } from './from-env.ts';
import type { Env } from './settings.ts';

const DATA = '/bitnami/zookeeper/data';
const CONFIG = '/opt/bitnami/zookeeper/conf';

const isYes = (text: string): boolean => /^(?:1|yes|true)$/i.test(text);
const flag = (text: string): string => String(isYes(text));
const listOf = (text: string): string[] => text.split(/[;,\s]+/).filter((word) => word !== '');

/** The variables that end in `_FILE` and are no reference to a file with a value, but name one. */
const NAMES_A_FILE = /^ZOO_(?:LOG|CONF|PID|TLS_(?:CLIENT|QUORUM)_(?:KEYSTORE|TRUSTSTORE))_FILE$/;

/** `NAME_FILE` gives NAME the content of a file. `read` returns undefined for one that cannot be read. */
export function withFiles(env: Env, read: (path: string) => string | undefined): { env: Env; failed: string[] } {
  const out: Record<string, string | undefined> = { ...env };
  const failed: string[] = [];
  for (const [name, path = ''] of Object.entries(env)) {
    if (!/^(?:ZOO_\w+|JVMFLAGS|ALLOW_EMPTY_PASSWORD)_FILE$/.test(name) || NAMES_A_FILE.test(name) || path === '')
      continue;
    const text = read(path);
    if (text === undefined) failed.push(`${name}: ${path} cannot be read`);
    else out[name.slice(0, -'_FILE'.length)] = text.replace(/\n+$/, '');
  }
  return { env: out, failed };
}

/** Users and passwords side by side. @throws EnvError */
function pairs(env: Env, users: string, passwords: string): [string, string][] {
  const [names, secrets] = [listOf(env[users] ?? ''), listOf(env[passwords] ?? '')];
  if (names.length !== secrets.length) throw new EnvError(`${users} and ${passwords} must be lists of the same length`);
  return names.map((name, at) => [name, secrets[at] as string]);
}

/** The variables of Bitnami's image, those of `NAME_FILE` filled in. @throws EnvError for what the image refuses, too */
export function bitnami(env: Env): FromEnv {
  const value = (name: string, fallback = ''): string => env[`ZOO_${name}`] || fallback;
  const yes = (name: string): boolean => isYes(value(name));
  if (!yes('ENABLE_AUTH') && !isYes(env.ALLOW_EMPTY_PASSWORD ?? '') && !isYes(env.ALLOW_ANONYMOUS_LOGIN ?? ''))
    throw new EnvError(
      'nobody would have to log in: set ZOO_ENABLE_AUTH=yes, or ALLOW_EMPTY_PASSWORD=yes where that is meant',
    );
  const port = value('PORT_NUMBER', '2181');
  const config = new Map<string, string>();
  const put = (key: string, text: string): void => void config.set(key, text);
  put('tickTime', value('TICK_TIME', '2000'));
  put('initLimit', value('INIT_LIMIT', '10'));
  put('syncLimit', value('SYNC_LIMIT', '5'));
  put('dataDir', DATA);
  put('clientPort', port);
  put('preAllocSize', value('PRE_ALLOC_SIZE', '65536'));
  put('snapCount', value('SNAPCOUNT', '100000'));
  if (value('DATA_LOG_DIR') !== '') put('dataLogDir', value('DATA_LOG_DIR'));
  put('maxCnxns', value('MAX_CNXNS', '0'));
  put('maxClientCnxns', value('MAX_CLIENT_CNXNS', '60'));
  put('reconfigEnabled', flag(value('RECONFIG_ENABLED')));
  put('quorumListenOnAllIPs', flag(value('LISTEN_ALLIPS_ENABLED')));
  put('autopurge.purgeInterval', value('AUTOPURGE_INTERVAL', '0'));
  put('autopurge.snapRetainCount', value('AUTOPURGE_RETAIN_COUNT', '3'));
  put('4lw.commands.whitelist', value('4LW_COMMANDS_WHITELIST', 'srvr, mntr'));
  put('maxSessionTimeout', value('MAX_SESSION_TIMEOUT', '40000'));
  put('admin.serverAddress', value('ADMIN_SERVER_ADDRESS', '127.0.0.1'));
  put('admin.serverPort', value('ADMIN_SERVER_PORT_NUMBER', '8080'));
  put('admin.enableServer', flag(value('ENABLE_ADMIN_SERVER')));
  for (const [key, server] of servers(value('SERVERS'))) put(key, `${server};${port}`);
  tls(env, put, config);
  // what is asked for by its own name, dots as underscores
  for (const [name, text = ''] of Object.entries(env))
    if (/^ZOO_CFG_(?!EXTRA$)/.test(name)) put(name.slice('ZOO_CFG_'.length).replace(/_/g, '.'), text);
  if (yes('ENABLE_AUTH')) {
    put('authProvider.1', 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider');
    put('sessionRequireClientSASLAuth', 'true');
    put('enforce.auth.enabled', 'true'); // the image means to, and writes these two beside the file
    put('enforce.auth.schemes', 'sasl');
  }
  if (yes('ENABLE_QUORUM_AUTH')) {
    for (const key of ['enableSasl', 'learnerRequireSasl', 'serverRequireSasl']) put(`quorum.auth.${key}`, 'true');
    put('quorum.auth.learner.saslLoginContext', 'QuorumLearner');
    put('quorum.auth.server.saslLoginContext', 'QuorumServer');
  }
  if (yes('ENABLE_PROMETHEUS_METRICS')) {
    put('metricsProvider.className', 'org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider');
    put('metricsProvider.httpPort', value('PROMETHEUS_METRICS_PORT_NUMBER', '7000'));
    put('metricsProvider.exportJvmInfo', 'true');
  }
  if (value('PEER_TYPE') !== '') put('peerType', value('PEER_TYPE'));
  const logins = jaas(env, yes('ENABLE_AUTH'), yes('ENABLE_QUORUM_AUTH'));
  const heap = value('HEAP_SIZE', '1024');
  const flags = [
    ...(/-Xm[xs].*-Xm[xs]/.test(env.JVMFLAGS ?? '') ? [] : [`-Xmx${heap}m -Xms${heap}m`]),
    '-Dzookeeper.electionPortBindRetry=0',
    ...(logins === undefined ? [] : [`-Djava.security.auth.login.config=${CONFIG}/zoo_jaas.conf`]),
    ...(value('LOG_LEVEL') === '' ? [] : [`-Dzookeeper.console.threshold=${value('LOG_LEVEL')}`]),
  ];
  return {
    config: [...config].map(([key, text]) => `${key}=${text}`),
    configDir: CONFIG,
    configName: 'zoo.cfg',
    dataDir: config.get('dataDir') ?? DATA, // a setting by its name may have moved it
    myid: value('SERVER_ID', '1'),
    flags,
    jaas: logins,
    notes: [],
  };
}

/** Server lines: `host:port:port[:role]`, numbered, or with `::id` behind; a single one runs alone. @throws EnvError */
function servers(text: string): [string, string][] {
  const all = listOf(text);
  const haveIds = text.includes('::');
  const form = haveIds
    ? /^(\S+:\d+:\d+(?::observer|:participant)?)::(\d+)$/
    : /^(\S+:\d+:\d+(?::observer|:participant)?)$/;
  const lines = all.map((each, at): [string, string] => {
    const match = form.exec(each);
    if (match === null)
      throw new EnvError(`ZOO_SERVERS: ${each} is not ${haveIds ? 'host:port:port::id' : 'host:port:port'}`);
    return [`server.${match[2] ?? at + 1}`, match[1] as string];
  });
  return lines.length > 1 ? lines : [];
}

function tls(env: Env, put: (key: string, text: string) => void, config: Map<string, string>): void {
  const value = (name: string, fallback = ''): string => env[`ZOO_TLS_${name}`] || fallback;
  const stores = (side: 'CLIENT' | 'QUORUM', key: string): void => {
    for (const store of ['keyStore', 'trustStore']) {
      const name = `${side}_${store.toUpperCase()}`;
      if (value(`${name}_PASSWORD`) !== '') put(`${key}.${store}.password`, value(`${name}_PASSWORD`));
      put(`${key}.${store}.location`, value(`${name}_FILE`));
      if (value(`${name}_TYPE`) !== '') put(`${key}.${store}.type`, value(`${name}_TYPE`));
    }
  };
  if (isYes(value('CLIENT_ENABLE'))) {
    config.delete('clientPort');
    put('client.secure', 'true');
    put('ssl.clientAuth', value('CLIENT_AUTH', 'need'));
    put('secureClientPort', value('PORT_NUMBER', '3181'));
    put('serverCnxnFactory', 'org.apache.zookeeper.server.NettyServerCnxnFactory');
    stores('CLIENT', 'ssl');
  }
  if (isYes(value('QUORUM_ENABLE'))) {
    put('sslQuorum', 'true');
    put('ssl.quorum.clientAuth', value('QUORUM_CLIENT_AUTH', 'need'));
    put('serverCnxnFactory', 'org.apache.zookeeper.server.NettyServerCnxnFactory');
    stores('QUORUM', 'ssl.quorum');
  }
}

const MODULE = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
const escaped = (text: string): string => text.replace(/[\\"]/g, '\\$&');
const section = (name: string, pairsOf: readonly (readonly [string, string])[]): string =>
  `${name} {\n    ${MODULE}${pairsOf.map(([key, text]) => `\n    ${key}="${escaped(text)}"`).join('')};\n};\n`;

/** The file of logins. @throws EnvError */
function jaas(env: Env, clients: boolean, members: boolean): string | undefined {
  let text = '';
  if (clients) {
    const users = pairs(env, 'ZOO_SERVER_USERS', 'ZOO_SERVER_PASSWORDS');
    text += section('Client', [
      ['username', env.ZOO_CLIENT_USER ?? ''],
      ['password', env.ZOO_CLIENT_PASSWORD ?? ''],
    ]);
    text += section(
      'Server',
      users.map(([user, password]) => [`user_${user}`, password] as const),
    );
  }
  if (members) {
    const [user = '', password = ''] = [env.ZOO_QUORUM_LEARNER_USER, env.ZOO_QUORUM_LEARNER_PASSWORD];
    if (user === '' || password === '')
      throw new EnvError('ZOO_ENABLE_QUORUM_AUTH=yes needs ZOO_QUORUM_LEARNER_USER and ZOO_QUORUM_LEARNER_PASSWORD');
    const users = pairs(env, 'ZOO_QUORUM_SERVER_USERS', 'ZOO_QUORUM_SERVER_PASSWORDS');
    if (users.length === 0)
      throw new EnvError('ZOO_ENABLE_QUORUM_AUTH=yes needs ZOO_QUORUM_SERVER_USERS and ZOO_QUORUM_SERVER_PASSWORDS');
    text += section('QuorumLearner', [
      ['username', user],
      ['password', password],
    ]);
    text += section(
      'QuorumServer',
      users.map(([name, secret]) => [`user_${name}`, secret] as const),
    );
  }
  return text === '' ? undefined : text;
}
