import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { bytesOf, levelOf, readJvmFlags, shellWords } from '../../src/operate/jvm-flags.ts';
import { isSecret, maskedFile, secretsIn, without } from '../../src/operate/masked.ts';
import { pidFileOf, placesOf, type Surroundings } from '../../src/operate/places.ts';
import { type Env, gather, processRows, refuseOpenDoors, splitFlags } from '../../src/operate/settings.ts';
import { sourcedEnv } from '../../src/operate/sourced.ts';
import { checkConfig, parseAssignment, parseProperties } from '../../src/server/config.ts';
import { showOrigin } from '../../src/server/config-text.ts';

test('words are split as a shell splits them', () => {
  for (const [text, words] of [
    ['-Xmx1g  -Da=b', ['-Xmx1g', '-Da=b']],
    [`-Da="b c" -Dd='e "f"'`, ['-Da=b c', '-Dd=e "f"']],
    ['-Da=b\\ c', ['-Da=b c']],
    ['""', ['']],
    [' \n\t', []],
  ] as const)
    assert.deepEqual(shellWords(text), words, text);
});

test('sizes and levels are understood in their spellings', () => {
  assert.deepEqual(['512m', '2G', '1048576K', '7', '1t'].map(bytesOf), [2 ** 29, 2 ** 31, 2 ** 30, 7, 2 ** 40]);
  assert.deepEqual(['', 'm', '1.5g', '-1', '1x'].map(bytesOf), Array(5).fill(undefined));
  assert.deepEqual(['INFO,CONSOLE', 'trace', 'WARNING', 'loud'].map(levelOf), ['info', 'debug', 'warn', undefined]);
});

test('of the words for a Java machine, settings and memory count; the rest is named, without its values', () => {
  const flags = readJvmFlags([
    {
      option: 'SERVER_JVMFLAGS',
      text: '-Xmx512m -Dzookeeper.snapCount=7 -Dcom.sun.management.jmxremote.password=sesame',
    },
    {
      option: 'JVMFLAGS',
      text: '-Xmx1g -Djute.maxbuffer=4096 -XX:+UseG1GC -Dzookeeper.root.logger=WARN,CONSOLE -Dzookeeper.log.dir=/l',
    },
  ]);
  assert.deepEqual(
    flags.settings.map(({ key, value }) => [key, value]),
    [
      ['zookeeper.snapCount', '7'],
      ['jute.maxbuffer', '4096'],
    ],
  );
  assert.deepEqual(flags.heap, { bytes: 2 ** 30, from: { option: 'JVMFLAGS -Xmx' } });
  assert.equal(flags.logLevel, 'warn');
  assert.deepEqual(flags.idle, ['-Dcom.sun.management.jmxremote.password', '-XX:+UseG1GC']);
});

const GIVEN = { env: {} as Env, flags: [] as string[], file: parseProperties('snapCount=10', 'zoo.cfg'), sets: [] };

test('the file overrides words for a Java machine, an option overrides the file, and each says where it came from', () => {
  const env = { SERVER_JVMFLAGS: '-Dzookeeper.snapCount=1 -Dzookeeper.tickTime=1', JVMFLAGS: '-Dzookeeper.tickTime=2' };
  const lines = parseProperties('dataDir=/d\nsnapCount=10\nclientPort=1', 'zoo.cfg');
  const { settings, notes } = gather({
    env,
    flags: ['-Dzookeeper.tickTime=3', '-Xss1m'],
    file: lines,
    sets: [parseAssignment('clientPort=2', '--set')],
  });
  const { inForce, tickTimeMs, snapCount, clientPort } = checkConfig(settings);
  assert.deepEqual([tickTimeMs, snapCount, clientPort], [3, 10, 2]);
  const from = Object.fromEntries(inForce.map(({ key, from: at }) => [key, at]));
  assert.deepEqual(from.tickTime, { option: 'argument -Dzookeeper.tickTime' });
  assert.deepEqual(from.snapCount, { file: 'zoo.cfg', line: 2 });
  assert.deepEqual(notes, [
    'words for a Java machine without effect here (SERVER_JVMFLAGS, JVMFLAGS, argument): -Xss1m',
  ]);
});

test('memory: the plan of the scripts, then -Xmx, then memory.limit, each over the one before', () => {
  const heap = (given: Partial<typeof GIVEN>): unknown => {
    const found = gather({ ...GIVEN, ...given });
    return [found.heap?.mib, processRows(found)[0]?.value, found.settings.some(({ key }) => key.includes('memory'))];
  };
  const limit = parseProperties('memory.limit=3g', 'zoo.cfg');
  assert.deepEqual(heap({}), [undefined, undefined, false]);
  assert.deepEqual(heap({ env: { ZK_SERVER_HEAP: '700' } }), [700, '700m', false]);
  assert.deepEqual(heap({ env: { ZK_SERVER_HEAP: '700', JVMFLAGS: '-Xmx1g' } }), [1024, '1024m', false]);
  assert.deepEqual(heap({ env: { JVMFLAGS: '-Xmx1g' }, flags: ['-Xmx2g'] }), [2048, '2048m', false]);
  assert.deepEqual(heap({ flags: ['-Xmx2g'], file: limit }), [3072, '3072m', false]);
  const small = gather({ ...GIVEN, flags: ['-Xmx16m'] });
  assert.equal(small.heap?.mib, 64);
  assert.match(small.notes[0] ?? '', /16 MiB is too little/);
  assert.throws(() => gather({ ...GIVEN, env: { ZK_SERVER_HEAP: '1g' } }), { key: 'ZK_SERVER_HEAP' });
  assert.throws(() => gather({ ...GIVEN, file: parseProperties('memory.limit=lots', 'f') }), /f:1: memory\.limit=lots/);
});

test("JAVA_OPTS of Debian's zookeeperd count, less than the variables of ZooKeeper's own scripts", () => {
  const file = parseProperties('dataDir=/d\nextendedTypesEnabled=false', 'zoo.cfg');
  const said = {
    JAVA_OPTS: '-Xmx2g -Djute.maxbuffer=4096 -Dzookeeper.extendedTypesEnabled=true -Dzookeeper.tickTime=7',
  };
  const rows = (env: Env): unknown[] => {
    const found = gather({ ...GIVEN, env, file });
    return [...checkConfig(found.settings).inForce, ...processRows(found)].flatMap(({ key, value, from }) =>
      ['jute.maxbuffer', 'extendedTypesEnabled', 'tickTime', 'memory.limit'].includes(key)
        ? [`${key}=${value} # ${from === undefined ? 'default' : showOrigin(from)}`]
        : [],
    );
  };
  assert.deepEqual(rows(said).sort(), [
    'extendedTypesEnabled=false # zoo.cfg:2',
    'jute.maxbuffer=4096 # JAVA_OPTS -Djute.maxbuffer',
    'memory.limit=2048m # JAVA_OPTS -Xmx',
    'tickTime=7 # JAVA_OPTS -Dzookeeper.tickTime',
  ]);
  const flags = rows({ ...said, SERVER_JVMFLAGS: '-Dzookeeper.tickTime=8', JVMFLAGS: '-Xmx1g' });
  assert.deepEqual(flags.filter((row) => /memory|tick/.test(String(row))).sort(), [
    'memory.limit=1024m # JVMFLAGS -Xmx',
    'tickTime=8 # SERVER_JVMFLAGS -Dzookeeper.tickTime',
  ]);
  assert.ok(rows({ ...said, ZK_SERVER_HEAP: '700' }).includes('memory.limit=700m # ZK_SERVER_HEAP'));
});

test('/etc/default/zookeeper counts behind environment, for the configuration of the system alone', (context) => {
  const dir = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
  context.after(() => rmSync(dir, { recursive: true }));
  const system = { configDir: join(dir, 'conf'), defaults: join(dir, 'default') };
  for (const folder of ['conf', 'mine']) {
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, 'environment'), 'JAVA_OPTS="-Da=b"\n');
  }
  writeFileSync(system.defaults, 'JAVA_OPTS="$JAVA_OPTS -Xmx2g"\n');
  writeFileSync(join(system.configDir, 'java.env'), 'JVMFLAGS="of $JAVA_OPTS"\n');
  const given = { PATH: process.env.PATH };
  const { env, failed } = sourcedEnv(`${system.configDir}/`, given, system);
  assert.deepEqual([env.JAVA_OPTS, env.JVMFLAGS, failed], ['-Da=b -Xmx2g', 'of -Da=b -Xmx2g', []]);
  assert.equal(sourcedEnv(join(dir, 'mine'), given, system).env.JAVA_OPTS, '-Da=b');
});

test('ZOO_DATADIR_AUTOCREATE_DISABLE is a setting with less weight than any other', () => {
  const env = { ZOO_DATADIR_AUTOCREATE_DISABLE: 'x' };
  const dir = parseProperties('dataDir=/d', 'f');
  assert.equal(checkConfig(gather({ ...GIVEN, env, file: dir }).settings).dataDirMustExist, true);
  const told = parseProperties('dataDir=/d\ndatadir.autocreate=true', 'f');
  assert.equal(checkConfig(gather({ ...GIVEN, env, file: told }).settings).dataDirMustExist, false);
});

test('flags are taken out of arguments, but not from behind --', () => {
  assert.deepEqual(splitFlags(['server', '-Da=b', '-d', '-Xmx1g', '--', '-Dc=d']), {
    flags: ['-Da=b', '-Xmx1g'],
    words: ['server', '-d', '--', '-Dc=d'],
  });
  const { settings } = gather({ ...GIVEN, flags: [`-Dzookeeper.reportedVersion=it's "1"`] });
  assert.equal(settings[0]?.value, `it's "1"`);
});

test('what shuts a door in ZooKeeper and not here is refused; the last word counts', () => {
  const refused = (text: string): void => refuseOpenDoors(parseProperties(text, 'zoo.cfg'));
  for (const key of [
    'quorum.auth.serverRequireSasl',
    'zookeeper.quorum.auth.serverRequireSasl',
    'quorum.auth.learnerRequireSasl',
  ])
    assert.throws(() => refused(`${key}=True`), { exitCode: 43 }, key);
  refused('quorum.auth.serverRequireSasl=true\nquorum.auth.serverRequireSasl=false');
  refused('authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider');
});

const FOLDERS = new Set(['/etc/zookeeper/conf', '/opt/zk/conf', '/c']);
const around = (env: Env, folders = FOLDERS): Surroundings => ({
  env,
  user: 'zk',
  host: 'h',
  state: '/home/zk/.local/state/zoosh',
  exists: (path) => folders.has(path) || path.endsWith('.cfg'),
  isFolder: (path) => folders.has(path),
});

test('configuration, output and pid file are where the scripts of ZooKeeper have them', () => {
  const none: Env = {};
  const config = (env: Env, dir?: string, name?: string): string => placesOf(around(env), dir, name).config;
  assert.equal(config(none), '/etc/zookeeper/conf/zoo.cfg');
  assert.equal(config({ ZOOSH_SHIM_HOME: '/opt/zk' }), '/opt/zk/conf/zoo.cfg');
  assert.equal(config({ ZOOCFGDIR: '/c' }), '/c/zoo.cfg');
  assert.equal(config({ ZOOCFGDIR: '/c', ZOOCFG: 'mine.cfg' }), '/c/mine.cfg');
  assert.equal(config({ ZOOCFG: '/else/mine.cfg' }), '/else/mine.cfg');
  assert.equal(config({ ZOOCFGDIR: '/c' }, '/d'), '/d/zoo.cfg');
  assert.equal(config({ ZOOCFGDIR: '/c' }, '/d', 'two.cfg'), '/d/two.cfg');
  assert.equal(config(none, undefined, './here.cfg'), resolve('here.cfg'));
  assert.equal(config(none, '/x/a.cfg'), '/x/a.cfg');
  const places = placesOf(around({ ZOO_LOG_DIR: '/logs', ZOO_LOG_FILE: 'z.log' }), undefined, undefined);
  assert.deepEqual([places.outFile, places.logFile], ['/logs/zookeeper-zk-server-h.out', '/logs/z.log']);
  const plain = placesOf(around(none), undefined, undefined);
  assert.deepEqual([plain.logDir, plain.logFile], ['/home/zk/.local/state/zoosh/log', undefined]);
  assert.equal(pidFileOf(none, '/d'), '/d/zookeeper_server.pid');
  assert.equal(pidFileOf({ ZOOPIDFILE: '/run/zk.pid' }, '/d'), '/run/zk.pid');
});

test('secrets are known by their names, and found in no text that is handed out', () => {
  for (const name of [
    'ssl.keyStore.password',
    'zookeeper.DigestAuthenticationProvider.superDigest',
    'ZOO_CLIENT_PASSWORD',
    'X_TOKEN',
  ])
    assert.ok(isSecret(name), name);
  for (const name of ['ssl.quorum.keyStore.passwordPath', 'peer.secretFile', 'tickTime'])
    assert.ok(!isSecret(name), name);
  const text =
    '# superDigest=super:canary1\nssl.keyStore.password=canary2\ntickTime=2000\naudit.logFile=/x/canary3/y\nnote=x\nserver.1=a:1:2\n';
  const settings = parseProperties(text, 'zoo.cfg');
  const env = {
    JVMFLAGS: '-Dzookeeper.ssl.trustStore.password="canary3" -Da=b',
    ZOO_SERVER_PASSWORDS: 'canary4',
    PASSWORD: 'true',
  };
  const secrets = secretsIn(settings, env);
  assert.deepEqual(secrets.sort(), ['canary2', 'canary3', 'canary4']);
  const masked = maskedFile(text, 'zoo.cfg', secrets);
  assert.equal(masked, 'ssl.keyStore.password=***\ntickTime=2000\naudit.logFile=/x/***/y\nnote=***\nserver.1=a:1:2\n');
  assert.equal(without('a canary4 b canary4', secrets), 'a *** b ***');
});
