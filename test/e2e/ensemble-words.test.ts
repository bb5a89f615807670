/** What is said of servers in the background, of words that do not fit, and of an ensemble that has no quorum yet. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EnsembleFolder } from '../../src/ensemble/layout.ts';
import { processOf } from '../../src/ensemble/process.ts';
import { allEqual, base, good, home, run, until } from './local-ensembles.ts';

const pidIn = (stderr: string): number => Number(/^process (\d+),/m.exec(stderr)?.[1]);
async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  await until('it ended', async () => processOf(pid) === undefined);
}

test('start -d: an address of IPv6 is written as clients take it', async () => {
  const port = await base();
  const ran = await run('start', 'standalone', '--host', '::1', '--port', String(port), '--memory', '-d');
  assert.deepEqual([ran.code, ran.stdout], [0, `[::1]:${port}\n`], ran.stderr);
  await end(pidIn(ran.stderr));
});

test('start -d of the first of three members: it runs, waits, and is said to', async () => {
  const port = await base();
  const dir = join(home, 'first');
  mkdirSync(join(dir, 'data'), { recursive: true });
  writeFileSync(join(dir, 'data', 'myid'), '1\n');
  const servers = [0, 1, 2].map((at) => `server.${at + 1}=127.0.0.1:${port + 100 + at}:${port + 200 + at}`);
  const config = join(dir, 'zoo.cfg');
  const lines = ['tickTime=2000', 'initLimit=10', 'syncLimit=5', `dataDir=${join(dir, 'data')}`, `clientPort=${port}`];
  writeFileSync(config, [...lines, ...servers, ''].join('\n'));
  const ran = await run('start', 'server', '--config', config, '-d');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stderr, /\nit runs and does not serve yet: it waits for a quorum; start the other members\n$/);
  assert.match(ran.stdout, new RegExp(`:${port}\n$`));
  const told = await run('server', 'status', '--config', config);
  assert.equal(told.code, 1);
  assert.match(told.stdout, /It runs and does not serve yet: it has no quorum, or is starting\.\n$/);
  const seen = await run(`127.0.0.1:${port}`, 'status', `127.0.0.1:${port}`);
  assert.equal(seen.code, 1);
  assert.match(seen.stdout, /\twaits\t/);
  await end(pidIn(ran.stderr));
});

test('words that do not fit are told what does; config shows the members', async () => {
  const port = await base();
  await good('start', 'ensemble', 'words', '-n', '1', '--base-port', String(port), '-d');
  for (const [args, code, text] of [
    [['lag', 'words', '1', '1h'], 2, /the delay is at most 10m, not 1h/],
    [['lag', 'words', '1', 'x'], 2, /must be a duration, not x\n hint: write 100ms, 5s or 2m/],
    [['scale', '3', 'words'], 2, /the name comes first\n hint: ensemble scale words 3/],
  ] as const) {
    const ran = await run('ensemble', ...args);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, text);
  }
  await good('ensemble', 'scale', 'words', '2');
  const { connect, directory } = await allEqual('words');
  assert.match(await good('ensemble', 'config', 'words', '1'), /\n# .*\nserver\.1=.*:participant;.*\nserver\.2=/);
  const auth = ['--auth', `digest:super:${new EnsembleFolder(directory).superPassword}`];
  for (const [words, hint] of [
    [['--add', '4=127.0.0.1:1:2'], /server 4 lacks a port for clients/],
    [['--add', '300=127.0.0.1:1:2;3'], /an id is at most 254, not 300/],
    [['--add', `4=127.0.0.1:${port + 100}:2;3`], /servers 1 and 4 would have the same address/],
    [['--add', 'x'], /x is not a server: ID=HOST/],
    [['--remove', '1,2'], /no voter would be left/],
  ] as const) {
    const ran = await run('-s', connect, ...auth, '-y', 'reconfig', ...words);
    assert.notEqual(ran.code, 0);
    assert.match(ran.stderr, hint);
  }
  const nobody = await run('-s', connect, ...auth, '-y', 'reconfig', '--remove', '7');
  assert.deepEqual([nobody.code, nobody.stderr], [0, 'no member has the id 7\n']);
  const refused = await run('-s', connect, '-y', 'reconfig', '--remove', '7'); // what is refused is no matter of ids
  assert.deepEqual([refused.code, refused.stderr.includes('no member')], [14, false]);
  const dry = await run('-s', connect, ...auth, '-n', 'reconfig', '--remove', '2,7');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stderr,
    /^no member has the id 7\nbefore: voters 1 2, quorum 2\nafter: {2}voters 1, quorum 1\n- server\.2=\S+\n$/,
  );
  assert.match(dry.stdout, /^reconfig\t\/zookeeper\/config\tleaving 2,7\n/);
  await good('-y', 'ensemble', 'destroy', 'words');
  await good(
    'start',
    'ensemble',
    'own',
    '-n',
    '1',
    '--base-port',
    String(port),
    '--set',
    'DigestAuthenticationProvider.superDigest=super:x',
    '-d',
  );
  const ran = await run('ensemble', 'scale', 'own', '2');
  assert.deepEqual([ran.code, /own has a superDigest of its own/.test(ran.stderr)], [2, true], ran.stderr);
  await good('-y', 'ensemble', 'destroy', 'own');
});
