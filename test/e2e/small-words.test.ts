/** What somebody who was new to the shell stumbled over: small things, each said or done as he expected. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { BIN, type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-words-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
const one = (...words: string[]): Promise<Ran> => zoosh([server.hosts, ...words]);
const lines = (...text: string[]): Promise<Ran> => zoosh([server.hosts], text.map((line) => `${line}\n`).join(''));

test('a file gets the data of one node byte for byte, whatever it is; of several, records', async () => {
  const file = (name: string): string => join(folder, name);
  const bytes = (name: string): string => readFileSync(file(name), 'latin1');
  await client.create('/exact', 'text');
  await client.create('/exact/newline', 'text\n');
  await client.create('/exact/binary', Buffer.from([0, 255, 10, 0]));
  await client.create('/exact/null', null);
  const ran = await lines(
    `get /exact > ${file('text')}`,
    `get /exact >> ${file('more')}`,
    `get /exact >> ${file('more')}`,
    `get /exact/newline > ${file('newline')}`,
    `get /exact/binary > ${file('binary')}`,
    `get /exact/null > ${file('null')}`,
    `get /exact/* > ${file('many')}`,
    `repeat 2 get /exact > ${file('twice')}`,
    `get -s /exact > ${file('stat')}`,
    `get -b /exact > ${file('base64')}`,
    'get /exact | cat',
    'get /exact > /dev/null',
    `create /exact/back @${file('text')}`,
  );
  assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'text\n/exact/back\n', '']);
  assert.equal(bytes('text'), 'text');
  assert.equal(bytes('more'), 'text\ntext\n', 'one added to another is a line of its own');
  assert.equal(bytes('newline'), 'text\n');
  assert.equal(bytes('binary'), '\0\xff\n\0');
  assert.equal(bytes('null'), '');
  assert.equal(bytes('twice'), 'text\ntext\n', 'two records are two lines');
  assert.match(bytes('many'), /^\/exact\/binary:\n/);
  assert.match(bytes('stat'), /^text\nczxid\t/);
  assert.equal(bytes('base64'), 'dGV4dA==\n');
  assert.equal(String((await client.get('/exact/back')).data), 'text', 'it comes back as it was');
});

test('what the process has open is no file of its own: records stay apart', async () => {
  await client.create('/open', 'text');
  const log = join(folder, 'log');
  const { status } = spawnSync(
    '/bin/sh',
    ['-c', `'${process.execPath}' '${BIN}' ${server.hosts} -c 'get /open > /dev/stdout; pwd' >>'${log}'`],
    { env: { PATH: process.env.PATH, ZOOSH_HOME: folder } },
  );
  assert.deepEqual([status, readFileSync(log, 'utf8')], [0, 'text\n/\n']);
});

test('wait leaves no watch of its own, and takes none of the user away', async () => {
  await client.create('/waited', '1');
  const names = async (...script: string[]): Promise<string[]> => {
    const ran = await zoosh(['-o', 'json', '-k', server.hosts], script.map((line) => `${line}\n`).join(''));
    const last = ran.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .findLast(({ command }) => command === 'watches');
    return last.result.map(({ path, kind }: { path: string; kind: string }) => `${kind} ${path}`);
  };
  assert.deepEqual(await names('wait /waited', 'watches'), []);
  assert.deepEqual(await names('wait /waited --children 0', 'watches'), []);
  assert.deepEqual(await names('wait /waited --data 1', 'watches'), []);
  assert.deepEqual(await names('wait /not-there --timeout 20ms', 'watches'), [], 'also when it gives up');
  assert.deepEqual(await names('get -w /waited', 'wait /waited', 'watches'), ['data /waited']);
  assert.deepEqual(await names('ls -w /waited', 'wait /waited', 'watches'), ['children /waited']);
});

test('the node that is missing is the one named, in JSON as in words', async () => {
  await client.create('/there');
  const ran = await zoosh(['-o', 'json', server.hosts, 'diff', '/there', '/their']);
  const { error } = JSON.parse(ran.stderr);
  assert.deepEqual(
    [ran.code, error.path, error.message, error.hint],
    [10, '/their', 'node does not exist', 'did you mean /there ?'],
  );
});

test('repeat and each go on behind a failure with a -k of their own', async () => {
  await client.create('/each');
  await client.create('/each/a', '1');
  await client.create('/each/b', '2');
  const repeated = await one('repeat', '-k', '2', 'get', '/nowhere');
  assert.equal(repeated.code, 10);
  assert.equal(repeated.stderr.match(/node does not exist: \/nowhere/g)?.length, 2);
  const each = await one('each', '-k', '/each/*', 'do', 'assert', 'data', '{}', '2');
  assert.equal(each.code, 1);
  assert.match(each.stderr, /\/each\/a: .*other data/);
  const first = await one('each', '/each/*', 'do', 'get', '{}/x');
  assert.equal(first.stderr.match(/does not exist/g)?.length, 1, 'without it the first one ends it');
});

test('-k goes on behind failures, not when nobody reads any more', async () => {
  const transaction = client.transaction().create('/crowd');
  for (let n = 0; n < 2500; n++) transaction.create(`/crowd/a-node-with-quite-a-long-name-${n}-${'x'.repeat(250)}`);
  await transaction.commit();
  for (const line of ['repeat -k 0 ls /crowd', 'each -k /* do ls -R /crowd', 'repeat -k 3 find /crowd']) {
    const ran = await lines(`${line} | head -1`);
    assert.deepEqual([ran.code, ran.stderr], [0, ''], line);
    assert.match(ran.stdout, /^\S+\n$/, line);
  }
});

test('words from elsewhere, and words that lack another, are told what was meant', async () => {
  const found = await one('find', '/', '-type', 'f');
  assert.equal(found.code, 2);
  assert.match(found.stderr, /unknown option -type\n hint: .*-leaf/);
  for (const option of ['-x', '-b']) {
    const ran = await one('create', '/made', option);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, new RegExp(`${option} says how the data is written.*\n hint: create PATH ${option} DATA`));
  }
  assert.equal(await client.exists('/made'), undefined);
  const opened = await one('txn');
  assert.equal(opened.code, 2);
  assert.match(opened.stderr, /opens a transaction, and nothing can come into it\n hint: .*txn \{/);
  const script = join(folder, 'open.zk');
  writeFileSync(script, 'txn\ncreate /never 1\nget /nope\n');
  assert.equal((await one('time', 'run', script)).code, 10, 'its own failure is the one that counts');
  writeFileSync(script, 'txn\ncreate /never 1\n');
  const left = await one('time', 'run', script);
  assert.deepEqual([left.code, /inside a transaction of 1 operation; nothing was sent/.test(left.stderr)], [2, true]);
  const program = join(folder, 'program');
  writeFileSync(program, 'echo x\n', { mode: 0o644 });
  const held = await one('lock', '/held', '--', program);
  assert.equal(held.code, 126);
  assert.match(held.stderr, /it may not be executed \(chmod \+x/);
});
