/**
 * Our shell against a real ZooKeeper server, every command and option of it. The interop suite runs it against Apache's
 * server and against ours, with the same expectations:
 *
 *   ZOOKEEPER=127.0.0.1:2181 node --test dist/test/interop/shell-apache.js
 *
 * The server: standalone, enforceQuota=true, TTL nodes off, digest authentication. Debian's zookeeper and python3-kazoo
 * must be there.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Client, connect, type Stat } from '../../src/index.ts';
import { coverage, LiveShell, note, run, zoosh } from './live-shell.ts';

const SERVER = process.env.ZOOKEEPER ?? '';
assert.match(SERVER, /^127\.0\.0\.1:\d+$/, 'set ZOOKEEPER=127.0.0.1:port');
const ROOT = `/shell-${randomBytes(4).toString('hex')}`;
const HOME = mkdtempSync(join(tmpdir(), 'zoosh-interop-'));
const ENV: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME,
  ZOOSH_HOME: join(HOME, 'zoosh'),
  LC_ALL: 'C.UTF-8',
  TERM: 'dumb',
  WHO: 'al:pw',
};
const digest = (text: string): string => createHash('sha1').update(text).digest('base64');
const BOB = `digest:bob:${digest('bob:secret')}`;
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, at) => at));

/** Sees the server with other eyes than the shell under test. */
let client: Client;
before(async () => {
  client = await connect(SERVER);
  await client.create(ROOT);
});
after(async () => {
  await client.close();
  rmSync(HOME, { recursive: true, force: true });
});

const shell = (...options: string[]): LiveShell => new LiveShell(SERVER, options, ENV);
/** One command as a process of its own. */
const one = (...words: string[]) => {
  note(words.join(' '));
  return zoosh([SERVER, ...words], ENV);
};
const base = async (name: string): Promise<string> => (await client.create(`${ROOT}/${name}`)).path;
const dataOf = async (path: string): Promise<Buffer | null> => (await client.get(path)).data;
const statOf = async (path: string): Promise<Stat> => {
  const stat = await client.exists(path);
  assert.ok(stat, path);
  return stat;
};
const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
const statJson = (stat: Stat) => ({
  czxid: hex(stat.czxid),
  mzxid: hex(stat.mzxid),
  pzxid: hex(stat.pzxid),
  ctime: new Date(stat.ctime).toISOString(),
  mtime: new Date(stat.mtime).toISOString(),
  version: stat.version,
  cversion: stat.cversion,
  aversion: stat.aversion,
  ephemeralOwner: hex(stat.ephemeralOwner),
  dataLength: stat.dataLength,
  numChildren: stat.numChildren,
});
const statText = (stat: Stat): string =>
  Object.entries(statJson(stat))
    .map(([name, value]) => `${name}\t${value}\n`)
    .join('');
/** Runs Python with kazoo; `zk` is connected. */
async function kazoo(code: string, ...args: string[]): Promise<string> {
  const text = `import sys\nfrom kazoo.client import KazooClient\nzk = KazooClient(sys.argv[1])\nzk.start(10)\n${code}\nzk.stop()\nzk.close()\n`;
  const { out, err, status } = await run('/usr/bin/python3', ['-c', text, SERVER, ...args], ENV);
  assert.equal(status, 0, err);
  return out.toString();
}
const zkCli = async (script: string): Promise<string> => {
  const { out } = await run('/usr/share/zookeeper/bin/zkCli.sh', ['-server', SERVER], ENV, `${script}quit\n`);
  return out.toString();
};

test('create: every kind, option and refusal', async () => {
  const at = await base('create');
  await using sh = shell('-o', 'plain');
  await sh.ok(`create ${at}/a`, `${at}/a\n`);
  assert.equal(await dataOf(`${at}/a`), null);
  await sh.ok(`create ${at}/b ""`, `${at}/b\n`);
  assert.deepEqual(await dataOf(`${at}/b`), Buffer.alloc(0));
  await sh.ok(`cd ${at}`);
  await sh.ok('create c some-text', `${at}/c\n`);
  assert.equal(String(await dataOf(`${at}/c`)), 'some-text');
  await sh.ok('create -s c- x', `${at}/c-0000000003\n`);
  await sh.ok('create dir', `${at}/dir\n`);
  await sh.ok('create -s dir/', `${at}/dir/0000000000\n`);
  await sh.ok('create -c box', `${at}/box\n`);
  await sh.ok('create -e mine', `${at}/mine\n`);
  await sh.ok('create -se mine- y', `${at}/mine-0000000007\n`);
  await sh.ok(`getEphemerals ${at}`, `${at}/mine\n${at}/mine-0000000007\n`);
  await sh.ok('create -p deep/er/est {"a": [1, 2]}', `${at}/deep/er/est\n`);
  assert.equal(String(await dataOf(`${at}/deep/er/est`)), '{"a": [1, 2]}');
  await sh.ok('create --if-absent deep other', `${at}/deep\n`);
  assert.equal(await dataOf(`${at}/deep`), null, 'left as it was');
  await sh.ok('create -b b64 AP+A', `${at}/b64\n`);
  assert.deepEqual(await dataOf(`${at}/b64`), Buffer.from([0, 255, 128]));
  await sh.ok('create -x hex 00ff80', `${at}/hex\n`);
  assert.deepEqual(await dataOf(`${at}/hex`), Buffer.from([0, 255, 128]));
  await sh.ok('create ro text world:anyone:ra,ip:127.0.0.1:c', `${at}/ro\n`);
  await sh.ok('getAcl ro', 'world:anyone:ra,ip:127.0.0.1:c\n');
  await sh.ok('create --acl world:anyone:cdrwa open', `${at}/open\n`);

  const ttl = ['error: this server has TTL nodes turned off'];
  const setting = ' hint: its setting is extendedTypesEnabled (zookeeper.extendedTypesEnabled=true)';
  await sh.no('create -t 5s short', 21, ...ttl, setting);
  await sh.no('create -t 5000 -s short-', 21, ...ttl, setting);
  await sh.no('create a', 11, `error: node already exists: ${at}/a`);
  await sh.no(
    'create no/where',
    10,
    `error: the parent does not exist: ${at}/no/where`,
    ' hint: create -p makes missing parents',
  );
  await sh.no('create mine/child', 16, `error: an ephemeral node cannot have children: ${at}/mine/child`);
  await sh.no('create -ce both', 2, 'error: create: -c cannot be combined with -s or -e');
  await sh.no('create bad x foo:bar:r', 15, `error: the ACL is not valid: ${at}/bad`);
  await sh.no(
    'create bad x world:anyone:q',
    15,
    'error: unknown permission q in world:anyone:q',
    ' hint: an ACL is scheme:id:perms,... with perms of cdrwa, for example world:anyone:r,auth::cdrwa',
  );
  await sh.no('create bad x auth::cdrwa', 15, `error: the ACL is not valid: ${at}/bad`);
  await sh.no(
    'create a//b c d e',
    2,
    'error: create: one word too many: e',
    ' hint: put quotes around text with blanks',
  );
  assert.equal(await client.exists(`${at}/bad`), undefined);

  await using js = shell('-o', 'json');
  await js.json(`create -e ${at}/js 1`, async () => ({
    path: `${at}/js`,
    created: true,
    stat: statJson(await statOf(`${at}/js`)),
  }));
  await js.json(`create --if-absent ${at}/js 2`, { path: `${at}/js`, created: false });
  await js.no(
    `create ${at}/js`,
    11,
    `{"error":{"code":"NodeExists","exit":11,"message":"node already exists: ${at}/js","path":"${at}/js","command":"create ${at}/js"}}`,
  );
});

test('get, set, put, mkdir: versions, forms, refusals', async () => {
  const at = await base('data');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok('mkdir one two', `${at}/one\n${at}/two\n`);
  await sh.ok('mkdir -p a/b/c one', `${at}/a/b/c\n${at}/one\n`);
  await sh.no('mkdir one', 11, `error: node already exists: ${at}/one`);
  await sh.no('mkdir far/away', 10, `error: node does not exist: ${at}/far/away`);
  await sh.ok('get one', '');
  await sh.ok('set one hello', '1\n');
  await sh.ok('get one', 'hello\n');
  await sh.ok('get --raw one', 'hello');
  await sh.ok('get -b one', 'aGVsbG8=\n');
  await sh.ok('get -x one', '00000000  68 65 6c 6c 6f                                   |hello|\n');
  await sh.ok('set one ""', '2\n');
  const answer = await sh.out('set -s one x');
  assert.equal(answer, `3\n${statText(await statOf(`${at}/one`))}`);
  await sh.ok('get -s one', `x\n${statText(await statOf(`${at}/one`))}`);
  await sh.ok('set -v 3 one y', '4\n');
  await sh.no(
    'set -v 3 one z',
    12,
    `error: the version given is not the current one: ${at}/one`,
    ' hint: somebody changed it since; stat shows the current version',
  );
  await sh.ok('set -v = one z', '5\n');
  await client.set(`${at}/one`, 'elsewhere');
  await sh.no(
    'set -v = one late',
    12,
    `error: the version given is not the current one: ${at}/one`,
    ' hint: somebody changed it since; stat shows the current version',
  );
  await sh.ok('set -v -1 one any', '7\n');
  await sh.no(
    'set --append one -more',
    2,
    'error: set: unknown option -more',
    ' hint: put -- before a word that only looks like an option',
  );
  await sh.ok('set --append one "-more"', '8\n');
  await sh.ok('get one', 'any-more\n');
  await sh.ok('set -b one AP+A', '9\n');
  await sh.ok('set --hex one 00ff80', '10\n');
  await sh.ok('get --base64 one', 'AP+A\n');
  await sh.no('set missing x', 10, `error: node does not exist: ${at}/missing`);
  await sh.no('get nowhere/else', 10, `error: node does not exist: ${at}/nowhere/else`);
  await sh.no('get onne', 10, `error: node does not exist: ${at}/onne`, ` hint: did you mean ${at}/one ?`);
  await sh.ok('put one back', '11\n');
  await sh.ok('put p/q/r new', `${at}/p/q/r\n`);
  await sh.ok('put -b p/q/r AP+A', '1\n');
  await sh.ok('put -x p/q/r 00ff', '2\n');
  assert.deepEqual(await dataOf(`${at}/p/q/r`), Buffer.from([0, 255]));
  await sh.ok('create e1 1 && create e2 2', `${at}/e1\n${at}/e2\n`);
  await sh.ok('get e*', `${at}/e1:\n1\n\n${at}/e2:\n2\n`);
  await sh.no('get f*', 10, `error: nothing matches ${at}/f*`);

  const texts: [string, string][] = [
    ['{"x": 1, "y": [2]}', '{"x": 1, "y": [2]}'],
    ["'it is'", 'it is'],
    ['"a \\"quoted\\" \\\\ one"', 'a "quoted" \\ one'],
    ['C:\\dir\\new', 'C:\\dir\\new'],
    ['a|b;c&d', 'a|b;c&d'],
    ['-5', '-5'],
    ['-- -x', '-x'],
    ['@@home', '@home'],
    ['gr\u00fc\u00dfe-\u6f22\u5b57-\u{1f600}', 'gr\u00fc\u00dfe-\u6f22\u5b57-\u{1f600}'],
    ["$'tab\\tnul\\0end'", 'tab\tnul\0end'],
    ['<<END\nline one\n  line "two"\nEND', 'line one\n  line "two"'],
    ['<<+END\nline\nEND', 'line\n'],
  ];
  for (const [typed, stored] of texts) {
    await sh.ok(`set two ${typed}`, /^\d+\n$/);
    assert.equal(String(await dataOf(`${at}/two`)), stored, typed);
  }
  await using js = shell('-o', 'json');
  await client.set(`${at}/one`, 'text');
  const stat = statJson(await statOf(`${at}/one`));
  await js.json(`get ${at}/one`, { path: `${at}/one`, data: 'text', encoding: 'utf8', stat });
  await js.json(`get -b ${at}/one`, { path: `${at}/one`, data: 'dGV4dA==', encoding: 'base64', stat });
  await js.json(`set ${at}/one new`, async () => {
    const next = statJson(await statOf(`${at}/one`));
    return { path: `${at}/one`, created: false, version: next.version, stat: next };
  });
  await js.json(`get ${at}/a/b`, {
    path: `${at}/a/b`,
    data: null,
    encoding: 'null',
    stat: statJson(await statOf(`${at}/a/b`)),
  });
  await js.json(`mkdir ${at}/js`, async () => ({
    path: `${at}/js`,
    created: true,
    stat: statJson(await statOf(`${at}/js`)),
  }));
});

test('bytes: kazoo reads what the shell wrote, the shell what kazoo wrote', async () => {
  const at = await base('bytes');
  const file = join(HOME, 'bytes');
  await kazoo(
    'zk.create(sys.argv[2] + "/all", bytes(range(256)))\nzk.create(sys.argv[2] + "/empty", b"")\n' +
      'zk.create(sys.argv[2] + "/text", "gr\\u00fc\\u00dfe \\u6f22\\u5b57".encode())\n' +
      'zk.create(sys.argv[2] + "/lf", b"ends\\n")\nzk.create(sys.argv[2] + "/a b\'c", b"odd name")\n' +
      'zk.create(sys.argv[2] + "/k-", b"s", sequence=True)',
    at,
  );
  const intoFile = async (path: string): Promise<Buffer> => {
    const fd = openSync(file, 'w');
    const child = spawn(process.execPath, ['bin/zoosh.js', SERVER, 'get', path], {
      env: ENV,
      stdio: ['ignore', fd, 'inherit'],
    });
    assert.deepEqual(await once(child, 'close'), [0, null]);
    closeSync(fd);
    return readFileSync(file);
  };
  assert.deepEqual(await intoFile(`${at}/all`), ALL_BYTES);
  assert.deepEqual(await intoFile(`${at}/text`), Buffer.from('gr\u00fc\u00dfe \u6f22\u5b57'), 'no newline added');
  const piped = await one('get', `${at}/all`);
  assert.deepEqual([piped.out, piped.err, piped.status], [ALL_BYTES, '', 0]);
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok('get text', 'gr\u00fc\u00dfe \u6f22\u5b57\n');
  await sh.ok('get lf', 'ends\n');
  await sh.ok('get empty', '\n');
  await sh.ok('get -b all', `${ALL_BYTES.toString('base64')}\n`);
  await sh.ok('get "a b\'c"', 'odd name\n');
  await sh.ok('ls', "a b'c\nall\nempty\nk-0000000005\nlf\ntext\n");

  writeFileSync(file, ALL_BYTES);
  await sh.ok(`create file @${file}`, `${at}/file\n`);
  await sh.ok(`put put @${file}`, `${at}/put\n`);
  await sh.ok("create ansi $'\\x00\\xff\\x80'", `${at}/ansi\n`);
  await sh.ok('create json {"k": "\u6f22"}', `${at}/json\n`);
  await sh.ok('create nothing', `${at}/nothing\n`);
  note(`create ${at}/stdin @-`);
  const fromStdin = await zoosh([SERVER, 'create', `${at}/stdin`, '@-'], ENV, ALL_BYTES);
  assert.deepEqual([String(fromStdin.out), fromStdin.err, fromStdin.status], [`${at}/stdin\n`, '', 0]);
  await sh.ok(`create -s "${at}/s-" 1`, `${at}/s-0000000012\n`);
  const read = await kazoo(
    'for n in ["file", "put", "ansi", "json", "stdin", "nothing"]: print(n, (zk.get(sys.argv[2] + "/" + n)[0] or b"").hex())\nprint(sorted(c for c in zk.get_children(sys.argv[2]) if "-" in c))',
    at,
  );
  assert.equal(
    read,
    [
      `file ${ALL_BYTES.toString('hex')}`,
      `put ${ALL_BYTES.toString('hex')}`,
      'ansi 00ff80',
      `json ${Buffer.from('{"k": "\u6f22"}').toString('hex')}`,
      `stdin ${ALL_BYTES.toString('hex')}`,
      'nothing ',
      "['k-0000000005', 's-0000000012']",
      '',
    ].join('\n'),
  );
});

test('a node of nearly a megabyte, and one that is too large', async () => {
  const at = await base('big');
  const file = join(HOME, 'big');
  const big = randomBytes(1024 * 1024 - 1024);
  writeFileSync(file, big);
  await using sh = shell('-o', 'plain');
  await sh.ok(`create ${at}/big @${file}`, `${at}/big\n`);
  assert.ok((await dataOf(`${at}/big`))?.equals(big));
  const { out, status } = await one('get', `${at}/big`);
  assert.ok(out.equals(big) && status === 0);
  await sh.ok(`get -b ${at}/big`, `${big.toString('base64')}\n`);
  await sh.ok(`set ${at}/big @${file}`, '1\n');
  writeFileSync(file, randomBytes(1024 * 1024));
  await sh.no(
    `set ${at}/big @${file}`,
    19,
    `error: too large for one request: 1048576 bytes for ${at}/big`,
    ' hint: servers take requests up to 1048575 bytes (jute.maxbuffer)',
  );
  await sh.ok(`ls -S ${at}`, 'big\n');
});

test('five thousand children: listed, counted, deleted', async () => {
  const at = await base('many');
  const names = Array.from({ length: 5000 }, (_, n) => `n${String(n).padStart(5, '0')}`);
  for (let from = 0; from < 5000; from += 1000)
    await client.multi(
      names.slice(from, from + 1000).map((name) => ({ op: 'create', path: `${at}/${name}`, data: null, options: {} })),
    );
  await using sh = shell('-o', 'plain');
  await sh.ok(`ls ${at}`, `${names.join('\n')}\n`);
  await sh.ok(`ls -R ${at}`, `${[at, ...names.map((name) => `${at}/${name}`)].join('\n')}\n`);
  const long = await sh.out(`ls -l ${at}`);
  assert.equal(long.split('\n').length, 5001);
  await sh.ok(`getAllChildrenNumber ${at}`, '5000\n');
  const { err, out } = await sh.line(`ls --limit 2 ${at}`);
  assert.deepEqual([out, err], ['n00000\nn00001\n', '4998 more not shown (--limit 2)\n']);
  await sh.ok(`deleteall ${at}`, '5001\n');
  assert.equal(await client.exists(at), undefined);
});

test('ls, tree, counts: every order and form', async () => {
  const at = await base('ls');
  await client.create(`${at}/alpha`, 'ten bytes!');
  await client.create(`${at}/beta`, 'xx');
  for (const name of ['x', 'y', 'z']) await client.create(`${at}/beta/${name}`);
  await client.create(`${at}/gamma`, '333');
  await client.create(`${at}/gamma/x`, null, { mode: 'ephemeral' });
  await client.create(`${at}/beta/z/deep`);
  await client.set(`${at}/beta`, '22');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok('pwd', `${at}\n`);
  await sh.ok('ls', 'alpha\nbeta\ngamma\n');
  await sh.ok('ls -1', 'alpha\nbeta\ngamma\n');
  await sh.ok('ls -r', 'gamma\nbeta\nalpha\n');
  await sh.ok('ls -S', 'alpha\ngamma\nbeta\n');
  await sh.ok('ls -c', 'beta\ngamma\nalpha\n');
  await sh.ok('ls -cr', 'alpha\ngamma\nbeta\n');
  await sh.ok('ls -t', /^beta\n(?:gamma\nalpha|alpha\ngamma)\n$/);
  await sh.ok('ls -d', `${at}\n`);
  const row = async (name: string, shown = name): Promise<string> => {
    const { kind, ...stat } = { kind: 'persistent', ...statJson(await statOf(`${at}/${name}`)) };
    const owner = stat.ephemeralOwner;
    return `${[owner === '0x0' ? kind : 'ephemeral', stat.version, stat.dataLength, stat.numChildren, stat.mtime, owner, shown].join('\t')}\n`;
  };
  await sh.ok('ls -l', (await row('alpha')) + (await row('beta')) + (await row('gamma')));
  await sh.ok('ls -l gamma', await row('gamma/x', 'x'));
  await sh.ok('ls -ld gamma', await row('gamma', `${at}/gamma`));
  const tree = ['', '/alpha', '/beta', '/beta/x', '/beta/y', '/beta/z', '/beta/z/deep', '/gamma', '/gamma/x'];
  const paths = (from: readonly string[]): string => from.map((each) => `${at}${each}\n`).join('');
  await sh.ok('ls -R', paths(tree));
  await sh.ok('ls -Rr', paths([...tree].reverse()));
  await sh.ok('ls -R --depth 1', paths(['', '/alpha', '/beta', '/gamma']));
  await sh.ok('ls -s beta', `x\ny\nz\n${statText(await statOf(`${at}/beta`))}`);
  await sh.ok('ls2 beta', `x\ny\nz\n${statText(await statOf(`${at}/beta`))}`);
  await sh.ok('ls beta gamma', `${at}/beta:\nx\ny\nz\n\n${at}/gamma:\nx\n`);
  await sh.ok('ls {alpha,gamma}', `${at}/alpha:\n\n${at}/gamma:\nx\n`);
  await sh.ok('ls -R --depth 1 /', new RegExp(`^/\\n(?!.*^/zookeeper)[^]*^${ROOT}\\n`, 'm'));
  await sh.ok('ls -Ra --depth 2 /', /^\/zookeeper\n\/zookeeper\/config\n\/zookeeper\/quota\n/m);
  await sh.no('ls nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.ok('getAllChildrenNumber', '8\n');
  await sh.ok('getAllChildrenNumber beta', '4\n');
  await sh.no('getAllChildrenNumber nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.ok('tree', `${at}\n\talpha\n\tbeta\n\t\tx\n\t\ty\n\t\tz\n\t\t\tdeep\n\tgamma\n\t\tx\n`);
  await sh.ok('tree -L 1 -s', `${at}\t0\n\talpha\t10\n\tbeta\t2\n\tgamma\t3\n`);
  await sh.ok('tree -e .', `${at}\t0\n\tgamma\t3\n\t\tx\t0\n`);
  await sh.ok('tree --limit 2 beta', /^\/.*\/beta\n\tx\n\t\.\.\. 2 more\n\.\.\.\n$/);
  await sh.ok('stat alpha', statText(await statOf(`${at}/alpha`)));
  await sh.ok(
    'stat alpha gamma/x',
    `${at}/alpha:\n${statText(await statOf(`${at}/alpha`))}\n${at}/gamma/x:\n${statText(await statOf(`${at}/gamma/x`))}`,
  );
  await sh.no('stat alpa', 10, `error: node does not exist: ${at}/alpa`, ` hint: did you mean ${at}/alpha ?`);
  await sh.ok('exists alpha', 'yes\n');
  assert.deepEqual(await sh.line('exists nowhere'), { out: 'no\n', err: '', status: 1 });
  await sh.ok('exists -q alpha');
  assert.deepEqual(await sh.line('exists -q nowhere'), { out: '', err: '', status: 1 });
  await sh.ok('exists -q nowhere || exists -q alpha && pwd', `${at}\n`);
  await sh.ok('cd beta && pwd', `${at}/beta\n`);
  await sh.ok('cd - && pwd', `${at}\n`);
  await sh.ok('cd .. && pwd', `${ROOT}\n`);
  await sh.no('cd nowhere', 10, `error: node does not exist: ${ROOT}/nowhere`);
  await sh.ok('sync');
  await sh.ok('sync /not/there');
  await using js = shell('-o', 'json');
  await js.json(`ls ${at}`, { path: at, children: ['alpha', 'beta', 'gamma'] });
  await js.json(`ls -ls ${at}/beta`, async () => ({
    path: `${at}/beta`,
    children: await Promise.all(
      ['x', 'y', 'z'].map(async (name) => ({ path: name, stat: statJson(await statOf(`${at}/beta/${name}`)) })),
    ),
    stat: statJson(await statOf(`${at}/beta`)),
  }));
  await js.json(`stat ${at}/alpha`, { path: `${at}/alpha`, ...statJson(await statOf(`${at}/alpha`)) });
  await js.json(`exists ${at}/alpha`, true);
  await js.json(`getAllChildrenNumber ${at}`, 8);
  await js.json('sync', { synced: true });
  const leaf = (path: string) => ({ name: path.slice(path.lastIndexOf('/') + 1), path, children: [] });
  await js.json(`tree ${at}/gamma`, {
    name: `${at}/gamma`,
    path: `${at}/gamma`,
    children: [leaf(`${at}/gamma/x`)],
    truncated: false,
  });
});

test('delete and deleteall', async () => {
  const at = await base('delete');
  const make = async (...names: string[]): Promise<void> => {
    for (const name of names) await client.create(`${at}/${name}`);
  };
  await make('a', 'a/b', 'c', 'd', 'x1', 'x2', 'v');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.no('delete a', 13, `error: node has children: ${at}/a`, ' hint: deleteall deletes a node and all below it');
  await sh.no(
    'delete -v 3 v',
    12,
    `error: the version given is not the current one: ${at}/v`,
    ' hint: somebody changed it since; stat shows the current version',
  );
  await sh.no(
    'delete v 3',
    12,
    `error: the version given is not the current one: ${at}/v`,
    ' hint: somebody changed it since; stat shows the current version',
  );
  await sh.ok('delete v 0', `${at}/v\n`);
  await sh.ok('delete a/b a', `${at}/a/b\n${at}/a\n`);
  await sh.ok('rm x*', `${at}/x1\n${at}/x2\n`);
  await sh.no('delete nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.ok('delete -f nowhere c', `${at}/c\n`);
  await sh.ok('get d && delete -v = d', `${at}/d\n`);
  await make('t', 't/1', 't/1/1', 't/2', 't/2/1', 'u');
  await sh.no(
    'deleteall --limit 4 t',
    30,
    `error: refused: 5 nodes under ${at}/t, more than --limit 4`,
    ' hint: raise --limit',
  );
  await sh.ok('deleteall -b 2 t', '5\n');
  await sh.ok('rmr u', '1\n');
  await make('k', 'k/1', 'k/1/1');
  await sh.ok('deleteall --keep-root k', '2\n');
  await sh.ok('ls', 'k\n');
  await sh.no('deleteall nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'])
    await sh.no(
      `deleteall ${path}`,
      30,
      `error: refused: ${path} cannot be deleted: the ensemble needs it`,
      ' hint: name the nodes below it',
    );
  await using js = shell('-o', 'json');
  await js.json(`delete ${at}/k`, { deleted: 1, paths: [`${at}/k`] });
});

test('ACLs with digest identities', async () => {
  const at = await base('acl');
  await client.create(`${at}/p`, 'x');
  await using sh = shell('-o', 'plain');
  await using other = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await other.ok(`cd ${at}`);
  await sh.ok('whoami', 'ip\t127.0.0.1\n');
  await sh.ok('getAcl p', 'world:anyone:cdrwa\n');
  await sh.ok('getAcl -s p', `world:anyone:cdrwa\n${statText(await statOf(`${at}/p`))}`);
  await sh.no('setAcl p auth::cdrwa', 15, `error: the ACL is not valid: ${at}/p`);
  await sh.ok('addauth digest bob:secret');
  assert.deepEqual((await sh.out('whoami')).trim().split('\n').sort(), ['digest\tbob', 'ip\t127.0.0.1']);
  await sh.ok('setAcl p auth::cdrwa');
  await sh.ok('getAcl p', `${BOB}:cdrwa\n`);
  const hint = ' hint: addauth presents a credential; getAcl shows who may do what';
  await other.no('get p', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await other.no('set p y', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await other.no('ls p', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await other.no('create p/c', 14, `error: not permitted by the ACL: ${at}/p/c`, hint);
  await other.no('setAcl p world:anyone:cdrwa', 14, `error: not permitted by the ACL: ${at}/p`, hint);
  await sh.ok('get p', 'x\n');
  const told = await sh.out('setAcl -s -v 1 p auth::cdrwa,world:anyone:r');
  assert.equal(told, statText(await statOf(`${at}/p`)));
  await sh.ok('getAcl p', `${BOB}:cdrwa,world:anyone:r\n`);
  await other.ok('get p', 'x\n');
  await sh.no(
    'setAcl -v 9 p world:anyone:cdrwa',
    12,
    `error: the version given is not the current one: ${at}/p`,
    ' hint: somebody changed it since; stat shows the current version',
  );
  await sh.ok('create p/c "" auth::all', `${at}/p/c\n`);
  await sh.ok(`setAcl -R p ${BOB}:cdrwa,ip:127.0.0.1:r`);
  await sh.ok('getAcl p p/c', `${BOB}:cdrwa,ip:127.0.0.1:r\n`.repeat(2));
  await other.no('deleteall p', 14, `error: operation 1 (${at}/p/c): not permitted by the ACL; nothing was changed`);
  const guard = ' hint: add an entry with a, e.g. auth::cdrwa, or use --force';
  await sh.no(
    'setAcl p world:anyone:r',
    30,
    `error: refused: after this NOBODY could ever change the ACL of ${at}/p`,
    guard,
  );
  await other.no(
    `setAcl p digest:eve:${digest('eve:x')}:cdrwa`,
    30,
    `error: refused: after this nobody in this session (ip:127.0.0.1) could change the ACL of ${at}/p`,
    guard,
  );
  await sh.no(
    `setAcl p world:anyone`,
    15,
    'error: not an ACL entry: world:anyone',
    ' hint: an ACL is scheme:id:perms,... with perms of cdrwa, for example world:anyone:r,auth::cdrwa',
  );
  await sh.ok('create last && setAcl --force last world:anyone:rd', `${at}/last\n`);
  await other.no('setAcl last world:anyone:cdrwa', 14, `error: not permitted by the ACL: ${at}/last`, hint);
  const asBob = await zoosh(['--auth', 'digest:bob:secret', SERVER, 'get', `${at}/p`], ENV);
  assert.deepEqual([String(asBob.out), asBob.err, asBob.status], ['x\n', '', 0]);
  const asKazoo = await kazoo(
    'zk.add_auth("digest", "bob:secret")\nprint(zk.get(sys.argv[2] + "/p")[0].decode(), zk.get_acls(sys.argv[2] + "/p")[0][0].id.id)',
    at,
  );
  assert.equal(asKazoo, `x ${BOB.slice('digest:'.length)}\n`);
  await sh.no('addauth digest nocolon', 2, 'error: addauth: a digest credential is user:password');
  await using js = shell('-o', 'json');
  await js.json('whoami', [{ scheme: 'ip', id: '127.0.0.1' }]);
  await js.json(`getAcl ${at}/last`, {
    path: `${at}/last`,
    aversion: 1,
    acl: [{ scheme: 'world', id: 'anyone', perms: 'dr' }],
  });
  await js.json('addauth digest env:WHO', { authenticated: 'digest:al' });
  await other.ok('create -e mine', `${at}/mine\n`);
  await other.no(
    'addauth nosuch scheme',
    4,
    'the credential was refused and ended the session',
    `gone with it: 1 ephemeral node (${at}/mine)`,
    'error: authentication failed',
  );
  await other.ok('getEphemerals');
  await other.ok('whoami', 'ip\t127.0.0.1\n');
});

test("quotas: ours read by zkCli, zkCli's by us", async () => {
  const at = await base('quota');
  await client.create(`${at}/q`, 'hello');
  await client.create(`${at}/q/a`, 'xyz');
  await client.create(`${at}/theirs`);
  const limits = async (): Promise<string> => String(await dataOf(`/zookeeper/quota${at}/q/zookeeper_limits`));
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.no('listquota q', 10, `error: no quota on ${at}/q`, ' hint: setquota sets one');
  await sh.ok('setquota -n 10 q');
  assert.equal(await limits(), 'count=10,bytes=-1');
  await sh.ok('listquota q', 'nodes\t2\t10\t-\nbytes\t8\t-\t-\n');
  await sh.ok('setquota -b 100 q');
  assert.equal(await limits(), 'count=10,bytes=100');
  await sh.ok('setquota -N 3 -B 50 q');
  assert.equal(await limits(), 'count=10,bytes=100=;byteHardLimit=50;countHardLimit=3');
  await sh.ok('listquota q', 'nodes\t2\t10\t3\nbytes\t8\t100\t50\n');
  await sh.ok('create q/b 12345', `${at}/q/b\n`);
  await sh.ok('listquota q', 'nodes\t3\t10\t3\nbytes\t13\t100\t50\n');
  await sh.no('create q/c', 17, `error: a quota is exceeded: ${at}/q/c`);
  await sh.no(`set q/b ${'x'.repeat(50)}`, 17, `error: a quota is exceeded: ${at}/q/b`);
  await sh.no(
    'setquota -n 5 q/a',
    20,
    `error: ${at}/q/a has a parent with a quota: ${at}/q`,
    ` hint: quotas do not nest; delquota ${at}/q removes that one`,
  );
  await sh.no(
    `setquota -n 5 ${at}`,
    20,
    `error: ${at} has a node below with a quota: ${at}/q`,
    ` hint: quotas do not nest; delquota ${at}/q removes that one`,
  );
  await sh.no('setquota -n 5 nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  await sh.no('setquota q', 2, 'error: setquota: say at least one limit: -n, -b, -N or -B');
  const theirs = await zkCli(
    `listquota ${at}/q\nsetquota -N 7 ${at}/theirs\nsetquota -b 900 ${at}/theirs\nlistquota ${at}/theirs\ncreate ${at}/cli made-by-cli\ncreate -s ${at}/cli- 1\ncreate -c ${at}/cli/box\nset ${at}/cli again\naddauth digest bob:secret\nsetAcl ${at}/cli/box auth:bob:crdwa\n`,
  );
  assert.match(theirs, new RegExp(`Output quota for ${at}/q count=10,bytes=100=;byteHardLimit=50;countHardLimit=3`));
  assert.match(theirs, new RegExp(`Output stat for ${at}/q count=3,bytes=13`));
  await sh.ok('listquota theirs', 'nodes\t1\t-\t7\nbytes\t0\t900\t-\n');
  await sh.ok('get cli', 'again\n');
  await sh.ok('stat cli', statText(await statOf(`${at}/cli`)));
  await sh.ok('ls', 'cli\ncli-0000000003\nq\ntheirs\n');
  await sh.no(
    'getAcl cli/box',
    14,
    `error: not permitted by the ACL: ${at}/cli/box`,
    ' hint: addauth presents a credential; getAcl shows who may do what',
  );
  await sh.ok('addauth digest bob:secret');
  await sh.ok('getAcl cli/box', `${BOB}:cdrwa\n`);
  await using js = shell('-o', 'json');
  await js.json(`listquota ${at}/theirs`, [
    {
      path: `${at}/theirs`,
      limits: { count: -1, bytes: 900, hardCount: 7, hardBytes: -1 },
      used: { count: 1, bytes: 0 },
    },
  ]);
  await sh.ok('delquota -n q');
  assert.equal(await limits(), 'count=-1,bytes=100=;byteHardLimit=50;countHardLimit=3');
  await sh.ok('delquota -b q');
  await sh.ok('delquota -N q');
  assert.equal(await limits(), 'count=-1,bytes=-1=;byteHardLimit=50');
  await sh.ok('create q/c', `${at}/q/c\n`);
  await sh.ok('delquota -B q');
  assert.equal(await limits(), 'count=-1,bytes=-1');
  await sh.ok('delquota q');
  await sh.ok('delquota theirs');
  assert.equal(await client.exists(`/zookeeper/quota${ROOT}`), undefined, 'nothing left behind');
  await sh.no('delquota q', 10, `error: no quota on ${at}/q`);
});

test('watches: set by every command, told on standard error, removed one kind at a time', async () => {
  const at = await base('watch');
  await client.create(`${at}/p`);
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  const set = async (...events: string[]): Promise<void> => {
    const { version } = await statOf(`${at}/p`);
    await sh.hears('set p x', `${version + 1}\n`, ...events);
  };
  await sh.ok('get -w p', '');
  await set(`changed  ${at}/p`);
  await set();
  await sh.ok('get p watch', 'x\n');
  await set(`changed  ${at}/p`);
  await sh.ok('stat -w p', statText(await statOf(`${at}/p`)));
  await set(`changed  ${at}/p`);
  await sh.ok('stat p watch', statText(await statOf(`${at}/p`)));
  await set(`changed  ${at}/p`);
  await sh.ok('exists -w p', 'yes\n');
  await set(`changed  ${at}/p`);
  await sh.line('exists -w new');
  await sh.hears('create new', `${at}/new\n`, `created  ${at}/new`);
  await sh.ok('ls -w p');
  await sh.hears('create p/a', `${at}/p/a\n`, `children ${at}/p`);
  await sh.ok('ls p watch', 'a\n');
  await sh.hears('delete p/a', `${at}/p/a\n`, `children ${at}/p`);
  await sh.ok('ls -Rw new', `${at}/new\n`);
  await sh.hears('delete new', `${at}/new\n`, `deleted  ${at}/new`);
  await sh.ok('get -w p', 'x\n');
  await client.set(`${at}/p`, 'by another');
  await sh.hears('sync', '', `changed  ${at}/p`);

  await sh.ok('addWatch -m PERSISTENT p');
  await set(`changed  ${at}/p`);
  await set(`changed  ${at}/p`);
  await sh.hears('create p/b', `${at}/p/b\n`, `children ${at}/p`);
  await sh.hears('create p/b/c', `${at}/p/b/c\n`);
  await sh.hears('removewatches -p p', '', `watch removed ${at}/p`);
  await set();
  await sh.ok('addWatch p');
  await sh.hears('create p/b/d', `${at}/p/b/d\n`, `created  ${at}/p/b/d`);
  await sh.hears('set p/b/d 1', '1\n', `changed  ${at}/p/b/d`);
  await sh.hears('delete p/b/d', `${at}/p/b/d\n`, `deleted  ${at}/p/b/d`);
  await sh.ok('printwatches', 'on\n');
  await sh.ok('printwatches off');
  await set();
  await sh.ok('printwatches', 'off\n');
  await sh.ok('printwatches on');
  await set(`changed  ${at}/p`);
  await sh.hears('removewatches -r p', '', `watch removed ${at}/p`);
  await set();

  await sh.ok('get -w p', 'x\n');
  await sh.ok('ls -w p', 'b\n');
  await sh.hears('removewatches -d p', '', `data watch removed ${at}/p`);
  await set();
  await sh.hears('removewatches -c p', '', `child watch removed ${at}/p`);
  await sh.hears('create p/e', `${at}/p/e\n`);
  await sh.ok('get -w p', 'x\n');
  await sh.hears('removewatches -al p', '', `data watch removed ${at}/p`);
  const none = [`error: no such watch: ${at}/p`, ' hint: nothing watches that path in this session'];
  await sh.no('removewatches p', 25, ...none);
  await sh.no('removewatches -d p', 25, ...none);
  await sh.no('removewatches -cd p', 2, 'error: removewatches: one of -c -d -p -r -a');

  // a script is told every event, however many there are in a second
  await sh.ok('addWatch p');
  const storm = Array.from({ length: 40 }, (_, n) => `create p/s${n}`).join(' && ');
  const told = (await sh.line(storm)).err.split('\n').map((line) => line.slice(9));
  assert.deepEqual(told, [...Array.from({ length: 40 }, (_, n) => `created  ${at}/p/s${n}`), '']);

  await using js = shell('-o', 'json');
  await js.json(`addWatch -m persistent ${at}/p`, { path: `${at}/p`, mode: 'PERSISTENT' });
  const { err } = await js.line(`set ${at}/p 1`);
  const { time, zxid, ...event } = JSON.parse(err) as Record<string, string>;
  assert.deepEqual(event, { type: 'NodeDataChanged', state: 'SyncConnected', path: `${at}/p` });
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  assert.ok(zxid === undefined || zxid === hex((await statOf(`${at}/p`)).mzxid), zxid);
});

test('sessions, targets and profiles', async () => {
  const at = await base('session');
  await using sh = shell('-o', 'plain');
  await sh.ok('version', /^zoosh \d+\.\d+\.\d+\S*\n$/);
  await sh.ok('config', '\n');
  await sh.ok('config -c', /^0 *\n$/);
  await sh.ok('config -ws', `\n${statText(await statOf('/zookeeper/config'))}`);
  await sh.no('config -cs', 2, 'error: config: -c cannot be combined with -s');
  await sh.ok(`create -e ${at}/mine`, `${at}/mine\n`);
  await sh.ok('close');
  assert.equal(await client.exists(`${at}/mine`), undefined, 'gone with the session');
  await sh.no('ls', 3, 'error: not connected', ' hint: connect begins a new session');
  await sh.ok('connect');
  await sh.ok(`create -e ${at}/mine`, `${at}/mine\n`);
  await sh.ok('getEphemerals', `${at}/mine\n`);
  await sh.ok(`getEphemerals ${at}/m`, `${at}/mine\n`);
  await sh.ok('getEphemerals /elsewhere');
  await sh.ok(`connect ${SERVER}${at}`);
  assert.equal(await client.exists(`${at}/mine`), undefined, 'gone with the session');
  await sh.ok('create below chroot && ls / && get /below', '/below\nbelow\nchroot\n');
  assert.equal(String(await dataOf(`${at}/below`)), 'chroot');
  await sh.no('get /nope', 10, 'error: node does not exist: /nope');

  writeFileSync(join(HOME, 'ca.pem'), '');
  await sh.ok('profile list');
  await sh.ok(`profile add here ${SERVER}${at} --auth digest:env:WHO --timeout 20s --color red --protect`);
  await sh.ok(`profile add far zk1:2181,zk2:2181/app --read-only --tls-ca ${join(HOME, 'ca.pem')}`);
  await sh.ok('profile default far');
  await sh.ok('profile', `far\tzk1:2181,zk2:2181/app\tdefault, read-only\nhere\t${SERVER}${at}\tprotected\n`);
  await sh.ok(
    'profile show here',
    `server\t${SERVER}${at}\nauth\t[{"scheme":"digest","from":"env:WHO"}]\ntimeout\t20s\ncolor\tred\nprotect\ttrue\n`,
  );
  await sh.ok('use here');
  assert.deepEqual((await sh.out('whoami')).trim().split('\n').sort(), ['digest\tal', 'ip\t127.0.0.1']);
  await sh.ok('ls', 'below\n');
  await sh.no(
    'set below x',
    30,
    'error: refused: set: the profile is protected',
    ' hint: say --yes before the command',
  );
  await sh
    .no('use nowhere', 2, 'error: there is no profile nowhere', ' hint: profile list shows them')
    .catch(() => undefined);
  await sh.ok('connect @here && ls', 'below\n');
  await sh.ok('profile rm far');
  await sh.ok('profile list', `here\t${SERVER}${at}\tin use, protected\n`);
  await sh.ok('settings concurrency', '32\n');
  await sh.ok('settings concurrency 4 --save');
  await sh.ok('settings', /^concurrency\t4\trequests in flight of one command$/m);
  await sh.ok('help', /^ *create /m);
  await sh.ok('help create', /^usage: create \[-s\]/m);
  await sh.ok('help exit-codes', /^ *10 {2}a path does not exist/m);
  await sh.ok('history -g x --all 3');
  await sh.ok('history --clear');
  await using js = shell('-o', 'json', '--timeout', '12s');
  await js.ok('connect', new RegExp(`^\\{"server":"${SERVER}","session":"0x[0-9a-f]+","timeoutMs":12000\\}\\n$`));
  await js.json('close', { closed: true });
  await js.json('settings concurrency', '4');
});

test('a prompt on a terminal: history and redo', async () => {
  const at = await base('prompt');
  const lines = [`create ${at}/p 1`, `set ${at}/p 2`, 'history', 'redo 2', 'redo', `get ${at}/p`, 'quit'];
  const terminal = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:-1])
seen = ""
def until(text):
    global seen
    while text not in seen:
        if not select.select([fd], [], [], 10)[0]: sys.exit("never: " + text + " in " + seen)
        seen += os.read(fd, 65536).decode()
    at = seen.index(text) + len(text)
    out, seen = seen[:at], seen[at:]
    sys.stdout.write(out)
until("> ")
for line in sys.argv[-1].split("\\n"):
    os.write(fd, (line + "\\r").encode())
    if line != "quit": until("> ")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  for (const line of lines) note(line);
  const { out, err, status } = await run(
    '/usr/bin/python3',
    ['-c', terminal, process.execPath, 'bin/zoosh.js', SERVER, lines.join('\n')],
    ENV,
  );
  const text = String(out);
  assert.equal(status, 0, err + text);
  assert.match(text, new RegExp(`created ${at}/p`));
  assert.match(text, new RegExp(` 1 +create ${at}/p 1\r\n 2 +set ${at}/p 2\r\n`));
  assert.deepEqual([String(await dataOf(`${at}/p`)), (await statOf(`${at}/p`)).version], ['2', 3], text);
});

test('one-shot processes: output, exit codes, sessions closed', async () => {
  const at = await base('once');
  await client.create(`${at}/p`, 'data');
  await client.create(`${at}/p/child`);
  await client.create(`${at}/e`, null, { mode: 'ephemeral' });
  await client.create(`${at}/locked`, null, { acl: [{ scheme: 'digest', id: `eve:${digest('eve:x')}`, perms: 31 }] });
  const expected: [string[], number, string, string][] = [
    [['get', `${at}/p`], 0, 'data\n', ''],
    [['-o', 'json', 'exists', `${at}/p`], 0, 'true\n', ''],
    [['exists', `${at}/nope`], 1, 'no\n', ''],
    [['create'], 2, '', 'error: create: PATH is missing'],
    [['get', `${at}/nope`], 10, '', `error: node does not exist: ${at}/nope`],
    [['create', `${at}/p`], 11, '', `error: node already exists: ${at}/p`],
    [['set', `${at}/p`, 'x', '-v', '7'], 12, '', `error: the version given is not the current one: ${at}/p`],
    [['delete', `${at}/p`], 13, '', `error: node has children: ${at}/p`],
    [['get', `${at}/locked`], 14, '', `error: not permitted by the ACL: ${at}/locked`],
    [['create', `${at}/x`, '', 'world:anyone:z'], 15, '', 'error: unknown permission z in world:anyone:z'],
    [['create', `${at}/e/x`], 16, '', `error: an ephemeral node cannot have children: ${at}/e/x`],
    [['create', '-t', '1m', `${at}/x`], 21, '', 'error: this server has TTL nodes turned off'],
    [['removewatches', `${at}/p`], 25, '', `error: no such watch: ${at}/p`],
    [
      ['--read-only', 'set', `${at}/p`, 'x'],
      30,
      '',
      'error: refused: set changes something, and this shell is read-only',
    ],
    [['--auth', 'nosuch:x', 'ls', '/'], 4, '', 'error: no server could be reached'],
    [['frobnicate'], 127, '', 'error: unknown command frobnicate'],
    [['create', '-e', `${at}/gone`], 0, `${at}/gone\n`, ''],
    [['create', '-es', `${at}/gone-`], 0, `${at}/gone-0000000005\n`, ''],
  ];
  const stay = expected.slice(0, -2);
  const check = async ([words, status, out, first]: (typeof expected)[number]): Promise<void> => {
    const found = await zoosh(['-s', SERVER, ...words], ENV);
    assert.deepEqual(
      { status: found.status, out: String(found.out), first: found.err.split('\n')[0] },
      { status, out, first },
      words.join(' '),
    );
  };
  for (let from = 0; from < stay.length; from += 4) await Promise.all(stay.slice(from, from + 4).map(check));
  for (const each of expected.slice(-2)) await check(each);
  assert.deepEqual((await client.getChildren(at)).children, ['e', 'locked', 'p'], 'ephemerals end with the process');
  const nobody = await zoosh(['--connect-timeout', '300ms', '127.0.0.1:1', 'ls', '/'], ENV);
  assert.deepEqual(
    [nobody.status, nobody.err.split('\n')[0], /^ 127\.0\.0\.1:1: .*refused/m.test(nobody.err)],
    [3, 'error: no server could be reached', true],
    nobody.err,
  );

  const script = async (text: string, ...options: string[]) => {
    const { out, err, status } = await zoosh([...options, SERVER], ENV, text);
    return [String(out), err, status];
  };
  assert.deepEqual(await script(`get ${at}/p\nget ${at}/nope\nget ${at}/p\n`), [
    'data\n',
    `error: node does not exist: ${at}/nope\n`,
    10,
  ]);
  assert.deepEqual(await script(`delete ${at}/p\nget ${at}/nope\nget ${at}/p\n`, '-k'), [
    'data\n',
    `error: node has children: ${at}/p\n hint: deleteall deletes a node and all below it\nerror: node does not exist: ${at}/nope\n2 of 3 commands failed (lines 1, 2)\n`,
    13,
  ]);
  assert.deepEqual(await script(`get ${at}/p\nquit 9\nget ${at}/p\n`), ['data\n', '', 9]);
  assert.deepEqual(await script(`exists ${at}/nope\nexit\n`), ['no\n', '', 1]);
  note('quit 9');
  assert.deepEqual(await script(`create -e ${at}/gone\nls ${at}\n`), [`${at}/gone\ne\ngone\nlocked\np\n`, '', 0]);
  assert.equal(await client.exists(`${at}/gone`), undefined, 'gone with the script');
});

test('nothing of the registry is left out', (t) => {
  const { commands, params, unused } = coverage();
  assert.deepEqual(unused, []);
  t.diagnostic(
    `${commands} of ${commands} commands, ${params} of ${params} parameters, ${LiveShell.answers} lines answered`,
  );
});
