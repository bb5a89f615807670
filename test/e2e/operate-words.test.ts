/** What cannot be read, written or reached is told in words, with its place and what to do; no word of the system alone. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { asNobody, openToAll, type Ran, zoosh } from './cli.ts';
import { Home, isAlive } from './home.ts';

const isRoot = process.getuid?.() === 0;
const told = ({ code, stderr }: Ran): readonly [number, string] => [code, stderr];

test('a zoo.cfg that cannot be read', async () => {
  const home = await Home.make();
  const where = '--config says where zoo.cfg is';
  for (const verb of ['status', 'stop', 'start', 'start-foreground', 'config', 'bundle']) {
    const gone = await zoosh(['server', '--config', '/nowhere/zoo.cfg', verb]);
    assert.deepEqual(told(gone), [43, `error: /nowhere/zoo.cfg cannot be read: there is no such file; ${where}\n`]);
  }
  const folder = await zoosh(['server', '--config', '/nowhere', 'status']);
  assert.deepEqual(told(folder), [43, `error: /nowhere/zoo.cfg cannot be read: there is no such file; ${where}\n`]);
  const conf = join(home.dir, 'conf');
  assert.deepEqual(told(await zoosh(['start', 'server', '--config', conf])), [
    43,
    `error: ${conf} cannot be read: it is a folder; ${where}\n`,
  ]);
  if (!isRoot) return;
  openToAll(home.dir);
  chmodSync(join(conf, 'zoo.cfg'), 0o600);
  const theirs = await asNobody(['server', '--config', conf, 'status']);
  assert.deepEqual(told(theirs), [43, `error: ${conf}/zoo.cfg cannot be read: not permitted; do it as root\n`]);
});

test('what stands beside it', async () => {
  const home = await Home.make();
  mkdirSync(join(home.data, 'myid'), { recursive: true });
  assert.deepEqual(told(await home.server('status')), [
    43,
    `error: ${home.data}/myid cannot be read: it is a folder, and a file is wanted\n`,
  ]);
  rmdirSync(join(home.data, 'myid'));
  if (!isRoot) return;
  openToAll(home.dir);
  writeFileSync(join(home.data, 'myid'), '1', { mode: 0o600 });
  assert.deepEqual(told(await asNobody(['server', '--config', join(home.dir, 'conf'), 'status'])), [
    43,
    `error: ${home.data}/myid cannot be read: not permitted; the user of the server must be able to read it\n`,
  ]);
});

test('logs and sockets that cannot be opened', { skip: process.platform !== 'linux' }, async () => {
  const home = await Home.make();
  const start = (...words: string[]): Promise<Ran> => home.server('start-foreground', '--log-level', 'error', ...words);
  assert.deepEqual(told(await start('--log-file', '/proc/x/l')), [
    40,
    'error: --log-file /proc/x/l cannot be opened: no folder can be made in /proc\n',
  ]);
  assert.deepEqual(told(await start('--control', '/nowhere/c')), [
    40,
    'error: the control socket /nowhere/c cannot be opened: there is no folder /nowhere; --control PATH names another place\n',
  ]);
  home.configure(['audit.enable=true', 'audit.logFile=/proc/x/a']);
  assert.deepEqual(told(await start()), [
    40,
    'error: audit.logFile /proc/x/a cannot be opened: no folder can be made in /proc\n',
  ]);
  const detached = await zoosh(['start', 'standalone', '-d', '--data', join(home.dir, 'd')], '', {
    ZOOSH_HOME: '/proc/x',
  });
  assert.deepEqual(told(detached), [
    40,
    `error: the log of a server in the background, /proc/x/state/log/standalone-2181.log, cannot be written: no folder can be made in /proc; ZOOSH_HOME says where it may be\n`,
  ]);
});

test('what a backup or a bundle is to be written to, and a server that is not there', async () => {
  const home = await Home.make();
  const none = `at ${home.data}/control.sock: none listens there; zoosh server start starts one that does, and --control PATH names another place`;
  assert.deepEqual(told(await home.server('log-level')), [3, `error: no server answers ${none}\n`]);
  mkdirSync(home.data);
  assert.deepEqual(told(await home.server('backup', join(home.dir, 'b'))), [
    3,
    `error: no backup came from the server ${none}\n`,
  ]);
  assert.ok(!existsSync(join(home.dir, 'b')));
  assert.deepEqual(told(await home.server('backup', '/nowhere/b')), [
    40,
    'error: /nowhere/b cannot be written: there is no folder /nowhere\n',
  ]);
  assert.deepEqual(told(await home.server('backup', home.dir)), [
    42,
    `error: ${home.dir} is a folder: name a file in it\n`,
  ]);
  const piped = await home.server('backup', '-');
  assert.equal(piped.code, 2);
  assert.match(
    piped.stderr,
    /^error: backup: - is not a file, and a backup is read again once it is written: name a file\n/,
  );
  assert.deepEqual(told(await home.server('bundle', '/nowhere/b.tgz')), [
    40,
    'error: /nowhere/b.tgz cannot be written: there is no folder /nowhere\n',
  ]);
  assert.deepEqual(told(await home.server('bundle', '/dev/null/b.tgz')), [
    40,
    'error: /dev/null/b.tgz cannot be written: a part of its path is not a folder\n',
  ]);
  assert.deepEqual(told(await home.server('bundle', home.dir)), [
    40,
    `error: ${home.dir} cannot be written: it is a folder; name a file in it\n`,
  ]);
});

test('a bundle is made of what can be read', { skip: !isRoot }, async () => {
  const home = await Home.make();
  openToAll(home.dir);
  mkdirSync(home.data);
  writeFileSync(home.pidFile, '1', { mode: 0o600 });
  const out = join(home.dir, 'out');
  mkdirSync(out);
  chmodSync(out, 0o777);
  const bundle = (): Promise<Ran> =>
    asNobody(['server', '--config', join(home.dir, 'conf'), 'bundle', join(out, 'b.tgz')], home.env);
  for (const mode of [0o755, 0o711]) {
    chmodSync(home.data, mode);
    const ran = await bundle();
    assert.equal(ran.code, 0, ran.stderr);
    rmSync(join(out, 'b.tgz'));
  }
});

test('a cleanup where there is no data directory', async () => {
  const home = await Home.make();
  assert.deepEqual(told(await home.server('cleanup', '-n', '3')), [
    40,
    `error: the data directory ${home.data} does not exist; correct dataDir in ${home.dir}/conf/zoo.cfg\n`,
  ]);
});

test('a data directory whose path is too long for a socket is told at the start', async () => {
  const home = await Home.make();
  const long = join(home.dir, 'd'.repeat(110));
  home.configure([`dataDir=${long}`]);
  assert.deepEqual(told(await home.server('start')), [
    0,
    `warning: the path of ${long} is too long for a control socket, by which backup, log-level and cleanup ask a server: start it with --control PATH\n`,
  ]);
  assert.equal((await home.server('stop')).code, 0);
});

test("what Debian's zookeeperd has in JAVA_OPTS is in force, and shown with where it came from", async () => {
  const home = await Home.make();
  writeFileSync(
    join(home.dir, 'conf/environment'),
    'JAVA_OPTS="-Xmx300m -Djute.maxbuffer=4096 -Dzookeeper.extendedTypesEnabled=true"\n',
  );
  const { code, stdout } = await home.server('config');
  assert.equal(code, 0);
  assert.match(stdout, /^memory\.limit=300m +# JAVA_OPTS -Xmx$/m);
  assert.match(stdout, /^jute\.maxbuffer=4096 +# JAVA_OPTS -Djute\.maxbuffer$/m);
  assert.match(stdout, /^extendedTypesEnabled=true +# JAVA_OPTS -Dzookeeper\.extendedTypesEnabled$/m);
});

test('a server whose dataDir an option or a word for a Java machine says is stopped by the same words', async () => {
  const home = await Home.make();
  const other = join(home.dir, 'other');
  for (const words of [['--set', `dataDir=${other}`], [`-Dzookeeper.dataDir=${other}`]]) {
    if (words.length === 1) writeFileSync(join(home.dir, 'conf/zoo.cfg'), `clientPort=${home.port}\n`); // a file overrides such words
    const started = await home.server('start', ...words);
    assert.equal(started.code, 0, started.stderr);
    assert.equal(existsSync(home.data), false);
    const [, pid] = /process (\d+)/.exec(started.stdout) as unknown as [string, string];
    try {
      assert.ok(existsSync(join(other, 'zookeeper_server.pid')));
      const stopped = await home.server('stop', ...words);
      assert.deepEqual([stopped.code, stopped.stdout, stopped.stderr], [0, `stopped, process ${pid}\n`, '']);
    } finally {
      if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
    }
  }
});

test('initialize --force empties the dataDir that is said, and leaves that of zoo.cfg', async () => {
  const home = await Home.make();
  const other = join(home.dir, 'other');
  for (const dir of [home.data, other]) mkdirSync(join(dir, 'zoosh-1'), { recursive: true });
  const ran = await home.server('initialize', '--force', '--yes', '--set', `dataDir=${other}`);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(
    [home.data, other].map((dir) => existsSync(join(dir, 'zoosh-1'))),
    [true, false],
  );
});
