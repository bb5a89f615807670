import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  ConfigError,
  checkConfig,
  parseAssignment,
  parseJvmFlags,
  parseProperties,
  type ServerConfig,
} from '../../src/server/config.ts';
import { KEYS, type Row } from '../../src/server/config-keys.ts';

const of = (text: string, ...sets: string[]): ServerConfig =>
  checkConfig([...parseProperties(text, 'zoo.cfg'), ...sets.map((each) => parseAssignment(each, '--set'))]);
const BASE = 'dataDir=/data\nclientPort=2181\n';
const refused = (text: string, ...sets: string[]): ConfigError => {
  try {
    of(text, ...sets);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.exitCode, 43);
    assert.ok(error.remedy.length > 10, error.message);
    return error;
  }
  throw new assert.AssertionError({ message: `accepted: ${text}` });
};

test('properties syntax as Java reads it', () => {
  const pairs = (text: string) => parseProperties(text, 'f').map(({ key, value }) => [key, value]);
  const cases: [string, [string, string][]][] = [
    ['a=1', [['a', '1']]],
    ['a:1', [['a', '1']]],
    ['a 1', [['a', '1']]],
    ['  a \t= 1  ', [['a', '1']]],
    ['a', [['a', '']]],
    ['a==b', [['a', '=b']]],
    ['# a=1\n! b=2\n\nc=3', [['c', '3']]],
    ['a=1 # not a comment', [['a', '1 # not a comment']]],
    ['a=1,\\\n   2', [['a', '1,2']]],
    [
      'a=x\\\\\nb=2',
      [
        ['a', 'x\\'],
        ['b', '2'],
      ],
    ], // an even number of backslashes joins nothing
    ['a=1\\', [['a', '1']]],
    ['a=C:\\\\data', [['a', 'C:\\data']]],
    ['a\\=b=\\u0041\\t.', [['a=b', 'A\t.']]],
    [
      'a=1\r\nb=2\rc=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ],
    ['# comment \\\na=1', [['a', '1']]],
    ['\uFEFFa=1', [['a', '1']]],
  ];
  for (const [text, want] of cases) assert.deepEqual(pairs(text), want, JSON.stringify(text));
  assert.throws(() => parseProperties('ok=1\na=\\u00g1', 'f'), /f:2: .*hexadecimal/);
  assert.deepEqual(parseProperties('a=1\\\n2\nb=3', 'f')[1]?.from, { file: 'f', line: 3 });
});

test('defaults are the documented ones, in milliseconds and bytes', () => {
  const { notes, inForce, ...config } = of(BASE);
  assert.deepEqual(notes, []);
  assert.deepEqual(config, {
    serverId: 0,
    ensemble: undefined,
    tickTimeMs: 3000,
    dataDir: '/data',
    dataLogDir: '/data',
    dataDirMustExist: false,
    clientPort: 2181,
    clientPortAddress: undefined,
    secureClientPort: undefined,
    secureClientPortAddress: undefined,
    clientTls: undefined,
    listenBacklog: undefined,
    maxClientCnxns: 60,
    maxCnxns: 0,
    minSessionTimeoutMs: 6000,
    maxSessionTimeoutMs: 60_000,
    maxBufferBytes: 1_048_575,
    globalOutstandingLimit: 1000,
    clientTcpKeepAlive: false,
    largeRequests: undefined,
    requestThrottle: undefined,
    throttledOpWaitMs: undefined,
    connectionThrottle: undefined,
    snapCount: 100_000,
    snapSizeLimitBytes: 4 * 1024 ** 3,
    txnLogSizeLimitBytes: undefined,
    preAllocBytes: 64 * 1024 ** 2,
    forceSync: true,
    fsyncWarningMs: 1000,
    flushDelayMs: 0,
    flushIdleMs: 0,
    maxBatchSize: 1000,
    snapRetainCount: 3,
    purgeIntervalMs: 0,
    scrubIntervalMs: 86_400_000,
    enforceQuota: false,
    extendedTypesEnabled: false,
    reconfigEnabled: false,
    readOnlyModeEnabled: false,
    localSessions: undefined,
    containers: { checkIntervalMs: 60_000, maxPerMinute: 10_000, maxNeverUsedMs: 300_000 },
    digestAuth: {
      enabled: true,
      algorithm: 'sha1',
      superDigest: undefined,
      digest256: undefined,
      requireTls: false,
    },
    auth: { providers: new Set(['ip', 'digest']), sasl: undefined, enforced: undefined, x509SuperUser: undefined },
    fourLetterWords: new Set(['srvr']),
    admin: {
      enabled: false,
      address: '0.0.0.0',
      port: 8080,
      commandUrl: '/commands',
      idleTimeoutMs: 30_000,
      tls: undefined,
      snapshotEnabled: true,
      rateLimitMs: 300_000,
    },
    metrics: { exporter: false, address: '0.0.0.0', port: 7000, process: true, totals: false },
    pauses: { monitor: false, sleepMs: 500, infoMs: 1000, warnMs: 10_000 },
    audit: { enabled: false, file: undefined, maxBytes: 50 * 1024 * 1024, maxFiles: 10, json: false },
    reportedVersion: undefined,
  });
  assert.deepEqual(
    inForce.find((row) => row.key === 'clientPort'),
    {
      key: 'clientPort',
      value: '2181',
      from: { file: 'zoo.cfg', line: 2 },
    },
  );
  assert.equal(inForce.find((row) => row.key === 'tickTime')?.from, undefined);
});

test('a setting goes by its file key, its property with or without prefix, and --set; the later wins', () => {
  assert.equal(of(`${BASE}snapCount=10\nzookeeper.snapCount=20`).snapCount, 20);
  assert.equal(of(`${BASE}zookeeper.snapCount=20\nsnapCount=10`).snapCount, 10);
  assert.equal(of(`${BASE}snapCount=10`, 'zookeeper.snapCount=30').snapCount, 30);
  assert.equal(of(`${BASE}jute.maxbuffer=0x400000`).maxBufferBytes, 4 * 1024 ** 2);
  assert.equal(of(`${BASE}zookeeper.fsync.warningthresholdms=5`).fsyncWarningMs, 5);
  assert.equal(of(`${BASE}readonlymode.enabled=true`).readOnlyModeEnabled, true);
  assert.equal(of(`${BASE}znode.container.checkIntervalMs=300`).containers.checkIntervalMs, 300);
  const flags = parseJvmFlags('-Xmx1g -Dzookeeper.snapCount=7 -Djute.maxbuffer="4096" -Dflag', 'JVMFLAGS');
  assert.deepEqual(
    flags.map(({ key, value }) => [key, value]),
    [
      ['zookeeper.snapCount', '7'],
      ['jute.maxbuffer', '4096'],
      ['flag', ''],
    ],
  );
  const config = checkConfig([...flags, ...parseProperties(BASE, 'zoo.cfg')]);
  assert.equal(config.maxBufferBytes, 4096);
  assert.deepEqual(config.inForce.find((row) => row.key === 'snapCount')?.from, { option: 'JVMFLAGS' });
});

test('values of every kind', () => {
  const c = of(
    `${BASE}tickTime=500\nminSessionTimeout=700\nmaxSessionTimeout=9000\ndataLogDir=/log\nclientPortAddress=127.0.0.1\n` +
      'maxClientCnxns=0\nforceSync=no\nautopurge.purgeInterval=90m\nautopurge.snapRetainCount=5\ntxnLogSizeLimitInKb=8\n' +
      'snapSizeLimitInKb=0\nenforceQuota=TRUE\nextendedTypesEnabled=true\nreconfigEnabled=True\n' +
      'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=\n' +
      'DigestAuthenticationProvider.digestAlg=SHA-256\n4lw.commands.whitelist=stat, ruok\n' +
      'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider\nmetricsProvider.httpPort=7777',
  );
  assert.equal(c.minSessionTimeoutMs, 700);
  assert.equal(c.maxSessionTimeoutMs, 9000);
  assert.equal(c.dataLogDir, '/log');
  assert.equal(c.clientPortAddress, '127.0.0.1');
  assert.equal(c.maxClientCnxns, 0);
  assert.equal(c.forceSync, false);
  assert.equal(of(`${BASE}forceSync=true`).forceSync, true); // only `no` switches it off
  assert.equal(c.purgeIntervalMs, 90 * 60_000);
  assert.equal(of(`${BASE}autopurge.purgeInterval=2`).purgeIntervalMs, 2 * 3_600_000);
  // below 0 is off, as in ZooKeeper, where people write -1
  for (const never of ['0', '-1', '-24h']) {
    assert.equal(of(`${BASE}autopurge.purgeInterval=${never}`).purgeIntervalMs, 0, never);
    if (never === '0') assert.equal(of(`${BASE}scrub.interval=${never}`).scrubIntervalMs, 0);
    else assert.throws(() => of(`${BASE}scrub.interval=${never}`), /scrub\.interval=-.* is no interval/);
  }
  assert.equal(c.txnLogSizeLimitBytes, 8192);
  assert.equal(c.snapSizeLimitBytes, undefined);
  assert.ok(c.enforceQuota && c.extendedTypesEnabled && c.reconfigEnabled);
  assert.equal(c.digestAuth.algorithm, 'sha256');
  assert.equal(c.digestAuth.superDigest?.reveal(), 'super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=');
  assert.deepEqual(c.fourLetterWords, new Set(['stat', 'ruok', 'srvr']));
  assert.equal(of(`${BASE}4lw.commands.whitelist=*`).fourLetterWords, 'all');
  assert.deepEqual(of(`${BASE}readonlymode.enabled=true`).fourLetterWords, new Set(['srvr', 'isro']));
  assert.deepEqual(c.metrics, { exporter: true, address: '0.0.0.0', port: 7777, process: true, totals: false });
  assert.ok(!JSON.stringify(c.inForce).includes('sz3K6'), 'a listing hides the super digest');
});

test('what is unknown, idle or corrected is noted once and never fatal', () => {
  const notes = of(
    `${BASE}noSuchKey=1\nother.key=2\nnoSuchKey=3\nserverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n` +
      'nio.numWorkerThreads=2\nautopurge.snapRetainCount=1\nenforceQuota=yes\nsnapCount=0',
  ).notes;
  assert.equal(notes.filter((note) => note.includes('noSuchKey')).length, 1);
  assert.ok(
    notes.some((note) => /unknown.*noSuchKey \(zoo\.cfg:5\), other\.key \(zoo\.cfg:4\)/.test(note)),
    notes.join('\n'),
  );
  assert.ok(notes.some((note) => /without effect.*nio\.numWorkerThreads/.test(note)));
  // in every how-to about TLS: nothing is to be said of it
  assert.ok(!notes.some((note) => note.includes('serverCnxnFactory')));
  assert.ok(notes.some((note) => /snapRetainCount=1 is raised to 3/.test(note)));
  assert.ok(notes.some((note) => /enforceQuota=yes counts as false/.test(note)));
  assert.ok(notes.some((note) => /snapCount=0 is raised to 2/.test(note)));
  assert.deepEqual(of(`${BASE}flushDelay=5\ntxnLogSizeLimitInKb=9`).notes, []);
  const paces = ['', '\nmaxWriteQueuePollTime=4', '\nmaxWriteQueuePollTime=0'].map((more) =>
    of(`${BASE}flushDelay=9${more}`),
  );
  assert.deepEqual(
    paces.map(({ flushDelayMs, flushIdleMs, maxBatchSize }) => [flushDelayMs, flushIdleMs, maxBatchSize]),
    [
      [9, 3, 1000],
      [9, 4, 1000],
      [9, 0, 1000],
    ],
  );
  assert.ok(of('dataDir=data\nclientPort=1').notes.some((note) => note.includes('./data')));
  assert.deepEqual(of('dataDir=./data\nclientPort=1').notes, []);
  assert.ok(of('dataDir=/d').notes.some((note) => note.includes('no client can connect')));
});

test('nothing is said of a value that is what is done anyway', () => {
  const member = 'initLimit=5\nsyncLimit=2\nserver.1=127.0.0.1:1:2\nserver.2=127.0.0.1:3:4\nserver.3=127.0.0.1:5:6\n';
  const myid = { text: '1', from: { option: 'myid' } };
  const said = (line: string): readonly string[] => [
    ...of(`${BASE}${line}`).notes,
    ...checkConfig(parseProperties(`${BASE}${member}${line}`, 'zoo.cfg'), { myid }).notes,
  ];
  // every default said aloud
  for (const [key, row] of Object.entries(KEYS) as [string, Row][])
    if (row.fallback !== undefined) assert.deepEqual(said(`${key}=${row.fallback}`), [], key);
  const anyway = [
    ...['syncEnabled=true', 'observer.syncEnabled=TRUE', 'zookeeper.observer.syncEnabled=true', 'observerMasterPort=0'],
    ...['tcpKeepAlive=true', 'enableEagerACLCheck=false', 'digest.enabled=false', 'maxResponseCacheSize=0'],
    ...['quorum.auth.enableSasl=false', 'admin.restore.enabled=false'],
    ...['serializeLastProcessedZxid.enabled=true', 'leader.nodelay=true', 'ssl.clientAuth=NEED'],
    'syncEnabled=false\nsyncEnabled=true',
  ];
  for (const line of anyway) assert.deepEqual(said(line), [], line);
  const otherwise = [
    ...['syncEnabled=false', 'tcpKeepAlive=false', 'digest.enabled=true', 'enableEagerACLCheck=true'],
    ...['maxResponseCacheSize=400', 'admin.restore.enabled=true', 'ssl.clientAuth=none', 'ssl.quorum.clientAuth=none'],
    'syncEnabled=true\nsyncEnabled=false',
  ];
  for (const line of otherwise) assert.ok(said(line).length > 0, line);
});

test('a setting that is known but for a slip is told with the one that was meant, in a family that is accepted whole, too', () => {
  const said = (line: string): readonly string[] => of(`${BASE}${line}`).notes;
  assert.deepEqual(said('ssl.trustStore.pasword=secret'), [
    'unknown setting ssl.trustStore.pasword (zoo.cfg:3), ignored: did you mean ssl.trustStore.password?',
  ]);
  const slips: [string, string][] = [
    ['zookeeper.ssl.quorum.keystore.locaton', 'ssl.quorum.keyStore.location'],
    ['admin.serverport', 'admin.serverPort'],
    ['leader.silenceTick', 'leader.silenceTicks'],
    ['metricsProvider.httpProt', 'metricsProvider.httpPort'],
    ['peer.secretfile', 'peer.secretFile'],
    ['audit.enabled', 'audit.enable'],
    ['quorum.auth.enableSsal', 'quorum.auth.enableSasl'],
    ['tickTme', 'tickTime'],
    ['connectionMaxToken', 'connectionMaxTokens'],
  ];
  for (const [key, meant] of slips)
    assert.ok(
      said(`${key}=1`).some((note) => note.startsWith('unknown setting') && note.endsWith(`did you mean ${meant}?`)),
      `${key}: ${said(`${key}=1`).join('; ')}`,
    );
  // what ZooKeeper has beside ours, though it is near to one of ours, and what is near to none
  for (const key of ['metricsProvider.httpsPort', 'admin.restore.enabled', 'ssl.allowReverseDnsLookup', 'noSuchKey'])
    assert.ok(!said(`${key}=1`).some((note) => note.includes('did you mean')), key);
  assert.ok(said('admin.other=1').some((note) => /without effect here: admin\.other/.test(note)));
});

test('what cannot be used is refused, with the place and what to do', () => {
  const cases: [string, RegExp, string?][] = [
    ['clientPort=2181', /^zoo\.cfg: dataDir is not set/],
    ['', /^dataDir is not set/], // no line, no file that we know of
    [`${BASE}clientPort=abc`, /zoo\.cfg:3: clientPort=abc is not a whole number/, 'clientPort'],
    [`${BASE}clientPort=70000`, /not a port/, 'clientPort'],
    ['dataDir=/d\nclientPortAddress=127.0.0.1', /clientPortAddress without clientPort/, 'clientPortAddress'],
    [`${BASE}tickTime=0`, /tickTime is 0/, 'tickTime'],
    [`${BASE}tickTime=99999999999`, /not a whole number/, 'tickTime'],
    [`${BASE}minSessionTimeout=9000\nmaxSessionTimeout=5000`, /9000.*5000/, 'minSessionTimeout'],
    [`${BASE}electionAlg=1`, /only 3/, 'electionAlg'],
    [`${BASE}reconfigEnabled=yes`, /neither true nor false/, 'reconfigEnabled'],
    [`${BASE}skipACL=yes`, /let everyone/, 'skipACL'],
    [`${BASE}peerType=foo`, /unknown role foo/, 'peerType'],
    [`${BASE}autopurge.purgeInterval=10x`, /10x is no interval/, 'autopurge.purgeInterval'],
    [`${BASE}metricsProvider.className=org.x.Y`, /no metrics provider org\.x\.Y/, 'metricsProvider.className'],
    [`${BASE}DigestAuthenticationProvider.digestAlg=ROT13`, /ROT13/],
    [`${BASE}DigestAuthenticationProvider.superDigest=secretword`, /USER:BASE64/],
    [`${BASE}digest256.enabled=true\ndigest256.superDigest=secretword`, /USER:BASE64/],
    [`${BASE}secureClientPort=2281`, /^zoo\.cfg: .*ssl\.keyStore\.location is not set/, 'ssl.keyStore.location'],
    [`${BASE}standaloneEnabled=false`, /without a server line/, 'standaloneEnabled'],
    [`${BASE}server.1=h:1:2:observer`, /observers without a participant/],
    [`${BASE}dynamicConfigFile=/x`, /no file \/x/, 'dynamicConfigFile'],
    [`${BASE}dynamicConfigFile=/x\nserver.1=h:1:2`, /beside dynamicConfigFile/, 'server.1'],
    [`${BASE}server.1=h:1:1`, /must differ/, 'server.1'],
    [`${BASE}server.1=h:1`, /not a server line/, 'server.1'],
    [`${BASE}server.1=h:1:2:foo`, /unknown role foo/, 'server.1'],
    [`${BASE}server.1=h:1:2|g:1:2`, /several addresses/, 'server.1'],
    [`${BASE}server.1=[::1:1:2`, /not a server line/, 'server.1'],
    [`${BASE}server.1=h:1:x`, /election port/, 'server.1'],
    [`${BASE}server.x=h:1:2`, /server id/, 'server.x'],
    [`${BASE}server.1=h:1:2;2199`, /2181.*2199/, 'clientPort'],
  ];
  for (const [text, want, key] of cases) {
    const error = refused(text);
    assert.match(error.message, want);
    if (key !== undefined) assert.equal(error.key, key, error.message);
  }
  assert.match(refused(BASE, 'tickTime=x').message, /^--set: tickTime=x/);
  assert.throws(() => parseAssignment('novalue', '--set'), /KEY=VALUE/);
});

test('one server line makes a server alone, on the client port of that line', () => {
  const one = of('dataDir=/d\nserver.4=localhost:2888:3888;2182');
  assert.deepEqual([one.serverId, one.clientPort, one.clientPortAddress], [4, 2182, undefined]);
  const bound = of('dataDir=/d\nserver.1=[::1]:2888:3888:participant;[::1]:2183');
  assert.deepEqual([bound.clientPort, bound.clientPortAddress], [2183, '::1']);
  assert.equal(of(`${BASE}server.1=h:1:2;2181`).clientPort, 2181);
  assert.equal(of(`${BASE}server.1=h:1:2`).clientPort, 2181);
  assert.equal(of(`${BASE}multiAddress.enabled=true\nserver.1=h:1:2|g:1:2`).serverId, 1);
});

test('docs/configuration.md has every setting, with its default, where it belongs', () => {
  const text = readFileSync(fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url)), 'utf8');
  for (const [key, row] of Object.entries(KEYS) as [string, Row][]) {
    const at = text.indexOf(`\`${key}\``);
    assert.ok(at >= 0, `${key} is left out`);
    if (row.fallback !== undefined)
      assert.ok(text.slice(at, at + 200).includes(`\`${row.fallback}\``), `${key}: its default is ${row.fallback}`);
  }
});

test('addresses to listen on take IPv6 with brackets, as Java does, and without', () => {
  for (const address of ['::1', '[::1]']) {
    const c = of(
      `${BASE}clientPortAddress=${address}\nadmin.serverAddress=${address}\nmetricsProvider.httpHost=${address}\n` +
        'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
    );
    assert.deepEqual([c.clientPortAddress, c.admin.address, c.metrics.address], ['::1', '::1', '::1']);
  }
});

test('the exporter needs no port of its own: 7000, as in ZooKeeper 3.6 to 3.9, and nothing is said about TLS', () => {
  const provider = 'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider';
  for (const more of ['', '\nmetricsProvider.httpsPort=', '\nmetricsProvider.httpPort=7000']) {
    const { metrics, notes } = of(`${BASE}${provider}${more}`);
    assert.deepEqual([metrics.exporter, metrics.port, notes], [true, 7000, []], more);
  }
});

test('metrics that are wanted by TLS alone are not served plain to everybody', () => {
  const provider = 'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider';
  const alone = of(`${BASE}${provider}\nmetricsProvider.httpsPort=7443`);
  assert.equal(alone.metrics.exporter, false);
  assert.match(alone.notes.join('\n'), /httpsPort: metrics are not served by TLS here and none without it/);
  const both = of(`${BASE}${provider}\nmetricsProvider.httpsPort=7443\nmetricsProvider.httpPort=7000`);
  assert.equal(both.metrics.exporter, true);
  assert.match(both.notes.join('\n'), /httpsPort: metrics are not served by TLS here$/m);
});

test('certificates that admin.needClientAuth asks for, and a door beside it: it is said', () => {
  const stores = 'ssl.quorum.keyStore.location=/k.pem\nssl.quorum.trustStore.location=/t.pem\n';
  const notes = (more: string): string[] =>
    of(`${BASE}admin.enableServer=true\n${stores}${more}`).notes.filter((note) => note.includes('needClientAuth'));
  const [plain = '', ...more] = notes('admin.needClientAuth=true');
  assert.deepEqual(more, []);
  assert.match(plain, /^admin\.needClientAuth=true does nothing .*answers HTTP.*admin\.forceHttps=true/);
  const both = notes('admin.needClientAuth=true\nadmin.portUnification=true');
  assert.equal(both.length, 1);
  assert.match(both[0] ?? '', /by HTTP .*without.*admin\.forceHttps=true/);
  assert.deepEqual(notes('admin.needClientAuth=true\nadmin.forceHttps=true'), []);
  assert.deepEqual(notes('admin.needClientAuth=true\nadmin.enableServer=false'), []);
  assert.deepEqual(notes('admin.portUnification=true'), []);
});
