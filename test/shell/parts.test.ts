import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { distance } from '../../src/base/distance.ts';
import { globalOptions } from '../../src/cli/globals.ts';
import { normaliseLegacy, TAKES_VALUE } from '../../src/cli/legacy.ts';
import { splitLine } from '../../src/cli/os-complete.ts';
import { ProgressLine, type ProgressObject } from '../../src/cli/progress.ts';
import { isTarget } from '../../src/cli/targets.ts';
import type { Stat } from '../../src/client/api.ts';
import { clientPart } from '../../src/commands/config.ts';
import { formatQuota, parseQuota } from '../../src/commands/quota-text.ts';
import { ConfigFileError, readConfig, stripComments, writeConfig } from '../../src/config/config-file.ts';
import { revealSecret } from '../../src/config/secrets.ts';
import { hexdump, isText, prettyJson, unpack, visible } from '../../src/out/data.ts';
import { inColumns, toHuman } from '../../src/out/human.ts';
import { decideColor, makeTheme, plainTheme } from '../../src/out/theme.ts';
import { parseAcl, showAcl } from '../../src/shell/acl-text.ts';
import { expandBraces, matcher } from '../../src/shell/glob.ts';
import { OUTER_OPTIONS } from '../../src/shell/outer-options.ts';
import { Profiles, Settings, UserFile } from '../../src/shell/settings.ts';
import { nearest } from '../../src/shell/suggest.ts';
import { parseDuration, showAge, showBytes, showCount } from '../../src/shell/units.ts';

test('ACLs read back as they were shown', () => {
  for (const text of [
    'world:anyone:cdrwa',
    'world:anyone:r,auth::cdrwa',
    'digest:bob:Xk5a+/=:rw,ip:10.0.0.0/8:r',
    'ip:fe80::1:r',
    'x509:CN=a,O=b,C=c:cdrwa',
  ])
    assert.equal(showAcl(parseAcl(text)), text);
  assert.equal(showAcl(parseAcl('world:anyone:ro,auth::all')), 'world:anyone:r,auth::cdrwa');
  assert.equal(showAcl(parseAcl('world:anyone:awrdc')), 'world:anyone:cdrwa');
  for (const wrong of ['', 'world', 'world:anyone', 'world:anyone:q', ':x:r', 'world:anyone:r,', 'world:anyone:r,x'])
    assert.throws(() => parseAcl(wrong), { exit: 15 }, wrong);
});

test('patterns match one level', () => {
  assert.deepEqual(expandBraces('/a/{b,c{1,2}}/d'), ['/a/b/d', '/a/c1/d', '/a/c2/d']);
  assert.deepEqual(expandBraces('/{"x":1}'), ['/{"x":1}']);
  const table: [string, string, boolean][] = [
    ['*', 'abc', true],
    ['a*c', 'abbc', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a]x', 'ax', false],
    ['[!a]x', 'bx', true],
    ['a.c', 'abc', false],
    ['a+', 'aa', false],
    ['[', '[', true],
    ['?', '😀', true],
  ];
  for (const [pattern, name, expected] of table) assert.equal(matcher(pattern)(name), expected, `${pattern} ${name}`);
  assert.throws(() => matcher('[z-a]'), { exit: 2 });
  assert.throws(() => expandBraces(`/${'{a,b,c,d,e,f,g,h,i,j}'.repeat(4)}`), { exit: 2 });
});

test('quotas are kept as other clients keep them', () => {
  const text = 'count=5,bytes=100=;byteHardLimit=50;countHardLimit=3';
  assert.deepEqual(parseQuota(text), { count: 5, bytes: 100, hardCount: 3, hardBytes: 50 });
  assert.equal(formatQuota(parseQuota(text)), text);
  assert.equal(formatQuota(parseQuota('count=5,bytes=-1')), 'count=5,bytes=-1');
});

test('config -c has version and client addresses', () => {
  const text =
    'server.1=a:2888:3888:participant;2181\nserver.2=[::1]:1:2|x:1:2:observer;0.0.0.0:2182\n' +
    'server.3=c:1:2:participant;10.0.0.3:2183;10.0.0.3:2283\nserver.4=d:1:2:participant;;2284\n' +
    'server.5=e:1:2:participant\nserver.6=f:1:2:participant;[0:0:0:0:0:0:0:0]:2186\nversion=100000000';
  assert.equal(clientPart(text), '100000000 a:2181,[::1]:2182,10.0.0.3:2183,f:2186');
});

test('suggestions are near', () => {
  assert.equal(distance('kitten', 'sitting', 3), 3);
  assert.equal(distance('ab', 'ba'), 1);
  assert.equal(nearest('gte', ['get', 'set', 'getAcl'])[0], 'get');
  assert.equal(nearest('statt', ['stat', 'set'])[0], 'stat');
  assert.deepEqual(nearest('zzzzz', ['get', 'set']), []);
});

test('durations, sizes, ages', () => {
  assert.deepEqual(
    ['500ms', '5s', '2m', '1h', '1d', '250', '1.5s'].map((text) => parseDuration(text)),
    [500, 5000, 120_000, 3_600_000, 86_400_000, 250, 1500],
  );
  for (const wrong of ['', 's', '5x', '-5', '1e3']) assert.throws(() => parseDuration(wrong), { exit: 2 });
  assert.equal(showBytes(37), '37B');
  assert.equal(showBytes(1_258_291), '1.2M');
  assert.equal(showBytes(1_048_575), '1.0M');
  assert.equal(showBytes(1_048_000), '1023.4k');
  assert.equal(showCount(1_234_567), '1,234,567');
  assert.equal(showAge(1000, 5000), '4s ago');
  assert.equal(showAge(0, 5000), '-');
  assert.equal(showAge(5000, 0), 'in the future');
});

test('what a terminal gets cannot drive it', () => {
  assert.equal(visible('a\x1b[2Jb\x07'), 'a\\u001b[2Jb\\u0007');
  assert.equal(visible('tab\tand\nnewline'), 'tab\tand\nnewline');
  assert.deepEqual(inColumns(['a', 'b', 'c'], 7), ['a  c', 'b']);
  assert.deepEqual(inColumns(['averylongname', 'b'], 5), ['averylongname', 'b']);
  assert.equal(isText(Buffer.from([0xff])), false);
  assert.equal(isText(Buffer.from('a\0b')), false);
  assert.equal(hexdump(Buffer.from('hello'))[0], '00000000  68 65 6c 6c 6f                                   |hello|');
});

test('JSON is written out only when nothing of it changes', () => {
  assert.equal(prettyJson('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(prettyJson('{"a":12345678901234567890}'), undefined);
  assert.equal(prettyJson('{"a":1,"a":2}'), undefined);
  assert.equal(prettyJson('{"a":1.0}'), undefined);
  assert.equal(prettyJson('plain'), undefined);
  assert.equal(prettyJson('{nope'), undefined);
});

test('colour is decided once, in this order', () => {
  assert.equal(decideColor('always', { NO_COLOR: '1' }, false), true);
  assert.equal(decideColor('never', { FORCE_COLOR: '1' }, true), false);
  assert.equal(decideColor('auto', { NO_COLOR: '1', FORCE_COLOR: '1' }, true), false);
  assert.equal(decideColor('auto', { FORCE_COLOR: '1' }, false), true);
  assert.equal(decideColor('auto', { TERM: 'dumb' }, true), false);
  assert.equal(decideColor('auto', { TERM: 'linux' }, true), true);
  assert.equal(decideColor('auto', { TERM: 'vt100' }, true), false);
  assert.equal(decideColor('auto', {}, true), process.platform === 'win32');
  assert.equal(decideColor('auto', {}, false), false);
});

test('zkCli spelling before the command becomes ours', () => {
  assert.deepEqual(normaliseLegacy(['-server', 'h:1', 'ls', '-server', 'x']), {
    argv: ['--server', 'h:1', 'ls', '-server', 'x'],
    found: true,
  });
  assert.deepEqual(normaliseLegacy(['-timeout', '5000', '-r', 'get', '/a']).argv, [
    '--timeout',
    '5000',
    '-r',
    'get',
    '/a',
  ]);
  assert.deepEqual(normaliseLegacy(['--auth', '-server', 'ls']), { argv: ['--auth', '-server', 'ls'], found: false });
});

test('targets are told from commands by their shape', () => {
  for (const yes of ['@prod', 'localhost:2181', 'zk1:2181,zk2:2181/app', '[::1]:2181', '127.0.0.1:1', 'local/demo'])
    assert.equal(isTarget(yes), true, yes);
  for (const no of ['ls', '/a:5', 'create', 'a:b', 'x/y:5', '@', 'run.zk', 'local/a/b', 'local/'])
    assert.equal(isTarget(no), false, no);
});

test("a line of the operating system's shell comes apart as that shell would take it", () => {
  assert.deepEqual(splitLine('zoosh get /a'), { words: ['zoosh', 'get'], typed: '/a' });
  assert.deepEqual(splitLine('zoosh get '), { words: ['zoosh', 'get'], typed: '' });
  assert.deepEqual(splitLine('zoosh get "/a b'), { words: ['zoosh', 'get'], typed: '/a b' });
  assert.deepEqual(splitLine('zoosh get "/a\\"b \\$c\\d'), { words: ['zoosh', 'get'], typed: '/a"b $c\\d' });
  assert.deepEqual(splitLine("zoosh get '/a b' \\ x"), { words: ['zoosh', 'get', '/a b'], typed: ' x' });
});

test('the configuration file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zoosh-config-'));
  try {
    const file = join(folder, 'deep', 'config.json');
    assert.deepEqual(readConfig(file), {});
    const text = '{ // a comment\n "profiles": { "a": { "server": "h:1/x//y" }, }, // more\n "default": "a", }';
    assert.equal(
      (JSON.parse(stripComments(text)) as { profiles: { a: { server: string } } }).profiles.a.server,
      'h:1/x//y',
    );
    const config = { default: 'a', profiles: { a: { server: 'h:1' } } };
    writeConfig(file, config);
    assert.deepEqual(readConfig(file), config);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const store = new UserFile(readConfig(file), file);
    const profiles = new Profiles(store);
    profiles.add('prod', { server: 'h:2', protect: true });
    assert.throws(() => profiles.add('b/c', { server: 'h:2' }), { exit: 2 });
    assert.throws(() => profiles.get('prodd'), { exit: 2, hint: 'did you mean @prod ?' });
    profiles.setDefault('prod');
    const settings = new Settings(store);
    settings.set('output', 'json');
    settings.save('output');
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
      default: 'prod',
      profiles: { a: { server: 'h:1' }, prod: { server: 'h:2', protect: true } },
      settings: { output: 'json' },
    });
    profiles.remove('prod');
    assert.equal(readConfig(file).default, undefined);
    for (const bad of [
      'nope',
      '[]',
      '{"profiles": 3}',
      '{"profiles": {"a": {}}}',
      '{"profiles": {"a": {"server": "x", "colour": 1}}}',
      '{"profiles": {"a": {"server": "x", "tls": {"caa": "ca.pem"}}}}',
      '{"profiles": {"a": {"server": "x", "tls": {"ca": 5}}}}',
      '{"profiles": {"a": {"server": "x", "tls": {"insecure": "no"}}}}',
      '{"profiles": {"a": {"server": "x", "tls": null}}}',
      '{"profiles": {"a": {"server": "x", "auth": [{"scheme": "digest", "cred": "u:p", "frm": "x"}]}}}',
      '{"default": 3}',
      '{"settings": {"a": []}}',
    ]) {
      writeFileSync(file, bad);
      assert.throws(() => readConfig(file), ConfigFileError, bad);
    }
    assert.throws(() => new Settings(new UserFile({ settings: { output: 'yaml' } }, undefined)), { exit: 2 });
    assert.throws(() => new Profiles(new UserFile({}, undefined)).add('a', { server: 'h:1' }), { exit: 2 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('secrets are found where they are said to be', () => {
  assert.equal(revealSecret('bob:secret'), 'bob:secret');
  assert.equal(revealSecret('env:X', { X: 'bob:a' }), 'bob:a');
  assert.equal(revealSecret('cmd:echo bob:b'), 'bob:b');
  assert.throws(() => revealSecret('env:NOT_SET', {}), /NOT_SET/);
  assert.throws(() => revealSecret('file:/no/such'), /there is no such file/);
  assert.throws(() => revealSecret('cmd:exit 3'), /failed \(3\)/);
});

test('every option before the command that takes a value is known to', async () => {
  const all = (await globalOptions()).filter(({ takesValue }) => takesValue).flatMap(({ names }) => names);
  assert.deepEqual([...TAKES_VALUE].sort(), all.sort());
});

test('what was stored packed is shown unpacked, what only looks like it as it is', () => {
  const text = Buffer.from('{"level":"info"}');
  assert.deepEqual(unpack(gzipSync(text)), { kind: 'gzip', data: text });
  assert.deepEqual(unpack(deflateSync(text)), { kind: 'zlib', data: text });
  for (const bytes of [text, gzipSync(Buffer.from([0, 255])), gzipSync(text).subarray(0, 20), Buffer.from([0x1f])])
    assert.equal(unpack(bytes), undefined);
  assert.equal(unpack(gzipSync(Buffer.alloc(17 * 1024 * 1024, 97))), undefined, 'too much for a screen');
  const stat = { version: 0 } as Stat;
  const shown = toHuman(
    { type: 'node', path: '/z', data: gzipSync(text), stat, showStat: false, form: 'text' },
    { theme: plainTheme(true), width: 80, now: 0 },
  );
  assert.deepEqual(shown.slice(0, 3), ['{', '  "level": "info"', '}']);
  assert.match(shown[3] ?? '', /^\(unpacked from \d+B of gzip\)$/);
});

test('progress for programs: an object a second, also where nobody looks', () => {
  let now = 0;
  const told: ProgressObject[] = [];
  const line = new ProgressLine({ show: undefined, width: () => 80, now: () => now, tell: (each) => told.push(each) });
  using progress = line.begin('exporting /app');
  for (const [at, done] of [
    [900, 9],
    [1000, 10],
    [1999, 19],
    [2000, 20],
  ] as const) {
    now = at;
    progress.update(done, 40);
  }
  const each = { progress: 'exporting /app', total: 40, perSecond: 10 };
  assert.deepEqual(told, [
    { ...each, done: 10 },
    { ...each, done: 20 },
  ]);
});

test('a profile may have one of the colours there are', async () => {
  const theme = await makeTheme(true, false);
  assert.equal(theme.named('red')?.('x'), theme.bad('x'));
  assert.equal(theme.named('toString'), undefined);
  assert.equal(plainTheme(true).named('red'), undefined);
});

test('every option of zoosh itself is known to whoever puts it behind a command', async () => {
  const all = (await globalOptions()).flatMap(({ names }) => names);
  assert.deepEqual([...OUTER_OPTIONS, '-h', '--help'].sort(), all.sort());
});
