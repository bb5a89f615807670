/** Logins by SASL, from the shell and the library to the built server, through each way to say them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import { Writer } from '../../src/protocol/bytes.ts';
import { OPERATIONS } from '../../src/protocol/operations.ts';
import { PATIENCE_MS } from '../patience.ts';
import { zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';
import { frame, hello } from './raw.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-login-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const MODULE = 'org.apache.zookeeper.server.auth.DigestLoginModule required';
const SERVER = file('server.conf', `Server { ${MODULE} user_bob="s:cret" user_ädam="pässwörd" user_admin="a"; };`);
const LINES = [
  'authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
  `java.security.auth.login.config=${SERVER}`,
  'superUser=admin',
  'sessionRequireClientSASLAuth=true',
  // a disk that stands still for a second is told of, and nothing is to be told here
  'fsync.warningthresholdms=600000',
];

test('every way to say a login, and what is said when it is refused', async () => {
  await using server = await new ServerProcess(LINES).start();
  const { hosts } = server;
  const whoami = async (args: string[], env: Record<string, string> = {}): Promise<string> => {
    const ran = await zoosh([...args, 'whoami'], '', env);
    assert.deepEqual([ran.code, ran.stderr], [0, '']);
    return ran.stdout;
  };
  const bob = ['--auth', 'sasl:bob:s:cret'];
  assert.match(await whoami([...bob, hosts]), /^sasl:?\s*bob$/m);
  assert.match(await whoami(['--auth', 'sasl:ädam:pässwörd', hosts]), /^sasl\t\xc3\xa4dam$/m); // bytes of UTF-8
  assert.match(await whoami([hosts], { ZOOSH_AUTH: 'sasl:bob:s:cret' }), /bob/);
  assert.match(await whoami(['--auth', 'sasl:env:PW', hosts], { PW: 'admin:a' }), /^super/m);

  const jaas = file(
    'client.conf',
    `Client { ${MODULE} username="bob" password="s:cret"; };\nOther { ${MODULE} username="admin" password="a"; };`,
  );
  const flag = `-Djava.security.auth.login.config=${jaas}`;
  assert.match(await whoami([hosts], { CLIENT_JVMFLAGS: flag }), /bob/);
  assert.match(await whoami([hosts], { JVMFLAGS: `-Xmx1g ${flag}` }), /bob/);
  assert.match(await whoami([flag, hosts]), /bob/);
  assert.match(await whoami([flag, '-D', 'zookeeper.sasl.clientconfig=Other', hosts]), /admin/);
  // what is said here counts more
  assert.match(await whoami([flag, '--auth', 'sasl:admin:a', hosts]), /admin/);
  const config = file('client.cfg', `java.security.auth.login.config=${jaas}\nzookeeper.sasl.clientconfig=Other\n`);
  assert.match(await whoami(['--client-config', config, hosts]), /admin/);
  const env = { ZOOSH_HOME: folder };
  assert.equal((await zoosh(['profile', 'add', 'bob', hosts, '--auth', 'sasl:bob:s:cret'], '', env)).code, 0);
  assert.match(await whoami(['@bob'], env), /bob/);
  // as zkCli
  const old = await zoosh(['-server', hosts, 'ls', '/'], '', { CLIENT_JVMFLAGS: flag });
  assert.deepEqual([old.code, old.stdout, old.stderr], [0, '[zookeeper]\n', '']);
  const configured = await zoosh(['-server', hosts, '-client-configuration', config, 'ls', '/']);
  assert.deepEqual([configured.code, configured.stdout], [0, '[zookeeper]\n']);
  // at the prompt's language
  const late = await zoosh([hosts, '-c', 'addauth sasl bob:s:cret', '-c', 'whoami']);
  assert.match(late.stdout, /^sasl\tbob$/m);

  const refused = async (
    args: string[],
    code: number,
    says: RegExp,
    more: Record<string, string> = {},
  ): Promise<void> => {
    const ran = await zoosh([...args, hosts, 'ls', '/'], '', more);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, says);
    assert.doesNotMatch(ran.stderr + ran.stdout, /s:cret|wrong1/);
  };
  await refused(['--auth', 'sasl:bob:wrong1'], 4, /does not take this credential/);
  await refused([], 4, /--auth or the profile gives a credential/);
  await refused(['--auth', 'digest:a:b'], 4, /--auth or the profile/);
  await refused(['--auth', 'sasl:bob'], 2, /user:password/);
  const kerberos = file(
    'krb.conf',
    'Client { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true; };',
  );
  const words = `-Djava.security.auth.login.config=${kerberos}`;
  await refused([words], 4, /asks for Kerberos, which zoosh does not speak/);
  await refused([], 4, /asks for Kerberos/, { JVMFLAGS: words });
  const zkCli = await zoosh(['-server', hosts, 'ls', '/'], '', { CLIENT_JVMFLAGS: words });
  assert.deepEqual([zkCli.code, /Kerberos/.test(zkCli.stderr)], [4, true]);
  await refused(['-Djava.security.auth.login.config=/none'], 2, /-D: \/none cannot be read: there is no such file/);
  await refused([flag, '-Dzookeeper.sasl.clientconfig=Nope'], 2, /no section Nope/);
  await refused([`-Djava.security.auth.login.config=${file('bad.conf', 'Client { "s:cret"')}`], 2, /line 1/);
  // as Java's client does: no section, no login
  await refused([`-Djava.security.auth.login.config=${SERVER}`], 4, /--auth or the profile/);
  // the server tells of the one wrong password, and of nothing else: no password, and nobody who tried none
  assert.match(server.stderr, /^(\S+ warn {2}a client at 127\.0\.0\.1: a login by sasl as "bob" was refused\n)+$/);
});

test('the library logs in again on each connection, before its watches are set again', async () => {
  await using server = await new ServerProcess(LINES).start();
  await using client = await connect(server.hosts, {
    auth: [{ scheme: 'sasl', auth: 'bob:s:cret' }],
    timeoutMs: 40_000,
    connectTimeoutMs: PATIENCE_MS,
  });
  const acl = [{ perms: 31, scheme: 'auth', id: '' }];
  await client.create('/mine', 'one', { acl });
  assert.deepEqual(
    (await client.getAcl('/mine')).acl.map(({ scheme, id }) => `${scheme}:${id}`),
    ['sasl:bob'],
  );
  let tell: (type: string) => void = () => {};
  const seen = new Promise<string>((resolve) => {
    tell = resolve;
  });
  await client.get('/mine', { watch: ({ type }) => tell(type) });
  const lost = new Promise<void>((resolve) => {
    client.on('state', ({ state }) => state === 'suspended' && resolve());
  });
  await server.kill('SIGKILL');
  await lost;
  const read = client.get('/mine');
  read.catch(() => {});
  await server.start();
  assert.equal((await read).data?.toString(), 'one');
  await using other = await connect(server.hosts, {
    auth: [{ scheme: 'sasl', auth: 'admin:a' }],
    connectTimeoutMs: PATIENCE_MS,
  });
  await other.set('/mine', 'two');
  assert.equal(await seen, 'NodeDataChanged');
  await assert.rejects(other.addAuth('sasl', 'bob:s:cret'), /once/);
});

test('a refused login is told of after a second, and nobody else waits for that', async () => {
  await using server = await new ServerProcess(LINES).start();
  const logIn = (auth: string, scheme = 'sasl'): ReturnType<typeof connect> =>
    connect(server.hosts, { auth: [{ scheme, auth }], connectTimeoutMs: PATIENCE_MS });
  const since = performance.now();
  const refused = ['bob:guess', 'nobody:guess'].map(async (each) => {
    await assert.rejects(logIn(each), { code: 'AuthFailed' });
    return performance.now() - since;
  });
  const first = Promise.race(refused);
  let others = 0;
  let done = false;
  void first.finally(() => {
    done = true;
  });
  while (!done) {
    await (await logIn('bob:s:cret')).close();
    others++;
  }
  assert.ok(others > 3, `${others} others logged in meanwhile`);
  for (const ms of await Promise.all(refused)) assert.ok(ms >= 999, `told after ${ms} ms`);
});

test('a refused credential is answered before its client gives up, and also to one that has said its last', async () => {
  await using server = await new ServerProcess([...LINES, 'tickTime=300']).start();
  await assert.rejects(
    connect(server.hosts, {
      auth: [{ scheme: 'sasl', auth: 'bob:guess' }],
      timeoutMs: 600,
      connectTimeoutMs: PATIENCE_MS,
    }),
    { code: 'AuthFailed' },
  );
  const [host = '', port] = server.hosts.split(':');
  const socket = dial({ port: Number(port), host, allowHalfOpen: true });
  const to = new Writer();
  for (const word of [-4, OPERATIONS.auth.code]) to.int32(word);
  OPERATIONS.auth.request.write(to, { type: 0, scheme: 'nobody', auth: Buffer.from('x') });
  socket.write(hello());
  await once(socket, 'data');
  const since = performance.now();
  socket.end(frame(to.take()));
  const bytes = await buffer(socket);
  assert.ok(performance.now() - since >= 999, `over after ${performance.now() - since} ms`);
  assert.equal(bytes.readInt32BE(bytes.length - 4), -115);
});

test('a server without logins by SASL is told of', async () => {
  await using server = await new ServerProcess().start();
  const ran = await zoosh(['--auth', 'sasl:bob:pw', server.hosts, 'ls', '/']);
  assert.equal(ran.code, 4);
});
