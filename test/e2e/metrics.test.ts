import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { zoosh } from './cli.ts';
import { until } from './members.ts';
import { ServerProcess } from './process.ts';

const EXPORTER = 'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider';

test('the exporter that zoo.cfg asks for tells the truth under the known names', async () => {
  await using server = new ServerProcess(
    [EXPORTER, 'metricsProvider.httpHost=127.0.0.1', 'metricsProvider.httpPort=0'],
    'info',
  );
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
  assert.doesNotMatch(text, /quorum_size|learners/);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { headers })).status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST', headers })).status, 405);
  await client.close();
  const taken = await zoosh([
    'start',
    'standalone',
    '--memory',
    '--port',
    '0',
    '--set',
    EXPORTER,
    '--set',
    'metricsProvider.httpHost=127.0.0.1',
    '--set',
    `metricsProvider.httpPort=${port}`,
  ]);
  assert.deepEqual([taken.code, taken.stdout], [41, '']);
  assert.match(taken.stderr, /metricsProvider\.httpPort\) is in use/);
  assert.equal(await server.kill('SIGTERM'), 0);
});
