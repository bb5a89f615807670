/** Changes: nodes of every kind, data byte for byte, what is refused. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { patiently } from '../e2e/cli.ts';
import { ACL_HINT, note, zoosh } from './live-shell.ts';
import {
  ALL_BYTES,
  base,
  client,
  dataOf,
  ENV,
  HOME,
  kazoo,
  one,
  ROOT,
  SERVER,
  shell,
  statJson,
  statOf,
  statText,
} from './shell-rig.ts';

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
  const setting =
    ' hint: extendedTypesEnabled=true in its zoo.cfg turns them on (-Dzookeeper.extendedTypesEnabled=true)';
  // Apache's hangs up behind such a refusal, a moment later: nothing else may be under way in that session
  for (const words of [`-t 5s ${at}/short`, `-t 5000 -s ${at}/short-`]) {
    await using refused = shell('-o', 'plain');
    await refused.no(`create ${words}`, 21, ...ttl, setting);
  }
  await sh.no(
    'create a',
    11,
    `error: node already exists: ${at}/a`,
    ' hint: set changes its data; put makes a node or changes it',
  );
  await sh.no(
    'create no/where',
    10,
    `error: the parent does not exist: ${at}/no`,
    ' hint: create -p makes missing parents',
  );
  await sh.no(
    'create mine/child',
    16,
    `error: an ephemeral node cannot have children: ${at}/mine/child`,
    ' hint: create it beside the ephemeral node, or below a persistent one',
  );
  await sh.no('create -ce both', 2, 'error: create: -c cannot be combined with -s or -e');
  await sh.no('create bad x foo:bar:r', 15, `error: the ACL is not valid: ${at}/bad`, ACL_HINT);
  await sh.no(
    'create bad x world:anyone:q',
    15,
    'error: unknown permission q in world:anyone:q',
    ' hint: an ACL is scheme:id:perms,... with perms of cdrwa, for example world:anyone:r,auth::cdrwa',
  );
  await sh.no('create bad x auth::cdrwa', 15, `error: the ACL is not valid: ${at}/bad`, ACL_HINT);
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
    `{"error":{"code":"NodeExists","exit":11,"message":"node already exists","path":"${at}/js","command":"create ${at}/js","hint":"set changes its data; put makes a node or changes it"}}`,
  );
});

test('get, set, put, mkdir: versions, forms, refusals', async () => {
  const at = await base('data');
  await using sh = shell('-o', 'plain');
  await sh.ok(`cd ${at}`);
  await sh.ok('mkdir one two', `${at}/one\n${at}/two\n`);
  await sh.ok('mkdir -p a/b/c one', `${at}/a/b/c\n${at}/one\n`);
  await sh.no('mkdir one', 11, `error: node already exists: ${at}/one`, ' hint: mkdir -p leaves what is there');
  await sh.no(
    'mkdir far/away',
    10,
    `error: the parent does not exist: ${at}/far`,
    ' hint: mkdir -p makes missing parents',
  );
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
    ' hint: it has another version now; stat shows which',
  );
  await sh.ok('set -v = one z', '5\n');
  await client.set(`${at}/one`, 'elsewhere');
  await sh.no(
    'set -v = one late',
    12,
    `error: the version given is not the current one: ${at}/one`,
    ' hint: it has another version now; stat shows which',
  );
  await sh.ok('set -v -1 one any', '7\n');
  await sh.no(
    'set --append one -more',
    2,
    'error: set: unknown option -more',
    ' hint: help set lists its options; put -- before a word that only looks like one',
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
    const child = spawn(process.execPath, ['bin/zoosh.js', ...patiently([SERVER, 'get', path])], {
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

test('data by option, for every command that takes data', async () => {
  const at = await base('option');
  await using sh = shell('-o', 'plain');
  const file = join(HOME, 'option-bytes');
  writeFileSync(file, ALL_BYTES);
  for (const name of ['create', 'put', 'set']) {
    const path = `${at}/${name}`;
    if (name === 'set') await client.create(path);
    const written = name === 'set' ? '1\n' : `${path}\n`;
    await sh.ok(`${name} ${path} --text @-x`, written);
    assert.equal(String((await client.get(path)).data), '@-x');
    if (name === 'create') await client.delete(path);
    await sh.out(`${name} ${path} --file ${file}`);
    assert.deepEqual((await client.get(path)).data, ALL_BYTES);
    if (name === 'create') await client.delete(path);
    await sh.out(`${name} ${path} --null --force-size`);
    assert.equal((await client.get(path)).data, null);
    if (name === 'create') await client.delete(path);
    note(`${name} ${path} --stdin`);
    const piped = await zoosh([SERVER, name, path, '--stdin'], ENV, ALL_BYTES);
    assert.deepEqual([piped.err, piped.status], ['', 0]);
    assert.deepEqual((await client.get(path)).data, ALL_BYTES);
  }
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
    `error: too large for one request: 1,048,576 bytes for ${at}/big`,
    ' hint: servers take requests up to 1,048,575 bytes (jute.maxbuffer); --force-size sends it all the same',
  );
  await sh.ok(`ls -S ${at}`, 'big\n');
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
    ' hint: it has another version now; stat shows which',
  );
  await sh.no(
    'delete v 3',
    12,
    `error: the version given is not the current one: ${at}/v`,
    ' hint: it has another version now; stat shows which',
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
    `error: refused: 5 nodes at and below ${at}/t, more than --limit 4`,
    ' hint: --limit 5 or more allows it',
  );
  await sh.ok('deleteall -b 2 t', '5\n');
  await sh.ok('rmr u', '1\n');
  await make('w', 'w/1');
  await sh.ok('rm -r w', '2\n');
  await make('k', 'k/1', 'k/1/1');
  await sh.ok('deleteall --keep-root k', '2\n');
  await sh.ok('ls', 'k\n');
  await sh.no('deleteall nowhere', 10, `error: node does not exist: ${at}/nowhere`);
  const HOW: Readonly<Record<string, string>> = {
    '/': 'name the nodes below it',
    '/zookeeper': 'name the nodes that are meant; delquota removes quotas',
    '/zookeeper/config': 'reconfig changes the members',
  };
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'])
    await sh.no(
      `deleteall ${path}`,
      30,
      `error: refused: ${path} cannot be deleted: the ensemble needs it`,
      ` hint: ${HOW[path] ?? 'delquota removes quotas'}`,
    );
  // what a quota is kept in goes by hand only when that is said
  await sh.ok('create limited x', `${at}/limited\n`);
  await sh.ok('setquota -n 9 limited');
  const limits = `/zookeeper/quota${at}/limited`;
  const why = `error: refused: ${limits} belongs to a quota`;
  await sh.no(`deleteall ${limits}`, 30, why, ' hint: delquota removes quotas');
  await sh.ok(`deleteall --force ${limits}`, '3\n');
  await sh.ok(`deleteall --force /zookeeper/quota${ROOT}`, '2\n');
  await sh.no('listquota limited', 10, `error: no quota on ${at}/limited`, ' hint: setquota sets one');
  await sh.ok('delete limited', `${at}/limited\n`);
  await using js = shell('-o', 'json');
  await js.json(`delete ${at}/k`, { deleted: 1, paths: [`${at}/k`] });
});
