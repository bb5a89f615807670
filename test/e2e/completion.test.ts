import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type EmbeddedServer, startEmbedded } from '../../src/embed.ts';
import { connect } from '../../src/index.ts';
import { zoosh } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-complete-'));
let server: EmbeddedServer;
before(async () => {
  server = await startEmbedded();
  const client = await connect(server.connectString);
  for (const path of ['/apple', '/apple/pie', '/apple/pie/crust']) await client.create(path, 'x');
  await client.close();
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** A door to the server that counts who comes; a deaf one takes connections and never answers. */
async function door(isDeaf = false): Promise<{ hosts: string; came(): number } & Disposable> {
  let came = 0;
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    came++;
    sockets.add(socket);
    socket.on('error', () => {});
    if (isDeaf) return;
    const to = dial(Number(server.connectString.split(':')[1]), '127.0.0.1');
    to.on('error', () => socket.destroy());
    socket.pipe(to).pipe(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    hosts: `127.0.0.1:${address.port}`,
    came: () => came,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

async function ask(line: string, env: Record<string, string>): Promise<string[]> {
  const { code, stdout, stderr } = await zoosh(['__complete', '--shell', 'bash', '--', line], '', env);
  assert.deepEqual([code, stderr], [0, '']);
  return stdout.split('\n').flatMap((each) => (each === '' ? [] : [each.split('\t')[0] as string]));
}

/** On a busy machine an answer may be too late, which is right, and then none: another home, another try. */
async function unhurried(work: (home: string) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      return await work(mkdtempSync(join(folder, 'home-')));
    } catch (error) {
      if (tries === 40) throw error;
    }
}

test('a Tab is no session: what one has seen the next ones believe for a while', () =>
  unhurried(async (home) => {
    using to = await door();
    const env = { ZOOSH_HOME: home, ZOOSH_SERVER: to.hosts };
    assert.deepEqual(await ask('zoosh get /app', env), ['/apple/']);
    assert.deepEqual(await ask('zoosh get /app', env), ['/apple/']);
    assert.deepEqual(await ask('zoosh get /none', env), []);
    assert.equal(to.came(), 1);
    assert.deepEqual(await ask('zoosh get /apple/', env), ['/apple/pie/']);
    assert.equal(to.came(), 2);
    // who else one is may see something else
    assert.deepEqual(await ask('zoosh --auth digest:a:b get /app', env), ['/apple/']);
    assert.equal(to.came(), 3);
    const files = readdirSync(join(home, 'cache'));
    assert.equal(files.length, 2);
    for (const file of files) {
      assert.equal(statSync(join(home, 'cache', file)).mode & 0o777, 0o600);
      writeFileSync(join(home, 'cache', file), '{"children":');
    }
    assert.deepEqual(await ask('zoosh get /app', env), ['/apple/'], 'a damaged cache is none');
    assert.equal(to.came(), 4);
    assert.deepEqual(await ask('zoosh get /apple/pie/', { ...env, ZOOSH_COMPLETE_LIVE: '0' }), []);
    assert.equal(to.came(), 4);
  }));

test('after a connection that failed nothing is tried for a while; other servers are asked all the same', () =>
  unhurried(async (home) => {
    using deaf = await door(true);
    using good = await door();
    const env = { ZOOSH_HOME: home, ZOOSH_SERVER: deaf.hosts };
    const began = performance.now();
    assert.deepEqual(await ask('zoosh get /app', env), []);
    assert.ok(performance.now() - began < 1500, 'a busy machine may be slow, but nobody waits for a deaf server');
    assert.deepEqual(await ask('zoosh get /app', env), []);
    assert.deepEqual(await ask('zoosh ls /', env), []);
    assert.equal(deaf.came(), 1);
    assert.deepEqual(await ask(`zoosh ${good.hosts} get /app`, env), ['/apple/']);
  }));

test('options by letter or by name, and values of those before the command', () =>
  unhurried(async (home) => {
    const env = { ZOOSH_HOME: home, ZOOSH_COMPLETE_LIVE: '0' };
    assert.deepEqual(await ask('zoosh get --bas', env), ['--base64']);
    assert.ok((await ask('zoosh get -', env)).includes('-b'));
    assert.deepEqual(await ask('zoosh -o n', env), ['ndjson']);
    assert.deepEqual(await ask('zoosh --output t', env), ['table']);
    assert.deepEqual(await ask('zoosh --auth s', env), ['sasl:']);
    assert.deepEqual(await ask('zoosh --tls-ca ', env), [':files']);
    assert.deepEqual(await ask('zoosh --output=j', env), ['--output=json']);
    assert.deepEqual(await ask('zoosh -o json --color=', env), ['--color=auto', '--color=always', '--color=never']);
    assert.deepEqual(await ask('zoosh export --format=', env), ['--format=ndjson', '--format=archive', '--format=dir']);
    assert.ok((await ask('zoosh --timeout ', env)).includes('5s'));
    assert.deepEqual(await ask('zoosh --op-timeout=1', env), ['--op-timeout=1m', '--op-timeout=1h', '--op-timeout=1d']);
    assert.deepEqual(await ask('zoosh ./depl', env), [':files']);
    assert.deepEqual(await ask('zoosh -s 127.0.0.1:1', env), []);
  }));

test('a path begins at the root, and where one was begun otherwise it goes on so', () =>
  unhurried(async (home) => {
    const env = { ZOOSH_HOME: home, ZOOSH_SERVER: server.connectString };
    for (const command of ['ls ', 'lock '])
      assert.deepEqual(await ask(`zoosh ${command}`, env), ['/apple/', '/zookeeper/']);
    assert.deepEqual(await ask('zoosh ls app', env), ['apple/']);
  }));

test('a profile whose credential is not there completes what anybody may see', () =>
  unhurried(async (home) => {
    mkdirSync(join(home, 'config'));
    const live = { server: server.connectString, auth: [{ scheme: 'digest', from: 'env:NO_SUCH' }] };
    writeFileSync(join(home, 'config', 'config.json'), JSON.stringify({ profiles: { live } }), { mode: 0o600 });
    assert.deepEqual(await ask('zoosh @live ls /app', { ZOOSH_HOME: home }), ['/apple/']);
    assert.deepEqual(await ask('zoosh cp -r @live:/app', { ZOOSH_HOME: home }), ['@live:/apple/']);
  }));

test('files where the tools of the program take files, and the options that a form of start has', async () => {
  await unhurried(async (home) => {
    const env = { ZOOSH_HOME: home };
    for (const line of [
      'verify ',
      'restore b',
      'snapshot info x',
      'start server --config z',
      'server --config ',
      'with --seed ',
      'with -- ./n',
      'lock /jobs/nightly -- ./n',
      'lock --wait 10s /jobs/nightly ./n',
      'semaphore -n 2 /jobs/some -- ',
    ])
      assert.deepEqual(await ask(`zoosh ${line}`, env), [':files'], line);
    assert.deepEqual(await ask('zoosh verify --l', env), ['--log-dir']);
    assert.deepEqual(await ask('zoosh snapshot in', env), ['info']);
    assert.deepEqual(await ask('zoosh start ensemble --b', env), ['--base-port']);
    assert.deepEqual(await ask('zoosh start server --b', env), ['--bootstrap-with']);
    assert.deepEqual(await ask('zoosh start s', env), ['standalone', 'server']);
    const { stdout } = await zoosh(['__complete', '--shell', 'zsh', '--', 'zoosh start standalone -'], '', env);
    for (const line of stdout.trimEnd().split('\n'))
      assert.match(line, /^-\S+\t-\t./, 'zsh and fish show what it is for');
    assert.deepEqual(await ask('zoosh playground -', env), ['-n', '--data', '--port', '--help']);
  });
});
