/** Acceptance checks of scripts: exit codes, transactions, dry runs, nobody there to ask. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type KeeperCode, KeeperError } from '../../src/base/errors.ts';
import { type Client, connect } from '../../src/index.ts';
import { EXIT_CODES, EXIT_OF_KEEPER, UNKNOWN_OUTCOME } from '../../src/shell/exit-codes.ts';
import { lateIf, timely } from '../patience.ts';
import { rig } from '../shell/rig.ts';
import { BIN, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['enforceQuota=true', '4lw.commands.whitelist=ruok,srvr']);
const folder = mkdtempSync(join(tmpdir(), 'zoosh-accept-'));
let client: Client;
before(async () => {
  await server.start();
  client = await connect(server.hosts);
  await client.create('/one', 'x');
  await client.create('/one/child', null);
});
after(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Where a code is produced that takes more than a line: the file, and the line that looks at the code of the binary. */
const ELSEWHERE: Readonly<Record<number, readonly [file: string, line: string]>> = {
  31: ['prompt.test.ts', 'await sees(session, /\\ncode 31\\n/);'],
  33: ['lock.test.ts', 'assert.equal(await holder.ended, 33);'],
  40: ['exit-codes.test.ts', 'assert.equal(ran.code, 40, ran.stderr);'],
  42: ['exit-codes.test.ts', 'assert.equal(again.code, 42, again.stderr);'],
  44: ['exit-codes.test.ts', 'assert.equal(damaged.code, 44, damaged.stderr);'],
  45: ['exit-codes.test.ts', 'assert.equal(ran.code, 45, ran.stderr);'],
};
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test('accept 2: every exit code is produced by a test', async () => {
  const found = new Set<number>();
  const gives = async (
    code: number,
    args: readonly string[],
    input = '',
    env: Record<string, string> = {},
  ): Promise<void> => {
    const ran = await zoosh(args, input, env);
    assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
    found.add(code);
  };
  const at = server.hosts;
  await gives(0, [at, 'exists', '/one']);
  await gives(1, [at, 'exists', '/none']);
  await gives(2, [at, 'get']);
  await gives(3, ['-s', '127.0.0.1:1', '--connect-timeout', '300ms', 'ls', '/']);
  await gives(4, [at, 'addauth', 'nosuch', 'x']);
  await gives(10, [at, 'get', '/none']);
  await gives(11, [at, 'create', '/one']);
  await gives(12, [at, 'set', '-v', '9', '/one', 'x']);
  await gives(13, [at, 'delete', '/one']);
  await gives(14, [at], 'create --force /secret x digest:a:b:cdrwa\nget /secret\n');
  await client.delete('/secret');
  await gives(15, [at, 'create', '/x', 'y', 'nosuch:x:r']);
  await gives(16, [at], 'create -e /eph\ncreate /eph/child\n');
  await gives(17, [at], 'create /q\nsetquota -N 2 /q\ncreate /q/1\ncreate /q/2\ncreate /q/3\n');
  await gives(19, [at], `set /one ${'x'.repeat(1_048_600)}\n`);
  await gives(20, [at], 'setquota -n 5 /one\nsetquota -n 5 /one/child\n');
  await gives(21, [at, 'create', '-t', '60s', '/ttl']);
  await gives(24, [at, '--yes'].reverse().concat(['reconfig', '--remove', '5']));
  await gives(25, [at, 'removewatches', '/one']);
  await gives(30, [at, 'deleteall', '/zookeeper']);
  await gives(41, ['start', 'standalone', '--memory', '--port', String(server.port)]);
  await gives(43, ['start', 'standalone', '--memory', '--set', 'tickTime=x']);
  await gives(124, [at, 'wait', '/none', '--timeout', '100ms']);
  await gives(126, [at], '!exit 126\n');
  await gives(127, [at, 'nosuch']);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    // later and later: before it has begun, which a busy machine may put off, a signal just ends it
    await timely(async (round) => {
      const child = spawn(process.execPath, [BIN, at, 'wait', '/none'], {
        stdio: 'ignore',
        env: { ...process.env, ZOOSH_HOME: '/nonexistent' },
      });
      setTimeout(() => child.kill(signal), 1000 * 4 ** round);
      const exit = await new Promise((resolve) => child.on('exit', resolve));
      return lateIf(exit !== code, `${signal}: exit code ${exit}`);
    });
    found.add(code);
  }
  // what a server seldom says: a session that says it
  for (const [code, exit] of Object.entries(EXIT_OF_KEEPER) as [KeeperCode, number][]) {
    const says = async (): Promise<never> => Promise.reject(new KeeperError(code, '/x'));
    const refusing = {
      get: says,
      set: says,
      exists: says,
      getChildren: says,
      close: async () => {},
    } as unknown as Client;
    assert.equal(await rig(refusing).shell.run('get /x'), exit, code);
    const change = UNKNOWN_OUTCOME.has(code) ? 6 : exit;
    assert.equal(await rig(refusing).shell.run('set /x y'), change, code);
    found.add(exit).add(change);
  }
  const broken = { get: () => Promise.reject(new TypeError('a bug')), close: async () => {} } as unknown as Client;
  assert.equal(await rig(broken).shell.run('get /x'), 70);
  found.add(70);
  for (const [code, [file, line]] of Object.entries(ELSEWHERE)) {
    assert.ok(readFileSync(join(ROOT, 'test/e2e', file), 'utf8').includes(line), `${code}: ${file} has no ${line}`);
    found.add(Number(code));
  }
  assert.deepEqual(
    Object.keys(EXIT_CODES)
      .map(Number)
      .filter((code) => !found.has(code)),
    [],
  );
});

const stateOf = async (path: string): Promise<unknown> => {
  const stat = await client.exists(path);
  return stat && [stat.mzxid, stat.version, stat.cversion, stat.numChildren];
};

test('accept 6: -k counts, --atomic leaves no trace when it fails, --dry-run sends nothing', async () => {
  const kept = await zoosh(['-k', server.hosts], 'create /k1\nget /none\nset /k1 -v 9 x\ncreate /k2\n');
  assert.deepEqual([kept.code, kept.stdout], [10, '/k1\n/k2\n']);
  assert.match(kept.stderr, /2 of 4 commands failed \(lines 2, 3\)/);

  const before = [await stateOf('/'), await stateOf('/one')];
  const script = 'assert exists /one\nput /at/deep/er x\nset /one y\nmkdir -p /at/other\n';
  const failed = await zoosh(['--atomic', server.hosts], `${script}check /one 99\n`);
  assert.equal(failed.code, 12);
  assert.deepEqual([await stateOf('/'), await stateOf('/one')], before);
  const race = await zoosh(['-s', server.hosts, '-c', 'txn { create /t1 x; set /one y; delete /one }']);
  assert.equal(race.code, 13);
  assert.match(
    race.stdout,
    /^1\tcreate\t\/t1\tnot applied\t\n2\tset\t\/one\tnot applied\t\n3\tdelete\t\/one\tnode has children\t\n$/,
  );
  assert.deepEqual([await stateOf('/'), await stateOf('/one')], before);
  const odd = await zoosh(['--atomic', server.hosts], 'set /one y\nls /\n');
  assert.equal(odd.code, 2);
  assert.match(odd.stderr, /^stdin:2: error: ls cannot be part of --atomic\n hint: /);
  const done = await zoosh(['--atomic', server.hosts], script);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^1\tcheck\t\/one\tok\t\n2\tcreate\t\/at\tok\t0\n/);
  assert.equal((await client.get('/at/deep/er')).data?.toString(), 'x');
  const large = `${'x'.repeat(600_000)}`;
  assert.equal((await zoosh(['--atomic', server.hosts], `set /one ${large}\nset /at ${large}\n`)).code, 19);

  // one command is no less a whole than a script
  const one = (...words: string[]): ReturnType<typeof zoosh> => zoosh(['--atomic', server.hosts, ...words]);
  assert.equal((await one('delete', '/k1', '/k2', '/none')).code, 10);
  assert.notEqual(await stateOf('/k1'), undefined);
  const alone = await one('mkdir', '-p', '/alone/a', '/alone/b');
  assert.deepEqual([alone.code, alone.stdout.split('\n').length], [0, 4], alone.stderr);
  const [top, below] = [await client.exists('/alone'), await client.exists('/alone/b')];
  assert.equal(top?.czxid, below?.czxid);
  const read = await one('ls', '/');
  assert.deepEqual([read.code, read.stdout], [2, '']);
  assert.match(read.stderr, /^error: ls cannot be part of --atomic\n/);

  const zxid = async (): Promise<bigint> => {
    await client.sync('/');
    return client.lastZxid;
  };
  // once more when the session of one that was killed as it began, further above, ended meanwhile
  await timely(async () => {
    await client.set('/one', 'now');
    const start = await zxid();
    const dry = await zoosh(
      ['--dry-run', server.hosts],
      'put /dry/run x\nset /one z\ndeleteall /at\nsetAcl /one world:anyone:cdrwa\nget /dry/run\n',
    );
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /create\t\/dry\t\ncreate\t\/dry\/run\t\nset\t\/one\t\d+\ndelete\t/);
    assert.match(dry.stdout, /\nx\n$/);
    assert.equal((await zoosh([server.hosts, 'delete', '-n', '/none'])).code, 10);
    await client.set('/one', 'later');
    // a session begun and one ended for each of the two runs, and our own change
    const made = (await zxid()) - start;
    return lateIf(made !== 5n, `${made} transactions, not 5`);
  });
});

test('accept 6: what a script says of itself, and what each of its commands did as JSON', async () => {
  const file = join(folder, 'own.zk');
  writeFileSync(
    file,
    '#!/usr/bin/env -S zoosh\n#: continue-on-error\n#: output ndjson\nlet x = $(get /one/child)\nget /none\necho "[${x}]" ${1}\n',
  );
  const ran = await zoosh([server.hosts, file, 'arg']);
  assert.equal(ran.code, 10);
  const lines = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ line, ok, result }) => [line, ok, result]),
    [
      [4, true, undefined],
      [5, false, undefined],
      [6, true, '[] arg'],
    ],
  );
  const inner = join(folder, 'inner.zk');
  writeFileSync(inner, 'echo in ${1}\nget /none\necho never\n');
  writeFileSync(file, `run ${inner} here\necho never\n`);
  const nested = await zoosh([server.hosts, file]);
  assert.deepEqual([nested.code, nested.stdout], [10, 'in here\n']);
  assert.equal(nested.stderr.match(/error:/g)?.length, 1);
  const open = await zoosh([server.hosts], 'txn\nset /one z\n');
  assert.equal(open.code, 2);
  assert.match(open.stderr, /ends inside a transaction of 1 operation; nothing was sent/);
});

test('accept 9: nobody is asked off a terminal; a protected profile says 30', async () => {
  const home = join(folder, 'home');
  mkdirSync(home);
  const env = { ZOOSH_HOME: home };
  assert.equal((await zoosh(['profile', 'add', 'prod', server.hosts, '--protect'], '', env)).code, 0);
  await client.create('/many', null);
  for (let at = 0; at < 30; at++) await client.create(`/many/${at}`, null);
  for (const line of ['set /one x', 'deleteall /many', 'txn { set /one x }']) {
    const refused = await zoosh(['@prod'], `${line}\n`, env);
    assert.equal(refused.code, 30, line);
    assert.match(refused.stderr, /protected[\s\S]*--yes/, line);
  }
  assert.equal((await zoosh(['--atomic', '@prod'], 'set /one x\n', env)).code, 30);
  assert.equal((await zoosh(['--yes', '@prod'], 'set /one x\n', env)).code, 0);
  assert.equal((await zoosh([server.hosts, 'deleteall', '/many'])).code, 0);
  assert.equal((await zoosh([server.hosts, 'deleteall', '--keep-root', '/'])).code, 30);
  for (const line of ['set /one x', 'deleteall /one', 'txn { set /one x }', 'setAcl /one world:anyone:cdrwa'])
    assert.equal((await zoosh(['--read-only', server.hosts], `${line}\n`)).code, 30, line);
  const init = await zoosh(['init'], '', env);
  assert.equal(init.code, 2);
  assert.match(init.stderr, /--server LIST/);
});

test('accept 6: a dry run sends nothing to another ensemble either', async () => {
  const home = join(folder, 'other');
  mkdirSync(home);
  const env = { ZOOSH_HOME: home };
  assert.equal((await zoosh(['profile', 'add', 'there', server.hosts], '', env)).code, 0);
  for (const line of ['cp -n /one/child @there:/copied', 'txn { set /one x }'] as const) {
    const ran = await zoosh(['-n', server.hosts], `${line}\n`, env);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, line.startsWith('cp') ? /^create\t@there:\/copied\t\n$/ : /^set\t\/one\t/);
  }
  assert.equal(await client.exists('/copied'), undefined);
});
