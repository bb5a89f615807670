/** `cleanup` told directories in the place of a configuration, as Apache's PurgeTxnLog is. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { type Ran, zoosh } from './cli.ts';
import { Home, isAlive, pidOf, until } from './home.ts';

const filesIn = (dir: string): string[] => readdirSync(join(dir, 'zoosh-1')).sort();
const snapshotsIn = (dir: string): number => filesIn(dir).filter((name) => /^snapshot\.[0-9a-f]+$/.test(name)).length;
const clean = (...words: string[]): Promise<Ran> => zoosh(['server', 'cleanup', ...words]);
const toldOf = ({ code, stderr }: Ran): readonly [number, string] => [code, stderr.split('\n')[0] as string];

/** Writes until there are more than so many snapshots, and leaves the server running. */
async function filled(home: Home, least: number): Promise<void> {
  assert.equal((await home.server('start')).code, 0);
  await using client = await connect(home.hosts);
  await client.create('/a', 'x');
  for (const end = performance.now() + PATIENCE_MS; snapshotsIn(home.data) <= least && performance.now() < end; )
    await client.set('/a', 'y');
  assert.ok(snapshotsIn(home.data) > least);
}
async function stopped(home: Home): Promise<void> {
  const pid = pidOf(home);
  assert.equal((await home.server('stop')).code, 0);
  await until(() => !isAlive(pid), 'it goes on');
}

test('cleanup takes the directory of a server, or both of them', async () => {
  const lines = ['snapCount=2', 'preAllocSize=64', 'autopurge.snapRetainCount=50'];
  const one = await Home.make(...lines);
  await filled(one, 4);
  await stopped(one);
  const cleaned = await clean(one.data, '-n', '3');
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.match(cleaned.stdout, /^Removing file: snapshot\./m);
  assert.equal(snapshotsIn(one.data), 3);

  const two = await Home.make(...lines);
  const log = join(two.dir, 'log');
  two.configure([...lines, `dataLogDir=${log}`]);
  await filled(two, 4);
  try {
    // said the wrong way round, the lock of the server is found all the same: it has one in each
    const mixed = await clean(two.data, log, '-n', '3');
    assert.equal(mixed.code, 42, mixed.stderr);
    assert.match(mixed.stderr, new RegExp(`^error: a zoosh server uses ${log}, and only it may remove its files`));
    assert.ok(snapshotsIn(two.data) > 3);
    // one that runs is asked to do it
    const running = await clean(log, two.data, '-n', '4');
    assert.equal(running.code, 0, running.stderr);
    assert.match(running.stdout, /^Removing file: snapshot\./m);
  } finally {
    await stopped(two);
  }
  assert.ok(snapshotsIn(two.data) > 3);
  const before = [filesIn(two.data), filesIn(log)];
  const half = `error: ${log} is one of two directories of its server: say both, the one of the log first`;
  assert.deepEqual(toldOf(await clean(log, '-n', '3')), [42, half]);
  assert.deepEqual(toldOf(await clean(two.data, '-n', '3')), [42, half.replace(log, two.data)]);
  assert.deepEqual(toldOf(await clean(log, one.data, '-n', '3')), [
    42,
    `error: ${log} and ${one.data} are not the two directories of one server`,
  ]);
  assert.equal((await clean(two.data, log, '-n', '3')).code, 44, 'a log is looked for where the snapshots are');
  assert.deepEqual([filesIn(two.data), filesIn(log)], before);
  assert.equal((await clean(log, two.data, '-n', '3')).code, 0);
  assert.equal(snapshotsIn(two.data), 3);

  const empty = join(two.dir, 'empty');
  mkdirSync(empty);
  assert.deepEqual(toldOf(await clean(empty, '-n', '3')), [42, `error: ${empty} holds no data of a zoosh server`]);
  assert.deepEqual(readdirSync(empty), []);
  const none = `${two.dir}/none`;
  assert.deepEqual(toldOf(await clean(none, two.data, '-n', '3')), [40, `error: the directory ${none} does not exist`]);
  assert.deepEqual(toldOf(await clean(log, log, log, '-n', '3')), [2, 'error: server cleanup: one word too many']);
  // what is no folder is the name of a configuration still
  const named = await zoosh(['server', '--config', join(two.dir, 'conf'), 'cleanup', 'zoo.cfg', '-n', '3']);
  assert.deepEqual(named, { code: 0, stdout: '', stderr: '' });
});

test("zkCleanup.sh puts what it is told behind the directory of zoo.cfg, and refuses words with Apache's code", async () => {
  const home = await Home.make('snapCount=2', 'preAllocSize=64', 'autopurge.snapRetainCount=50');
  assert.equal((await zoosh(['shims', join(home.dir, 'bin')])).code, 0);
  await filled(home, 3);
  await stopped(home);
  for (const words of [['-n'], ['-x', '3'], ['-h'], [home.data, home.data, '-n', '3'], [home.data, '-n']]) {
    const refused = home.script('zkCleanup.sh', words);
    assert.deepEqual([refused.code, refused.stderr], [1, ''], words.join(' '));
    assert.match(refused.stdout, /^Usage:\nPurgeTxnLog dataLogDir \[snapDir\] -n count\n/);
  }
  const nowhere = home.script('zkCleanup.sh', ['/nowhere', '-n', '3']);
  assert.deepEqual([nowhere.code, nowhere.stderr], [1, "Path '/nowhere' does not exist. \n"]);
  assert.ok(snapshotsIn(home.data) > 3);
  const cleaned = home.script('zkCleanup.sh', [home.data, '-n', '3']);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.match(cleaned.stdout, /^Removing file: snapshot\./m);
  assert.equal(snapshotsIn(home.data), 3);
});
