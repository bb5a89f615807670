/** bench and smoketest as programs: signals, a reader that goes away, a server that does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { PATIENCE_MS } from '../patience.ts';
import { BIN, patiently, zoosh, zooshProcess } from './cli.ts';
import { until } from './members.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['maxClientCnxns=0']);
let hand: Client;
before(async () => {
  await server.start();
  hand = await connect(server.hosts);
});
after(async () => {
  await hand.close();
  await server[Symbol.asyncDispose]();
});
const rootOf = async (): Promise<string[]> => (await hand.getChildren('/')).children;
/** Its own is 5 s: too little for a machine that stands still. */
const SESSION = ['--timeout', '40s'];
/** Some of its nodes are there. */
const hasMade = (): Promise<boolean> => hand.exists('/zk-latencies').then((stat) => (stat?.numChildren ?? 0) > 100);

test('a signal ends bench with its code once what it made is gone', async () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const it = zooshProcess(patiently([server.hosts, 'bench', ...SESSION, '--znode_count', '300000']));
    await until(hasMade, PATIENCE_MS, it.stderr);
    it.kill(signal);
    assert.equal(await it.ended, code, it.stderr());
    assert.match(it.stdout(), /^Testing latencies on server \S+ using asynchronous calls\n$/);
    assert.equal(it.stderr(), 'error: interrupted\n');
    assert.deepEqual(await rootOf(), ['zookeeper']);
  }
});

test('bench whose answer nobody reads any more ends quietly, and nothing of it is left', async () => {
  const words = patiently([server.hosts, 'bench', ...SESSION, '--znode_count', '2000']);
  const child = spawn(process.execPath, [BIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await ended) as [number | null];
  assert.deepEqual([code, said], [0, '']);
  assert.deepEqual(await rootOf(), ['zookeeper']);
});

test('in JSON they are one document each, in ndjson a line for each step', async () => {
  const json = await zoosh(['-o', 'json', server.hosts, 'bench', ...SESSION, '--znode_count', '5']);
  assert.equal(json.code, 0, json.stderr);
  const document = JSON.parse(json.stdout) as { complete: boolean; servers: { phases: { phase: string }[] }[] };
  assert.equal(document.complete, true);
  const names = document.servers[0]?.phases.map(({ phase }) => phase);
  const wanted = ['create permanent', 'set', 'get', 'delete permanent', 'create ephemeral', 'watch'];
  assert.deepEqual(names, [...wanted, 'delete ephemeral', 'notifications']);
  const lines = await zoosh(['-o', 'ndjson', server.hosts, 'bench', ...SESSION, '--znode_count', '5']);
  const entries = lines.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    entries.map(({ phase }) => phase),
    [...(names ?? []), undefined],
  );
  assert.deepEqual(entries.at(-1), { test: 'latency', complete: true, calls: 'asynchronous' });
  const script = await zoosh(['-o', 'json', server.hosts], 'smoketest --timeout 40s\nbench --znode_count 0\n');
  const [record, refusal] = script.stdout.split('\n').map((line) => (line === '' ? undefined : JSON.parse(line)));
  assert.deepEqual([record.ok, record.result.successful, record.result.sessions.length], [true, true, 2]);
  assert.deepEqual([refusal.ok, refusal.error.exit], [false, 2]);
});

test('they change something: not in a read-only shell, not dry', async () => {
  for (const name of ['bench', 'smoketest'])
    for (const [option, reason] of [
      ['--read-only', /^error: refused: \w+ changes something, and this shell is read-only\n/],
      ['--dry-run', /^error: refused: a dry run cannot show what \w+ would do\n/],
    ] as const) {
      const { code, stderr } = await zoosh([option, server.hosts, name]);
      assert.equal(code, 30);
      assert.match(stderr, reason);
    }
  assert.deepEqual(await rootOf(), ['zookeeper']);
});

test('a server that is killed meanwhile: what is left is told, with what removes it', async () => {
  const it = zooshProcess(['--connect-timeout', '8s', server.hosts, 'bench', ...SESSION, '--znode_count', '300000']);
  await until(hasMade, PATIENCE_MS, it.stderr);
  await hand.close();
  await server.kill('SIGKILL');
  const code = await it.ended;
  assert.equal(code, 3, it.stderr());
  assert.match(
    it.stderr(),
    /^what the test made below \/zk-latencies could not be removed: no server could be reached$/m,
  );
  assert.match(it.stderr(), /^error: 127\.0\.0\.1:\d+: create permanent: the connection broke before a reply came/m);
  assert.doesNotMatch(it.stdout(), /complete/);
  await server.start();
  hand = await connect(server.hosts);
  const { code: removed } = await zoosh(['-y', server.hosts, 'deleteall', '/zk-latencies']);
  assert.equal(removed, 0);
});
