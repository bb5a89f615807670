/** Ensembles and servers around a program, a prompt or a terminal: they end with it, and nothing is left. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { processOf } from '../../src/ensemble/process.ts';
import { timely } from '../patience.ts';
import { BIN, zoosh } from './cli.ts';
import { base, begin, env, folder, good, home, portsFree, run, temporary, until } from './local-ensembles.ts';

test('accept 11: with: the code of the program, an ensemble around it, and nothing left', async () => {
  const script = [
    'set -e',
    '[ "$ZK_SERVER" = "$ZOOSH_SERVER" ] && [ "$ZK_SERVER" = "$ZOOKEEPER_CONNECT" ]',
    `zoosh() { ${process.execPath} ${BIN} --connect-timeout 40s "$@"; }`,
    // the member that is asked may be behind the one that was written to
    'zoosh -c "sync /; get /seeded"',
    // there is none to be seen while it is slow to answer
    'until zoosh ensemble kill leader; do sleep 1; done',
    'zoosh create /a b >/dev/null',
    'zoosh -c "sync /; get /a"',
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

/** What is known of a process that is there and should not be. */
function shown(pid: number): string {
  try {
    const [cmd = '', status = ''] = ['cmdline', 'status'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
    const lines = status.split('\n').filter((line) => /^(?:State|PPid|SigIgn|SigPnd|ShdPnd):/.test(line));
    return `${pid} ${cmd.replaceAll('\0', ' ')}(${lines.join(', ').replaceAll('\t', ' ')})`;
  } catch {
    return `${pid} (gone now)`;
  }
}
const goneOf = (pids: readonly number[], told: () => string): Promise<boolean> => {
  const left = (): number[] => pids.filter((pid) => processOf(pid) !== undefined);
  return until(
    () => `these are gone: ${left().map(shown).join('; ')}; ${told()}`,
    async () => left().length === 0,
  );
};

test('with: told to end or killed, it leaves no process and no file', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    // it does not care for SIGTERM itself, and has a child of its own
    const script = 'trap "" TERM; echo "$ZOOSH_ENSEMBLE"; sleep 60 & echo $$ $!; wait; wait; sleep 60';
    const ends = 'echo "$ZOOSH_ENSEMBLE"; sleep 60 & echo $$ $!; wait';
    const { child, text, ended } = begin(['with', '-n', '3', '--', 'sh', '-c', signal === 'SIGKILL' ? script : ends]);
    const [, path = '', own = '', below = ''] = await until(
      'the program runs',
      async () => /^(\/.*)\n(\d+) (\d+)\n/m.exec(text.out) ?? undefined,
    );
    const pids = [1, 2, 3].map((id) => Number(readFileSync(join(path, `member-${id}`, 'pid'), 'utf8').split('\n')[0]));
    pids.push(Number(own));
    for (const pid of pids) assert.ok(processOf(pid) !== undefined);
    child.kill(signal);
    // a signal that can be heard is passed on to the program, and it is the program's to end what it has begun
    if (signal === 'SIGKILL') pids.push(Number(below));
    else {
      await until('the program is gone', async () => processOf(Number(own)) === undefined);
      process.kill(Number(below), 'SIGTERM');
    }
    await goneOf(pids, () => `${signal}: ${text.err.slice(-2000)}`);
    assert.equal(await ended, signal === 'SIGKILL' ? signal : 143);
    await until('its files are gone', async () => readdirSync(temporary).length === 0);
    assert.deepEqual(readdirSync(temporary), [], `its files in ${path}`);
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
    assert.ok(!existsSync(join(folder, 'fore')));
    await portsFree(first, 3);
  }
  const late = begin(args);
  await until('it serves', async () => late.text.out.includes('\n'));
  assert.match(late.text.out, new RegExp(`^ready 127.0.0.1:${first},127.0.0.1:${first + 1},127.0.0.1:${first + 2}\n$`));
  await until('logs of all', async () => [1, 2, 3].every((id) => late.text.err.includes(`${id} | `)));
  late.child.kill('SIGINT');
  assert.equal(await late.ended, 0);
  assert.ok(existsSync(join(folder, 'fore')), 'the data stays');
  await portsFree(first, 3);
  await good('-y', 'ensemble', 'destroy', 'fore');

  const brief = begin([...args, '--rm']);
  await until('it serves', async () => brief.text.out.includes('\n'));
  brief.child.kill('SIGTERM');
  assert.equal(await brief.ended, 0);
  assert.ok(!existsSync(join(folder, 'fore')));
});

test('killed while it starts, detached or not, it leaves no process and no file; once it serves they are there', async () => {
  const first = await base();
  const pids = (): number[] | undefined => {
    const files = [1, 2, 3].map((id) => join(folder, 'torn', `member-${id}`, 'pid'));
    const texts = files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : ''));
    return texts.every((text) => text.includes('\n')) ? texts.map((text) => Number(text.split('\n')[0])) : undefined;
  };
  const gone = (all: readonly number[]): Promise<boolean> => goneOf(all, () => '');
  const words = ['start', 'ensemble', 'torn', '-n', '3', '--base-port', String(first)];
  for (const more of [[], ['-d']])
    await timely(async () => {
      const { child, text, ended } = begin([...words, ...more]);
      const begun = await until('all are begun', async () => pids());
      child.kill('SIGKILL');
      await ended;
      if (text.out !== '') {
        await good('-y', 'ensemble', 'destroy', 'torn');
        return 'it was not starting any more';
      }
      await gone(begun);
      assert.ok(!existsSync(join(folder, 'torn')), 'its files');
      await portsFree(first, 3);
      return undefined;
    });
  const served = begin(words);
  await until('it serves', async () => served.text.out.includes('\n'));
  served.child.kill('SIGKILL');
  await served.ended;
  await gone(pids() ?? []);
  await portsFree(first, 3);
  assert.ok(existsSync(join(folder, 'torn', 'member-1', 'data')), 'the data stays');
  await good('-y', 'ensemble', 'destroy', 'torn');
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
  let stdout = '';
  // its status gives a member a second to answer, and is 1 without a quorum
  await timely(async () => {
    const ran = await zoosh(['playground', '-n', '3'], script, env);
    stdout = ran.stdout;
    return ran.code === 0 ? undefined : `ended with ${ran.code}: ${ran.stderr}`;
  });
  assert.match(stdout, /^\/bar\n1\t(?:.*\n){3}hello-bar\nexport ZOOSH_SERVER=/);
  await portsFree(Number(/ZOOSH_SERVER=127.0.0.1:(\d+)/.exec(stdout)?.[1]), 3);
  assert.deepEqual(readdirSync(temporary), []);
});
