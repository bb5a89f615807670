import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lateIf, timely } from '../patience.ts';
import { Relay } from '../recipes/relay.ts';
import { until } from '../recipes/world.ts';
import { zoosh, zooshProcess } from './cli.ts';
import { HeldStage, whileHeld } from './held-stage.ts';

let stage: HeldStage;
let server: HeldStage['server'];
let client: HeldStage['client'];
before(async () => {
  stage = await HeldStage.open({ '4lw.commands.whitelist': '*' });
  ({ server, client } = stage);
});
after(() => stage[Symbol.asyncDispose]());
const file = (name: string): string => stage.file(name);
const textOf = (name: string): string => stage.text(name);

const children = async (path: string): Promise<string[]> => (await client.getChildren(path)).children;
/** Writes the time into a file every few ms; deaf to TERM. */
const DEAF = (name: string): string =>
  `const fs = require('node:fs'); for (const s of ['SIGTERM', 'SIGINT']) process.on(s, () => fs.appendFileSync('${file(name)}', s + '\\n'));
   setInterval(() => fs.appendFileSync('${file(name)}', Date.now() + '\\n'), 5);`;
const isIn = async (path: string, count: number): Promise<boolean> =>
  (await client.exists(path)) !== undefined && (await children(path)).length === count;
/** Nobody holds or waits any more. */
const isLeft = (path: string): Promise<void> => until(`${path} is left`, () => isIn(path, 0));
const times = (name: string): number[] => [...textOf(name).matchAll(/^\d+$/gm)].map(([text]) => Number(text));

test('accept 12: the exit code of a lock is that of its program, which is told what it holds', async () => {
  const script = 'echo "$ZOOSH_LOCK_PATH $ZOOSH_LOCK_TOKEN $ZOOSH_SERVER"; exit 7';
  const ran = await zoosh([server.connectString, 'lock', '/jobs/a', '--', 'sh', '-c', script]);
  assert.equal(ran.code, 7);
  assert.match(ran.stdout, new RegExp(`^/jobs/a \\d+ ${server.connectString}\n$`));
  assert.equal(ran.stderr, '');
  await isLeft('/jobs/a');
  const next = await zoosh([server.connectString, 'lock', '/jobs/a', 'sh', '-c', 'echo $ZOOSH_LOCK_TOKEN', '--help']);
  assert.equal(next.code, 0);
  assert.ok(Number(next.stdout) > Number(ran.stdout.split(' ')[1]));
  for (const [words, code] of [
    [['/none/such/program'], 127],
    [[file('.')], 126],
    [['sh', '-c', 'kill -9 $$'], 137],
  ] as const) {
    assert.equal((await zoosh([server.connectString, 'lock', '/jobs/a', ...words])).code, code, words.join(' '));
    await isLeft('/jobs/a');
  }
});

test('the shell ends with the program: it waits for no timer of its own', () =>
  timely(async () => {
    const script = 'process.stdout.write(String(Date.now()))';
    const ran = await zoosh([server.connectString, 'lock', '/jobs/end', '--', process.execPath, '-e', script]);
    assert.equal(ran.code, 0, ran.stderr);
    const ms = Date.now() - Number(ran.stdout);
    return lateIf(ms > 1500, `it ended ${ms} ms behind its program`);
  }));

test('a program does not go on when the shell that held the lock for it is killed', () =>
  timely(async (round) => {
    const [name, path] = [`killed${round}`, `/jobs/killed${round}`];
    const held = zooshProcess([server.connectString, 'lock', path, '--', process.execPath, '-e', DEAF(name)]);
    await until('it runs', () => times(name).length > 0);
    held.kill('SIGKILL');
    // the program has its standard output: that ends with the last of both
    let isOver = false;
    void held.ended.then(() => {
      isOver = true;
    });
    await until('its program ends, too', () => isOver);
    const before = times(name).length;
    await sleep(100);
    assert.equal(times(name).length, before, 'it goes on');
    // it has a second between the two, in which it may get no processor
    return lateIf(!textOf(name).includes('SIGTERM'), 'it was not told before it was dead');
  }));

test('accept 12: when the session is killed the program gets TERM, and the exit code is 33', () =>
  timely(async (round) => {
    await using relay = await Relay.open(server.connectString);
    const [name, path] = [`term${round}`, `/jobs/term${round}`];
    const words = ['lock', '--on-lost', `echo hook >>${file(name)}`, path, 'sh', '-c'];
    const script = `trap 'echo TERM >>${file(name)}; exit 0' TERM; echo in >>${file(name)}; while :; do sleep 0.05; done`;
    const holder = zooshProcess(['--timeout', '2s', relay.connectString, ...words, script]);
    const early = await whileHeld(holder, 'it runs', () => textOf(name).includes('in'));
    if (early !== undefined) return early;
    relay.silence();
    assert.equal(await holder.ended, 33);
    assert.match(holder.stderr(), new RegExp(`losing ${path}`));
    // both are given the last part of two seconds
    const found = textOf(name).trim().split('\n').sort().join(' ');
    return lateIf(found !== 'TERM hook in', `it was told ${found}`);
  }));

test('a program that is deaf to TERM is dead before the next one is in, and so is what it began', () =>
  timely(async (round) => {
    await using relay = await Relay.open(server.connectString);
    const [path, one, two] = [`/jobs/deaf${round}`, `parent${round}`, `child${round}`];
    writeFileSync(file('child.cjs'), DEAF(two));
    const parent = `${DEAF(one)} require('node:child_process').spawn(process.execPath, ['${file('child.cjs')}']);`;
    const words = ['lock', path, process.execPath, '-e', parent];
    const holder = zooshProcess(['--timeout', '4s', relay.connectString, ...words]);
    const early = await whileHeld(holder, 'both run', () => times(one).length > 3 && times(two).length > 3);
    if (early !== undefined) return early;
    const next = zooshProcess([server.connectString, 'lock', path, process.execPath, '-e', 'console.log(Date.now())']);
    const soon = await whileHeld(holder, 'the next one waits', () => isIn(path, 2));
    if (soon !== undefined) return soon;
    relay.silence();
    assert.equal(await holder.ended, 33);
    assert.equal(await next.ended, 0);
    const started = Number(next.stdout());
    // who gets no processor before KILL comes writes nothing down
    if (![one, two].every((name) => textOf(name).includes('SIGTERM'))) return 'no TERM before it was dead';
    const last = Math.max(...[one, two].map((name) => times(name).at(-1) as number));
    return lateIf(last >= started, `it wrote ${last - started} ms after the next one began`);
  }));

test('the node deleted by somebody: TERM, then KILL after the grace', () =>
  timely(async (round) => {
    const [name, path] = [`gone${round}`, `/jobs/gone${round}`];
    const words = ['lock', '--grace', '3s', path, process.execPath, '-e', DEAF(name)];
    const holder = zooshProcess(['--timeout', '30s', server.connectString, ...words]);
    await until('it runs', () => times(name).length > 3);
    const [node] = await children(path);
    await client.delete(`${path}/${node}`);
    assert.equal(await holder.ended, 33);
    assert.match(holder.stderr(), /its node was deleted/);
    return lateIf(!textOf(name).includes('SIGTERM'), 'no TERM in three seconds');
  }));

test('TERM to zoosh ends the program first, then lets the next one in', async () => {
  const words = ['lock', '--grace', '30s', '/jobs/told', 'sh', '-c'];
  const script = `trap 'sleep 1.2; echo bye >>${file('told')}; exit 0' TERM; echo in >>${file('told')}; while :; do sleep 0.05; done`;
  const holder = zooshProcess(['--timeout', '60s', server.connectString, ...words, script]);
  await until('it runs', () => textOf('told').includes('in'));
  const next = zooshProcess([server.connectString, 'lock', '/jobs/told', 'cat', file('told')]);
  await until('the next one waits', async () => (await children('/jobs/told')).length === 2);
  holder.kill('SIGTERM');
  assert.equal(await holder.ended, 143);
  assert.equal(await next.ended, 0);
  assert.equal(next.stdout(), 'in\nbye\n');
});

test('who is told to end while it waits leaves nothing to look for', async () => {
  const holder = zooshProcess([server.connectString, 'lock', '/jobs/line', 'sleep', '180']);
  await until('it holds', () => isIn('/jobs/line', 1));
  for (const command of ['lock', 'elect'] as const)
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const next = zooshProcess([server.connectString, command, '/jobs/line', 'true']);
      await until('the next one waits', () => next.stderr().includes('waiting for /jobs/line'));
      next.kill(signal);
      assert.equal(await next.ended, code);
      assert.match(next.stderr(), /error: interrupted\n$/, 'its own node goes with it');
      await until('it waits no longer', () => isIn('/jobs/line', 1));
    }
  holder.kill('SIGINT');
  await holder.ended;
});

test('--wait gives up with 124, another style and a second limit are refused with 20', async () => {
  const at = server.connectString;
  const holder = zooshProcess([at, 'lock', '--id', 'bob', '/jobs/w', 'sleep', '180']);
  await until('it holds', () => isIn('/jobs/w', 1));
  const told =
    /^waiting for \/jobs\/w: held by bob \(0x[0-9a-f]+\) for \d+s, you are 2nd\nerror: lock not acquired in 600ms: \/jobs\/w\n$/;
  // it has half of the time to find out who is in front
  await timely(async () => {
    const late = await zoosh([at, 'lock', '--wait', '600ms', '/jobs/w', 'true']);
    assert.equal(late.code, 124);
    await until('it waits no longer', () => isIn('/jobs/w', 1));
    return lateIf(!told.test(late.stderr), late.stderr);
  });
  // a server has a second to tell who is connected
  const line = /^1\tholding\t[^\t]+\tbob\t127\.0\.0\.1:\d+\t0x[0-9a-f]+\t[0-9a-f]{16}-lock-\d{10}\n$/;
  await timely(async () => {
    const { stdout } = await zoosh([at, 'locks', '/jobs/w']);
    const { stdout: folder } = await zoosh([at, 'locks', '/jobs']);
    // in its folder it is one of several, by the name it has there
    const [name = ''] = /[^\t]+\n$/.exec(stdout) ?? [];
    assert.ok(folder.includes(stdout.replace(name, `w/${name}`)), folder);
    return lateIf(!line.test(stdout), stdout);
  });
  assert.equal((await zoosh([at, 'lock', '--style', 'kazoo', '/jobs/w', 'true'])).code, 20);
  holder.kill('SIGINT');
  assert.equal(await holder.ended, 130);
  assert.equal((await zoosh([at, 'semaphore', '-n', '2', '/jobs/s', 'true'])).code, 0);
  assert.equal((await zoosh([at, 'semaphore', '-n', '3', '/jobs/s', 'true'])).code, 20);
  assert.equal((await zoosh([at, 'locks', '/jobs/none'])).code, 10);
});

test('without a program it is held until it is told to end', async () => {
  const holder = zooshProcess([server.connectString, 'elect', '--id', 'web1', '/jobs/e']);
  await until('it leads', () => /leading \/jobs\/e, token \d+/.test(holder.stderr()));
  const observer = zooshProcess([server.connectString, 'elect', '--observe', '/jobs/e']);
  await until('it is seen', () => observer.stdout().startsWith('web1\t0x'));
  holder.kill('SIGINT');
  assert.equal(await holder.ended, 130);
  await until('it is gone', () => observer.stdout().endsWith('\n-\n'));
  observer.kill('SIGINT');
  assert.equal(await observer.ended, 130);
  // that is how they end: no failure
  for (const { stderr } of [holder, observer]) assert.doesNotMatch(stderr(), /error/);
});

test('queue, counter and barrier on the command line', async () => {
  const at = server.connectString;
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await zoosh([at, ...args]);
    return `${code} ${stdout}`;
  };
  assert.equal(await run('queue', 'take', '/q'), '1 ');
  for (const item of ['one', 'two']) assert.equal((await run('queue', 'put', '/q', item)).slice(0, 1), '0');
  await run('queue', 'put', '--priority', '5', '/q', 'first');
  assert.deepEqual([await run('queue', 'len', '/q'), await run('queue', 'peek', '/q')], ['0 3\n', '0 first\n']);
  assert.deepEqual([await run('queue', 'take', '/q'), await run('queue', 'take', '/q')], ['0 first\n', '0 one\n']);
  assert.equal(await run('queue', 'take', '--timeout', '200ms', '/q2'), '124 ');
  const taker = zooshProcess([at, 'queue', 'take', '--wait', '/q3']);
  await sleep(200);
  await run('queue', 'put', '/q3', 'late');
  assert.equal(await taker.ended, 0);
  assert.equal(taker.stdout(), 'late\n');
  assert.deepEqual(
    [
      await run('counter', 'get', '/c'),
      await run('counter', 'incr', '/c', '5'),
      await run('counter', 'decr', '/c'),
      await run('counter', 'set', '/c', '-7'),
      await run('counter', 'get', '/c'),
    ],
    ['0 0\n', '0 5\n', '0 4\n', '0 -7\n', '0 -7\n'],
  );
  await client.create('/word', 'x');
  assert.equal(await run('counter', 'incr', '/word'), '20 ');
  const both = await Promise.all([
    run('barrier', '-n', '2', '/b'),
    run('barrier', '-n', '2', '--timeout', '50s', '/b'),
  ]);
  assert.deepEqual(
    both.map((text) => text.slice(0, 1)),
    ['0', '0'],
  );
  assert.deepEqual(await children('/b'), []);
  assert.equal(await run('barrier', '-n', '2', '--timeout', '200ms', '/b'), '124 ');
});
