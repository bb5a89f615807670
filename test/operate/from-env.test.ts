/** Environments of the three images, and the zoo.cfg that each must give. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnvError, fromEnvironment, type Image, imageOf } from '../../src/operate/from-env.ts';
import { withFiles } from '../../src/operate/from-env-bitnami.ts';
import type { Env } from '../../src/operate/settings.ts';
import { checkConfig, parseProperties } from '../../src/server/config.ts';

interface Row {
  readonly name: string;
  readonly image: Image;
  readonly env: Env;
  readonly config: readonly string[];
  readonly myid: string | undefined;
  readonly flags?: readonly string[];
}

const DOCKER = [
  'dataDir=/data',
  'dataLogDir=/datalog',
  'tickTime=2000',
  'initLimit=5',
  'syncLimit=2',
  'autopurge.snapRetainCount=3',
  'autopurge.purgeInterval=0',
  'maxClientCnxns=60',
  'standaloneEnabled=true',
  'admin.enableServer=true',
];
const BITNAMI = (
  changes: Readonly<Record<string, string | undefined>> = {},
  more: readonly string[] = [],
): string[] => [
  ...Object.entries({
    tickTime: '2000',
    initLimit: '10',
    syncLimit: '5',
    dataDir: '/bitnami/zookeeper/data',
    clientPort: '2181',
    preAllocSize: '65536',
    snapCount: '100000',
    dataLogDir: undefined,
    maxCnxns: '0',
    maxClientCnxns: '60',
    reconfigEnabled: 'false',
    quorumListenOnAllIPs: 'false',
    'autopurge.purgeInterval': '0',
    'autopurge.snapRetainCount': '3',
    '4lw.commands.whitelist': 'srvr, mntr',
    maxSessionTimeout: '40000',
    'admin.serverAddress': '127.0.0.1',
    'admin.serverPort': '8080',
    'admin.enableServer': 'false',
    ...changes,
  }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])),
  ...more,
];
const HEAP = ['-Xmx1024m -Xms1024m', '-Dzookeeper.electionPortBindRetry=0'];
const CONFLUENT = ['dataDir=/var/lib/zookeeper/data', 'dataLogDir=/var/lib/zookeeper/log'];

const ROWS: readonly Row[] = [
  {
    name: 'Docker Hub, nothing said: a server alone on 2181',
    image: 'docker',
    env: { PATH: '/bin' },
    config: [...DOCKER, 'server.1=localhost:2888:3888;2181'],
    myid: '1',
  },
  {
    name: 'Docker Hub, an ensemble',
    image: 'docker',
    env: {
      ZOO_MY_ID: '2',
      ZOO_SERVERS: 'server.1=zoo1:2888:3888;2181 server.2=0.0.0.0:2888:3888;2181 server.3=zoo3:2888:3888;2181',
      ZOO_4LW_COMMANDS_WHITELIST: 'srvr, mntr, ruok',
      ZOO_CFG_EXTRA: 'peer.secretFile=/run/secrets/peer metricsProvider.httpPort=7070',
    },
    config: [
      ...DOCKER,
      'server.1=zoo1:2888:3888;2181',
      'server.2=0.0.0.0:2888:3888;2181',
      'server.3=zoo3:2888:3888;2181',
      '4lw.commands.whitelist=srvr, mntr, ruok',
      'peer.secretFile=/run/secrets/peer',
      'metricsProvider.httpPort=7070',
    ],
    myid: '2',
  },
  {
    name: 'Docker Hub, every variable',
    image: 'docker',
    env: {
      ZOO_CONF_DIR: '/c',
      ZOO_DATA_DIR: '/d',
      ZOO_DATA_LOG_DIR: '/l',
      ZOO_TICK_TIME: '1000',
      ZOO_INIT_LIMIT: '7',
      ZOO_SYNC_LIMIT: '3',
      ZOO_AUTOPURGE_SNAPRETAINCOUNT: '9',
      ZOO_AUTOPURGE_PURGEINTERVAL: '1',
      ZOO_MAX_CLIENT_CNXNS: '0',
      ZOO_STANDALONE_ENABLED: 'false',
      ZOO_ADMINSERVER_ENABLED: 'false',
      ZOO_SERVERS: '',
      ZOO_MY_ID: '',
    },
    config: [
      'dataDir=/d',
      'dataLogDir=/l',
      'tickTime=1000',
      'initLimit=7',
      'syncLimit=3',
      'autopurge.snapRetainCount=9',
      'autopurge.purgeInterval=1',
      'maxClientCnxns=0',
      'standaloneEnabled=false',
      'admin.enableServer=false',
      'server.1=localhost:2888:3888;2181',
    ],
    myid: '1',
  },
  {
    name: 'Bitnami, without logins',
    image: 'bitnami',
    env: { ALLOW_EMPTY_PASSWORD: 'yes' },
    config: BITNAMI(),
    myid: '1',
    flags: HEAP,
  },
  {
    name: 'Bitnami, the older name of the same',
    image: 'bitnami',
    env: { ALLOW_ANONYMOUS_LOGIN: 'yes', ZOO_HEAP_SIZE: '512', JVMFLAGS: '-Da=b' },
    config: BITNAMI(),
    myid: '1',
    flags: ['-Xmx512m -Xms512m', '-Dzookeeper.electionPortBindRetry=0'],
  },
  {
    name: 'Bitnami, an ensemble',
    image: 'bitnami',
    env: {
      ALLOW_EMPTY_PASSWORD: 'yes',
      ZOO_SERVER_ID: '3',
      ZOO_SERVERS: 'zk1:2888:3888,zk2:2888:3888,0.0.0.0:2888:3888:observer',
      ZOO_PORT_NUMBER: '2182',
      ZOO_DATA_LOG_DIR: '/l',
      ZOO_LISTEN_ALLIPS_ENABLED: 'yes',
      ZOO_PEER_TYPE: 'observer',
      JVMFLAGS: '-Xms1g -Xmx2g',
    },
    config: BITNAMI({ clientPort: '2182', dataLogDir: '/l', quorumListenOnAllIPs: 'true' }, [
      'server.1=zk1:2888:3888;2182',
      'server.2=zk2:2888:3888;2182',
      'server.3=0.0.0.0:2888:3888:observer;2182',
      'peerType=observer',
    ]),
    myid: '3',
    flags: ['-Dzookeeper.electionPortBindRetry=0'],
  },
  {
    name: 'Bitnami, ids with jumps, metrics, settings by their names',
    image: 'bitnami',
    env: {
      ALLOW_EMPTY_PASSWORD: 'true',
      ZOO_SERVERS: 'a:2888:3888::5 b:2888:3888:participant::9',
      ZOO_ENABLE_PROMETHEUS_METRICS: 'yes',
      ZOO_ENABLE_ADMIN_SERVER: 'yes',
      ZOO_RECONFIG_ENABLED: '1',
      ZOO_CFG_peer_secretFile: '/run/secrets/peer',
      ZOO_LOG_LEVEL: 'DEBUG',
    },
    config: BITNAMI({ 'admin.enableServer': 'true', reconfigEnabled: 'true' }, [
      'server.5=a:2888:3888;2181',
      'server.9=b:2888:3888:participant;2181',
      'peer.secretFile=/run/secrets/peer',
      'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
      'metricsProvider.httpPort=7000',
      'metricsProvider.exportJvmInfo=true',
    ]),
    myid: '1',
    flags: [...HEAP, '-Dzookeeper.console.threshold=DEBUG'],
  },
  {
    name: 'Bitnami, TLS to clients and between members',
    image: 'bitnami',
    env: {
      ALLOW_EMPTY_PASSWORD: 'yes',
      ZOO_TLS_CLIENT_ENABLE: 'true',
      ZOO_TLS_CLIENT_KEYSTORE_FILE: '/k.pem',
      ZOO_TLS_CLIENT_KEYSTORE_PASSWORD: 'pw',
      ZOO_TLS_CLIENT_TRUSTSTORE_FILE: '/t.pem',
      ZOO_TLS_CLIENT_TRUSTSTORE_TYPE: 'PEM',
      ZOO_TLS_QUORUM_ENABLE: 'yes',
      ZOO_TLS_QUORUM_KEYSTORE_FILE: '/qk.pem',
      ZOO_TLS_QUORUM_TRUSTSTORE_FILE: '/qt.pem',
      ZOO_TLS_QUORUM_CLIENT_AUTH: 'need',
    },
    config: BITNAMI({ clientPort: undefined }, [
      'client.secure=true',
      'ssl.clientAuth=need',
      'secureClientPort=3181',
      'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
      'ssl.keyStore.password=pw',
      'ssl.keyStore.location=/k.pem',
      'ssl.trustStore.location=/t.pem',
      'ssl.trustStore.type=PEM',
      'sslQuorum=true',
      'ssl.quorum.clientAuth=need',
      'ssl.quorum.keyStore.location=/qk.pem',
      'ssl.quorum.trustStore.location=/qt.pem',
    ]),
    myid: '1',
    flags: HEAP,
  },
  {
    name: 'Bitnami, logins of clients and members',
    image: 'bitnami',
    env: {
      ZOO_ENABLE_AUTH: 'yes',
      ZOO_CLIENT_USER: 'c',
      ZOO_CLIENT_PASSWORD: 'p"1',
      ZOO_SERVER_USERS: 'u1,u2',
      ZOO_SERVER_PASSWORDS: 'p1;p2',
      ZOO_ENABLE_QUORUM_AUTH: 'yes',
      ZOO_QUORUM_LEARNER_USER: 'l',
      ZOO_QUORUM_LEARNER_PASSWORD: 'lp',
      ZOO_QUORUM_SERVER_USERS: 'l',
      ZOO_QUORUM_SERVER_PASSWORDS: 'lp',
    },
    config: BITNAMI({}, [
      'authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
      'sessionRequireClientSASLAuth=true',
      'enforce.auth.enabled=true',
      'enforce.auth.schemes=sasl',
      'quorum.auth.enableSasl=true',
      'quorum.auth.learnerRequireSasl=true',
      'quorum.auth.serverRequireSasl=true',
      'quorum.auth.learner.saslLoginContext=QuorumLearner',
      'quorum.auth.server.saslLoginContext=QuorumServer',
    ]),
    myid: '1',
    flags: [...HEAP, '-Djava.security.auth.login.config=/opt/bitnami/zookeeper/conf/zoo_jaas.conf'],
  },
  {
    name: 'Confluent, a server alone',
    image: 'confluent',
    env: { ZOOKEEPER_CLIENT_PORT: '2181', ZOOKEEPER_TICK_TIME: '2000', KAFKA_HEAP_OPTS: '-Xmx256M' },
    config: [...CONFLUENT, 'clientPort=2181', 'tickTime=2000'],
    myid: undefined,
    flags: ['-Xmx256M'],
  },
  {
    name: 'Confluent, an ensemble with groups',
    image: 'confluent',
    env: {
      ZOOKEEPER_CLIENT_PORT: '2181',
      ZOOKEEPER_SERVER_ID: '1',
      ZOOKEEPER_SERVERS: 'a:2888:3888;b:2888:3888;c:2888:3888',
      ZOOKEEPER_GROUPS: '1:2:3',
      ZOOKEEPER_WEIGHTS: '1;1;2',
      ZOOKEEPER_SYNC_LIMIT: '4',
      ZOOKEEPER_PEER_INSECURE: 'true',
      ZOOKEEPER_AUTOPURGE_SNAP_RETAIN_COUNT: '5',
      ZOOKEEPER_4LW_COMMANDS_WHITELIST: 'ruok', // the image does not know it
    },
    config: [
      ...CONFLUENT,
      'clientPort=2181',
      'autopurge.snapRetainCount=5',
      'initLimit=10',
      'syncLimit=4',
      'peer.insecure=true',
      'server.1=a:2888:3888',
      'server.2=b:2888:3888',
      'server.3=c:2888:3888',
      'group.1=1:2:3',
      'weight.1=1',
      'weight.2=1',
      'weight.3=2',
    ],
    myid: '1',
  },
  {
    name: 'Confluent, ids before a bar, TLS between members',
    image: 'confluent',
    env: {
      ZOOKEEPER_SECURE_CLIENT_PORT: '2182',
      ZOOKEEPER_SERVER_ID: '7',
      ZOOKEEPER_SERVERS: '7|a:2888:3888;9|b:2888:3888',
      ZOOKEEPER_SSL_QUORUM: 'true',
      ZOOKEEPER_SSL_QUORUM_KEYSTORE_LOCATION: '/k.pem',
      ZOOKEEPER_SSL_QUORUM_TRUSTSTORE_LOCATION: '/t.pem',
      ZOOKEEPER_SSL_CIPHER_SUITES: 'X',
    },
    config: [
      ...CONFLUENT,
      'initLimit=10',
      'syncLimit=5',
      'secureClientPort=2182',
      'ssl.ciphersuites=X',
      'sslQuorum=true',
      'ssl.quorum.keyStore.location=/k.pem',
      'ssl.quorum.trustStore.location=/t.pem',
      'server.7=a:2888:3888',
      'server.9=b:2888:3888',
    ],
    myid: '7',
  },
];

for (const { name, image, env, config, myid, flags = [] } of ROWS)
  test(name, () => {
    assert.equal(imageOf(env), image);
    const made = fromEnvironment(env);
    assert.deepEqual(made.config, config);
    assert.equal(made.myid, myid);
    assert.deepEqual(made.flags, flags);
  });

test('what an image asks for without TLS and logins is a configuration that starts', () => {
  const id = (myid: string | undefined) => ({
    myid: myid === undefined ? undefined : { text: myid, from: { option: 'test' } },
  });
  let checked = 0;
  for (const { env, name } of ROWS.filter((row) => !/TLS|logins of|every variable/.test(row.name))) {
    const { config, myid } = fromEnvironment(env);
    const lines = parseProperties(
      [...config, 'peer.insecure=true'].join('\n').replace('peer.secretFile', 'note.x'),
      name,
    );
    checkConfig(lines, id(myid === '1' && name.includes('jumps') ? '5' : myid));
    checked++;
  }
  assert.equal(checked, 8);
});

test('logins become a JAAS file, and a password is what it is', () => {
  const { jaas = '' } = fromEnvironment(ROWS.find(({ name }) => name.endsWith('clients and members'))?.env ?? {});
  assert.match(
    jaas,
    /^Client \{\n {4}org\.apache\.zookeeper\.server\.auth\.DigestLoginModule required\n {4}username="c"\n {4}password="p\\"1";\n\};$/m,
  );
  assert.match(jaas, /^Server \{\n.*\n {4}user_u1="p1"\n {4}user_u2="p2";\n\};$/m);
  assert.match(jaas, /^QuorumServer \{\n.*\n {4}user_l="lp";\n\};$/m);
});

test('myid goes where the data are, also when a setting by its name moved them', () => {
  const { dataDir, config } = fromEnvironment({ ALLOW_EMPTY_PASSWORD: 'yes', ZOO_CFG_dataDir: '/d' });
  assert.deepEqual([dataDir, config.includes('dataDir=/d')], ['/d', true]);
});

test('what the images refuse is refused with the name of the variable', () => {
  for (const [env, text] of [
    [{ ZOO_SERVER_ID: '1' }, /ZOO_ENABLE_AUTH=yes, or ALLOW_EMPTY_PASSWORD=yes/],
    [{ ZOO_ENABLE_AUTH: 'yes', ZOO_SERVER_USERS: 'a,b', ZOO_SERVER_PASSWORDS: 'x' }, /same length/],
    [{ ZOO_ENABLE_QUORUM_AUTH: 'yes', ZOO_ENABLE_AUTH: 'yes' }, /ZOO_QUORUM_LEARNER_USER/],
    [{ ALLOW_EMPTY_PASSWORD: 'yes', ZOO_SERVERS: 'a:2888,b:2888' }, /a:2888 is not host:port:port$/],
    [{ ALLOW_EMPTY_PASSWORD: 'yes', ZOO_SERVERS: 'a:1:2::1,b:1:2' }, /b:1:2 is not host:port:port::id/],
    [{ ZOOKEEPER_TICK_TIME: '2000' }, /ZOOKEEPER_CLIENT_PORT or/],
    [{ ZOOKEEPER_CLIENT_PORT: '1', ZOOKEEPER_SERVERS: 'a:1:2' }, /ZOOKEEPER_SERVER_ID/],
  ] as [Env, RegExp][])
    assert.throws(
      () => fromEnvironment(env),
      (error) => error instanceof EnvError && text.test(error.message),
      JSON.stringify(env),
    );
});

test('NAME_FILE gives NAME what the file holds; key stores are files themselves', () => {
  const files: Record<string, string> = { '/s': 'sesame\n' };
  const { env, failed } = withFiles(
    {
      ZOO_CLIENT_PASSWORD_FILE: '/s',
      ZOO_SERVER_PASSWORDS_FILE: '/none',
      ZOO_TLS_CLIENT_KEYSTORE_FILE: '/s',
      ZOO_LOG_FILE: '/s',
    },
    (path) => files[path],
  );
  assert.equal(env.ZOO_CLIENT_PASSWORD, 'sesame');
  assert.deepEqual(
    [env.ZOO_TLS_CLIENT_KEYSTORE, env.ZOO_LOG, env.ZOO_SERVER_PASSWORDS],
    [undefined, undefined, undefined],
  );
  assert.deepEqual(failed, ['ZOO_SERVER_PASSWORDS_FILE: /none cannot be read']);
  assert.equal(imageOf({ ZOO_CLIENT_PASSWORD_FILE: '/s' }), 'bitnami');
});
