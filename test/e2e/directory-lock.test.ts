/** One server a data directory: also where the other is in a container of its own and only the directory is shared. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startEmbedded } from '../../src/embed.ts';
import { connect } from '../../src/index.ts';
import type { StorageRefusal } from '../../src/storage/errors.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** Listens at the lock file and nothing else: so a server looks from another network namespace. */
async function holder(data: string): Promise<ChildProcess & AsyncDisposable> {
  const script = `require('node:net').createServer((s) => s.destroy()).listen('zoosh.lock', () => console.log('held'))`;
  const child = spawn(process.execPath, ['-e', script], { cwd: data, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  });
}

test('a directory that is held from another network namespace is refused with 42; when its holder was killed it is free', async () => {
  await using server = await new ServerProcess().start();
  const data = join(server.folder, 'data');
  {
    await using client = await connect(server.hosts);
    await client.create('/kept');
  }
  assert.equal(await server.kill('SIGTERM'), 0);
  assert.deepEqual(readdirSync(data), ['zoosh-1']);
  {
    await using _held = await holder(data);
    const mixedUp = join(home, 'mixed-up.cfg');
    writeFileSync(mixedUp, `dataDir=${join(home, 'other')}\ndataLogDir=${data}\n`);
    await assert.rejects(server.start(), /ended with 42: error: another zoosh server uses/);
    for (const words of [
      ['verify', data],
      ['export-apache', data, '--to', join(home, 'out')],
      ['server', 'cleanup', '-n', '3', '--config', join(server.folder, 'zoo.cfg')],
      ['server', 'initialize', '--force', '--yes', '--configfile', join(server.folder, 'zoo.cfg')],
      // what another zoo.cfg calls the directory of the log
      ['server', 'initialize', '--force', '--yes', '--configfile', mixedUp],
    ]) {
      const ran = await zoosh(words);
      assert.equal(ran.code, 42, `${words.join(' ')}: ${ran.stderr}`);
    }
  }
  assert.ok(lstatSync(join(data, 'zoosh.lock')).isSocket(), 'a killed process leaves its file');
  server.stderr = '';
  await server.start();
  await using client = await connect(server.hosts);
  assert.notEqual(await client.exists('/kept'), null);
  assert.deepEqual(readdirSync(data).sort(), ['zoosh-1', 'zoosh.lock']);
  await server.kill('SIGKILL');
  server.stderr = '';
  await server.start();
  assert.equal(server.stderr, '');
  assert.equal(await server.kill('SIGTERM'), 0);
  assert.deepEqual(readdirSync(data), ['zoosh-1']);
});

test('a server with a dataDir of its own is refused on the dataLogDir of one that runs, by any name of it (42)', async () => {
  const log = join(home, 'log');
  await using first = await new ServerProcess([`dataLogDir=${log}`]).start();
  await using client = await connect(first.hosts);
  await client.create('/kept');
  const link = join(home, 'another-name');
  symlinkSync(log, link);
  for (const path of [log, `${log}/`, link]) {
    const second = new ServerProcess([`dataLogDir=${path}`]);
    // of the same server, started twice, it is the first that is met
    await assert.rejects(
      second.start(),
      /ended with 42: error: another zoosh server uses .*give this one a dataDir and a dataLogDir of its own/,
    );
    await second[Symbol.asyncDispose]();
  }
  const conf = join(home, 'log.cfg');
  writeFileSync(conf, `dataDir=${join(home, 'empty')}\ndataLogDir=${log}\n`);
  const emptied = await zoosh(['server', 'initialize', '--force', '--yes', '--configfile', conf]);
  assert.deepEqual([emptied.code, existsSync(join(log, 'zoosh-1'))], [42, true], emptied.stderr);
  // nothing was written there: what was acknowledged before and after is found again
  await client.create('/kept/too');
  await first.kill('SIGKILL');
  await first.start();
  await using again = await connect(first.hosts);
  assert.notEqual(await again.exists('/kept/too'), null);
  assert.equal(await first.kill('SIGTERM'), 0);
  assert.deepEqual(readdirSync(log), ['zoosh-1']);
});

test('a dataLogDir that is dataDir by another name is locked once', async () => {
  const data = join(home, 'data');
  const link = join(home, 'same');
  mkdirSync(data);
  symlinkSync(data, link);
  await using server = await new ServerProcess([`dataDir=${data}`, `dataLogDir=${link}`]).start();
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('and is no other server for initialize --force and cleanup', async () => {
  const data = join(home, 'own-data');
  const link = join(home, 'own-link');
  mkdirSync(join(data, 'zoosh-1'), { recursive: true });
  symlinkSync(data, link);
  for (const log of [`${data}/`, link]) {
    const config = join(home, 'own.cfg');
    writeFileSync(config, `dataDir=${data}\ndataLogDir=${log}\nclientPort=2181\n`);
    const begun = await zoosh(['--yes', 'server', 'initialize', '--force', '--configfile', config]);
    assert.equal(begun.code, 0, begun.stderr);
    assert.deepEqual(readdirSync(data), ['initialize']);
    mkdirSync(join(data, 'zoosh-1'));
    const cleaned = await zoosh(['server', 'cleanup', '-n', '3', '--config', config]);
    assert.doesNotMatch(cleaned.stderr, /a zoosh server uses/);
  }
});

test('with datadir.autocreate=false a dataLogDir that is missing ends the start (40), and is not made', async () => {
  const log = join(home, 'not-mounted');
  await using server = new ServerProcess([`dataLogDir=${log}`, 'datadir.autocreate=false']);
  mkdirSync(join(server.folder, 'data'));
  await assert.rejects(
    server.start(),
    /ended with 40: error: the log directory .*not-mounted does not exist, and datadir\.autocreate=false/,
  );
  assert.equal(existsSync(log), false);
});

test('from a network namespace of its own nothing starts on the directory of a server that runs', async () => {
  // where this user may make none, the test above stands in for this one
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) return;
  await using server = await new ServerProcess().start();
  const data = join(server.folder, 'data');
  for (const words of [
    ['verify', data],
    ['start', 'standalone', '--port', '46001', '--data', data],
  ]) {
    const ran = spawnSync('unshare', ['-n', process.execPath, BIN, ...words], {
      encoding: 'utf8',
      timeout: PATIENCE_MS / 6,
    });
    assert.equal(ran.status, 42, `${words.join(' ')}: ${ran.stderr}`);
  }
});

test('a socket of that name that no server has: refused all the same, and told who to ask for', {
  skip: process.platform !== 'linux' && 'Linux alone has such sockets',
}, async () => {
  const data = join(home, 'taken');
  mkdirSync(data);
  const { dev, ino } = statSync(data);
  const socket = `zoosh-data-${dev}-${ino}`;
  const squatter = createServer().listen(`\0${socket}`);
  await once(squatter, 'listening');
  const cfg = join(home, 'taken.cfg');
  writeFileSync(cfg, `dataDir=${data}\nclientPort=0\n`);
  const doubt = new RegExp(`nobody listens at zoosh\\.lock in it.*ss -xlp.*@${socket}`);
  try {
    for (const line of [
      ['start', 'server', '--config', cfg],
      ['verify', data],
    ]) {
      const ran = await zoosh(line);
      assert.equal(ran.code, 42, ran.stderr);
      assert.match(ran.stdout + ran.stderr, doubt, line[0]);
    }
  } finally {
    squatter.close();
  }
  await using held = await holder(data);
  assert.equal(held.exitCode, null);
  const ran = await zoosh(['start', 'server', '--config', cfg]);
  assert.equal(ran.code, 42);
  assert.doesNotMatch(ran.stderr, /nobody listens/);
});

test('a server in a process of somebody else is kept out of a dataLogDir as any other, and leaves it when it stops', async () => {
  const log = join(home, 'embedded-log');
  const settings = { dataLogDir: log };
  const first = await startEmbedded({ settings });
  await assert.rejects(
    startEmbedded({ settings }),
    (error: StorageRefusal) => error.exitCode === 42 && /another zoosh server uses .*embedded-log/.test(error.message),
  );
  const beside = new ServerProcess([`dataLogDir=${log}`]);
  await assert.rejects(beside.start(), /ended with 42: error: another zoosh server uses/);
  await beside[Symbol.asyncDispose]();
  await first.stop();
  rmSync(log, { recursive: true });
  await (await startEmbedded({ settings })).stop();
  assert.deepEqual(readdirSync(log), ['zoosh-1']);
});
