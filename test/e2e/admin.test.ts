/** The admin server over HTTP: who may ask what, ZooKeeper's numbers and texts, and what is left when its port is taken. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { get as secureGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { makeCertificate } from '../tls/certificates.ts';
import { until } from './members.ts';
import { PemFiles } from './members-tls.ts';
import { ServerProcess } from './process.ts';

const SUPER = 'digest super:adminpass';
const LINES = [
  'admin.enableServer=true',
  'admin.serverAddress=127.0.0.1',
  'admin.serverPort=0',
  'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
];
const PLAIN = ['ruok', 'is_read_only', 'leader', 'monitor', 'server_stats', 'zabstate'];
const GUARDED = [
  ...['configuration', 'connection_stat_reset', 'connections', 'dirs', 'dump', 'environment', 'get_trace_mask', 'hash'],
  ...['initial_configuration', 'last_snapshot', 'observer_connection_stat_reset', 'observers', 'set_trace_mask'],
  ...['snapshot', 'stat_reset', 'stats', 'system_properties', 'voting_view', 'watch_summary', 'watches'],
  ...['watches_by_path', 'restore', 'shed_connections'],
];
const POSTS = new Set(['restore', 'shed_connections']);

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
interface Asked {
  readonly method?: string;
  readonly auth?: string;
  readonly body?: string;
}
/** What a server says on standard error may come after its `ready` on standard output. */
async function said(server: ServerProcess, what: RegExp): Promise<RegExpExecArray> {
  await until(
    () => what.test(server.stderr),
    PATIENCE_MS,
    () => `${what} is not in ${server.stderr}`,
  );
  return what.exec(server.stderr) ?? assert.fail();
}
class Admin {
  readonly port: number;
  private constructor(port: number) {
    this.port = port;
  }
  static async of(server: ServerProcess): Promise<Admin> {
    return new Admin(Number((await said(server, /admin server on 127\.0\.0\.1:(\d+)/))[1]));
  }
  ask(path: string, { method = 'GET', auth, body }: Asked = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers = auth === undefined ? {} : { authorization: auth };
      const sent = request({ host: '127.0.0.1', port: this.port, path, method, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
  command(name: string, asked: Asked = {}): Promise<Reply> {
    return this.ask(`/commands/${name}`, { auth: SUPER, ...asked });
  }
}

test('commands: who may ask them, numbers and texts as ZooKeeper has them', async () => {
  await using server = await new ServerProcess(LINES, 'info').start();
  const admin = await Admin.of(server);
  await using client = await connect(server.hosts);
  await client.create('/secret', 'x', { mode: 'ephemeral' });

  for (const name of PLAIN) assert.equal((await admin.ask(`/commands/${name}`)).status, 200, name);
  for (const name of GUARDED) {
    const method = POSTS.has(name) ? 'POST' : 'GET';
    const none = await admin.ask(`/commands/${name}`, { method });
    assert.deepEqual(
      [none.status, none.text],
      [401, `{\n  "command" : "${name}",\n  "error" : "Auth info is missing for the command"\n}`],
    );
  }
  // wrong: no digest, too many words, an address that proves nothing, and everybody who is not super while `/` is open to all
  const wrong = [
    ['bogus x', 401, 'Not authenticated'],
    ['digest a b c', 401, 'Not authenticated'],
    ['ip', 401, 'Not authenticated'],
    ['digest any:body', 403, 'Not authorized'],
    ['digest super:guess', 403, 'Not authorized'],
  ] as const;
  await Promise.all(
    wrong.map(async ([auth, status, error]) => {
      const began = performance.now();
      const reply = await admin.command('dump', { auth });
      assert.deepEqual([reply.status, JSON.parse(reply.text).error], [status, error], auth);
      assert.ok(performance.now() - began >= 900, 'guessing takes its time');
      assert.doesNotMatch(reply.text, /secret/);
    }),
  );
  assert.match((await admin.command('dump')).text, /"\/secret"/);
  assert.match((await admin.command('monitor')).text, /"auth_failed_count" : 5,/);
  for (const user of ['any', 'super'])
    await said(server, new RegExp(`warn .*asked from 127\\.0\\.0\\.1: a login by digest as "${user}" was refused`));
  assert.doesNotMatch(server.stderr, /guess|body|bogus/);

  // an ACL of `/` that names somebody lets them in, with all permissions only
  await client.addAuth('digest', 'ops:pw');
  await client.setAcl('/', [
    { perms: 31, scheme: 'auth', id: '' },
    { perms: 1, scheme: 'digest', id: 'half:m6dJ0UWOoOIdA5SwQdYOegLkieY=' },
    { perms: 31, scheme: 'world', id: 'anyone' },
  ]);
  assert.equal((await admin.command('dump', { auth: 'digest ops:pw' })).status, 200);
  assert.equal((await admin.command('dump', { auth: 'digest half:half' })).status, 403);
  assert.equal((await admin.command('dump', { auth: 'digest any:body' })).status, 403);

  const shown = (reply: Reply): unknown[] => [reply.status, reply.text];
  assert.deepEqual(shown(await admin.ask('/commands/ruok')), [200, '{\n  "command" : "ruok",\n  "error" : null\n}']);
  assert.deepEqual(shown(await admin.ask('/commands/ruok/')), [
    200,
    '{\n  "command" : "ruok/",\n  "error" : "Unknown command: ruok/"\n}',
  ]);
  assert.equal((await admin.ask('/')).status, 404);
  assert.deepEqual(shown(await admin.ask('/commands/ruok', { method: 'TRACE' })), [403, '']);
  assert.deepEqual(shown(await admin.ask('/commands/ruok', { method: 'PUT' })), [405, '']);
  assert.equal((await admin.ask('/commands/ruok', { method: 'POST' })).status, 405);
  assert.equal((await admin.command('restore')).status, 405);
  const head = await admin.ask('/commands/ruok', { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-length'], head.text], [200, '42', '']);
  assert.match(
    (await admin.ask('/commands')).text,
    /^<a href="\/commands\/configuration">configuration<\/a>\n<br\/>\n/,
  );
  // an alias answers under the first name
  assert.match((await admin.command('wchs')).text, /"command" : "watch_summary"/);

  assert.match((await admin.command('set_trace_mask')).text, /"setTraceMask requires long traceMask argument"/);
  assert.match((await admin.command('stmk?traceMask=250')).text, /"tracemask" : 250,/);
  assert.match((await admin.command('gtmk')).text, /"tracemask" : 250,/);
  assert.match((await admin.command('leader')).text, /"error" : "server is not initialized"/);
  const settings = JSON.parse((await admin.command('icfg')).text).initial_configuration as string;
  assert.match(settings, /^admin\.enableServer=true$/m);
  assert.ok(!settings.includes('sz3K6') && !(await admin.command('sysp')).text.includes('sz3K6'), 'secrets are hidden');

  const shed = (body: string): Promise<Reply> => admin.command('shed', { method: 'POST', body });
  assert.deepEqual(shown(await shed('{}')), [
    400,
    '{\n  "error" : "Missing required field: percentage",\n  "command" : "shed_connections"\n}',
  ]);
  assert.match((await shed('{"percentage": 500}')).text, /"Percentage must be between 0 and 100"/);
  assert.match((await shed('xx')).text, /"error" : "Invalid JSON or failed to read request body: /);
  assert.match((await shed('{"percentage": 0}')).text, /"connections_shed" : 0,/);
  assert.equal((await shed(' '.repeat(70_000))).status, 413);
  assert.match((await shed('{"percentage": 100}')).text, /"connections_shed" : 1,\n {2}"percentage_requested" : 100,/);
  // whoever was shed comes again
  const again = await client.get('/secret').catch(() => client.get('/secret'));
  assert.equal(String(again.data), 'x');

  // snapshots: one in five minutes
  assert.match((await admin.command('lsnp')).text, /"zxid" : "-1",\n {2}"timestamp" : -1,/);
  const made = await admin.command('snapshot?streaming=false');
  assert.deepEqual([made.status, made.text], [200, '{\n  "command" : "snapshot",\n  "error" : null\n}']);
  assert.match(String(made.headers.last_zxid), /^0x[0-9a-f]+$/);
  assert.ok(Number(made.headers.snapshot_size) > 100);
  assert.match(
    (await admin.command('lsnp')).text,
    new RegExp(`"zxid" : "${String(made.headers.last_zxid).slice(2)}",`),
  );
  assert.equal((await admin.command('snapshot')).status, 429);
  const restore = await admin.command('restore', { method: 'POST', body: 'x' });
  assert.equal(restore.status, 503);

  // who changed something, and who wanted to, is told
  const by = 'by digest as "super" from 127\\.0\\.0\\.1';
  for (const line of [
    'set_trace_mask X: done',
    'snapshot X: done',
    'snapshot X: refused: a snapshot was asked for a short',
  ])
    await said(server, new RegExp(`info  admin command ${line.replace('X', by)}`));
  await said(server, new RegExp(`info  admin command shed_connections ${by}: done`));
  await said(server, new RegExp(`info  admin command restore ${by}: refused: a running ensemble`));
  assert.doesNotMatch(server.stderr, /admin command (dump|monitor|last_snapshot)|adminpass/);
});

test('a snapshot is streamed; switched off it is refused', async () => {
  await using server = await new ServerProcess([...LINES, 'admin.rateLimiterIntervalInMS=0'], 'info').start();
  const reply = await (await Admin.of(server)).command('snapshot');
  assert.deepEqual([reply.status, reply.headers['content-type']], [200, 'application/octet-stream']);
  assert.ok(reply.text.length > 0 && Number(reply.headers.snapshot_size) > 0);
  await using other = await new ServerProcess([...LINES, 'admin.snapshot.enabled=false'], 'info').start();
  assert.equal((await (await Admin.of(other)).command('snapshot')).status, 503);
});

test('probes; a port that is taken stops nobody and is told', async () => {
  await using server = await new ServerProcess(LINES, 'info').start();
  const admin = await Admin.of(server);
  for (const path of ['/live', '/ready', '/healthy']) {
    const { status, text } = await admin.ask(path);
    assert.deepEqual([status, text], [200, 'ok\n'], path);
  }
  assert.equal((await admin.ask('/healthy', { method: 'POST' })).status, 405);
  await using client = await connect(server.hosts);
  const before = (await client.create('/z', 'x')).stat?.czxid;
  await admin.ask('/healthy');
  assert.equal((await client.set('/z', 'y')).mzxid, (before ?? 0n) + 1n, 'a probe writes nothing');

  const exporter = 'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider';
  await using other = new ServerProcess(
    [
      ...LINES.map((line) => (line === 'admin.serverPort=0' ? `admin.serverPort=${admin.port}` : line)),
      ...[exporter, 'metricsProvider.httpHost=127.0.0.1', 'metricsProvider.httpPort=0', 'forceSync=no'],
    ],
    'info',
  );
  await other.start();
  await said(other, /there is no admin server: .*admin\.serverPort\) is in use/);
  const [, port] = await said(other, /metrics on 127\.0\.0\.1:(\d+)/);
  for (const path of ['/ready', '/healthy']) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /^ok; no admin server: .*is in use.*; forceSync=no, a power cut loses writes/);
  }
});

test('HTTPS beside HTTP on one port; alone when it is forced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-admin-'));
  try {
    const pem = new PemFiles(folder);
    const stores = pem.lines('admin', makeCertificate(pem.authority, { hosts: ['127.0.0.1'] })).slice(1);
    const https = (port: number): Promise<Reply> =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, path: '/commands/dump', ca: pem.authority.pem, agent: false };
        secureGet({ ...options, headers: { authorization: SUPER } }, (response) => {
          response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, headers: {}, text: '' }));
        }).on('error', reject);
      });
    await using server = await new ServerProcess([...LINES, ...stores, 'admin.portUnification=true'], 'info').start();
    const admin = await Admin.of(server);
    assert.deepEqual([(await https(admin.port)).status, (await admin.command('dump')).status], [200, 200]);
    await using forced = await new ServerProcess([...LINES, ...stores, 'admin.forceHttps=true'], 'info').start();
    const other = await Admin.of(forced);
    assert.deepEqual([(await https(other.port)).status, (await other.ask('/commands/ruok')).status], [200, 403]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('off by default', async () => {
  await using server = await new ServerProcess([], 'info').start();
  assert.doesNotMatch(server.stderr, /admin server/);
});
