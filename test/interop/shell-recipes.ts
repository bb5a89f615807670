/** Recipes as commands: locks, elections, semaphores, barriers, queues, counters. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patiently } from '../e2e/cli.ts';
import { PATIENCE_MS } from '../patience.ts';
import { note, zoosh } from './live-shell.ts';
import { base, client, ENV, HOME, one, SERVER } from './shell-rig.ts';

const program = (name: string, text: string): string => {
  const file = join(HOME, name);
  writeFileSync(file, text);
  return file;
};
const gives = async (status: number, out: string | RegExp, ...words: string[]): Promise<string> => {
  const got = await one(...words);
  assert.equal(got.status, status, `${words.join(' ')}: ${got.err}${got.out}`);
  if (typeof out === 'string') assert.equal(got.out.toString(), out, words.join(' '));
  else assert.match(got.out.toString(), out, words.join(' '));
  return got.err;
};
const json = async (...words: string[]): Promise<unknown> => {
  note(words.join(' '), true);
  const { out, err, status } = await zoosh(['-o', 'json', SERVER, ...words], ENV);
  assert.equal(status, 0, `${words.join(' ')}: ${err}`);
  return JSON.parse(out.toString());
};
const children = async (path: string): Promise<string[]> =>
  (await client.exists(path)) === undefined ? [] : (await client.getChildren(path)).children;
async function until(is: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await is()); await sleep(50))
    assert.ok(performance.now() < end, `never: ${what}`);
}

/** A command that goes on until it is told to end, or ends by itself. */
class Going {
  text = '';
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  constructor(...words: string[]) {
    note(words.join(' '));
    const args = ['bin/zoosh.js', ...patiently([SERVER, ...words])];
    this.child = spawn(process.execPath, args, { env: ENV, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#ended = once(this.child, 'close');
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.text += chunk;
    });
  }
  async status(): Promise<number> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.#ended;
    clearTimeout(late);
    return this.child.exitCode ?? 128;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGINT');
    await this.status();
  }
}

const STANDS = program('stands.sh', 'echo in; exec sleep 60\n');

test('lock: the program knows what it holds, one at a time, in the style that is there', async () => {
  const at = `${await base('lock')}/l`;
  const tells = program('tells.sh', 'echo "$ZOOSH_LOCK_PATH $ZOOSH_LOCK_TOKEN $ZOOSH_SERVER"; exit 7\n');
  const said = ['--signal', 'TERM', '--grace', '1s', '--on-lost', 'true', '--id', 'me'];
  await gives(7, new RegExp(`^${at} \\d+ ${SERVER}\n$`), 'lock', '--style', 'kazoo', ...said, at, '--', 'sh', tells);
  await using holder = new Going('lock', '--style', 'kazoo', '--id', 'first', at, '--', 'sh', STANDS);
  await until(() => holder.text === 'in\n', 'it holds the lock');
  const late = await gives(124, '', 'lock', '--wait', '300ms', at, '--', 'sh', tells);
  assert.match(late, /lock not acquired/);
  await gives(20, '', 'lock', '--style', 'curator', at, '--', 'sh', tells);
  const [row, more] = (await json('locks', at)) as Record<string, unknown>[];
  assert.equal(more, undefined);
  assert.deepEqual([row?.position, row?.state, row?.style, row?.id], [1, 'holding', 'kazoo', 'first']);
  await gives(0, /^1\tholding\t/, 'locks', at);
});

test('elect: a program for the leader, and who leads', async () => {
  const at = `${await base('elect')}/e`;
  const ends = program('ends.sh', 'exit 3\n');
  const said = ['--style', 'zoosh', '--signal', 'TERM', '--grace', '1s', '--on-lost', 'true', '--wait', '20s'];
  await gives(3, '', 'elect', ...said, '--id', 'me', at, '--', 'sh', ends);
  await using observer = new Going('elect', '--observe', at);
  await using leader = new Going('elect', '--id', 'ann', at, '--', 'sh', STANDS);
  await until(() => leader.text === 'in\n', 'it leads');
  await until(() => /ann/.test(observer.text), 'the observer sees who leads');
  await gives(124, '', 'elect', '--wait', '300ms', '--id', 'bob', at, '--', 'sh', ends);
});

test('semaphore: so many at a time, and no other number', async () => {
  const at = `${await base('semaphore')}/s`;
  const ends = program('three.sh', 'exit 3\n');
  const said = ['--style', 'zoosh', '--signal', 'TERM', '--grace', '1s', '--on-lost', 'true', '--id', 'me'];
  await gives(3, '', 'semaphore', '-n', '2', ...said, at, '--', 'sh', ends);
  await using first = new Going('semaphore', '-n', '2', at, '--', 'sh', STANDS);
  await using second = new Going('semaphore', '-n', '2', at, '--', 'sh', STANDS);
  await until(() => first.text === 'in\n' && second.text === 'in\n', 'two hold it');
  await gives(124, '', 'semaphore', '-n', '2', '--wait', '300ms', at, '--', 'sh', ends);
  await gives(20, '', 'semaphore', '-n', '3', at, '--', 'sh', ends);
});

test('barrier: opens for all at once', async () => {
  const at = `${await base('barrier')}/b`;
  await gives(124, '', 'barrier', '-n', '2', '--timeout', '300ms', '--id', 'alone', at);
  await until(async () => (await children(at)).every((name) => !name.includes('alone')), 'it has left');
  await using other = new Going('barrier', '-n', '2', '--timeout', '60s', at);
  await gives(0, '', 'barrier', '-n', '2', '--timeout', '60s', at);
  assert.equal(await other.status(), 0);
});

test('queue: in their order, by priority, one taker each', async () => {
  const at = `${await base('queue')}/q`;
  await gives(0, '', 'queue', 'put', '--style', 'kazoo', at, 'late');
  await gives(0, '', 'queue', 'put', '--priority', '5', at, 'early');
  await gives(0, '2\n', 'queue', 'len', at);
  assert.equal(await json('queue', 'len', at), 2);
  await gives(0, 'early\n', 'queue', 'peek', at);
  await gives(0, 'early\n', 'queue', 'take', at);
  const { data } = (await json('queue', 'take', at)) as { data: string };
  assert.equal(data, 'late');
  await gives(1, '', 'queue', 'take', at);
  await gives(124, '', 'queue', 'take', '--timeout', '300ms', at);
  await using taker = new Going('queue', 'take', '--wait', at);
  await gives(0, '', 'queue', 'put', at, 'awaited');
  await until(() => taker.text === 'awaited\n', 'who waits gets it');
  assert.equal(await taker.status(), 0);
});

test('queue: an item in every form that data has', async () => {
  const at = `${await base('forms')}/q`;
  const file = program('queue-item', 'of a file');
  for (const [words, item] of [
    [['-b', at, 'YmFzZTY0'], 'base64'],
    [['-x', at, '686578'], 'hex'],
    [[at, '--text', '-x'], '-x'],
    [[at, '--file', file], 'of a file'],
    [[at, '--null'], null],
  ] as const) {
    await gives(0, '', 'queue', 'put', ...words);
    await gives(0, item === null ? '' : `${item}\n`, 'queue', 'take', at);
  }
  note(`queue put ${at} --stdin`);
  const piped = await zoosh([SERVER, 'queue', 'put', at, '--stdin'], ENV, Buffer.from('piped'));
  assert.deepEqual([piped.err, piped.status], ['', 0]);
  await gives(0, 'piped\n', 'queue', 'take', at);
});

test('counter: as it is, and by so much', async () => {
  const at = `${await base('counter')}/c`;
  await gives(0, '1\n', 'counter', 'incr', '--style', 'kazoo', at);
  await gives(0, '6\n', 'counter', 'incr', at, '5');
  await gives(0, '4\n', 'counter', 'decr', at, '2');
  await gives(0, '40\n', 'counter', 'set', at, '40');
  await gives(0, '40\n', 'counter', 'get', at);
  assert.equal(await json('counter', 'get', at), 40);
  assert.equal((await client.get(at)).data?.toString(), '40');
});
