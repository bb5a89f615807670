/** What operators' scripts do with a server: by zoosh's own words, and by the names of ZooKeeper's and Kafka's scripts. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN, type Ran, zoosh } from './cli.ts';
import { argumentsOf, Home, isAlive, pidOf, until } from './home.ts';

/** Asks again while the exit code says that no answer came: a machine that stands still is later than is waited for. */
async function answered(ask: () => Ran | Promise<Ran>, none: number): Promise<Ran> {
  const end = performance.now() + PATIENCE_MS;
  let ran = await ask();
  while (ran.code === none && performance.now() < end) ran = await ask();
  return ran;
}

const withoutAudit = (text: string): { log: string; rest: string } => {
  const isAudit = (line: string): boolean => line.includes('Slf4jAuditLogger');
  const lines = text.split('\n');
  return { log: lines.filter(isAudit).join('\n'), rest: lines.filter((line) => !isAudit(line)).join('\n') };
};

test('a server in the background: started, asked, told, looked into, stopped', {
  skip: process.platform !== 'linux',
}, async () => {
  const secret = 'DigestAuthenticationProvider.superDigest=super:canaryCanaryCanaryCanaryCana=';
  const home = await Home.make(secret, '4lw.commands.whitelist=*', 'audit.enable=true');
  writeFileSync(join(home.dir, 'conf/java.env'), `SERVER_JVMFLAGS="-Xmx200m -Da.password='two words of canaryFlag'"\n`);
  const log = join(home.dir, 'logs/server.log');
  const options = ['--log-file', log, '--log-max-size', '1m', '--log-level', 'warn'];
  const started = await home.server('start', ...options);
  assert.equal(started.code, 0, started.stderr);
  const pid = pidOf(home);
  try {
    assert.ok(argumentsOf(pid).includes('--max-old-space-size=200'), argumentsOf(pid).join(' '));
    const status = await answered(() => home.server('status', '-o', 'json'), 1);
    assert.deepEqual(
      [status.code, JSON.parse(status.stdout)],
      [0, { host: '127.0.0.1', port: home.port, mode: 'standalone' }],
    );
    const again = await home.server('start');
    assert.deepEqual([again.code, again.stderr], [42, `error: it runs already, as process ${pid}\n`]);

    // the level, and a log that was moved away
    assert.equal((await answered(() => home.server('log-level'), 3)).stdout, 'warn\n');
    assert.equal((await answered(() => home.server('log-level', 'debug'), 3)).stdout, 'debug\n');
    assert.equal((await home.server('log-level', 'loud')).code, 2);
    renameSync(log, `${log}-moved`);
    process.kill(pid, 'SIGHUP');
    await until(() => existsSync(log), 'the log was not opened again');
    assert.ok(isAlive(pid));

    {
      await using client = await connect(home.hosts);
      await client.create('/canaryPath', 'canaryData');
    }
    const config = await home.server('config');
    assert.match(config.stdout, /^memory\.limit=200m +# SERVER_JVMFLAGS -Xmx$/m);
    assert.match(config.stdout, /superDigest=\*\*\* +# .*zoo\.cfg:5$/m);
    assert.match(config.stdout, /^snapCount=100000 +# default$/m);

    const file = join(home.dir, 'bundle.tgz');
    const pack = (): Promise<Ran> => home.server('bundle', file, '--log-file', log);
    const unpacked = (): string => spawnSync('tar', ['xzOf', file], { encoding: 'utf8' }).stdout;
    let bundle = await pack();
    for (let again = 0; again < 10 && /^no answer/m.test(unpacked()); again++) {
      rmSync(file);
      bundle = await pack();
    }
    assert.deepEqual([bundle.code, bundle.stdout], [0, `${file}\n`], bundle.stderr);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const listed = spawnSync('tar', ['tzf', file], { encoding: 'utf8' });
    assert.deepEqual([listed.status, listed.stderr], [0, '']);
    const names = listed.stdout
      .trimEnd()
      .split('\n')
      .map((name) => name.slice(name.indexOf('/') + 1));
    const wanted = 'versions.txt zoo.cfg settings.txt files.txt status.json words/mntr.txt server.log.txt'.split(' ');
    for (const name of wanted) assert.ok(names.includes(name), `${name} is not in ${names}`);
    const text = unpacked();
    assert.match(text, /zk_znode_count/);
    assert.match(text, /"role": "standalone"/);
    assert.doesNotMatch(text, /zoosh\.lock/);
    assert.doesNotMatch(text, /zoosh\.lock/);
    // who keeps an audit log among the server's lines has paths there; they are in no bundle, and nowhere is data
    const { log: own, rest } = withoutAudit(readFileSync(log, 'utf8'));
    assert.match(own, /Slf4jAuditLogger: .*\tznode=\/canaryPath\t/);
    assert.doesNotMatch(own, /canary(?!Path)/);
    const files = [home.out, `${log}-moved`].map((each) => readFileSync(each, 'utf8'));
    for (const each of [text, config.stdout, rest, ...files]) assert.doesNotMatch(each, /canary/);
    assert.equal((await home.server('bundle', file)).code, 40, 'an older bundle is not overwritten');
  } finally {
    // stopped although its configuration would not start any more
    home.configure(['tickTime=oops']);
    const stopped = await home.server('stop');
    assert.deepEqual([stopped.code, stopped.stdout], [0, `stopped, process ${pid}\n`], stopped.stderr);
  }
  await until(() => !isAlive(pid), 'it goes on'); // what it was called goes before it does
  assert.ok(!existsSync(home.pidFile));
  const nothing = await home.server('stop');
  assert.deepEqual([nothing.code, nothing.stdout], [1, `nothing to stop: there is no ${home.pidFile}\n`]);
});

test('a pid file that names another process hurts nobody', async () => {
  const home = await Home.make();
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    mkdirSync(home.data);
    writeFileSync(home.pidFile, String(other.pid));
    const stopped = await home.server('stop');
    assert.equal(stopped.code, 1);
    assert.match(
      stopped.stdout,
      new RegExp(`process ${other.pid} is not the server that .* is about, and is left alone`),
    );
    assert.ok(isAlive(other.pid as number));
  } finally {
    other.kill('SIGKILL');
  }
});

test('output or a pid file without a place: nothing is left running', async () => {
  const home = await Home.make();
  const start = (env: Record<string, string>): Promise<Ran> =>
    zoosh(['server', '--config', join(home.dir, 'conf'), 'start'], '', { ...home.env, ...env });
  const mute = await start({ ZOO_LOG_DIR: '/dev/null/logs' });
  assert.deepEqual(
    [
      mute.code,
      /^error: \/dev\/null\/logs\/\S+ cannot be written: \/dev\/null is not a folder; ZOO_LOG_DIR says/.test(
        mute.stderr,
      ),
    ],
    [40, true],
    mute.stderr,
  );
  const nameless = await start({ ZOOPIDFILE: '/dev/null/pid' });
  assert.equal(nameless.code, 40);
  assert.match(
    nameless.stderr,
    /^error: the pid file \/dev\/null\/pid cannot be written: \/dev\/null is not a folder; ZOOPIDFILE says where it may be\n$/,
  );
  await assert.rejects(connect(home.hosts, { connectTimeoutMs: 300 }));
});

test('ZooKeeper by the names of its scripts', async () => {
  const home = await Home.make();
  const made = await zoosh(['shims', join(home.dir, 'bin')]);
  assert.equal(made.code, 0, made.stderr);
  assert.equal(made.stdout.split('\n').length, 13);
  const zk = (...words: string[]): Ran => home.script('zkServer.sh', words);
  const using = `Using config: ${home.dir}/conf/zoo.cfg\n`;

  const usage = zk('bogus');
  assert.deepEqual([usage.code, usage.stdout], [0, '']);
  assert.equal(
    usage.stderr,
    `${using}Usage: ${home.dir}/bin/zkServer.sh [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}\n`,
  );
  assert.match(
    zk('version').stdout,
    /^Apache ZooKeeper, version 3\.\d+\.\d+-zoosh\S* \d{4}-\d\d-\d\d \d\d:\d\d UTC\n$/,
  );
  const down = zk('status');
  assert.deepEqual(
    [down.code, down.stdout, down.stderr],
    [
      1,
      `Client port found: ${home.port}. Client address: 127.0.0.1. Client SSL: false.\nError contacting service. It is probably not running.\n`,
      using,
    ],
  );
  assert.deepEqual(
    [zk('stop').code, zk('stop').stdout],
    [0, `Stopping zookeeper ... no zookeeper to stop (could not find file ${home.pidFile})\n`],
  );

  const started = zk('start');
  assert.deepEqual([started.code, started.stdout, started.stderr], [0, 'Starting zookeeper ... STARTED\n', using]);
  const pid = pidOf(home);
  try {
    const again = zk('start');
    assert.deepEqual([again.code, again.stdout], [1, `Starting zookeeper ... already running as process ${pid}.\n`]);
    const up = await answered(() => zk('status'), 1);
    assert.deepEqual(
      [up.code, up.stdout],
      [0, `Client port found: ${home.port}. Client address: 127.0.0.1. Client SSL: false.\nMode: standalone\n`],
    );
    assert.ok(zk('print-cmd').stdout.includes(`> '${home.out}' 2>&1 < /dev/null`));
    const near = relative(process.cwd(), join(home.dir, 'conf'));
    const printed = await zoosh(['server', '--config', near, 'print-cmd']);
    assert.ok(printed.stdout.includes(` --config ${home.dir}/conf/zoo.cfg `), printed.stdout);
    const created = home.script('zkCli.sh', ['-server', home.hosts, 'create', '/by-name', 'x']);
    assert.deepEqual(
      [created.code, /Created \/by-name/.test(created.stdout + created.stderr)],
      [0, true],
      created.stderr,
    );
    const restarted = zk('restart');
    assert.deepEqual(
      [restarted.code, restarted.stdout],
      [0, 'Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n'],
    );
    assert.notEqual(pidOf(home), pid);
    await until(() => !isAlive(pid), 'the first goes on');
    const read = home.script('zookeeper-shell.sh', [home.hosts, 'get', '/by-name']);
    assert.deepEqual([read.code, /^x$/m.test(read.stdout)], [0, true], read.stderr);
  } finally {
    assert.deepEqual([zk('stop').code, existsSync(home.pidFile)], [0, false]);
  }

  // what does not start, by exit code: a script starts it in the background, a service manager in the foreground
  home.configure(['electionAlg=1'], 'bad.cfg');
  const failed = zk('start', 'bad.cfg');
  assert.deepEqual([failed.code, failed.stdout], [1, 'Starting zookeeper ... FAILED TO START\n']);
  assert.match(failed.stderr, /only 3 exists/);
  const bad = zk('start-foreground', 'bad.cfg');
  assert.equal(bad.code, 2, bad.stderr);
  assert.match(bad.stderr, /^Invalid config, exiting abnormally$/m);
  home.configure(['dataDir=/nonexistent/data'], 'gone.cfg');
  const gone = home.script('zkServer.sh', ['start-foreground', 'gone.cfg'], { ZOO_DATADIR_AUTOCREATE_DISABLE: '1' });
  assert.equal(gone.code, 3, gone.stderr);
  assert.match(
    gone.stderr,
    /data directory is missing at \/nonexistent\/data; correct the path, or run zoosh server initialize/,
  );

  // files that are not ours are left alone
  writeFileSync(join(home.dir, 'bin/zkCli.sh'), 'mine\n');
  const refused = await zoosh(['shims', join(home.dir, 'bin')]);
  assert.equal(refused.code, 30);
  assert.equal(readFileSync(join(home.dir, 'bin/zkCli.sh'), 'utf8'), 'mine\n');
  assert.equal((await zoosh(['shims', join(home.dir, 'bin'), '--force'])).code, 0);
  // zkEnv.sh tells other scripts where things are
  const told = spawnSync('sh', ['-c', `ZOOBINDIR=${home.dir}/bin; . "$ZOOBINDIR/zkEnv.sh"; echo "$ZOOCFG"`], {
    encoding: 'utf8',
  });
  assert.match(told.stdout, /conf\/zoo\.cfg\n$/);
});

test('initialize and cleanup, by their names in ZooKeeper', async () => {
  const home = await Home.make('snapCount=2', 'preAllocSize=64');
  assert.equal((await zoosh(['shims', join(home.dir, 'bin')])).code, 0);
  const init = home.script('zkServer-initialize.sh', ['--myid=7']);
  assert.deepEqual([init.code, init.stdout], [0, 'Using myid of 7\n'], init.stderr);
  assert.equal(readFileSync(join(home.data, 'myid'), 'utf8'), '7\n');
  assert.ok(existsSync(join(home.data, 'initialize')));
  assert.equal(home.script('zkServer-initialize.sh', ['-h']).code, 1);

  assert.equal(home.script('zkServer.sh', ['start']).code, 0);
  const snapshots = (): number =>
    readdirSync(join(home.data, 'zoosh-1')).filter((name) => /^snapshot\.[0-9a-f]+$/.test(name)).length;
  const cleanup = async (): Promise<Ran> => {
    await using client = await connect(home.hosts);
    for (let nr = 0; nr < 60; nr++) await client.create(`/n${nr}`, 'x').catch(() => client.set(`/n${nr}`, 'y'));
    // they are taken beside the writes, and on a slow disk fewer of them
    for (const end = performance.now() + PATIENCE_MS; snapshots() <= 5 && performance.now() < end; )
      await client.set('/n0', 'y');
    assert.ok(snapshots() > 5, `${snapshots()} snapshots`);
    return home.script('zkCleanup.sh', ['-n', '5']);
  };
  const running = await answered(cleanup, 42);
  assert.equal(running.code, 0, running.stderr);
  assert.match(running.stdout, /^Removing file: snapshot\./m);
  // the server may have written one more just then; nobody writes to it any more
  let left = snapshots();
  for (let again = 0; again < 10 && left !== 5; again++) {
    home.script('zkCleanup.sh', ['-n', '5']);
    left = snapshots();
  }
  assert.equal(left, 5);
  const busy = home.script('zkServer-initialize.sh', ['--force']);
  assert.deepEqual([busy.code, existsSync(join(home.data, 'zoosh-1'))], [1, true]);
  assert.equal(home.script('zkServer.sh', ['stop']).code, 0);

  assert.ok(snapshots() > 3, `${snapshots()} snapshots`);
  for (const [words, reason] of [
    [[], ''],
    [['-n', '2'], 'count should be greater than or equal to 3\n'],
    [['-n', 'x'], "'x' can not be parsed to integer.\n"],
  ] as const) {
    const refused = home.script('zkCleanup.sh', words);
    assert.deepEqual([refused.code, refused.stderr], [1, reason]);
    assert.match(refused.stdout, /^Usage:\nPurgeTxnLog dataLogDir \[snapDir\] -n count\n/);
  }
  const cleaned = home.script('zkCleanup.sh', ['-n', '3']);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.match(cleaned.stdout, /^Removing file: snapshot\./m);
  assert.equal(snapshots(), 3);
  assert.equal(home.script('zkServer.sh', ['start']).code, 0);
  {
    await using client = await connect(home.hosts);
    assert.equal((await client.getChildren('/')).children.length, 61);
  }
  assert.equal(home.script('zkServer.sh', ['stop']).code, 0);

  const exists = home.script('zkServer-initialize.sh', []);
  assert.deepEqual(
    [exists.code, exists.stdout],
    [1, `ZooKeeper data directory already exists at ${home.data} (or use --force to force re-initialization)\n`],
  );
  const ours = await home.server('initialize', '--force');
  assert.equal(ours.code, 30, 'nobody is there to ask');
  assert.ok(existsSync(join(home.data, 'zoosh-1')));
  const forced = home.script('zkServer-initialize.sh', ['--force']);
  assert.deepEqual(
    [forced.code, existsSync(join(home.data, 'zoosh-1')), existsSync(join(home.data, 'myid'))],
    [0, false, false],
  );
});

test('zkCli.sh and zookeeper-shell.sh are told how to log in where their originals are', async () => {
  const home = await Home.make(
    'authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
    'sessionRequireClientSASLAuth=true',
  );
  const jaas = join(home.dir, 'jaas.conf');
  const login = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
  writeFileSync(jaas, `Server { ${login} user_bob="pw"; };\nClient { ${login} username="bob" password="pw"; };\n`, {
    mode: 0o600,
  });
  const flag = `-Djava.security.auth.login.config=${jaas}`;
  assert.equal((await zoosh(['shims', join(home.dir, 'bin')])).code, 0);
  const started = home.script('zkServer.sh', ['start'], { SERVER_JVMFLAGS: flag });
  assert.equal(started.code, 0, started.stderr);
  try {
    const kafka = (env: Record<string, string>): Ran => home.script('zookeeper-shell.sh', [home.hosts, 'ls', '/'], env);
    assert.equal(kafka({}).code, 1);
    assert.equal(kafka({ KAFKA_OPTS: `-Xlog:gc ${flag}` }).code, 0);
    const zkCli = (): Ran => home.script('zkCli.sh', ['-server', home.hosts, 'ls', '/']);
    assert.equal(zkCli().code, 1);
    writeFileSync(join(home.dir, 'conf/java.env'), `CLIENT_JVMFLAGS="${flag}"\n`);
    assert.deepEqual([zkCli().code, zkCli().stdout.split('\n').at(-2)], [0, '[zookeeper]']);
  } finally {
    home.script('zkServer.sh', ['stop']);
  }
});

test('what is wrong with the configuration ends scripts as by the originals, and what stands beside another is not run', async () => {
  const home = await Home.make();
  assert.equal((await zoosh(['shims', join(home.dir, 'bin')])).code, 0);
  writeFileSync(join(home.dir, 'conf/none.cfg'), 'clientPort=1\n');
  const code = (name: string, ...words: string[]): number => home.script(name, words).code;
  assert.deepEqual(
    [
      code('zkServer.sh', 'status', 'nosuch.cfg'),
      code('zkServer.sh', 'stop', 'none.cfg'),
      code('zkServer-initialize.sh', '--configfile=/nope'),
      code('zkServer-initialize.sh', '--bogus'),
    ],
    [1, 0, 1, 1],
  );
  assert.deepEqual([code('zkServer-initialize.sh', '--myid=5'), code('zkServer-initialize.sh', '--myid=6')], [0, 1]);
  assert.equal(readFileSync(join(home.data, 'myid'), 'utf8'), '5\n');
  assert.equal(code('zkServer-initialize.sh', '--myid=6', '--force'), 0);

  // the folder that scripts look into, and one that the configuration lies in
  writeFileSync(join(home.dir, 'conf/java.env'), 'ZOO_LOG_DIR=/nonexistent/of-another\n');
  const own = mkdtempSync(join(home.dir, 'own-'));
  writeFileSync(join(own, 'zoo.cfg'), readFileSync(join(home.dir, 'conf/zoo.cfg')));
  const printed = (env: Record<string, string>): Promise<Ran> =>
    zoosh(['server', '--config', join(own, 'zoo.cfg'), 'print-cmd'], '', env);
  const env = { ...home.env, ZOOSH_SHIM_HOME: home.dir, ZOOCFGDIR: join(home.dir, 'conf') };
  assert.doesNotMatch((await printed(env)).stdout, /of-another/);
  writeFileSync(join(own, 'java.env'), `ZOO_LOG_DIR=${own}/beside\n`);
  assert.match((await printed(env)).stdout, /\/beside\//);
});

test('a user without a name and without a home: everything runs', async () => {
  const home = await Home.make();
  // only root may become nobody
  const as = process.getuid?.() === 0 ? { uid: 54321, gid: 54321 } : {};
  for (const folder of [dirname(home.dir), home.dir, join(home.dir, 'conf')]) chmodSync(folder, 0o755);
  const open = mkdtempSync(join(home.dir, 'open-'));
  chmodSync(open, 0o777);
  const none = { ZOOSH_HOME: '', ZOOSH_CODE_CACHE: 'off' };
  const status = await zoosh(['server', '--config', join(home.dir, 'conf'), 'status'], '', none, as);
  assert.deepEqual([status.code, status.stderr], [1, '']);
  const { PATH = '' } = process.env;
  const words = ['start', 'standalone', '--memory', '--port', String(home.port), '--log-level', 'error'];
  const homeless = await zoosh(words, '', { ...none, TMPDIR: '/nonexistent' }, as);
  assert.equal(homeless.code, 40);
  assert.match(homeless.stderr, /no folder can be made in \/nonexistent: .*; TMPDIR names another place/);
  const child = spawn(process.execPath, [BIN, ...words, '--set', '4lw.commands.whitelist=*'], {
    ...as,
    env: { PATH, TMPDIR: open, ...none },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    await Promise.race([once(child.stdout, 'data'), ended]);
    assert.match((await zoosh(['4lw', 'envi', home.hosts], '', none, as)).stdout, /^user\.name=.+$/m);
    assert.equal((await zoosh([home.hosts, 'ls', '/'], '', none, as)).stdout, 'zookeeper\n');
  } finally {
    child.kill();
    await ended;
  }
});

test('Kafka by the names of its scripts', async () => {
  const home = await Home.make();
  assert.equal((await zoosh(['shims', join(home.dir, 'bin')])).code, 0);
  for (const name of ['zookeeper-server-start.sh', 'zookeeper-shell.sh']) {
    const usage = home.script(name, []);
    assert.deepEqual([usage.code, usage.stdout.startsWith(`USAGE: ${home.dir}/bin/${name} `)], [1, true]);
  }
  assert.equal(home.script('zookeeper-server-start.sh', ['-daemon']).code, 1);
  const file = join(home.dir, 'conf/zoo.cfg');
  const started = home.script('zookeeper-server-start.sh', ['-daemon', file], { LOG_DIR: join(home.dir, 'logs') });
  assert.equal(started.code, 0, started.stderr);
  const pid = pidOf(home);
  assert.ok(argumentsOf(pid).includes('--max-old-space-size=512'));
  assert.ok(existsSync(home.out));
  const wrong = home.script('zookeeper-server-stop.sh', [], { SIGNAL: 'none' });
  assert.deepEqual([wrong.code, /SIGNAL=none is no signal/.test(wrong.stderr), isAlive(pid)], [1, true, true]);
  // by its number, as kill has it
  assert.deepEqual([home.script('zookeeper-server-stop.sh', [], { SIGNAL: '15' }).code], [0]);
  await until(() => !isAlive(pid), 'it was not stopped');
  const none = home.script('zookeeper-server-stop.sh', []);
  assert.deepEqual([none.code, none.stdout], [1, 'No zookeeper server to stop\n']);
});

test('a server in the foreground runs again with the memory asked for, and ends with who started it', {
  skip: process.platform !== 'linux',
}, async () => {
  for (const how of ['SIGTERM', 'SIGKILL'] as const) {
    const home = await Home.make();
    const { PATH = '' } = process.env;
    const words = ['start', 'server', '--config', join(home.dir, 'conf/zoo.cfg'), '-Xmx150m', '--log-level', 'warn'];
    const child = spawn(process.execPath, [BIN, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH } });
    const exited = once(child, 'exit');
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    await until(() => /^ready /m.test(out), `it did not come to serve: ${err}`);
    after(() => child.kill('SIGKILL'));
    const found = spawnSync('pgrep', ['-P', String(child.pid), '-f', 'max-old-space-size=150'], { encoding: 'utf8' });
    const server = Number(found.stdout.trim());
    assert.ok(server > 0, 'no process with that memory');
    child.kill(how);
    const [code] = (await exited) as [number | null];
    if (how === 'SIGTERM') assert.equal(code, 0, err);
    await until(() => !isAlive(server), 'the server outlived who started it').catch((error) => {
      process.kill(server, 'SIGKILL');
      throw error;
    });
  }
});

test('a member of an ensemble on this machine is one process, whatever the environment says', async () => {
  const home = await Home.make();
  const { PATH = '' } = process.env;
  const words = ['start', 'server', '--config', join(home.dir, 'conf/zoo.cfg'), '--leash'];
  const env = { PATH, JVMFLAGS: '-Xmx150m', JAVA_OPTS: '-Xmx150m', ZK_SERVER_HEAP: '150' };
  const child = spawn(process.execPath, [BIN, ...words], { stdio: ['pipe', 'pipe', 'ignore'], env });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  await until(() => /^ready /m.test(out), 'it did not come to serve');
  assert.equal(spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout, '');
  const exited = once(child, 'exit');
  child.stdin.end();
  assert.equal((await exited)[0], 0);
});

test('from-env writes what is not there, and says where', async () => {
  const home = await Home.make();
  const env = {
    ...home.env,
    ZOO_CONF_DIR: join(home.dir, 'made'),
    ZOO_DATA_DIR: join(home.dir, 'made-data'),
    ZOO_DATA_LOG_DIR: join(home.dir, 'made-log'),
    ZOO_MY_ID: '3',
    ZOO_CFG_EXTRA: 'ssl.keyStore.password=canary',
  };
  const printed = await zoosh(['server', 'from-env', '--print'], '', env);
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, /^server\.1=localhost:2888:3888;2181$/m);
  assert.match(printed.stdout, /^ssl\.keyStore\.password=\*\*\*$/m);
  assert.match(printed.stdout, /^# .*made-data\/myid: 3$/m);
  assert.ok(!existsSync(join(home.dir, 'made')));
  const config = join(home.dir, 'made/zoo.cfg');
  const written = await zoosh(['server', 'from-env'], '', env);
  assert.deepEqual([written.code, written.stdout], [0, `${config}\n`], written.stderr);
  assert.equal(readFileSync(join(home.dir, 'made-data/myid'), 'utf8'), '3\n');
  assert.match(readFileSync(config, 'utf8'), /^ssl\.keyStore\.password=canary$/m);
  writeFileSync(config, 'mine\n');
  const again = await zoosh(['server', 'from-env'], '', { ...env, ZOO_MY_ID: '4' });
  assert.match(
    again.stderr,
    /zoo\.cfg is there, and is left as it is\nwarning: .*myid says 3, the environment 4: the file counts/,
  );
  assert.equal(readFileSync(config, 'utf8'), 'mine\n');
  // words for a Java machine go where the start reads them
  const kafka = {
    ...home.env,
    ZOOKEEPER_CLIENT_PORT: '1',
    KAFKA_HEAP_OPTS: '-Xmx300m',
    ZOOCFGDIR: join(home.dir, 'kafka'),
  };
  assert.equal(
    (await zoosh(['server', 'from-env'], '', kafka)).stdout,
    `${join(home.dir, 'kafka/zookeeper.properties')}\n`,
  );
  const shown = await zoosh(
    ['server', '--config', join(home.dir, 'kafka'), 'config', 'zookeeper.properties'],
    '',
    home.env,
  );
  assert.match(shown.stdout, /^memory\.limit=300m +# JVMFLAGS -Xmx$/m);
  const refused = await zoosh(['server', 'from-env', '--print'], '', { ZOO_SERVER_ID: '1' });
  assert.deepEqual([refused.code, /ALLOW_EMPTY_PASSWORD=yes/.test(refused.stderr)], [43, true]);
});
