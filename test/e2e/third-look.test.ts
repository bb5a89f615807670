/** What an operator ran into who tried the shell once more: what was refused for a reason that was none, or told in words that were not so. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from '../../src/index.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-third-'));
const file = (name: string, text?: string): string => {
  const path = join(folder, name);
  if (text !== undefined) writeFileSync(path, text);
  return path;
};
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
const isThere = async (path: string): Promise<boolean> => (await client.exists(path)) !== undefined;

test('apply and mirror make the levels that a file does not hold', async () => {
  const kv = file('kv.txt', '/k/a=1\n/k/b=x\n');
  const dry = await zoosh(['-n', server.hosts, 'apply', '-f', kv]);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^create\t\/k\t\ncreate\t\/k\/a\t/);
  assert.equal(await isThere('/k'), false);
  const applied = await one('apply', '-f', kv);
  assert.deepEqual([applied.code, /^created\t3$/m.test(applied.stdout)], [0, true], applied.stderr);
  const rooted = await one('apply', '-f', kv, '--root', '/deep/er/k');
  assert.deepEqual([rooted.code, /^created\t5$/m.test(rooted.stdout)], [0, true], rooted.stderr);
  const whole = file('whole.nd');
  for (const path of ['/mp', '/mp/a', '/mp/a/b']) await client.create(path, path);
  assert.equal((await one('export', '/mp', whole)).code, 0);
  const part = file('part.nd');
  const lines = readFileSync(whole, 'utf8').split('\n');
  writeFileSync(part, lines.filter((line) => !/"path":"\/mp(\/a)?"/.test(line)).join('\n'));
  const mirrored = await one('mirror', `file:${part}`, '/there/mpp');
  assert.deepEqual([mirrored.code, /^created\t4$/m.test(mirrored.stdout)], [0, true], mirrored.stderr);
  assert.equal((await client.get('/there/mpp/a/b')).data?.toString(), '/mp/a/b');
});

test('deleteall in a transaction sees what is queued before it, and --limit counts that', async () => {
  const atomic = (text: string): Promise<Ran> => zoosh(['--atomic', '-c', text, server.hosts]);
  const both = await atomic('mkdir /zz; mkdir /zz/a; deleteall /zz');
  assert.deepEqual([both.code, await isThere('/zz')], [0, false], both.stderr);
  for (const path of ['/lim', '/lim/a', '/lim/b']) await client.create(path, null);
  const more = await atomic('create /lim/c; deleteall --limit 3 /lim');
  assert.deepEqual([more.code, /4 nodes at and below \/lim, more than --limit 3/.test(more.stderr)], [30, true]);
  const less = await atomic('delete /lim/a; deleteall --limit 2 /lim');
  assert.deepEqual([less.code, await isThere('/lim')], [0, false], less.stderr);
});

test('--atomic says of each operation what became of it, and nothing of what was only queued', async () => {
  await client.create('/aj1', null);
  const fails = await zoosh(['-o', 'json', '--atomic', server.hosts, file('aj.zk', 'create /aj2\ncreate /aj1\n')]);
  assert.deepEqual([fails.code, fails.stdout], [11, '']);
  assert.equal(JSON.parse(fails.stderr).error.code, 'NodeExists');
  const rows = [
    { op: 'create', path: '/aj2', outcome: 'ok', version: 0 },
    { op: 'set', path: '/aj1', outcome: 'ok', version: 1 },
  ];
  const made = await zoosh(['-o', 'json', '--atomic', server.hosts, file('aj.zk', 'create /aj2\nset /aj1 x\n')]);
  assert.deepEqual([made.code, JSON.parse(made.stdout)], [0, rows], made.stderr);
  const said = await zoosh(['-o', 'json', '--atomic', '-c', 'delete /aj2; delete /aj1', server.hosts]);
  assert.deepEqual(
    JSON.parse(said.stdout).map(({ op, path }: { op: string; path: string }) => `${op} ${path}`),
    ['delete /aj2', 'delete /aj1'],
  );
});

test('queue put takes its item as create and set take their data', async () => {
  const items = async (...words: string[]): Promise<string> => {
    const put = await zoosh([server.hosts, 'queue', 'put', ...words], 'from stdin');
    assert.deepEqual([put.code, put.stdout], [0, ''], put.stderr);
    const took = await one('queue', 'take', '--wait', '/opt');
    return took.stdout.replace(/\n$/, '');
  };
  assert.equal(await items('/opt', '--text', '-x'), '-x');
  assert.equal(await items('/opt', '-b', 'aGVsbG8='), 'hello');
  assert.equal(await items('/opt', '-x', '68 69'), 'hi');
  assert.equal(await items('--hex', '/opt', '6869'), 'hi');
  assert.equal(await items('/opt', '--file', file('item', 'of a file')), 'of a file');
  assert.equal(await items('/opt', '--stdin'), 'from stdin');
  assert.equal(await items('/opt', '--text', '@@kept', '--priority', '1'), '@@kept');
  assert.equal(await items('/opt', '--null'), '');
  const big = file('big', 'x'.repeat(1_100_000));
  const refused = await one('queue', 'put', '/opt', '--file', big);
  assert.deepEqual([refused.code, /--force-size/.test(refused.stderr)], [19, false], refused.stderr);
  for (const [words, message] of [
    [['put', '/opt'], /queue: DATA is missing/],
    [['put', '/opt', '-b'], /queue put: -b says how the data is written, and there is none/],
    [['put', '/opt', 'x', '--null'], /queue put: the data is given twice/],
    [['take', '/opt', '--text', 'x'], /queue take does not take DATA/],
    [['len', '/opt', '-b'], /queue len does not take DATA/],
  ] as const) {
    const ran = await one('queue', ...words);
    assert.deepEqual([ran.code, message.test(ran.stderr)], [2, true], ran.stderr);
  }
});

test('find -exec ends at a semicolon, as hands have learned', async () => {
  await client.create('/fx', null);
  await client.create('/fx/a', '1');
  const wanted = '/fx\n/fx/a\n';
  for (const end of [';', '\\;', undefined]) {
    const ran = await one('find', '/fx', '-exec', 'echo', '{}', ...(end === undefined ? [] : [end]));
    assert.deepEqual([ran.code, ran.stdout], [0, wanted], ran.stderr);
  }
  const typed = await zoosh(['-c', 'find /fx -exec echo {} \\;', server.hosts]);
  assert.deepEqual([typed.code, typed.stdout], [0, wanted], typed.stderr);
  const quoted = await zoosh(['-c', "find /fx -exec echo {} ';'", server.hosts]);
  assert.deepEqual([quoted.code, quoted.stdout], [0, wanted], quoted.stderr);
  const within = await one('find', '/fx', '-exec', 'echo', ';', '{}');
  assert.deepEqual([within.code, within.stdout], [0, '; /fx\n; /fx/a\n'], within.stderr);
  const nothing = await one('find', '/fx', '-exec', ';');
  assert.deepEqual([nothing.code, nothing.stdout, /find: -exec needs a value/.test(nothing.stderr)], [2, '', true]);
});

test('a failing element of each and find says error, as everything that fails', async () => {
  for (const path of ['/ek', '/ek/a', '/ek/b']) await client.create(path, null);
  const each = await zoosh(['-k', '-c', 'each /ek/* do get {}/nope', server.hosts]);
  assert.match(each.stderr, /^\/ek\/a: error: node does not exist: \/ek\/a\/nope\n\/ek\/b: error: node does/);
  const found = await zoosh(['-k', server.hosts, 'find', '/ek', '-leaf', '-exec', 'get', '{}/nope']);
  assert.match(found.stderr, /^\/ek\/a: error: node does not exist: \/ek\/a\/nope\n\/ek\/b: error: node does/);
});

test('what waits in a transaction is told as waiting, also that something must be absent', async () => {
  const shown = await zoosh([server.hosts], 'txn\ncheck /ta absent\ncreate /ta x\ncheck /ta 0\ntxn show\nabort\n');
  const rows = ['1\tcheck\t/ta\twaiting\tabsent', '2\tcreate\t/ta\twaiting\t', '3\tcheck\t/ta\twaiting\t0'];
  assert.ok(shown.stdout.includes(`${rows.join('\n')}\n`), shown.stdout);
});

test('programs get the counts of grep as numbers, and whoami has headings of its own', async () => {
  await client.create('/gc', 'one x\ntwo x\n');
  const counted = await zoosh(['-o', 'json', server.hosts, 'grep', '-c', 'x', '/gc']);
  assert.deepEqual(JSON.parse(counted.stdout), { matches: [{ path: '/gc', count: 2 }] });
  const lines = await zoosh(['-o', 'ndjson', server.hosts, 'grep', '-c', 'x', '/gc']);
  assert.deepEqual(JSON.parse(lines.stdout), { path: '/gc', count: 2 });
  assert.equal((await one('grep', '-c', 'x', '/gc')).stdout, '/gc:2\n');
  const table = await zoosh(['--ascii', '-o', 'table', server.hosts, 'whoami']);
  assert.match(table.stdout, /\| scheme \| id +\|\n[^|]+\n\| ip +\| 127\.0\.0\.1 \|/);
  const header = await zoosh(['--header', server.hosts, 'whoami']);
  assert.equal(header.stdout, 'scheme\tid\nip\t127.0.0.1\n');
});

test('forms of recipes and words that only read do so in a dry run, too', async () => {
  await client.create('/dry-counter', '7');
  for (const path of ['/dry-queue', '/dry-queue/qn-0000000000']) await client.create(path, 'item');
  const dry = (...words: string[]): Promise<Ran> => zoosh(['-n', server.hosts, ...words]);
  assert.equal((await dry('counter', 'get', '/dry-counter')).stdout, '7\n');
  assert.equal((await dry('queue', 'len', '/dry-queue')).stdout, '1\n');
  assert.match((await dry('4lw', 'srvr')).stdout, /^Mode: standalone$/m);
  for (const words of [
    ['counter', 'incr', '/dry-counter'],
    ['queue', 'take', '/dry-queue'],
    ['4lw', 'srst'],
  ]) {
    const ran = await dry(...words);
    assert.equal(ran.code, 30, words.join(' '));
    assert.match(ran.stderr, /a dry run cannot show what (?:counter|queue|4lw) would do/);
  }
  assert.equal((await client.get('/dry-counter')).data?.toString(), '7');
});

test('watch --diff tells each version once, however many changes come at a time', async () => {
  await client.create('/burst', 'v0');
  const watching = one('watch', '-f', '--diff', '--until', 'data=end', '--timeout', '20s', '/burst');
  let isOver = false;
  void watching.finally(() => {
    isOver = true;
  });
  for (let at = 0; at < 200 && !isOver; at++) {
    await Promise.all(Array.from({ length: 20 }, (_, each) => client.set('/burst', `v${at}-${each}`)));
    await sleep(20);
  }
  // the last may be told with the one before it
  while (!isOver) {
    await client.set('/burst', 'end');
    await sleep(50);
  }
  const ran = await watching;
  assert.equal(ran.code, 0, ran.stderr);
  const told = [...ran.stdout.matchAll(/\tv(\d+) -> v(\d+) /g)].map(([, before, after]) => [before, after]);
  assert.ok(told.length > 10, ran.stdout);
  assert.deepEqual(
    told.filter(([before, after]) => before === after),
    [],
  );
});
