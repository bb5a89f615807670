/** What an operator is told when something around a server does not go: what, where, and what to do. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { asNobody, openToAll, type Ran, zoosh, zooshProcess } from './cli.ts';
import { Home, isAlive, pidOf, until } from './home.ts';

const isRoot = process.getuid?.() === 0;
const NONE = 'no folder can be made in /proc';

test('a data directory of another user is told as such, not by what was tried in it', { skip: !isRoot }, async () => {
  for (const [key, other] of [
    ['dataDir', 'dataLogDir'],
    ['dataLogDir', 'dataDir'],
  ] as const) {
    const home = await Home.make();
    const [theirs, open] = ['theirs', 'open'].map((name) => join(home.dir, name)) as [string, string];
    mkdirSync(theirs);
    mkdirSync(open);
    chmodSync(theirs, 0o755);
    chmodSync(open, 0o777);
    home.configure([`${key}=${theirs}`, `${other}=${open}`]);
    openToAll(home.dir);
    const conf = join(home.dir, 'conf');
    const said = `the ${key === 'dataDir' ? 'data' : 'log'} directory ${theirs} cannot be used: user 65534 may not read and write it; make it that user's\n`;
    for (const words of [['start'], ['start-foreground', '--log-level', 'error']]) {
      const ran = await asNobody(['server', '--config', conf, ...words]);
      assert.deepEqual([ran.code, ran.stderr], [40, `error: ${said}`]);
    }
    const apache = await asNobody(['server', '--apache', '--config', conf, 'start-foreground', '--log-level', 'error']);
    assert.deepEqual(
      [apache.code, apache.stderr],
      [3, `Using config: ${conf}/zoo.cfg\nUnable to access datadir, exiting abnormally\nerror: ${said}`],
    );
  }
});

test('where no folder can be made nothing waits for one', { skip: process.platform !== 'linux' }, async () => {
  const home = await Home.make('dataDir=/proc/zoosh/data');
  const started = await home.server('start');
  assert.deepEqual(
    [started.code, started.stderr],
    [40, `error: the data directory /proc/zoosh/data cannot be made: ${NONE}\n`],
  );
  const config = join(home.dir, 'conf/zoo.cfg');
  const foreground = await zoosh(['start', 'server', '--config', config, '--log-level', 'error']);
  assert.deepEqual([foreground.code, foreground.stderr], [started.code, started.stderr]);
  const shims = await zoosh(['shims', '/proc/zoosh']);
  assert.deepEqual([shims.code, shims.stderr], [2, `error: shims: /proc/zoosh cannot be written: ${NONE}\n`]);
  const initialized = await home.server('initialize');
  assert.equal(initialized.code, 40, initialized.stderr);
  assert.match(initialized.stderr, new RegExp(`^error: the data directory /proc/zoosh/data cannot be made: ${NONE}\n`));
  home.configure([]);
  const nameless = await zoosh(['server', '--config', join(home.dir, 'conf'), 'start'], '', {
    ...home.env,
    ZOOPIDFILE: '/proc/zoosh/pid',
  });
  assert.deepEqual(
    [nameless.code, nameless.stderr],
    [40, `error: the pid file /proc/zoosh/pid cannot be written: ${NONE}; ZOOPIDFILE says where it may be\n`],
  );
  // a folder that is there and takes no other
  const within = await zoosh(['start', 'standalone', '--data', '/proc', '--port', '0', '--log-level', 'error']);
  assert.equal(within.code, 40, within.stderr);
  assert.ok(!existsSync(home.pidFile));
});

test('what a server alone without a myid has written is cleaned up after it has stopped', async () => {
  const home = await Home.make('snapCount=2', 'preAllocSize=64', 'autopurge.snapRetainCount=50');
  assert.equal((await home.server('start')).code, 0);
  const snapshots = (): number =>
    readdirSync(join(home.data, 'zoosh-1')).filter((name) => /^snapshot\.[0-9a-f]+$/.test(name)).length;
  {
    await using client = await connect(home.hosts);
    await client.create('/a', 'x');
    for (const end = performance.now() + PATIENCE_MS; snapshots() <= 4 && performance.now() < end; )
      await client.set('/a', 'y');
  }
  assert.equal((await home.server('stop')).code, 0);
  assert.ok(!existsSync(join(home.data, 'myid')));
  assert.ok(snapshots() > 3);
  const cleaned = await home.server('cleanup', '-n', '3');
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.match(cleaned.stdout, /^Removing file: snapshot\./m);
  assert.equal(snapshots(), 3);
});

test('SIGHUP opens whatever log file there is again, and ends nothing that runs in the background', async () => {
  const home = await Home.make();
  const audit = join(home.dir, 'audit.log');
  for (const lines of [[], ['audit.enable=true', `audit.logFile=${audit}`]]) {
    home.configure(lines);
    assert.equal((await home.server('start')).code, 0);
    const pid = pidOf(home);
    try {
      if (lines.length > 0) renameSync(audit, `${audit}-moved`);
      process.kill(pid, 'SIGHUP');
      if (lines.length > 0) await until(() => existsSync(audit), 'the audit log was not opened again');
      // it answers afterwards
      await using client = await connect(home.hosts);
      await client.set('/', 'x');
      assert.ok(isAlive(pid));
    } finally {
      assert.equal((await home.server('stop')).code, 0);
    }
  }
  assert.match(readFileSync(audit, 'utf8'), /operation=setData\tznode=\/\t/);

  // in the foreground: a file keeps it, too; without one the terminal went away
  const words = ['start', 'server', '--config', join(home.dir, 'conf/zoo.cfg'), '--log-level', 'warn'];
  rmSync(audit);
  const kept = zooshProcess(words);
  await until(() => /^ready /m.test(kept.stdout()), 'it did not come to serve');
  rmSync(audit);
  kept.kill('SIGHUP');
  await until(() => existsSync(audit), 'the audit log was not opened again');
  kept.kill('SIGTERM');
  assert.equal(await kept.ended, 0);
  home.configure([]);
  const bare = zooshProcess(words);
  await until(() => /^ready /m.test(bare.stdout()), 'it did not come to serve');
  bare.kill('SIGHUP');
  assert.equal(await bare.ended, 0);
});

test('what belongs to another user is told, and as who it can be done', {
  skip: process.platform !== 'linux',
}, async () => {
  const home = await Home.make();
  assert.equal((await zoosh(['shims', join(home.dir, 'bin')])).code, 0);
  assert.equal((await home.server('start')).code, 0);
  const pid = pidOf(home);
  const server = (...words: string[]): Promise<Ran> =>
    asNobody(['server', '--config', join(home.dir, 'conf'), ...words], home.env);
  const owner = process.getuid?.() === 0 ? 'root' : `user ${process.getuid?.()}, or as root`;
  openToAll(home.dir);
  try {
    // only root can be somebody else
    if (process.getuid?.() === 0)
      for (const verb of ['stop', 'restart']) {
        const others = await server(verb);
        assert.deepEqual(
          [others.code, others.stdout, others.stderr],
          [40, '', `error: process ${pid}, which ${home.pidFile} is about, is another user's: do it as root\n`],
        );
        const theirs = await server('--apache', verb);
        assert.equal(theirs.code, verb === 'stop' ? 0 : 1, theirs.stderr);
        assert.equal(theirs.stdout, 'Stopping zookeeper ... FAILED TO STOP\n');
      }
    assert.ok(isAlive(pid));
  } finally {
    assert.equal((await home.server('stop')).code, 0);
  }

  const doAs = process.getuid?.() === 0 ? `; do it as ${owner}` : '';
  writeFileSync(home.pidFile, '1');
  openToAll(home.dir);
  for (const dir of [home.data, join(home.data, 'zoosh-1')]) chmodSync(dir, 0o555);
  const stale = await server('stop');
  assert.deepEqual(
    [stale.code, stale.stderr],
    [1, `warning: ${home.pidFile} cannot be removed: not permitted${doAs}\n`],
    stale.stdout,
  );
  const theirs = await server('--apache', 'stop');
  assert.equal(theirs.code, 0, theirs.stderr);
  const wiped = await asNobody(['-y', 'server', '--config', join(home.dir, 'conf'), 'initialize', '--force'], home.env);
  assert.deepEqual(
    [wiped.code, wiped.stderr],
    [40, `error: ${home.data}/zoosh-1 cannot be removed: not permitted${doAs}\n`],
  );
  chmodSync(home.pidFile, 0);
  const unread = await server('stop');
  assert.deepEqual(
    [unread.code, unread.stderr],
    [40, `error: the pid file ${home.pidFile} cannot be read: not permitted${doAs}\n`],
  );
  for (const dir of [home.data, join(home.data, 'zoosh-1')]) chmodSync(dir, 0o755);
});

test('the command that a missing myid asks for works as it is pasted, and makes nobody another server', async () => {
  const home = await Home.make();
  const lines = [1, 2].map((n) => `server.${n}=198.51.100.${n}:2888:3888`);
  home.configure(['initLimit=10', 'syncLimit=5', 'peer.insecure=true', ...lines, 'server.3=127.0.0.1:2888:3888']);
  const missing = await home.server('start');
  assert.equal(missing.code, 43);
  const [, command = ''] =
    /write the id of this server into it: (.*)$/m.exec(missing.stderr.replace(/\n +/g, ' ')) ?? [];
  assert.ok(!existsSync(home.data));
  assert.equal(spawnSync('sh', ['-c', command]).status, 0, missing.stderr);
  assert.equal(readFileSync(join(home.data, 'myid'), 'utf8'), '3\n');
});

test('accept-loss and restore take a folder or a file, in any order, as the other verbs do', async () => {
  const home = await Home.make();
  const conf = join(home.dir, 'conf');
  const file = join(conf, 'zoo.cfg');
  const alone = 'error: this zoo.cfg is of a server alone: nobody else can have held what it lost\n';
  for (const [words, env] of [
    [['--config', conf, 'accept-loss'], {}],
    [['--config', file, 'accept-loss'], {}],
    [['accept-loss', '--config', conf], {}],
    [['accept-loss', '--config', conf, 'zoo.cfg'], {}],
    [['accept-loss'], { ZOOCFGDIR: conf }],
  ] as const) {
    const found = await zoosh(['-y', 'server', ...words], '', env);
    assert.deepEqual([found.code, found.stderr], [43, alone]);
  }
  const nowhere = await zoosh(['-y', 'server', 'accept-loss'], '', { ZOOCFGDIR: '' });
  assert.deepEqual([nowhere.code, /say of which server, by --config/.test(nowhere.stderr)], [2, true], nowhere.stderr);
  assert.match(
    (await zoosh(['server', 'accept-loss', '--help'])).stdout,
    /^usage: zoosh server \[--config DIR\|FILE\] accept-loss/,
  );

  assert.equal((await home.server('start')).code, 0);
  const backup = join(home.dir, 'b.zbak');
  assert.equal((await home.server('backup', backup)).code, 0);
  assert.equal((await home.server('stop')).code, 0);
  renameSync(home.data, `${home.data}-old`);
  for (const config of [conf, file]) {
    const restored = await zoosh(['restore', backup, '--config', config]);
    assert.equal(restored.code, 0, restored.stderr);
    assert.ok(existsSync(join(home.data, 'zoosh-1')));
    rmSync(home.data, { recursive: true });
  }
});

test('restart does not stop what would not start again', async () => {
  const home = await Home.make();
  assert.equal((await zoosh(['shims', join(home.dir, 'bin')])).code, 0);
  assert.equal((await home.server('start')).code, 0);
  const pid = pidOf(home);
  try {
    home.configure(['electionAlg=1']);
    const refused = await home.server('restart');
    assert.deepEqual([refused.code, refused.stdout], [43, '']);
    assert.match(refused.stderr, /^error: not stopped, since it would not start again: .*only 3 exists/m);
    const script = home.script('zkServer.sh', ['restart']);
    assert.deepEqual([script.code, script.stdout], [1, '']);
    assert.match(script.stderr, /not stopped, since it would not start again/);
    assert.deepEqual([pidOf(home), isAlive(pid)], [pid, true]);
    home.configure(['dataLogDir=/dev/null/log']);
    const placeless = await home.server('restart');
    assert.deepEqual([placeless.code, placeless.stdout], [40, '']);
    assert.match(placeless.stderr, /^error: not stopped, .*: the log directory \/dev\/null\/log cannot be made/m);
    assert.deepEqual([pidOf(home), isAlive(pid)], [pid, true]);
    home.configure([]);
    assert.equal((await home.server('restart')).code, 0);
    assert.notEqual(pidOf(home), pid);
  } finally {
    assert.equal((await home.server('stop')).code, 0);
  }
  // where none runs the start tells what is wrong, as before
  home.configure(['electionAlg=1']);
  const none = home.script('zkServer.sh', ['restart']);
  assert.equal(none.code, 1);
  assert.match(
    none.stdout,
    /^Stopping zookeeper \.\.\. no zookeeper to stop .*\nStarting zookeeper \.\.\. FAILED TO START\n$/,
  );
});
