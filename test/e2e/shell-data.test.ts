import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { rig } from '../shell/rig.ts';
import { type Ran, zoosh } from './cli.ts';
import { until } from './members.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-data-'));
before(() => server.start());
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks again where a server did not answer within the two seconds it is given: a machine may stand still as long. */
async function told(wanted: RegExp, args: readonly string[], before = (): void => {}): Promise<Ran> {
  for (let left = 2; ; left--) {
    before();
    const ran = await zoosh(args);
    if (left === 0 || wanted.test(ran.stdout + ran.stderr)) return ran;
  }
}

test('data by option: text as it is, a file, standard input, none', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'of a file');
  const script = [
    'create /d --text @notafile',
    'get /d',
    'set /d --text -x',
    'get /d',
    `set /d --file ${file}`,
    'get /d',
    'set /d --null',
    'get /d',
    'put /d/e --text ${x}',
    'get /d/e',
  ];
  const ran = await zoosh(['--set', 'x=1', server.hosts], script.join('\n'));
  assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, '/d\n@notafile\n1\n-x\n2\nof a file\n3\n/d/e\n1\n', '']);
  assert.equal((await zoosh([server.hosts, 'set', '/d', '--stdin'], 'piped')).stdout, '4\n');
  assert.equal((await zoosh([server.hosts, 'get', '/d'])).stdout, 'piped\n');
  for (const wrong of [
    ['set', '/d'],
    ['set', '/d', 'x', '--null'],
    ['put', '/d', '--text', 'a', '--stdin'],
    ['set', '/d', '--file', '/no/such'],
  ])
    assert.equal((await zoosh([server.hosts, ...wrong])).code, 2, wrong.join(' '));
});

test('--force-size sends what a server was set to take, alone and in a transaction; one that was not hangs up', async () => {
  await using roomy = await new ServerProcess(['jute.maxbuffer=4194304']).start();
  const big = join(folder, 'two-mib');
  writeFileSync(big, Buffer.alloc(2 << 20, 120));
  const script = [
    `create -p /new/created @${big} --force-size`,
    `put /put @${big} --force-size`,
    `set /put @${big} --force-size`,
    'set /put --append --force-size y',
    `txn { create /txn @${big} --force-size; set /put small }`,
  ];
  const ran = await zoosh([roomy.hosts], script.join('\n'));
  assert.deepEqual([ran.code, ran.stderr], [0, '']);
  assert.match(ran.stdout, /^\/new\/created\n\/put\n1\n2\n/);
  await using client = await connect(roomy.hosts);
  for (const path of ['/new/created', '/txn']) assert.equal((await client.exists(path))?.dataLength, 2 << 20, path);
  assert.equal((await client.exists('/put'))?.version, 3);
  // what is there, or was, goes elsewhere and back without being said
  const prompt = rig(client, {}, undefined, { trash: join(folder, 'undo') });
  for (const line of [
    'mv /txn /moved',
    'set /moved small',
    'undo',
    'cp -r /moved /copied',
    'touch /copied',
    'create /over small',
    'cp -r -f /moved /over',
    'create /onto small',
    'mv -f /copied /onto',
    'mv -n /over /nowhere',
  ])
    assert.equal(await prompt.shell.run(line), 0, `${line}: ${prompt.told[0]?.failure.message}`);
  for (const path of ['/moved', '/onto', '/over']) assert.equal((await client.exists(path))?.dataLength, 2 << 20, path);
  const atomic = await zoosh([roomy.hosts, '--atomic', '-c', 'cp /moved /atomic']);
  assert.deepEqual([atomic.code, atomic.stderr], [0, '']);
  assert.equal((await client.exists('/atomic'))?.dataLength, 2 << 20);
  // where nothing shows that the server takes more, what would not fit is refused unsent
  const full = Buffer.alloc(1_048_475, 120); // the most that fits below a name of this length
  await client.create('/full', full);
  const longer = `/${'long'.repeat(150)}`;
  await using plain = await connect(server.hosts);
  await plain.create('/full', full);
  const ordinary = rig(plain, {}, undefined, { trash: join(folder, 'ordinary') });
  assert.equal(await ordinary.shell.run(`mv /full ${longer}`), 19);
  assert.equal((await plain.exists('/full'))?.dataLength, full.length);
  assert.equal(await ordinary.shell.run(`cp /full ${longer}`), 19);
  const refused = await zoosh([server.hosts, 'create', '/forced', `@${big}`, '--force-size']);
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /outcome unknown: the connection broke[\s\S]*larger than its jute\.maxbuffer/);
  assert.equal((await zoosh([server.hosts], `txn { create /forced @${big} }`)).code, 19);
});

test('a default profile that is not there can be mended, and is never replaced by a guess', async () => {
  const env = { ZOOSH_HOME: join(folder, 'home') };
  mkdirSync(join(folder, 'home', 'config'), { recursive: true });
  const config = join(folder, 'home', 'config', 'config.json');
  writeFileSync(config, `{ "default": "gone", "profiles": { "here": { "server": "${server.hosts}" } } }`);
  const refused = await zoosh(['ls', '/'], '', env);
  assert.deepEqual([refused.code, refused.stderr.split('\n')[0]], [2, 'error: no profile gone']);
  assert.equal((await zoosh(['profile', 'default', 'here'], '', env)).code, 0);
  assert.equal((await zoosh(['exists', '/zookeeper'], '', env)).stdout, 'yes\n');
  for (const two of [
    ['-s', 'a:1', 'b:1', 'ls', '/'],
    ['-s', 'a:1', 'playground'],
    ['--tls', 'playground'],
  ])
    assert.equal((await zoosh(two, '', env)).code, 2, two.join(' '));
});

test('with -k a script file goes on after a line that cannot be read; JSON errors name the line', async () => {
  const file = join(folder, 'x.zk');
  writeFileSync(file, 'create /k\nget "open\nexists /k\n');
  const whole = await zoosh(['-k', server.hosts, file]);
  assert.deepEqual([whole.code, whole.stdout], [2, '/k\n']);
  writeFileSync(file, 'create /k2\n&& get\nexists /k2\n');
  const goes = await zoosh(['-k', server.hosts, file]);
  assert.deepEqual([goes.code, goes.stdout], [2, '/k2\nyes\n']);
  const json = await zoosh(['-o', 'json', server.hosts], 'pwd\n\nget /nope\n');
  assert.equal((JSON.parse(json.stderr) as { error: { line: number } }).error.line, 3);
});

test('a word that the server does not allow names its setting; the words it allows are answered', async () => {
  const refused = await zoosh([server.hosts, '4lw', '--admin-port', '1', 'mntr']);
  assert.deepEqual([refused.code, refused.stdout], [21, '']);
  assert.match(
    refused.stderr,
    /does not allow mntr, and port 1 has no AdminServer\n hint: add mntr to 4lw\.commands\.whitelist in its zoo\.cfg; /,
  );
  const wrong = await zoosh([server.hosts, '4lw', 'srvr', 'x:y']);
  assert.deepEqual([wrong.code, wrong.stderr], [2, "error: 4lw: 'x:y': the port is a number from 1 to 65535\n"]);
  assert.match((await zoosh([server.hosts, '4lw', 'srvr'])).stdout, /^Zookeeper version: .*\n/);
});

test('a word that is not allowed is asked of the AdminServer, and so is who owns a node', async () => {
  const owner = await connect(server.hosts);
  await owner.create('/mine', null, { mode: 'ephemeral' });
  const connection = {
    remote_socket_address: 'localhost/127.0.0.1:51514',
    session_id: 0,
    session_timeout: 30000,
    established: '2026-11-26T10:00:00Z',
  };
  // a session id has more digits than a number of JSON
  const text = JSON.stringify({ connections: [connection], command: 'connections', error: null }).replace(
    '"session_id":0',
    `"session_id":${owner.sessionId}`,
  );
  const asked: (string | undefined)[] = [];
  const admin = createServer((request, response) => {
    asked.push(request.url);
    const isMntr = request.url === '/commands/mntr';
    response.end(isMntr ? '{"version":"3.9.3","jvm":{"threads":7},"command":"monitor","error":null}' : text);
  });
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve));
  const port = String((admin.address() as AddressInfo).port);
  try {
    const anew = (): void => void asked.splice(0);
    const ran = await told(/jvm\.threads/, [server.hosts, '4lw', 'mntr', '--admin-port', port], anew);
    assert.deepEqual(asked, ['/commands/mntr']);
    assert.deepEqual([ran.code, ran.stdout], [0, 'version\t3.9.3\njvm.threads\t7\n'], ran.stderr);
    assert.match(ran.stderr, new RegExp(`does not allow mntr: this is what its AdminServer on port ${port} says\n$`));
    const who = await told(/51514/, [server.hosts, 'who', '--admin-port', port, '/mine'], anew);
    assert.equal(who.code, 0, who.stderr);
    const [path, session, client, , since] = who.stdout.trim().split('\t');
    assert.deepEqual(
      [path, session, client, since],
      ['/mine', `0x${owner.sessionId.toString(16)}`, '127.0.0.1:51514', '2026-11-26T10:00:00.000Z'],
    );
    assert.deepEqual(asked, ['/commands/cons']);
  } finally {
    admin.close();
    await owner.close();
  }
});

test('an AdminServer that wants a login is given the digest login of the session; without one that is said', async () => {
  const login = 'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE='; // super:adminpass
  const where = ['admin.enableServer=true', 'admin.serverAddress=127.0.0.1', 'admin.serverPort=0'];
  await using guarded = await new ServerProcess([...where, login], 'info').start();
  const listens = /admin server on 127\.0\.0\.1:(\d+)/;
  // that it serves is said on another stream, and may be heard before
  await until(
    () => listens.test(guarded.stderr),
    PATIENCE_MS,
    () => guarded.stderr,
  );
  const port = listens.exec(guarded.stderr)?.[1] as string;
  const owner = await connect(guarded.hosts);
  try {
    await owner.create('/mine', null, { mode: 'ephemeral' });
    const asks = ['--admin-port', port];
    const wants = /wants (?:a|the) login/;
    const stranger = await told(wants, [guarded.hosts, 'who', ...asks, '/mine']);
    assert.deepEqual([stranger.code, stranger.stdout], [21, '']);
    assert.match(stranger.stderr, /its AdminServer wants the login of an administrator/);
    const word = await told(wants, [guarded.hosts, '4lw', ...asks, 'cons']);
    assert.equal(word.code, 21);
    assert.match(word.stderr, /its AdminServer on port \d+ wants a login\n hint: .*addauth digest/);
    assert.equal((await told(/imok/, [guarded.hosts, '4lw', ...asks, 'ruok'])).stdout, 'imok\n');
    const blind = await told(wants, [guarded.hosts, 'doctor', ...asks]);
    assert.match(blind.stdout, /^warn\t.* the AdminServer on port \d+ wants a login: /m);
    const known = ['--auth', 'digest:super:adminpass', guarded.hosts];
    const owned = await told(/^\/mine\t/m, [...known, 'who', ...asks, '/mine']);
    assert.equal(owned.code, 0, owned.stderr);
    assert.match(owned.stdout, /^\/mine\t0x[0-9a-f]+\t127\.0\.0\.1:\d+\t/);
    assert.doesNotMatch((await zoosh([...known, 'doctor', ...asks])).stdout, /wants a login/);
    // nobody needs to be asked whose a node of this very session is
    const own = await zoosh([guarded.hosts, '-c', 'create -e /own x; who /own']);
    assert.match(own.stdout, /^\/own\n\/own\t0x[0-9a-f]+\tthis shell\t/, own.stderr);
  } finally {
    await owner.close();
  }
});

test('-v tells every request and answer, and of a failure what the wire said; no data, no credential', async () => {
  const ran = await zoosh(['-v', '--auth', 'digest:bob:secret', server.hosts], 'create /v topsecret\nget /nope\n');
  assert.deepEqual([ran.code, ran.stdout], [10, '/v\n']);
  const { stderr } = ran;
  assert.match(stderr, /-> connect\n[^\n]+<- session 0x[0-9a-f]+, timeout \d+ms\n/);
  assert.match(stderr, /-> auth digest \(\d+ bytes\)\n/);
  assert.match(stderr, /-> #1 create2? \/v \(\d+ bytes\)\n/);
  assert.match(stderr, /<- #1 create2? \/v ok in [\d.]+m?s, zxid 0x[0-9a-f]+ \(\d+ bytes\)\n/);
  assert.match(stderr, /<- #2 getData \/nope NoNode in/);
  assert.match(
    stderr,
    /error: node does not exist: \/nope\n NoNode \(-101\), xid 2, zxid 0x[0-9a-f]+, from 127\.0\.0\.1:\d+\n/,
  );
  assert.doesNotMatch(stderr, /secret|bob/);
});
