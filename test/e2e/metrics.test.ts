import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { zoosh } from './cli.ts';
import { EXPORTER, figures } from './figures.ts';
import { until } from './members.ts';
import { ServerProcess } from './process.ts';

test('the exporter that zoo.cfg asks for tells the truth under the known names', async () => {
  await using server = new ServerProcess(EXPORTER, 'info');
  await server.start();
  // said before it is ready, but on another stream
  const said = /metrics on 127\.0\.0\.1:(\d+)/;
  await until(
    () => said.test(server.stderr),
    PATIENCE_MS,
    () => server.stderr,
  );
  const port = said.exec(server.stderr)?.[1];
  // a connection that was kept may be closed by the time it is used again
  const headers = { connection: 'close' };
  const client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
  for (let n = 0; n < 5; n++) await client.create(`/m${n}`, 'x', { mode: n === 0 ? 'ephemeral' : 'persistent' });
  await client.get('/m1', { watch: () => {} });
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers });
  const text = await response.text();
  const figure = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const stat = await client.getAllChildrenNumber('/');
  assert.equal(figure('znode_count'), stat + 2, 'ZooKeeper counts the root under two names');
  assert.equal(figure('ephemerals_count'), 1);
  assert.equal(figure('watch_count'), 1);
  assert.equal(figure('num_alive_connections'), 1);
  assert.equal(figure('global_sessions'), 1);
  assert.ok(figure('packets_received') >= 7 && figure('process_resident_memory_bytes') > 1e7);
  assert.doesNotMatch(text, /quorum_|learner|clock_ahead|certificate_ends|key="log"/);
  const { bavail, bsize } = statfsSync(tmpdir());
  const [free, size] = ['free', 'size'].map((what) => figure(`disk_${what}_bytes{key="data"}`)) as [number, number];
  assert.ok(Math.abs(free - bavail * bsize) < 2e9 && size >= free, `${free} of ${size} bytes are free`);
  assert.equal(figure('disk_refused'), 0);
  assert.ok(figure('last_commit_ms') < PATIENCE_MS);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { headers })).status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST', headers })).status, 405);
  await client.close();
  const taken = await zoosh([
    'start',
    'standalone',
    '--memory',
    '--port',
    '0',
    ...EXPORTER.slice(0, 2).flatMap((line) => ['--set', line]),
    '--set',
    `metricsProvider.httpPort=${port}`,
  ]);
  assert.deepEqual([taken.code, taken.stdout], [41, '']);
  assert.match(taken.stderr, /metricsProvider\.httpPort\) is in use/);
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('starts, nodes past their time, snapshots, pauses, handshakes and plain administrators: each is seen in its figure', async () => {
  await using server = new ServerProcess(
    [
      ...[...EXPORTER, 'admin.enableServer=true', 'admin.serverAddress=127.0.0.1', 'admin.serverPort=0'],
      'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
      ...['extendedTypesEnabled=true', 'znode.container.checkIntervalMs=100'],
      ...['connectionMaxTokens=100', 'connectionTokenFillTime=1000000'],
      ...['jvm.pause.monitor=true', 'jvm.pause.sleep.time.ms=100', 'jvm.pause.info-threshold.ms=500'],
    ],
    'info',
  );
  await server.start();
  const tell = () => figures(() => server.stderr);
  /** The figure that is to grow: waits until it is so much. */
  const grows = (name: string, to: number): Promise<void> =>
    until(
      async () => ((await tell()).get(name) ?? 0) >= to,
      PATIENCE_MS,
      () => `${name} is not ${to}`,
    );
  const before = await tell();
  const none = 'ttl_node_created_count ttl_node_deleted_count snapshot_rate_limited_count insecure_admin_count'.split(
    ' ',
  );
  for (const name of [...none, 'connection_token_deficit_count', 'startup_snap_load_time_count'])
    assert.equal(before.get(name), 0, name);
  assert.equal(before.get('startup_txns_load_time_count'), 1);
  {
    await using client = await connect(server.hosts, { connectTimeoutMs: PATIENCE_MS });
    await client.create('/t', 'x', { mode: 'ttl', ttlMs: 1 });
    await client.create('/c', 'x', { mode: 'container' });
    await grows('ttl_node_deleted_count', 1);
  }
  const port = /admin server on 127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1];
  const headers = { connection: 'close', authorization: 'digest super:adminpass' };
  const asked = () => fetch(`http://127.0.0.1:${port}/commands/snapshot?streaming=false`, { headers });
  assert.deepEqual([(await asked()).status, (await asked()).status], [200, 429]);
  const after = await tell();
  assert.deepEqual(
    none.map((name) => after.get(name)),
    [1, 1, 1, 2],
  );
  assert.deepEqual([after.get('connection_token_deficit_count'), after.get('connection_token_deficit_sum')], [1, 1]);
  // it stands still: a sleep of 100 ms takes two seconds
  server.signal('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  server.signal('SIGCONT');
  await grows('jvm_pause_time_ms_sum', 1000);
  assert.match(
    server.stderr,
    /Detected pause in the event loop or host machine \(eg GC\): pause of approximately \d{4,}ms/,
  );
  assert.equal(await server.kill('SIGTERM'), 0);
  await server.start();
  assert.equal((await tell()).get('startup_snap_load_time_count'), 1, 'there was a snapshot');
});
