/** Ensembles of real processes, as a person starts, hurts and ends them with the built binary. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/client/connect.ts';
import { anyBlock, blockPorts, isFree } from '../../src/ensemble/ports.ts';
import { processOf } from '../../src/ensemble/process.ts';
import type { EnsembleView } from '../../src/shell/ensembles.ts';
import { BIN, type Ran, zoosh } from './cli.ts';

const home = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
const temporary = mkdtempSync(join(tmpdir(), 'zoosh-test-'));
const env = { ZOOSH_HOME: home, TMPDIR: temporary };
const folder = join(home, 'data', 'ensembles');
after(async () => {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) await run('-y', 'ensemble', 'destroy', name);
  for (const each of [home, temporary]) rmSync(each, { recursive: true, force: true });
});
const run = (...args: string[]): Promise<Ran> => zoosh(args, '', env);
async function good(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  assert.equal(code, 0, `zoosh ${args.join(' ')}: ${stderr}`);
  return stdout;
}
const view = async (name: string): Promise<EnsembleView> => {
  const { stdout, stderr } = await run('-o', 'json', 'ensemble', 'status', name, '--digest');
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as EnsembleView;
};
async function until<T>(what: string, look: () => Promise<T | undefined | false>, ms = 25_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await sleep(100);
  }
}
const allEqual = (name: string): Promise<EnsembleView> =>
  until('all members are up with one digest', async () => {
    const found = await view(name);
    const digests = new Set(found.members.map(({ digest }) => digest));
    return found.members.every(({ state }) => state === 'up') && digests.size === 1 && found;
  });
const base = (): Promise<number> => anyBlock('127.0.0.1', 10);
async function portsFree(first: number, count: number): Promise<void> {
  for (const port of blockPorts(first, count))
    assert.ok(await isFree('127.0.0.1', port), `port ${port} is still taken`);
}
/** Starts the binary and leaves it running; `out` and `err` fill up. */
function begin(args: readonly string[], more: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...env, ...more },
  });
  const text = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    text.out += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text.err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, text, ended };
}

test('start -d, status, kill the leader under a client, start it again, destroy: nothing is left', async (t) => {
  const first = await base();
  const began = performance.now();
  const { code, stdout, stderr } = await run(
    'start',
    'ensemble',
    'demo',
    '-n',
    '3',
    '--base-port',
    String(first),
    '-d',
  );
  const took = performance.now() - began;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `127.0.0.1:${first},127.0.0.1:${first + 1},127.0.0.1:${first + 2}\n`);
  t.diagnostic(`a quorum of three served ${Math.round(took)} ms after the command was typed`);
  assert.ok(took < 6000, `it took ${took} ms`); // 3 s alone on two cores; tests run side by side

  const before = await allEqual('demo');
  const pids = before.members.map(({ pid }) => pid as number);
  assert.deepEqual([before.quorum, before.serving, before.voters], [true, 3, 3]);
  assert.equal(before.members.filter(({ role }) => role === 'leader').length, 1);
  const taken = await run('start', 'ensemble', 'other', '--base-port', String(first), '-d');
  assert.deepEqual([taken.code, taken.stdout], [41, '']);
  assert.match(taken.stderr, new RegExp(`port ${first} is in use by member 1 of demo`));
  assert.equal((await run('start', 'ensemble', 'demo', '-d')).code, 42);

  const client = await connect(stdout.trim(), { timeoutMs: 20_000 });
  const session = client.sessionId;
  await client.create('/writes');
  await client.create('/mine', null, { mode: 'ephemeral' });
  const written: string[] = [];
  let writing = true;
  const writer = (async () => {
    for (let at = 0; writing; at++) {
      const path = `/writes/n${at}`;
      // what the client does not know to be done may be done
      await client.create(path, String(at)).then(
        () => written.push(path),
        () => sleep(20),
      );
    }
  })();
  await sleep(300);
  const killed = JSON.parse(await good('-o', 'json', 'ensemble', 'kill', 'demo', 'leader')) as { killed: number[] };
  const atKill = written.length;
  await until('writes go on', async () => written.length > atKill + 20);
  writing = false;
  await writer;
  const during = await view('demo');
  const dead = during.members.find(({ id }) => id === killed.killed[0]);
  assert.equal(dead?.state, 'down');
  assert.match(dead?.faults[0] ?? '', /^killed /);
  assert.deepEqual([during.quorum, during.serving], [true, 2]);
  assert.ok((during.electionMs ?? 0) > 0);
  assert.equal(await good('ensemble', 'start', 'demo'), '');
  const whole = await allEqual('demo');
  assert.equal(whole.members.filter(({ role }) => role === 'leader').length, 1);
  assert.equal(client.sessionId, session, 'the session lives on');
  assert.ok((await client.exists('/mine')) !== undefined);
  const { children } = await client.getChildren('/writes');
  const there = new Set(children.map((name) => `/writes/${name}`));
  assert.deepEqual(
    written.filter((path) => !there.has(path)),
    [],
    'acknowledged writes are lost',
  );
  await client.close();

  const listed = JSON.parse(await good('-o', 'json', 'ensemble', 'list')) as { name: string; up: number }[];
  assert.deepEqual(
    listed.map(({ name, up }) => [name, up]),
    [['demo', 3]],
  );
  assert.match(await good('ensemble', 'env', 'demo'), /^export ZOOSH_SERVER=127.0.0.1:\d+,/);
  assert.match(await good('ensemble', 'logs', 'demo', '-n', '50'), /leading epoch/);
  assert.equal((await run('ensemble', 'destroy', 'demo')).code, 30, 'nobody is there to ask');
  const last = (await view('demo')).members.map(({ pid }) => pid as number);
  await good('-y', 'ensemble', 'destroy', 'demo');
  for (const pid of [...pids, ...last]) assert.equal(processOf(pid), undefined, `process ${pid} lives`);
  assert.deepEqual(readdirSync(folder), []);
  await portsFree(first, 3);
});

test('a leader that is cut off is succeeded, and follows when the partition heals; pauses, lag, stops', async () => {
  const server = (await good('start', 'ensemble', 'part', '-n', '3', '--set', 'tickTime=500', '-d')).trim();
  const before = await allEqual('part');
  const leader = before.members.find(({ role }) => role === 'leader')?.id as number;
  const others = before.members.map(({ id }) => id).filter((id) => id !== leader);
  const told = await good('-o', 'json', 'ensemble', 'partition', 'part', others.join(','), '/', String(leader));
  assert.deepEqual(JSON.parse(told), { groups: [others, [leader]], quorum: others });
  const cut = await until('the others elect one of them, and the old leader looks', async () => {
    const found = await view('part');
    const old = found.members.find(({ id }) => id === leader);
    return found.quorum && found.serving === 2 && old?.state === 'starting' && found;
  });
  assert.deepEqual(cut.members.find(({ id }) => id === leader)?.faults, [`cut from ${others.join(',')}`]);
  const client = await connect(server);
  await client.create('/after', 'the partition');
  await good('ensemble', 'heal', 'part');
  const healed = await allEqual('part');
  assert.deepEqual(
    healed.members.map(({ faults }) => faults),
    [[], [], []],
  );

  await good('ensemble', 'lag', 'part', 'leader', '30ms');
  await client.set('/after', 'lag');
  await good('ensemble', 'heal', 'part');
  const { paused } = JSON.parse(await good('-o', 'json', 'ensemble', 'pause', 'part', 'leader')) as {
    paused: number[];
  };
  assert.equal((await view('part')).members.find(({ id }) => id === paused[0])?.state, 'paused');
  await until('a new leader', async () => (await view('part')).quorum);
  await good('ensemble', 'resume', 'part');
  await allEqual('part');
  await client.close();

  await good('ensemble', 'stop', 'part', '1', '2');
  const none = await run('ensemble', 'status', 'part');
  assert.equal(none.code, 1);
  await good('ensemble', 'stop', 'part');
  const again = await run('start', 'ensemble', 'part', '-d');
  assert.deepEqual([again.code, again.stdout], [0, `${server}\n`], again.stderr);
  assert.equal(await good(server, 'get', '/after'), 'lag\n');
  await good('-y', 'ensemble', 'destroy', 'part');
});

test('scale: 1 to 3 to 5 to 3 under a client whose writes all succeed', async () => {
  const server = (await good('start', 'ensemble', 'grow', '-n', '1', '-d')).trim();
  const client = await connect(server);
  await client.create('/n');
  let [writing, done] = [true, 0];
  const lost: string[] = [];
  const writer = (async () => {
    while (writing) {
      await client.create('/n/x', null, { mode: 'persistentSequential' }).then(
        () => done++,
        (error: Error) => lost.push(error.message),
      );
      await sleep(5);
    }
  })();
  for (const size of [3, 5, 3]) {
    await good('ensemble', 'scale', 'grow', String(size));
    const { members, quorum } = await allEqual('grow');
    assert.deepEqual([quorum, members.length], [true, size]);
  }
  writing = false;
  await writer;
  assert.deepEqual(lost, []);
  assert.equal((await client.getChildren('/n')).children.length, done);
  await client.close();
  await good('ensemble', 'scale', 'grow', '3', '--observers', '1');
  assert.deepEqual((await allEqual('grow')).members.map(({ role }) => role === 'observer').sort(), [
    false,
    false,
    false,
    true,
  ]);
  const gone = (await view('grow')).members.map(({ pid }) => pid as number);
  await good('-y', 'ensemble', 'destroy', 'grow');
  for (const pid of gone) assert.equal(processOf(pid), undefined);
});

test('an observer joins a running ensemble, serves reads and writes, and is the same one the next time', async () => {
  const servers = (await good('start', 'ensemble', 'seen', '-n', '3', '-d')).trim();
  const data = join(home, 'observer');
  const join_ = ['start', 'observer', '--join', servers, '--data', data, '--port', String(await base())];
  for (const value of ['one', 'two']) {
    const { code, stdout, stderr } = await run(...join_, '-d');
    assert.equal(code, 0, stderr);
    const pid = Number(/process (\d+),/.exec(stderr)?.[1]);
    const observer = stdout.trim();
    assert.match(await good(observer, '4lw', 'srvr'), /^Mode: observer$/m);
    await good(observer, 'put', '/seen', value);
    assert.equal(await good(servers, 'get', '/seen'), `${value}\n`);
    assert.equal(readFileSync(join(data, 'myid'), 'utf8'), '4\n');
    process.kill(pid, 'SIGTERM');
    await until('it ended', async () => processOf(pid) === undefined);
  }
  const participant = await run(...join_, '--myid', '1');
  assert.equal(participant.code, 43);
  assert.match(participant.stderr, /server 1 of .* is a participant/);
  await good('-y', 'ensemble', 'destroy', 'seen');
});

test('with: the code of the program, an ensemble around it, and nothing left', async () => {
  const script = [
    'set -e',
    '[ "$ZK_SERVER" = "$ZOOSH_SERVER" ] && [ "$ZK_SERVER" = "$ZOOKEEPER_CONNECT" ]',
    `zoosh() { ${process.execPath} ${BIN} "$@"; }`,
    'zoosh get /seeded',
    'zoosh ensemble kill leader',
    'zoosh --connect-timeout 20s create /a b >/dev/null',
    'zoosh get /a',
    'echo "$ZOOSH_SERVER"',
    'exit 7',
  ].join('\n');
  const seed = join(home, 'seed.zk');
  writeFileSync(seed, 'create /seeded "by a file"\n');
  const { code, stdout, stderr } = await run('with', '-n', '3', '--seed', seed, '--', 'sh', '-c', script);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(code, 7, stderr);
  assert.deepEqual(lines.slice(0, 2), ['by a file', 'b']);
  const first = Number(/:(\d+),/.exec(lines[2] as string)?.[1]);
  await portsFree(first, 3);
  assert.equal((await run('with', '-n', '1', '--', 'false')).code, 1);
  assert.equal((await run('with', '-n', '1', '--', '/nowhere/at/all')).code, 127);
  assert.equal((await run('with', '-n', '1')).code, 2);
  assert.deepEqual(readdirSync(temporary), []);
});

test('with: told to end or killed, it leaves no process', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const script = 'echo "$ZOOSH_ENSEMBLE"; echo $$; exec sleep 60';
    const { child, text, ended } = begin(['with', '-n', '3', '--', 'sh', '-c', script]);
    const path = await until('the program runs', async () => /^(\/.*)\n\d+\n/m.exec(text.out)?.[1]);
    const pids = [1, 2, 3].map((id) => Number(readFileSync(join(path, `member-${id}`, 'pid'), 'utf8').split('\n')[0]));
    for (const pid of pids) assert.ok(processOf(pid) !== undefined);
    child.kill(signal);
    // who is killed cannot end what it runs
    if (signal === 'SIGKILL') process.kill(Number(text.out.split('\n')[1]), 'SIGTERM');
    await until('they are gone', async () => pids.every((pid) => processOf(pid) === undefined));
    assert.equal(await ended, signal === 'SIGKILL' ? signal : 143);
    assert.equal(existsSync(path), signal === 'SIGKILL', 'its files');
    for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { recursive: true });
  }
});

test('in the foreground: interrupted before and after it serves; --rm', async () => {
  const first = await base();
  const args = ['start', 'ensemble', 'fore', '-n', '3', '--base-port', String(first)];
  for (const wait of [150, 350, 500]) {
    const early = begin(args);
    await sleep(wait);
    const served = early.text.out.startsWith('ready');
    early.child.kill('SIGINT');
    const code = await early.ended;
    if (served || early.text.out.startsWith('ready')) {
      await good('-y', 'ensemble', 'destroy', 'fore');
      continue;
    }
    // before it listens for signals nothing is there yet
    assert.ok(code === 130 || code === 'SIGINT', `ended with ${code}: ${early.text.err}`);
    assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], []);
    await portsFree(first, 3);
  }
  const late = begin(args);
  await until('it serves', async () => late.text.out.includes('\n'));
  assert.match(late.text.out, new RegExp(`^ready 127.0.0.1:${first},127.0.0.1:${first + 1},127.0.0.1:${first + 2}\n$`));
  await until('logs of all', async () => [1, 2, 3].every((id) => late.text.err.includes(`${id} | `)));
  late.child.kill('SIGINT');
  assert.equal(await late.ended, 0);
  assert.deepEqual(readdirSync(folder), ['fore'], 'the data stays');
  await portsFree(first, 3);
  await good('-y', 'ensemble', 'destroy', 'fore');

  const brief = begin([...args, '--rm']);
  await until('it serves', async () => brief.text.out.includes('\n'));
  brief.child.kill('SIGTERM');
  assert.equal(await brief.ended, 0);
  assert.deepEqual(readdirSync(folder), []);
});

test('start standalone -d: only what clients connect to, and a process to end', async () => {
  const port = await base();
  const data = join(home, 'alone');
  const words = ['start', 'standalone', '--port', String(port), '--data', data];
  const { code, stdout, stderr } = await run(...words, '-d');
  assert.deepEqual([code, stdout], [0, `127.0.0.1:${port}\n`], stderr);
  const pid = Number(/^process (\d+),/.exec(stderr)?.[1]);
  assert.equal(await good(stdout.trim(), 'create', '/a', 'b'), '/a\n');
  const second = await run('start', 'standalone', '--port', String(port), '--data', `${data}2`, '-d');
  assert.deepEqual([second.code, second.stdout], [41, ''], second.stderr);
  process.kill(pid, 'SIGTERM');
  await until('it ended', async () => processOf(pid) === undefined);
});

test('playground -n 3 runs a script on an ensemble of its own', async () => {
  const script = 'create /bar hello-bar\nensemble status\nget /bar\nensemble env\n';
  const { code, stdout, stderr } = await zoosh(['playground', '-n', '3'], script, env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\/bar\n1\t(?:.*\n){3}hello-bar\nexport ZOOSH_SERVER=/);
  await portsFree(Number(/ZOOSH_SERVER=127.0.0.1:(\d+)/.exec(stdout)?.[1]), 3);
  assert.deepEqual(readdirSync(temporary), []);
});
