/** Acceptance checks of the shell without a terminal: what goes in comes out, byte for byte, and nothing else. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { spawn as spawnPty } from '@lydell/node-pty';
import { type Client, connect } from '../../src/index.ts';
import { BIN, patiently, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess();
const folder = mkdtempSync(join(tmpdir(), 'zoosh-accept-'));
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

const ENV = { PATH: process.env.PATH ?? '', ZOOSH_HOME: '/nonexistent', LANG: 'C.UTF-8' };

/** Behind what the program says: once this is there all of that is. */
const END = '<the end>';
/** What a terminal gets, raw. */
function onTerminal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const script = `"$@"; printf '${END}'; read line`;
    const pty = spawnPty('/bin/sh', ['-c', script, 'sh', process.execPath, BIN, ...patiently(args)], {
      name: 'xterm-256color',
      cols: 80,
      rows: 24,
      env: { ...ENV, TERM: 'xterm-256color', ...env },
    });
    pty.onData((chunk) => {
      text += chunk;
      if (!text.includes(END)) return;
      resolve(text.slice(0, text.indexOf(END)));
      pty.kill('SIGKILL');
    });
  });
}

function intoFile(args: readonly string[]): Promise<Buffer> {
  const file = join(folder, 'out');
  const fd = openSync(file, 'w');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...patiently(args)], { stdio: ['ignore', fd, 'pipe'], env: ENV });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('close', () => {
      closeSync(fd);
      if (stderr === '') resolve(readFileSync(file));
      else reject(new Error(stderr));
    });
  });
}

test('accept 1: get, for text, binary, empty and null data, into a pipe, a file and a terminal', async () => {
  const cases = [
    ['text', Buffer.from('grün'), 'grün\n', /grün/],
    ['line', Buffer.from('a\n'), 'a\n', /^a\r?\n/],
    ['binary', Buffer.from([0, 255, 7]), '\0\xff\x07', /00 ff 07/],
    ['empty', Buffer.alloc(0), '\n', /\(empty\)/],
    ['null', null, '', /\(null\)/],
  ] as const;
  for (const [name, data, piped, shown] of cases) {
    await client.create(`/get-${name}`, data);
    const ran = await zoosh([server.hosts, 'get', `/get-${name}`]);
    assert.deepEqual(
      [ran.code, ran.stdout, ran.stderr],
      [0, Buffer.from(piped, name === 'binary' ? 'latin1' : 'utf8').toString('latin1'), ''],
      name,
    );
    assert.deepEqual(await intoFile([server.hosts, 'get', `/get-${name}`]), data ?? Buffer.alloc(0), name);
    assert.match(await onTerminal([server.hosts, 'get', `/get-${name}`]), shown, name);
  }
});

test('accept 4: data is kept to the byte, however it is given', async () => {
  await client.create('/a', null);
  const file = join(folder, 'data.bin');
  const bytes = Buffer.from([0, 1, 255, 10, 13, 34, 39]);
  writeFileSync(file, bytes);
  const lines: readonly (readonly [string, Buffer | string])[] = [
    ['set /a {"x":1}', '{"x":1}'],
    ['set /a {"x": 1}', '{"x": 1}'],
    ["set /a 'it'\"'\"'s'", "it's"],
    ["set /a it's", "it's"],
    ['set /a "a \\"b\\" c"', 'a "b" c'],
    ['set /a -5', '-5'],
    ['set /a -- -x', '-x'],
    ['set /a C:\\dir', 'C:\\dir'],
    ['set /a <<END\none\ntwo\nEND', 'one\ntwo'],
    ["set /a <<'END'\n${x}\nEND", '${x}'],
    [`set /a @${file}`, bytes],
    ['set /a @@home', '@home'],
    ['set /a -b AAH/', Buffer.from([0, 1, 255])],
    ['set /a -x 0001ff', Buffer.from([0, 1, 255])],
    ["set /a $'a\\tb\\x00'", 'a\tb\0'],
    ['set /a ""', ''],
  ];
  for (const [line, wanted] of lines) {
    const ran = await zoosh([server.hosts], `${line}\n`);
    assert.equal(ran.code, 0, `${line}: ${ran.stderr}`);
    assert.deepEqual((await client.get('/a')).data, Buffer.from(wanted as string), line);
  }
  assert.equal((await zoosh([server.hosts, 'set', '/a', '@-'], 'from stdin')).code, 0);
  assert.equal((await client.get('/a')).data?.toString(), 'from stdin');
  const big = join(folder, 'big');
  writeFileSync(big, Buffer.alloc(1_048_576, 120));
  const refused = await zoosh([server.hosts, 'set', '/a', `@${big}`]);
  assert.equal(refused.code, 19);
  assert.match(refused.stderr, /jute\.maxbuffer[\s\S]*--force-size/);
  writeFileSync(big, Buffer.alloc(1_000_000, 120));
  assert.equal((await zoosh([server.hosts, 'set', '/a', `@${big}`])).code, 0);
  assert.equal((await client.get('/a')).data?.length, 1_000_000);
});

test('accept 5: what cannot be read is refused before anything is sent', async () => {
  let connections = 0;
  const fake = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(fake.address() as { port: number }).port}`;
  try {
    const cases: readonly (readonly [readonly string[], string, number])[] = [
      [['set', '/a', 'b', 'c'], '', 2],
      [['create', '/a', 'b', 'world:anyone:r', 'x'], '', 2],
      [['ls', '--nonsense', '/'], '', 2],
      [['create', '/a', 'b', 'world:anyone:rx'], '', 15],
      [['setAcl', '/a', 'world:anyone:q'], '', 15],
      [[], 'set /a ${nowhere}\n', 2],
      [[], 'ls /a;get /b\n', 2],
      [[], "set /a 'open\n", 2],
      [['-c', 'txn { set /a ${nowhere} }'], '', 2],
      [['-c', 'txn { get /a }'], '', 2],
      [['nosuch', '/a'], '', 127],
    ];
    for (const [args, input, code] of cases) {
      const words = args[0] === '-c' ? ['-s', target, ...args] : [target, ...args];
      const ran = await zoosh(words, input);
      assert.equal(ran.code, code, `${args.join(' ')} ${input}: ${ran.stderr}`);
    }
    assert.equal(connections, 0);
  } finally {
    fake.close();
  }
});

/** What a pipe holds on Linux, and what a reader takes at most before it looks, are each 64 KiB: so much cannot all be written. */
const LONG_BYTES = 1_000_000;

test('accept 8: a reader that has seen enough ends it quietly', async () => {
  const LONG = 'n'.repeat(100);
  const COUNT = 10_000;
  await client.create('/long', null);
  for (let at = 0; at < COUNT; at += 500) {
    const batch = Array.from({ length: 500 }, (_, of) => client.create(`/long/${LONG}${at + of}`, null));
    await Promise.all(batch);
  }
  const whole = await zoosh([server.hosts, 'ls', '-R', '/long']);
  assert.deepEqual([whole.code, whole.stderr], [0, '']);
  assert.ok(whole.stdout.length > LONG_BYTES, `${whole.stdout.length} bytes are no more than a pipe holds`);
  const words = `"${process.execPath}" "${BIN}" --connect-timeout 60s "${server.hosts}"`;
  for (const command of ['ls -R /', 'find /', 'tree /', 'export /long', '-c "ls -R /long; ls -R /"']) {
    const ran = spawnSync('/bin/bash', ['-c', `set -o pipefail; ${words} ${command} | head -1`], {
      env: ENV,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    assert.deepEqual([ran.status, ran.stderr], [0, ''], command);
    assert.match(ran.stdout, /^[^\n]+\n$/, command);
    if (command === 'ls -R /') assert.equal(ran.stdout, '/\n');
  }
});

test('accept 10: what was exported and imported is the same: data, ACL, kind', async () => {
  const source = await connect(`${server.hosts}`);
  try {
    await source.create('/src', 'root');
    await source.create('/src/text', 'grün\nzwei');
    await source.create('/src/binary', Buffer.from([0, 255, 1, 10]));
    await source.create('/src/empty', '');
    await source.create('/src/null', null);
    await source.create('/src/ro', 'x', {
      acl: [
        { scheme: 'world', id: 'anyone', perms: 1 },
        { scheme: 'ip', id: '127.0.0.1', perms: 31 },
      ],
    });
    await source.create('/src/deep', null);
    await source.create('/src/deep/er name', '{"a": 1}');
    const exported = await zoosh([server.hosts, 'export', '/src']);
    assert.equal(exported.code, 0, exported.stderr);
    const file = join(folder, 'export.ndjson');
    writeFileSync(file, Buffer.from(exported.stdout, 'latin1'));
    const imported = await zoosh([server.hosts, 'import', '--root', '/dst', file]);
    assert.equal(imported.code, 0, imported.stderr);
    for (const path of ['', '/text', '/binary', '/empty', '/null', '/ro', '/deep', '/deep/er name']) {
      const [from, to] = [`/src${path}`, `/dst${path}`];
      assert.deepEqual((await source.get(to)).data, (await source.get(from)).data, to);
      assert.deepEqual((await source.getAcl(to)).acl, (await source.getAcl(from)).acl, to);
    }
    const same = await zoosh([server.hosts, 'diff', '-r', '--acl', '/src', '/dst']);
    assert.equal(same.code, 0, same.stdout + same.stderr);
    await source.set('/dst/text', 'other');
    assert.equal((await zoosh([server.hosts, 'diff', '-r', '/src', '/dst'])).code, 1);
    const dry = await zoosh([
      server.hosts,
      'import',
      '--dry-run',
      '--on-conflict',
      'overwrite',
      '--root',
      '/dst',
      file,
    ]);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /set\t\/dst\/text\t1\n/);
    assert.equal((await source.get('/dst/text')).data?.toString(), 'other');
    const moved = await zoosh(['--atomic', server.hosts], 'cp -r /src/deep /dst/copy\nput /dst/mark x\n');
    assert.equal(moved.code, 0, moved.stderr);
    assert.equal((await source.get('/dst/copy/er name')).data?.toString(), '{"a": 1}');
  } finally {
    await source.close();
  }
});
