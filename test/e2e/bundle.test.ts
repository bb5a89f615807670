/** A bundle has the log of the server that runs, wherever that was told to keep it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { ownBlock } from '../ports.ts';
import { BIN, zoosh } from './cli.ts';
import { Home, until } from './home.ts';

/** Files of a bundle by their names. */
async function bundled(home: Home, nr: number): Promise<Map<string, string>> {
  const file = join(home.dir, `b${nr}.tgz`);
  const ran = await home.server('bundle', file);
  assert.equal(ran.code, 0, ran.stderr);
  const names = spawnSync('tar', ['tzf', file], { encoding: 'utf8' }).stdout.trimEnd().split('\n');
  return new Map(
    names.map((name) => [
      name.slice(name.indexOf('/') + 1),
      spawnSync('tar', ['xzOf', file, name], { encoding: 'utf8' }).stdout,
    ]),
  );
}

test('the log is found by the server that runs: in the background, with folders of its own', {
  skip: process.platform !== 'linux',
}, async () => {
  const home = await Home.make();
  const elsewhere = join(home.dir, 'elsewhere');
  mkdirSync(elsewhere);
  const words = ['server', '--config', join(home.dir, 'conf'), 'start', '--log-file', 'own.log'];
  // its folder is where it was started, and ZOO_LOG_DIR another than that of who makes the bundle
  const started = spawnSync(process.execPath, [BIN, ...words], {
    cwd: elsewhere,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...home.env, ZOO_LOG_DIR: elsewhere, ZOOSH_HOME: '/nonexistent' },
  });
  try {
    assert.equal(started.status, 0, started.stderr);
    const log = join(elsewhere, 'own.log');
    await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('binding to port'), 'no log');
    const first = await bundled(home, 1);
    assert.match(first.get('server.log.txt') ?? '', /binding to port/);
    assert.match(first.get('server.out.txt') ?? '', /^ready /m);
    // it made way a moment ago: what is wanted is in the one before
    renameSync(log, `${log}.1`);
    writeFileSync(log, '');
    // a warning that names a znode stays where it is
    appendFileSync(
      `${log}.1`,
      '2026-01-01T00:00:00.000Z warn  limit: znode /canary: its data 3 of 4 bytes of a packet\n',
    );
    const made = (await bundled(home, 2)).get('server.log.1.txt') ?? '';
    assert.match(made, /binding to port/);
    assert.doesNotMatch(made, /canary/);
  } finally {
    assert.equal((await home.server('stop')).code, 0);
  }
});

test('and in the foreground, where there is no pid file; what it says to a file of others stays there', {
  skip: process.platform !== 'linux',
}, async () => {
  const port = await ownBlock('127.0.0.1', 1);
  const home = await Home.make(
    'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider',
    'metricsProvider.httpHost=127.0.0.1',
    `metricsProvider.httpPort=${port}`,
  );
  const log = join(home.dir, 'own.log');
  const all = join(home.dir, 'all-services.log');
  writeFileSync(all, 'canary\n');
  const words = ['server', '--config', join(home.dir, 'conf'), 'start-foreground', '--log-file', log];
  const child = spawn('/bin/sh', ['-c', `exec "$@" >>'${all}' 2>&1`, 'sh', process.execPath, BIN, ...words], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, ...home.env, ZOOSH_HOME: '/nonexistent' },
  });
  const ended = once(child, 'exit');
  try {
    await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('binding to port'), 'no log');
    const files = await bundled(home, 1);
    assert.match(files.get('server.log.txt') ?? '', /binding to port/);
    assert.match(files.get('process.txt') ?? '', new RegExp(`^process ${child.pid}\nName:`));
    // which answers no mntr, unless it was told to
    assert.match(files.get('words/mntr.txt') ?? '', /not in the whitelist/);
    assert.match(files.get('metrics.txt') ?? '', /^znode_count \d+$/m);
    assert.doesNotMatch([...files.values()].join(''), new RegExp(`canary|${basename(all)}`));
  } finally {
    child.kill('SIGTERM');
  }
  assert.deepEqual(await ended, [0, null]);
  // one that has ended left its log where the bundle is told
  const told = await zoosh(
    ['server', '--config', join(home.dir, 'conf'), 'bundle', join(home.dir, 'b2.tgz'), '--log-file', log],
    '',
    home.env,
  );
  assert.equal(told.code, 0, told.stderr);
  const text = spawnSync('tar', ['xzOf', join(home.dir, 'b2.tgz')], { encoding: 'utf8' }).stdout;
  assert.match(text, /stopping/);
  assert.match(text, /^no answer: connect ECONNREFUSED/m);
});
