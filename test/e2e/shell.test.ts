import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { lateIf, PATIENCE_MS, timely } from '../patience.ts';
import { type Ran, zoosh } from './cli.ts';
import { ServerProcess } from './process.ts';

const server = new ServerProcess(['enforceQuota=true', '4lw.commands.whitelist=*']);
const folder = mkdtempSync(join(tmpdir(), 'zoosh-shell-'));
before(() => server.start());
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const one = (...args: string[]): Promise<Ran> => zoosh([server.hosts, ...args]);
const script = (text: string, ...options: string[]): Promise<Ran> => zoosh([...options, server.hosts], text);
const is = ({ code, stdout, stderr }: Ran, expected: string, status = 0): void => {
  assert.deepEqual(
    { code, stdout, stderr: status === 0 ? stderr : '' },
    { code: status, stdout: expected, stderr: '' },
  );
};

test('the first minute: a script into the playground', async () => {
  const { code, stdout, stderr } = await zoosh(['playground'], 'create /bar hello-bar\nget /bar\n');
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '/bar\nhello-bar\n', stderr: '' });
});

test('the playground speaks to its server as the options say', async () => {
  const heard = await zoosh(
    ['--timeout', '7s', '--auth', 'digest:al:pw', 'playground'],
    'session | grep -i timeout\nwhoami\n',
  );
  assert.equal(heard.code, 0, heard.stderr);
  assert.match(heard.stdout, /7000|7s/);
  assert.match(heard.stdout, /^digest\tal$/m);
});

test('the playground answers the words, and its undo is not that of another one', async () => {
  // who asks for a moment only
  await timely(async () => {
    const { stdout, stderr, code } = await zoosh(['playground'], 'create -e /mine x\nwho /mine\n');
    const isTold = /^\/mine\t0x[0-9a-f]+\t127\.0\.0\.1:\d+\t/m.test(stdout);
    return lateIf(code !== 0 || !isTold, `exit code ${code}: ${stdout}${stderr}`);
  });
  const { ownTarget } = await import('../../src/cli/playground.ts');
  const target = ownTarget('127.0.0.1:7', {});
  assert.deepEqual([target.label, target.profile], ['127.0.0.1:7', 'playground']);
});

test('the playground keeps data where it is told to', async () => {
  const data = join(folder, 'play');
  is(await zoosh(['playground', '--data', data], 'create /kept yes'), '/kept\n');
  is(await zoosh(['playground', '--data', data], 'get /kept'), 'yes\n');
  assert.equal((await zoosh(['playground', '--port', 'x'])).code, 2);
  assert.equal((await zoosh(['playground', '--nope'])).code, 2);
  assert.equal((await zoosh(['playground', '--port', String(server.port)])).code, 41);
});

test('one command: the answer on stdout, nothing on stderr', async () => {
  is(await one('create', '/one', 'data'), '/one\n');
  is(await one('get', '/one'), 'data\n');
  is(await one('ls', '/'), 'one\nzookeeper\n');
  is(await one('set', '/one', 'more'), '1\n');
  is(await one('get', '/one', '-b'), 'bW9yZQ==\n');
  is(await one('exists', '/one'), 'yes\n');
  is(await one('exists', '/two'), 'no\n', 1);
  is(await one('create', '-s', '/one/n-'), '/one/n-0000000000\n');
  is(await one('ls', '-R', '/one'), '/one\n/one/n-0000000000\n');
  is(await one('tree', '/one'), '/one\n\tn-0000000000\n');
  is(await one('getAllChildrenNumber', '/one'), '1\n');
  is(await one('getAcl', '/one'), 'world:anyone:cdrwa\n');
  is(await one('whoami'), 'ip\t127.0.0.1\n');
  is(await one('pwd'), '/\n');
  is(await one('deleteall', '/one'), '2\n');
});

test('every promised exit code, as far as one server can give it', async () => {
  await script(
    'create /codes x\ncreate /codes/child\ncreate --force /codes/locked x digest:bob:x:cdrwa\ncreate /codes/q\nsetquota -N 1 /codes/q\n',
  );
  const table: [number, string[]][] = [
    [0, ['get', '/codes']],
    [1, ['exists', '/nope']],
    [2, ['get']],
    [2, ['get', '-z', '/codes']],
    [2, ['set', '/codes', '@/no/such/file']],
    [10, ['get', '/nope']],
    [10, ['create', '/nope/x']],
    [10, ['ls', '/nope*']],
    [11, ['create', '/codes']],
    [12, ['set', '-v', '9', '/codes', 'x']],
    [12, ['delete', '-v', '9', '/codes/child']],
    [12, ['delete', '/codes/child', '9']],
    [13, ['delete', '/codes']],
    [14, ['get', '/codes/locked']],
    [15, ['setAcl', '/codes', 'world:anyone:x']],
    [15, ['create', '/codes/auth', 'x', 'auth::cdrwa']],
    [17, ['create', '/codes/q/more']],
    [19, ['set', '/codes', 'x'.repeat(100_000), '--append', '-s']],
    [20, ['setquota', '-n', '5', '/codes/q/../q/below']],
    [21, ['create', '-t', '5s', '/codes/ttl']],
    [25, ['removewatches', '/codes']],
    [30, ['delete', '/zookeeper']],
    [30, ['setAcl', '/codes', 'world:anyone:r']],
    [127, ['nosuch']],
  ];
  const skipped = new Set([19, 20]); // they have tests of their own below
  for (const [status, args] of table) {
    if (skipped.has(status)) continue;
    const { code, stderr } = await one(...args);
    assert.equal(code, status, `${args.join(' ')}: ${stderr}`);
    if (status > 1) assert.match(stderr, /^error: .+\n( hint: .+\n)?$/, args.join(' '));
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
  is(await script('create -e /codes/e\ncreate /codes/e/child\n'), '/codes/e\n', 16);
  const big = join(folder, 'big');
  writeFileSync(big, Buffer.alloc(1_048_575));
  assert.equal((await one('set', '/codes', `@${big}`)).code, 19);
  await script('create /codes/p\ncreate /codes/p/below\nsetquota -n 5 /codes/p');
  const nested = await one('setquota', '-n', '5', '/codes/p/below');
  assert.equal(nested.code, 20);
  assert.match(nested.stderr, /\/codes\/p\/below has a parent with a quota: \/codes\/p/);
  assert.equal((await zoosh([server.hosts, '--auth', 'nosuch:x', 'ls', '/'])).code, 4);
  assert.equal((await one('addauth', 'nosuch', 'x')).code, 4);
});

test('an unknown command is answered with the nearest one', async () => {
  const { code, stderr, stdout } = await one('crate', '/x');
  assert.deepEqual([code, stdout], [127, '']);
  assert.equal(stderr, 'error: unknown command crate\n hint: did you mean create ?\n');
  assert.equal((await zoosh(['crate', '/x'])).stderr, stderr);
  const foreign = await one('flwc', 'ruok');
  assert.deepEqual([foreign.code, foreign.stderr], [127, 'error: unknown command flwc\n hint: here it is: 4lw ruok\n']);
});

test('four-letter words are commands of their own; what resets counters needs a yes', async () => {
  is(await one('ruok'), 'imok\n');
  is(await one('4lw', 'ruok'), 'imok\n');
  assert.match((await one('mntr', '--all')).stdout, /^zk_version\t/);
  const refused = await one('crst');
  assert.deepEqual([refused.code, refused.stdout], [30, '']);
  assert.match(refused.stderr, /reset the counters of all connections .*\n hint: say --yes before the command\n$/);
  is(await zoosh(['--yes', server.hosts, 'crst']), 'Connection stats reset.\n');
  is(await zoosh(['--yes', server.hosts, '4lw', 'stmk', '0x102']), '258\n');
  is(await one('gtmk'), '258\n');
  assert.equal((await zoosh(['--yes', server.hosts, '4lw', 'stmk'])).code, 2);
  assert.equal((await one('4lw', 'stmk', '1')).code, 30);
});

test('no server: one line per host with its reason, exit 3', async () => {
  const hosts = '127.0.0.1:1,127.0.0.1:2,no-such-host.invalid:3';
  // in a second each host is asked; where that was too short it is said, and more is given
  await timely(async (round) => {
    const { code, stdout, stderr } = await zoosh(['--connect-timeout', `${4 ** round}s`, hosts, 'ls', '/']);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /^error: no server could be reached\n/);
    const wanted = ['127.0.0.1:1: refused', '127.0.0.1:2: refused', 'no-such-host.invalid:3: DNS: not found'];
    return lateIf(!wanted.every((host) => stderr.includes(`\n ${host}\n`)), stderr);
  });
});

test('scripts: from standard input, -c and a file; stopping at the first failure unless -k', async () => {
  is(
    await script('create /s 1\nget /s; get /s -b\n# comment\nset /s {"a": 1} && get /s\nexists /nope || get /s\n'),
    '/s\n1\nMQ==\n1\n{"a": 1}\nno\n{"a": 1}\n',
  );
  const stopped = await script('create /s/a\nget /nope\ncreate /s/b\n');
  assert.deepEqual([stopped.code, stopped.stdout], [10, '/s/a\n']);
  const goes = await script('get /nope\ncreate /s/b\nnosuch\n', '-k');
  assert.deepEqual([goes.code, goes.stdout], [10, '/s/b\n']);
  assert.match(goes.stderr, /2 of 3 commands failed \(lines 1, 3\)\n$/);
  is(await zoosh([server.hosts, '-c', 'get /s', '-c', 'ls /s | wc -l']), '{"a": 1}\n2\n');
  const file = join(folder, 'deploy.zk');
  writeFileSync(file, `create /s/\${1} "\${name}"\nget /s/\${1}\n\nget /nope\n`);
  const ran = await zoosh(['--set', 'name=bob', server.hosts, file, 'x']);
  assert.deepEqual([ran.code, ran.stdout], [10, '/s/x\nbob\n']);
  assert.ok(ran.stderr.startsWith(`${file}:4: error: node does not exist: /nope`), ran.stderr);
  is(await script('quit 7\nget /nope\n'), '', 7);
  is(await script('exists /nope\nquit\n'), 'no\n', 1);
  is(await script('set /s <<END\na\n b\nEND\nget /s\n'), '2\na\n b\n');
});

test('redirection and pipes keep the bytes', async () => {
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  const bytes = Buffer.from([0, 1, 2, 255, 254, 10, 13, 0]);
  writeFileSync(from, bytes);
  is(await script(`create /bytes @${from}\nget /bytes > ${to}\n`), '/bytes\n');
  assert.deepEqual(readFileSync(to), bytes);
  const shown = await one('get', '/bytes');
  assert.deepEqual(Buffer.from(shown.stdout, 'latin1'), bytes);
  is(await one('get', '-x', '/bytes'), '00000000  00 01 02 ff fe 0a 0d 00                          |........|\n');
  is(await zoosh([server.hosts, 'set', '/bytes', '@-'], 'from stdin'), '1\n');
  is(await one('get', '/bytes'), 'from stdin\n');
  is(await one('create', '/none'), '/none\n');
  is(await one('get', '/none'), '');
  is(await one('create', '/empty', ''), '/empty\n');
  is(await one('get', '/empty'), '\n');
  is(await one('deleteall', '/none', '/empty'), '2\n');
});

test('json: a document each, ids as hexadecimal texts', async () => {
  await one('create', '/j', '{"a":1}');
  const get = JSON.parse((await one('-o', 'json', 'get', '/j')).stdout) as Record<string, unknown>;
  assert.deepEqual([get.path, get.data, get.encoding], ['/j', '{"a":1}', 'utf8']);
  assert.match((get.stat as { czxid: string }).czxid, /^0x[0-9a-f]+$/);
  assert.deepEqual(JSON.parse((await one('-o', 'json', 'ls', '/j')).stdout), { path: '/j', children: [] });
  assert.deepEqual((JSON.parse((await one('-o', 'json', 'getAcl', '/j')).stdout) as { acl: unknown }).acl, [
    { scheme: 'world', id: 'anyone', perms: 'cdrwa' },
  ]);
  assert.equal((JSON.parse((await one('-o', 'json', 'set', '/j', 'x')).stdout) as { version: number }).version, 1);
  const failed = await one('-o', 'json', 'get', '/nope');
  const { error } = JSON.parse(failed.stderr) as { error: Record<string, unknown> };
  assert.deepEqual(
    [failed.code, failed.stdout, error.code, error.exit, error.message, error.path, error.command],
    [10, '', 'NoNode', 10, 'node does not exist', '/nope', 'get /nope'],
  );
  const inScript = await script('get /nope\n', '-o', 'json');
  assert.deepEqual(JSON.parse(inScript.stdout).error, {
    code: 'NoNode',
    exit: 10,
    message: 'node does not exist',
    path: '/nope',
  });
  const many = (await script('ls /j\nstat /j\n', '-o', 'ndjson')).stdout.trim().split('\n');
  assert.equal(many.length, 2);
  for (const line of many) JSON.parse(line);
  // a line for each node, so that whoever reads needs not wait for the last
  await one('create', '/j/k', 'y');
  is(await one('-o', 'ndjson', 'ls', '-R', '/j'), '{"path":"/j"}\n{"path":"/j/k"}\n');
  is(await one('-o', 'ndjson', 'find', '/j', '-name', 'k'), '{"path":"/j/k"}\n');
  is(await one('-o', 'ndjson', 'find', '/j', '-name', 'none'), '', 1);
  const long = (await one('-o', 'ndjson', 'ls', '-R', '-l', '/j')).stdout.trim().split('\n');
  assert.deepEqual(
    long.map((line) => JSON.parse(line)).map(({ path, stat }) => [path, stat.dataLength]),
    [
      ['/j', 1],
      ['/j/k', 1],
    ],
  );
  // of a table a line for each row
  await script('create /nd\ncreate /nd/a\ncreate /nd/b');
  for (const path of ['/nd/a', '/nd/b']) await one('setquota', '-n', '9', path);
  const rows = (await one('-o', 'ndjson', 'quota', 'ls', '/nd')).stdout.trim().split('\n');
  assert.deepEqual(
    rows.map((line) => JSON.parse(line).path),
    ['/nd/a', '/nd/b'],
  );
  const listed = JSON.parse((await one('-o', 'json', 'quota', 'ls', '/nd')).stdout);
  assert.deepEqual(
    rows.map((line) => JSON.parse(line)),
    listed,
  );
  for (const path of ['/nd/a', '/nd/b']) await one('delquota', path);
  await one('deleteall', '/nd');
});

test('old spellings are understood', async () => {
  const made = await zoosh(['-server', server.hosts, '-timeout', '5000', 'create', '/old', 'x']);
  assert.deepEqual([made.code, made.stdout, made.stderr], [0, '', 'Created /old\n']);
  is(await one('create', '/old/a'), '/old/a\n');
  assert.match((await one('ls2', '/old')).stdout, /^a\nczxid\t/);
  is(await one('ls', '/old', 'watch'), 'a\n');
  is(await one('get', '/old', 'watch'), 'x\n');
  is(await one('delete', '/old/a', '0'), '/old/a\n');
  is(await one('rmr', '/old'), '1\n');
  is(await one('GETACL', '/'), 'world:anyone:cdrwa\n');
});

test('events of watches go to stderr, and a session ends with its process', async () => {
  const ran = await script('create /w x\nget -w /w\nset /w y\naddWatch /w\ncreate /w/child\nsync\n');
  assert.equal(ran.code, 0);
  assert.match(ran.stderr, /\d\d:\d\d:\d\d changed {2}\/w\n/);
  assert.match(ran.stderr, /created {2}\/w\/child\n/);
  is(await one('create', '-e', '/w/gone'), '/w/gone\n');
  is(await one('exists', '/w/gone'), 'no\n', 1);
  is(await script('create -e /w/mine\ngetEphemerals\nclose\nconnect\nexists /w/mine\n'), '/w/mine\n/w/mine\nno\n', 1);
  const none = await script('close\nls /\n');
  assert.deepEqual([none.code, none.stderr.split('\n')[0]], [3, 'stdin:2: error: not connected']);
});

test('permissions: who is authenticated sees and does more', async () => {
  is(await script('addauth digest bob:secret\ncreate /mine x auth::cdrwa\n'), '/mine\n');
  is(await one('get', '/mine'), '', 14);
  is(await zoosh(['--auth', 'digest:bob:secret', server.hosts, 'get', '/mine']), 'x\n');
  is(await zoosh(['--auth', 'digest:env:CRED', server.hosts, 'get', '/mine'], '', { CRED: 'bob:secret' }), 'x\n');
  is(await zoosh([server.hosts, 'get', '/mine'], '', { ZOOSH_AUTH: 'digest:bob:secret' }), 'x\n');
  const missing = await zoosh(['--auth', 'digest:env:CRED', server.hosts, 'get', '/mine']);
  assert.deepEqual(
    [missing.code, missing.stderr],
    [2, 'error: the environment variable CRED is not set\n hint: export CRED=... before zoosh starts\n'],
  );
  is(await zoosh(['--auth', 'digest:bob:secret', server.hosts, 'deleteall', '/mine']), '1\n');
});

test('init says how many children / has', async () => {
  const own = mkdtempSync(join(tmpdir(), 'zoosh-init-'));
  try {
    const ran = await zoosh(['init', '--server', server.hosts, '--yes'], '', { ZOOSH_HOME: own });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /^connected to \S+; \/ has (?:1 child|\d+ children)$/m);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
});

test('profiles: kept, used, protected', async () => {
  const env = { ZOOSH_HOME: join(folder, 'home') };
  is(await zoosh(['profile', 'add', 'it', server.hosts, '--auth', 'digest:bob:secret', '--protect'], '', env), '');
  is(await zoosh(['@it', 'whoami'], '', env), 'ip\t127.0.0.1\ndigest\tbob\n');
  const refused = await zoosh(['@it', 'create', '/p'], '', env);
  assert.deepEqual([refused.code, refused.stdout], [30, '']);
  assert.match(refused.stderr, /protected[\s\S]*--yes/);
  is(await zoosh(['--yes', '@it', 'create', '/p'], '', env), '/p\n');
  is(await zoosh(['@it', 'deleteall', '/p'], '', env), '', 30);
  is(await zoosh(['-y', '@it', 'deleteall', '/p'], '', env), '1\n');
  // with what it says it is not lost by the way
  const twice = await zoosh(['profile', 'add', 'it', server.hosts], '', env);
  assert.deepEqual([twice.code, twice.stdout], [11, '']);
  assert.match(twice.stderr, /there is a profile it already[\s\S]*--replace/);
  is(await zoosh(['profile', 'add', 'it', server.hosts, '--auth', 'digest:bob:secret', '--protect'], '', env), '');
  is(await zoosh(['profile', 'add', 'open', server.hosts, '--protect'], '', env), '');
  is(await zoosh(['profile', 'add', 'open', server.hosts, '--replace'], '', env), '');
  is(await zoosh(['@open', 'create', '/open'], '', env), '/open\n');
  is(await zoosh(['profile', 'default', 'it'], '', env), '');
  is(await zoosh(['whoami'], '', env), 'ip\t127.0.0.1\ndigest\tbob\n');
  assert.doesNotMatch((await zoosh(['-o', 'json', 'profile', 'show', 'it'], '', env)).stdout, /secret/);
  const none = await zoosh(['@itt', 'ls', '/'], '', env);
  assert.deepEqual([none.code, none.stderr], [2, 'error: no profile itt\n hint: did you mean @it ?\n']);
  is(await zoosh(['--read-only', server.hosts, 'create', '/x'], '', env), '', 30);
  writeFileSync(join(folder, 'home', 'config', 'config.json'), '{ "profiles": ');
  const broken = await zoosh(['ls', '/'], '', env);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /config\.json is not valid JSON/);
  is(await zoosh(['--no-config', server.hosts, 'exists', '/zookeeper'], '', env), 'yes\n');
});

test('a listing cut short by its reader is no failure', async () => {
  const lines = Array.from({ length: 300 }, (_, at) => `create /many${at}`).join('\n');
  assert.equal((await script(lines)).code, 0);
  const piped = await zoosh([server.hosts, '-c', 'ls -R / | head -1']);
  assert.deepEqual([piped.code, piped.stdout], [0, '/\n'], piped.stderr);
  const whole = await one('ls', '-R', '/');
  assert.equal(whole.code, 14, 'a node that may not be listed is told');
  assert.match(whole.stderr, /^not permitted to list \/codes\/locked\n$/);
  assert.ok(whole.stdout.split('\n').length > 300);
  assert.equal((await one('deleteall', '/many*')).stdout, '300\n');
});

test('completion for the operating system: commands, options, live paths, in time, silent when nobody answers', async () => {
  await script('create /apple x\ncreate /apple/pie\n');
  const ask = async (line: string, env: Record<string, string> = {}): Promise<string[]> => {
    const ran = await zoosh(['__complete', '--shell', 'bash', '--', line], '', { ZOOSH_HOME: folder, ...env });
    assert.deepEqual([ran.code, ran.stderr], [0, '']);
    return ran.stdout
      .split('\n')
      .map((each) => each.split('\t')[0] as string)
      .filter((each) => each !== '');
  };
  // within 370 ms or not at all; a server that did not answer in time is left alone for a while: each try has a home of its own
  const live = async (line: string, expected: readonly string[]): Promise<void> => {
    let found: readonly string[] = [];
    const end = performance.now() + PATIENCE_MS;
    for (let tries = 0; found.length === 0 && (tries < 40 || performance.now() < end); tries++) {
      const home = mkdtempSync(join(folder, 'complete-'));
      found = await ask(line, { ZOOSH_HOME: home });
    }
    for (const each of expected) assert.ok(found.includes(each), `${line}: ${found}`);
    if (!line.endsWith('-')) assert.equal(found.length, expected.length, `${line}: ${found}`);
  };
  await live('zoosh creat', ['create']);
  await live('zoosh playg', ['playground']);
  await live('zoosh get -', ['-s']);
  await live(`zoosh ${server.hosts} get /app`, ['/apple/']);
  await live(`zoosh -s ${server.hosts} get /apple/`, ['/apple/pie']);
  assert.deepEqual(await ask('zoosh get /app', { ZOOSH_SERVER: server.hosts, ZOOSH_COMPLETE_LIVE: '0' }), []);
  assert.deepEqual(await ask('zoosh -s 127.0.0.1:1 get /app'), []);
  await live('zoosh addWatch -m P', ['PERSISTENT', 'PERSISTENT_RECURSIVE']);
  await live('zoosh start s', ['standalone', 'server']);
});
