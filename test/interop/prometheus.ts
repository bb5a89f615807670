/** Debian's Prometheus over servers on this machine, with the rules that we ship. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ownBlock } from '../ports.ts';

export const RULES = fileURLToPath(new URL('../../../docs/deploy/prometheus-rules.yml', import.meta.url));
/** The rules of a group of the file, by name, so that none is forgotten. */
export function rulesOf(group: string): string[] {
  const text = readFileSync(RULES, 'utf8').split(/^ {2}- name: /m);
  const own = text.find((part) => part.startsWith(`${group}\n`)) ?? assert.fail(group);
  return [...own.matchAll(/alert: (\w+)/g)].map(([, name = '']) => name);
}
/** What a zoo.cfg says to be scraped. */
export const EXPORTER = [
  'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
  ...['metricsProvider.httpHost=127.0.0.1', 'metricsProvider.httpPort=0', '4lw.commands.whitelist=*'],
  'maxClientCnxns=0',
];
export const metricsPort = (log: string): string => /metrics on 127\.0\.0\.1:(\d+)/.exec(log)?.[1] ?? assert.fail(log);

/** A program that is ended with what uses it. */
export class Running implements AsyncDisposable {
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
export async function until(what: string, done: () => Promise<boolean>, seconds = 120): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await done().catch(() => false))) {
    assert.ok(performance.now() < end, what);
    await sleep(250);
  }
}

/** What differs from the rules as they are shipped: nobody waits minutes here. The limits are the shipped ones. */
const SHORTER: readonly (readonly [string, string])[] = [
  ['for: 1m', 'for: 0s'],
  ['[1m]', '[10s]'],
  ['[5m]', '[10s]'],
];

/** Scrapes each server once a second under the name of a job. */
export class Prometheus implements AsyncDisposable {
  private readonly folder: string;
  private readonly port: number;
  private readonly program: Running;
  private constructor(folder: string, port: number, program: Running) {
    this.folder = folder;
    this.port = port;
    this.program = program;
  }
  /** `jobs`: the metrics port of each, or of each of its servers. */
  static async start(jobs: Readonly<Record<string, string | readonly string[]>>): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-prometheus-'));
    const rules = SHORTER.reduce((text, [from, to]) => text.replaceAll(from, to), readFileSync(RULES, 'utf8'));
    writeFileSync(join(folder, 'rules.yml'), rules);
    const port = await ownBlock('127.0.0.1', 1);
    const job = ([name, at]: [string, string | readonly string[]]): string => {
      const targets = [at].flat().map((each) => `'127.0.0.1:${each}'`);
      return `  - { job_name: ${name}, static_configs: [ { targets: [ ${targets.join()} ] } ] }`;
    };
    writeFileSync(
      join(folder, 'prometheus.yml'),
      [
        'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }',
        `rule_files: [ '${join(folder, 'rules.yml')}' ]`,
        ...['scrape_configs:', ...Object.entries(jobs).map(job), ''],
      ].join('\n'),
    );
    const program = new Running('prometheus', [
      ...[`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`],
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    return new Prometheus(folder, port, program);
  }
  get said(): string {
    return this.program.said;
  }
  async api(path: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/api/v1/${path}`);
    return JSON.stringify(((await answer.json()) as { data: unknown }).data);
  }
  query = (text: string): Promise<string> => this.api(`query?query=${encodeURIComponent(text)}`);
  /** Rules that fire for a job now. */
  async firing(job: string): Promise<string[]> {
    const { alerts } = JSON.parse(await this.api('alerts')) as {
      alerts: { state: string; labels: { alertname: string; job: string } }[];
    };
    return alerts
      .filter(({ state, labels }) => state === 'firing' && labels.job === job)
      .map(({ labels }) => labels.alertname)
      .sort();
  }
  /** Whether a rule has fired for a job at any time so far. */
  async hasFired(name: string, job: string): Promise<boolean> {
    const at = `ALERTS{alertstate="firing",alertname="${name}",job="${job}"}`;
    return /"value"/.test(await this.query(`max_over_time(${at}[1h])`));
  }
  /** Scraped so that rules about growth have what to compare with. */
  async sees(job: string): Promise<void> {
    await until(`${job} scraped three times: ${this.said}`, async () =>
      /"value":\[[^\]]*"([3-9]|\d\d+)"\]/.test(await this.query(`count_over_time(znode_count{job="${job}"}[1m])`)),
    );
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 8 });
  }
}
