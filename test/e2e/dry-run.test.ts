/** What -n before the command means for what is done around servers: it is shown, or refused, and nothing is changed. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Ran, zoosh } from './cli.ts';
import { Home, isAlive, pidOf } from './home.ts';

const dry = (home: Home, words: readonly string[], env: Record<string, string> = {}): Promise<Ran> =>
  zoosh(['-n', '-y', ...words], '', { ZOOSH_HOME: join(home.dir, 'home'), ...home.env, ...env });
const dryServer = (home: Home, ...words: readonly string[]): Promise<Ran> =>
  dry(home, ['server', '--config', join(home.dir, 'conf'), ...words]);
/** Every file below a folder, with when it was changed. */
const files = (dir: string): string[] =>
  (readdirSync(dir, { recursive: true, encoding: 'utf8' }) as string[])
    .sort()
    .map((name) => `${name} ${statSync(join(dir, name)).mtimeMs}`);
const refused = (what: string, { code, stdout, stderr }: Ran): void =>
  assert.deepEqual(
    [code, stdout, stderr.split('\n')[0]],
    [30, '', `error: refused: a dry run cannot show what ${what} would do`],
  );

test('a dry run starts, stops and writes nothing around a server', async () => {
  const home = await Home.make();
  const before = files(home.dir);
  for (const verb of ['start', 'start-foreground', 'cleanup'])
    refused(`server ${verb}`, await dryServer(home, verb, ...(verb === 'cleanup' ? ['-n', '3'] : [])));
  for (const [words, what] of [
    [['backup', join(home.dir, 'b.zbak'), '--config', join(home.dir, 'conf')], 'server backup'],
    [['start', 'standalone', '--data', join(home.dir, 'd')], 'start standalone'],
    [['start', 'server', '--config', join(home.dir, 'conf/zoo.cfg')], 'start server'],
    [['start', 'observer', '--config', join(home.dir, 'conf/zoo.cfg')], 'start observer'],
    [['start', 'ensemble', 'mine', '-n', '1', '-d'], 'start ensemble'],
    [['with', '--', 'touch', join(home.dir, 'touched')], 'with'],
    [['playground', '--data', join(home.dir, 'play')], 'playground --data'],
    [['init', '--server', '127.0.0.1:1'], 'init'],
    [['profile', 'add', 'x', '127.0.0.1:1'], 'profile add'],
    [['settings', 'hints', 'off', '--save'], 'settings --save'],
    [['history', '--clear'], 'history --clear'],
    [['--compat', 'zkcli', '--dry-run', '-server', home.hosts, 'create', '/a'], 'zkCli'],
    [['-server', home.hosts, 'create', '/a'], 'zkCli'],
  ] as const)
    refused(what, await dry(home, words));
  assert.deepEqual(files(home.dir), before);

  assert.equal((await home.server('start')).code, 0);
  const pid = pidOf(home);
  try {
    for (const verb of ['stop', 'restart', 'bundle']) refused(`server ${verb}`, await dryServer(home, verb));
    refused('server log-level', await dryServer(home, 'log-level', 'debug'));
    assert.ok(isAlive(pid));
    // what only reads goes on
    assert.equal((await dryServer(home, 'log-level')).stdout, 'info\n');
    for (const verb of ['status', 'config', 'version', 'print-cmd'])
      assert.equal((await dryServer(home, verb)).code, 0, verb);
    assert.equal((await dry(home, ['profile', 'list'])).code, 0);
  } finally {
    assert.equal((await home.server('stop')).code, 0);
  }

  // what is irreversible says what it would do
  const kept = files(home.data);
  const wiped = await dryServer(home, 'initialize', '--force', '--myid', '3');
  assert.deepEqual(
    [wiped.code, wiped.stdout],
    [
      0,
      `would remove ${home.data}/zoosh-1\nwould make ${home.data} for a new server, with 3 in its myid.  Nothing was written.\n`,
    ],
    wiped.stderr,
  );
  assert.deepEqual(files(home.data), kept);
  assert.equal((await dryServer(home, 'initialize')).code, 42);
  const log = readdirSync(join(home.data, 'zoosh-1')).find((name) => name.startsWith('log.')) as string;
  refused('txnlog -c', await dry(home, ['txnlog', '-c', '-z', '1', join(home.data, 'zoosh-1', log)]));
  assert.deepEqual(files(home.data), kept);
});

test('a dry run of shims and from-env shows what would be written', async () => {
  const home = await Home.make();
  const bin = join(home.dir, 'bin');
  const shims = await dry(home, ['shims', bin]);
  assert.equal(shims.code, 0, shims.stderr);
  assert.match(shims.stdout, /^would write \S+\/bin\/zkServer\.sh\n/);
  assert.match(shims.stdout, /Nothing was written\.\n$/);
  assert.ok(!existsSync(bin));
  mkdirSync(bin);
  writeFileSync(join(bin, 'zkCli.sh'), 'mine\n');
  assert.equal((await dry(home, ['shims', bin])).code, 30);

  const made = join(home.dir, 'made');
  const env = { ZOO_CONF_DIR: made, ZOO_DATA_DIR: join(made, 'data'), ZOO_MY_ID: '3' };
  const fromEnv = await dry(home, ['server', 'from-env', '--force'], env);
  assert.equal(fromEnv.code, 0, fromEnv.stderr);
  assert.match(fromEnv.stdout, /^server\.1=localhost:2888:3888;2181$/m);
  assert.ok(!existsSync(made));
});

test('a dry run of accept-loss says what would be lost, and the ensemble stays', async () => {
  const home = await Home.make();
  // one of three that was there: an ensemble of one has a history, and zoo.cfg names two more
  const own = `server.1=127.0.0.1:${home.port + 100}:${home.port + 200}`;
  const all = ['initLimit=10', 'syncLimit=5', 'peer.insecure=true', 'standaloneEnabled=false', own];
  home.configure(all);
  mkdirSync(home.data);
  writeFileSync(join(home.data, 'myid'), '1\n');
  assert.equal((await home.server('start')).code, 0);
  for (const end = Date.now() + 30_000; Date.now() < end; )
    if ((await zoosh([home.hosts, 'create', '/a', 'x'])).code === 0) break;
  assert.equal((await home.server('stop')).code, 0);
  const kept = files(home.data);
  const config = join(home.dir, 'conf/zoo.cfg');
  const shown = await dry(home, ['server', 'accept-loss', '--config', config]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^server 1 of ensemble [0-9a-f]{32} holds everything up to zxid 0x/);
  assert.match(shown.stdout, /\nwould make server 1 an ensemble of its own, .*\. {2}Nothing was written\.\n$/);
  assert.deepEqual(files(home.data), kept);
  assert.match(readFileSync(config, 'utf8'), /server\.1/);
});
