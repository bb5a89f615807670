/**
 * Programs that watch servers, from Debian: Prometheus scrapes ours without a failure, promtool finds no parse error, the stock
 * rules are silent on a healthy server and fire where their condition was caused; collectd's plugin writes the same series
 * from ours as from Apache's.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from '../../src/index.ts';
import { ServerProcess } from '../e2e/process.ts';
import { ownBlock } from '../ports.ts';
import { ApacheProcess } from './apache-process.ts';

const RULES = fileURLToPath(new URL('../../../docs/deploy/prometheus-rules.yml', import.meta.url));
const EXPORTER = [
  'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
  ...[
    'metricsProvider.httpHost=127.0.0.1',
    'metricsProvider.httpPort=0',
    '4lw.commands.whitelist=*',
    'maxClientCnxns=0',
  ],
];
const metricsPort = (server: ServerProcess): string =>
  /metrics on 127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1] ?? assert.fail(server.stderr);

/** A program that is ended with what uses it. */
class Running implements AsyncDisposable {
  readonly child: ChildProcess;
  said = '';
  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.said = `${this.said}${chunk}`.slice(-4000);
      });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
async function until(what: string, done: () => Promise<boolean>, seconds = 60): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await done().catch(() => false))) {
    assert.ok(performance.now() < end, what);
    await sleep(250);
  }
}

test('Prometheus: scrapes, rules silent and firing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-prometheus-'));
  try {
    await using healthy = await new ServerProcess(EXPORTER, 'info').start();
    await using loaded = await new ServerProcess(EXPORTER, 'info').start();
    const port = await ownBlock('127.0.0.1', 1);
    const [quiet, busy] = [metricsPort(healthy), metricsPort(loaded)];
    const text = await (await fetch(`http://127.0.0.1:${busy}/metrics`)).text();
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    assert.ok(checked.status === 0 || checked.status === 3, `${checked.status}: ${checked.stderr}`);
    execFileSync('promtool', ['check', 'rules', RULES]);
    // the stock rules, their patience cut short
    writeFileSync(join(folder, 'rules.yml'), readFileSync(RULES, 'utf8').replaceAll('for: 1m', 'for: 0s'));
    const job = (name: string, at: string): string =>
      `  - { job_name: ${name}, static_configs: [ { targets: [ '127.0.0.1:${at}' ] } ] }`;
    writeFileSync(
      join(folder, 'prometheus.yml'),
      [
        'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }',
        `rule_files: [ '${join(folder, 'rules.yml')}' ]`,
        ...['scrape_configs:', job('healthy', quiet), job('loaded', busy), job('nobody', '1'), ''],
      ].join('\n'),
    );
    await using prometheus = new Running('prometheus', [
      ...[`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`],
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const api = async (path: string): Promise<string> =>
      JSON.stringify(
        ((await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as { data: unknown }).data,
      );
    const firing = async (name: string, job: string): Promise<boolean> => {
      const { alerts } = JSON.parse(await api('alerts')) as {
        alerts: { state: string; labels: { alertname: string; job: string } }[];
      };
      return alerts.some(({ state, labels }) => state === 'firing' && labels.alertname === name && labels.job === job);
    };
    await until(`scraped twice: ${prometheus.said}`, async () =>
      /"value":\[[^\]]*"[2-9]"\]/.test(
        await api(`query?query=${encodeURIComponent('count_over_time(znode_count{job="healthy"}[1m])')}`),
      ),
    );
    const clients = [];
    for (let i = 0; i < 300; i++) clients.push(await connect(loaded.hosts));
    try {
      const [first] = clients;
      assert.ok(first !== undefined);
      for (let at = 0; at < 10_100; at += 500)
        await Promise.all(Array.from({ length: 500 }, (_, i) => first.exists(`/none-${at + i}`, { watch: () => {} })));
      await until('connections', () => firing('TooManyConnections', 'loaded'));
      await until('open files', () => firing('TooManyOpenFiles', 'loaded'));
      await until('watches', () => firing('TooManyWatches', 'loaded'));
      await until('nobody listens', () => firing('ServerDown', 'nobody'));
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
    assert.doesNotMatch(await api('alerts'), /"job":"healthy"/, 'every rule is silent on a healthy server');
    const failed = await api(`query?query=${encodeURIComponent('count_over_time((up{job!="nobody"} == 0)[5m:1s])')}`);
    assert.match(failed, /"result":\[\]/, 'no scrape failed');
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 8 });
  }
});

test("collectd's plugin writes the same series from ours as from Apache's", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-collectd-'));
  try {
    const series = async (name: string, at: number): Promise<string[]> => {
      const data = join(folder, name);
      mkdirSync(data);
      writeFileSync(
        join(folder, `${name}.conf`),
        [
          ...['Hostname "here"', 'FQDNLookup false', 'Interval 1', `BaseDir "${data}"`, `PIDFile "${data}/pid"`],
          ...['LoadPlugin csv', `<Plugin csv>\n  DataDir "${data}/csv"\n</Plugin>`, 'LoadPlugin zookeeper'],
          `<Plugin zookeeper>\n  Host "127.0.0.1"\n  Port "${at}"\n</Plugin>\n`,
        ].join('\n'),
      );
      await using collectd = new Running('collectd', ['-f', '-C', join(folder, `${name}.conf`)]);
      const found = (): string[] =>
        readdirSync(join(data, 'csv/here/zookeeper'))
          .map((file) => file.replace(/-\d{4}-\d\d-\d\d$/, ''))
          .sort();
      let before = '';
      await until(`nothing written: ${collectd.said}`, async () => {
        const now = found().join(' ');
        const same = now !== '' && now === before;
        before = now;
        if (!same) await sleep(2500);
        return same;
      });
      return found();
    };
    await using ours = await new ServerProcess(EXPORTER, 'info').start();
    await using theirs = new ApacheProcess(['4lw.commands.whitelist=*']);
    await theirs.start();
    const [a, b] = [await series('ours', ours.port), await series('theirs', Number(theirs.hosts.split(':')[1]))];
    assert.ok(a.length > 5, a.join(' '));
    assert.deepEqual(a, b);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 8 });
  }
});
