/**
 * Programs that watch servers, from Debian: Prometheus scrapes ours without a failure, promtool finds no parse error, the stock
 * rules are silent on a healthy server and fire where their condition was caused; collectd's plugin writes the same series
 * from ours as from Apache's.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/index.ts';
import { type MemberOfTest, Members } from '../e2e/members.ts';
import { ServerProcess } from '../e2e/process.ts';
import { lateIf, timely } from '../patience.ts';
import { ApacheProcess } from './apache-process.ts';
import { EXPORTER, metricsPort, Prometheus, RULES, Running, rulesOf, until } from './prometheus.ts';

/** Waits until a rule fires for a job. */
type Fires = (name: string, job: string) => Promise<void>;
/** To ask for snapshots, as often as one likes. */
const ADMIN = [
  ...['admin.enableServer=true', 'admin.serverAddress=127.0.0.1', 'admin.serverPort=0'],
  'admin.rateLimiterIntervalInMS=0',
  'DigestAuthenticationProvider.superDigest=super:sz3K6+MAXvl/ncNdxB6J2VZwXYE=',
];

test('Prometheus: no scrape fails, every rule of ZooKeeper fires where its condition was caused and is silent where it was not', async (t) => {
  execFileSync('promtool', ['check', 'rules', RULES]);
  // a server that stands still with its machine is slow, or down, for those who watch it
  await timely(() => everyRule((line) => t.diagnostic(line)));
});
async function everyRule(tell: (line: string) => void): Promise<string | undefined> {
  // on a disk of its own: what the others do to theirs is no fault of it
  const own = mkdtempSync('/dev/shm/zoosh-healthy-');
  using _removed = { [Symbol.dispose]: () => rmSync(own, { recursive: true, force: true, maxRetries: 8 }) };
  await using healthy = await new ServerProcess([...EXPORTER, `dataDir=${own}`], 'info').start();
  await using loaded = await new ServerProcess([...EXPORTER, ...ADMIN], 'info', ['--max-old-space-size=2048']).start();
  await using small = await new ServerProcess(EXPORTER, 'info', ['--max-old-space-size=96']).start();
  await using members = await Members.start({ voters: 3, lines: [...EXPORTER, 'syncLimit=40'] });
  const leader = await members.leader();
  const others = members.all.filter((member) => member !== leader);
  const text = await (await fetch(`http://127.0.0.1:${metricsPort(loaded.stderr)}/metrics`)).text();
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.ok(checked.status === 0 || checked.status === 3, `${checked.status}: ${checked.stderr}`);
  const portOf = new Map(members.all.map((member) => [member, metricsPort(member.log)]));
  await using prometheus = await Prometheus.start({
    ...{ healthy: metricsPort(healthy.stderr), loaded: metricsPort(loaded.stderr), small: metricsPort(small.stderr) },
    ...{ leader: portOf.get(leader) ?? '', first: portOf.get(others[0] ?? leader) ?? '', nobody: '1' },
  });
  for (const job of ['healthy', 'loaded', 'small', 'leader', 'first']) await prometheus.sees(job);
  for (const job of ['healthy', 'loaded', 'small', 'leader', 'first']) {
    const early = await prometheus.firing(job);
    if (early.length > 0) return `${job} before anything was done to it: ${early}`;
  }
  const shown = new Set<string>();
  const fires = async (name: string, job: string): Promise<void> => {
    await until(`${name} does not fire: ${prometheus.said}`, () => prometheus.hasFired(name, job), 120);
    shown.add(name);
    tell(`${name} fired`);
  };
  // somebody at work, all the time, as on any server
  await using calm = await connect(healthy.hosts);
  await calm.create('/calm');
  let isOver = false;
  const calmly = (async () => {
    while (!isOver) {
      await calm.set('/calm', 'x');
      await sleep(100);
    }
  })();
  try {
    await fires('ServerDown', 'nobody');
    await crowd(loaded, fires);
    await writeHard(loaded, () => fires('SlowDisk', 'loaded'));
    await grow(loaded, fires);
    await fillHeap(small, () => prometheus.firing('small').then((names) => names.includes('HeapNearlyFull')));
    await fires('HeapNearlyFull', 'small');
    await slowQuorum(leader, others);
    await fires('SlowRequests', 'leader');
    await leader.kill();
    await fires('ElectionHappened', 'first');
  } finally {
    isOver = true;
    await calmly;
  }
  const names = rulesOf('zookeeper');
  assert.deepEqual([...shown].sort(), names.toSorted(), 'every rule of the group');
  for (const name of [...names, ...rulesOf('zoosh')])
    if (await prometheus.hasFired(name, 'healthy')) return `${name} on a healthy server`;
  const failed = await prometheus.query('count_over_time((up{job="healthy"} == 0)[30m:1s])');
  return lateIf(!/"result":\[\]/.test(failed), `a scrape failed: ${failed}`);
}

/** Connections, watches and files. */
async function crowd(server: ServerProcess, fires: Fires): Promise<void> {
  const clients: Client[] = [];
  for (let i = 0; i < 300; i++) clients.push(await connect(server.hosts));
  try {
    const [first] = clients;
    assert.ok(first !== undefined);
    for (let at = 0; at < 10_100; at += 500)
      await Promise.all(Array.from({ length: 500 }, (_, i) => first.exists(`/none-${at + i}`, { watch: () => {} })));
    await fires('TooManyConnections', 'loaded');
    await fires('TooManyOpenFiles', 'loaded');
    await fires('TooManyWatches', 'loaded');
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}
/** The disk has no rest: one durable write after the other. */
async function writeHard(server: ServerProcess, fired: () => Promise<void>): Promise<void> {
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(server.hosts)));
  let isOver = false;
  const writing = clients.map(async (client, i) => {
    await client.create(`/hard-${i}`);
    while (!isOver) await client.set(`/hard-${i}`, Buffer.alloc(50_000));
  });
  try {
    await fired();
  } finally {
    isOver = true;
    await Promise.all(writing);
    await Promise.all(clients.map((client) => client.close()));
  }
}
/** More than a million znodes, and more than a GiB in them; then one snapshot of it after the other. */
async function grow(server: ServerProcess, fires: Fires): Promise<void> {
  await using client = await connect(server.hosts, { timeoutMs: 40_000 });
  const data = Buffer.alloc(1_000_000, 97);
  await client.create('/data');
  for (let at = 0; at < 1080; at += 4)
    await Promise.all([0, 1, 2, 3].map((i) => client.create(`/data/n${at + i}`, data)));
  await fires('TooMuchData', 'loaded');
  for (let at = 0; at < 101; at++) {
    await client.create(`/m${at}`);
    for (let part = 0; part < 10_000; part += 2000) {
      const txn = client.transaction();
      for (let i = 0; i < 2000; i++) txn.create(`/m${at}/${part + i}`);
      await txn.commit();
    }
  }
  await fires('TooManyZnodes', 'loaded');
  let isOver = false;
  const again = (async () => {
    while (!isOver) await snapshot(server);
  })();
  try {
    await fires('SlowSnapshots', 'loaded');
  } finally {
    isOver = true;
    await again;
  }
}
async function snapshot(server: ServerProcess): Promise<void> {
  const port = /admin server on 127\.0\.0\.1:(\d+)/.exec(server.stderr)?.[1];
  const url = `http://127.0.0.1:${port}/commands/snapshot?streaming=false`;
  const { status } = await fetch(url, { headers: { authorization: 'digest super:adminpass' } });
  assert.equal(status, 200);
}
/** Watches fill the heap of a server that may use little, until the rule fires. */
async function fillHeap(server: ServerProcess, fired: () => Promise<boolean>): Promise<void> {
  await using client = await connect(server.hosts);
  for (let at = 0; at < 400_000 && !(await fired()); at += 2000)
    await Promise.all(Array.from({ length: 2000 }, (_, i) => watch(client, `/watched-${at + i}`)));
}
/** A server without memory refuses to keep it, and lives. */
async function watch(client: Client, path: string): Promise<void> {
  await client.exists(path, { watch: () => {} }).catch((error: Error & { code?: string }) => {
    if (error.code !== 'ThrottledOp') throw error;
  });
}
/** Writes whose quorum takes its time: those that must confirm them are paused for longer than the rule allows. */
async function slowQuorum(leader: MemberOfTest, others: readonly MemberOfTest[]): Promise<void> {
  await using client = await connect(leader.hosts);
  await client.create('/slow');
  await leader.word('srst');
  for (let round = 0; round < 3; round++) {
    for (const each of others) each.signal('SIGSTOP');
    const writing = client.set('/slow', 'x');
    await sleep(400);
    for (const each of others) each.signal('SIGCONT');
    await writing;
  }
}

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
          .filter((file, at, all) => all.indexOf(file) === at) // of two days, at midnight
          .sort();
      // a line of names and two of values: with the second round all series of the first are there
      const isWritten = (): boolean =>
        readdirSync(join(data, 'csv/here/zookeeper')).every(
          (file) => readFileSync(join(data, 'csv/here/zookeeper', file), 'utf8').split('\n').length > 3,
        );
      let before = '';
      await until(`nothing written: ${collectd.said}`, async () => {
        const now = found().join(' ');
        const same = now !== '' && now === before && isWritten();
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
