import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Acl } from '../../src/client/api.ts';
import { registry } from '../../src/commands/index.ts';
import { toHuman } from '../../src/out/human.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { parseAcl } from '../../src/shell/acl-text.ts';
import { bind } from '../../src/shell/bind.ts';
import type { Arg } from '../../src/shell/command.ts';
import { parse } from '../../src/shell/parser.ts';
import { quoteWord, resolvePath } from '../../src/shell/paths.ts';
import { fill } from '../../src/shell/variables.ts';
import { rig } from './rig.ts';

/** The data that `set /a ...` would store, or the status of the line. */
async function dataOf(line: string, variables: Record<string, string> = {}): Promise<string | null | number> {
  const stored: (Uint8Array | null)[] = [];
  const client = {
    state: 'connected',
    set: async (_path: string, data: Uint8Array | null) => {
      stored.push(data);
      return { version: 1, dataLength: data?.length ?? 0 };
    },
    create: async (path: string, data: Uint8Array | null) => {
      stored.push(data);
      return { path, stat: undefined };
    },
    watches: () => [],
    close: async () => {},
  };
  const { shell } = rig(client as never, variables);
  const status = await shell.run(line);
  if (status !== 0) return status;
  assert.equal(stored.length, 1, line);
  const [data] = stored;
  return data === null || data === undefined ? null : Buffer.from(data).toString('latin1');
}

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

test('data keeps its bytes, however it is typed', async () => {
  const table: [string, string | null | number][] = [
    ['set /a {"x":1}', '{"x":1}'],
    ['set /a {"x": 1}', '{"x": 1}'],
    ['set /a {"x": "} ["}', '{"x": "} ["}'],
    ['set /a [1, 2, {"b": [3]}]', '[1, 2, {"b": [3]}]'],
    ['set /a {"x": 1}; ', '{"x": 1}'],
    ["set /a 'it is'", 'it is'],
    ["set /a 'it''s'", 'its'],
    ["set /a it's", "it's"],
    ['set /a "a\\"b"', 'a"b'],
    ['set /a "a\\tb"', 'a\\tb'],
    ['set /a "C:\\\\dir"', 'C:\\dir'],
    ['set /a C:\\dir', 'C:\\dir'],
    ['set /a -5', '-5'],
    ['set /a -- -x', '-x'],
    ["set /a '-x'", '-x'],
    ['set /a -x', 2],
    ['set /a ""', ''],
    ["set /a ''", ''],
    ['set /a', 2],
    ['create /a', null],
    ['set /a a|b', 'a|b'],
    ['set /a x;y', 'x;y'],
    ['set /a x;', 'x'],
    ['set /a x\\;', 'x;'],
    ['set /a #5', '#5'],
    ['set /a x # comment', 'x'],
    ['set /a \\#', '#'],
    ['set /a a\\ b', 'a b'],
    ["set /a $'a\\nb\\x00\\'\\u00e9'", utf8("a\nb\0'é")],
    ["set /a $'\\xff\\xfe'", '\xff\xfe'],
    ['set /a grüß', utf8('grüß')],
    ['set /a <<END\none\n  two\nEND\n', 'one\n  two'],
    ['set /a <<+END\none\nEND', 'one\n'],
    ["set /a <<'END'\n${no}\nEND", '${no}'],
    ['set /a <<"END"\n${no}\nEND', '${no}'],
    ['set /a <<END\n${v}\nEND', 'value'],
    ['set /a ${v}', 'value'],
    ['set /a "x ${v}"', 'x value'],
    ["set /a '${v}'", '${v}'],
    ['set /a ${nope}', 2],
    ['set /a ${env:HOME}', '/home/bob'],
    ['set /a @@x', '@x'],
    ["set /a '@x'", '@x'],
    ['set /a @/no/such/file', 2],
    ['set -b /a aGk=', 'hi'],
    ['set -x /a 6869', 'hi'],
    ['set -x /a 686', 2],
    ['set -b /a a', 2],
    ['set /a {"open": 1', 2],
    ['set /a "open', 2],
    ['set /a b c', 2],
  ];
  for (const [line, expected] of table) assert.equal(await dataOf(line, { v: 'value' }), expected, line);
});

test('operators are operators only where they stand alone', () => {
  const shapes = (text: string): string[] =>
    parse(text).pipelines.map(
      ({ words, os, pipe, file, after }) =>
        `${after}:${os ?? words.length}${pipe === undefined ? '' : `|${pipe}`}${file === undefined ? '' : file.append ? '>>' : '>'}`,
    );
  assert.deepEqual(shapes('ls /; ls /b'), ['always:2', 'always:2']);
  assert.deepEqual(shapes('ls / && get /a || pwd'), ['always:2', 'success:2', 'failure:1']);
  assert.deepEqual(shapes('ls / | grep x | wc'), ['always:2|grep x | wc']);
  assert.deepEqual(shapes('ls / > out\nls / >> out'), ['always:2>', 'always:2>>']);
  assert.deepEqual(shapes('!echo a; b'), ['always:echo a; b']);
  assert.deepEqual(shapes('# only this\n\n  # and this'), []);
  assert.deepEqual(shapes('ls \\\n/'), ['always:2']);
  assert.deepEqual(shapes('ls / &&\nget /a'), ['always:2', 'success:2']);
  for (const wrong of ['&& ls', '| wc', 'ls / |', 'ls / >', '; ls', '!', 'ls / > a b', 'ls / > a > b'])
    assert.notEqual(parse(wrong).fault, undefined, wrong);
  for (const open of ['ls /a &&', 'ls "x', "ls 'x", 'ls \\']) assert.notEqual(parse(open).open, undefined, open);
});

test('nothing is sent for a line that cannot be read', async () => {
  for (const [line, status] of [
    ['set /a b c', 2],
    ['set /a b extra words', 2],
    ['get -z /a', 2],
    ['get', 2],
    ['set -v x /a b', 2],
    ['create -e -c /a', 2],
    ['create -t 5 -e /a', 2],
    ['create -t 0 /a', 2],
    ['create /a b world:anyone:q', 15],
    ['create /a b garbage', 15],
    ['setAcl /a world:anyone:', 15],
    ['setAcl /a world:anyone:crx', 15],
    ['get ${nope}', 2],
    ['delete /', 30],
    ['deleteall /zookeeper', 30],
    ['delete /zookeeper/quota/x', 30],
    ['setquota /a', 2],
    ['addWatch -m SOMETIMES /a', 2],
    ['removewatches -c -d /a', 2],
    ['ls /a//../..b\u0001', 2],
    ['assert data /a', 2],
    ['assert exists /a b', 2],
    ['assert version /a x', 2],
    ['sleep soon', 2],
    ['nosuch', 127],
    ['get /a && nosuch "', 2],
    ['profile add', 2],
    ['settings nosuch', 2],
    ['settings output yaml', 2],
  ] as const) {
    const it = rig();
    const isVersion = line.includes('-v x');
    const got = await it.shell.run(line);
    assert.equal(it.told.length >= 1 || got === 0, true, line);
    if (!line.startsWith('get /a &&')) {
      assert.equal(got, status, `${line}: ${it.told[0]?.failure.message}`);
      assert.equal(it.sessions, 0, `${line} asked for a session`);
    }
    if (isVersion) assert.match(it.told[0]?.failure.message ?? '', /version/);
  }
});

test('paths are taken from where we are', () => {
  for (const [cwd, typed, expected] of [
    ['/', 'a', '/a'],
    ['/a', 'b/c', '/a/b/c'],
    ['/a', '/b', '/b'],
    ['/a/b', '..', '/a'],
    ['/a', '../../..', '/'],
    ['/a', '.', '/a'],
    ['/a', './/b/', '/a/b'],
    ['/', '/', '/'],
  ] as const)
    assert.equal(resolvePath(cwd, typed), expected);
  assert.equal(resolvePath('/a', 'dir/', true), '/a/dir/');
});

test('a quoted name reads back as itself', () => {
  const names = [
    'a',
    'a b',
    "it's",
    'a"b',
    '${x}',
    '*',
    '[x]',
    '{a,b}',
    '-x',
    '#',
    '!x',
    'a;',
    '&&',
    '@x',
    'é',
    'a\tb',
    'x\\y',
    '(',
    'a\'"b $',
  ];
  for (const name of names) {
    const { pipelines, fault, open } = parse(`get ${quoteWord(name)}`);
    assert.equal(fault ?? open, undefined, name);
    const word = pipelines[0]?.words[1];
    assert.ok(word !== undefined, name);
    assert.equal(fill(word, () => undefined).text, name);
  }
});

test('an ACL for people can be pasted whatever its ids hold, and a comma of an id ends no entry', () => {
  const screen = { theme: plainTheme(false), width: 80, now: 0 };
  const shown = (acl: readonly Acl[]): string =>
    toHuman({ type: 'acl', path: '/a', acl, aversion: 0 }, screen)[0] ?? '';
  for (const id of ['bob smith:h=', "o'hara:h=", 'bob:r,w', 'r,a:r', 'a;:#', '\n:h']) {
    const acl = [
      { scheme: 'digest', id, perms: 31 },
      { scheme: 'world', id: 'anyone', perms: 1 },
    ];
    const word = parse(`setAcl /a ${shown(acl)}`).pipelines[0]?.words[2];
    assert.ok(word !== undefined, id);
    assert.deepEqual(parseAcl(fill(word, () => undefined).text), acl, id);
  }
  assert.equal(shown([{ scheme: 'ip', id: '10.0.0.0/8', perms: 1 }]), 'ip:10.0.0.0/8:r');
});

test('options go anywhere before --, in clusters, with their values', () => {
  const get = registry.find('get')!;
  const args = (...texts: string[]): Arg[] => texts.map((text) => ({ text, quote: 'none' }));
  const ports = { resolve: (typed: string) => typed, stdin: () => new Uint8Array(0) };
  assert.deepEqual(bind(get, args('-sw', '/a'), 'get', ports).values.stat, true);
  assert.deepEqual(bind(get, args('/a', '-s'), 'get', ports).values.stat, true);
  assert.deepEqual(bind(get, args('/a', 'watch'), 'get', ports).values, {
    ...bind(get, args('-w', '/a'), 'get', ports).values,
  });
  const del = registry.find('rm')!;
  assert.deepEqual(bind(del, args('/a', '3'), 'delete', ports).values.version, '3');
  assert.deepEqual(bind(del, args('-v3', '/a'), 'delete', ports).values.version, '3');
  assert.deepEqual(bind(del, args('/a', '/3'), 'delete', ports).values.paths, ['/a', '/3']);
  assert.throws(() => bind(del, args('-v', '1', '-v', '2', '/a'), 'delete', ports), /twice/);
  assert.throws(() => bind(del, args('/a', '-v'), 'delete', ports), /needs a value/);
  assert.throws(() => bind(get, args('--ra', '/a'), 'get', ports), { hint: 'did you mean --raw ?' });
  assert.throws(() => bind(get, args('-Q', '/a'), 'get', ports), {
    hint: 'help get lists its options; put -- before a word that only looks like one',
  });
  assert.throws(() => bind(get, args('-W', '/a'), 'get', ports), { hint: 'did you mean -w ?' });
  const find = registry.find('find')!;
  assert.throws(() => bind(find, args('/', '--name', 'x'), 'find', ports), { hint: 'did you mean -name ?' });
  // those of zoosh itself stand before the command
  const outer = (option: string) => `it goes before the command: zoosh ${option} ... get ...`;
  assert.throws(() => bind(get, args('/a', '--yes'), 'get', ports), { hint: outer('--yes') });
  assert.throws(() => bind(get, args('/a', '-o', 'json'), 'get', ports), {
    hint: `${outer('-o')}; at a prompt: settings output`,
  });
  assert.throws(() => bind(get, args('/a', '--auth=digest:a:b'), 'get', ports), {
    hint: `${outer('--auth')}; at a prompt: addauth`,
  });
});

test('the body of a heredoc is never run as commands', async () => {
  const told: string[] = [];
  const sent: string[] = [];
  const client = {
    state: 'connected',
    set: async (_path: string, data: Uint8Array | null) => {
      sent.push(`set ${Buffer.from(data ?? []).toString()}`);
      return { version: 1, dataLength: data?.length ?? 0 };
    },
    create: async (path: string) => {
      sent.push(`create ${path}`);
      return { path, stat: undefined };
    },
    watches: () => [],
    close: async () => {},
  };
  const body = 'create /body\nEND\n';
  const table: [string, number, string[]][] = [
    [`set /a <<END; set /b y\n${body}`, 0, ['set create /body', 'set y']],
    [`set /a <<END;\n${body}set /b y\n`, 0, ['set create /body', 'set y']],
    [`set /a <<"END"\n${body}`, 0, ['set create /body']],
    [`let k = <<END\n${body}set /b "\${k}"\n`, 0, ['set create /body']],
    [`echo <<END\n${body}`, 0, []],
    [`set /a --text <<END\n${body}`, 0, ['set create /body']],
    [`nosuch <<END\n${body}`, 127, []],
    [`set /a x <<END\n${body}`, 2, []],
    [`set /a <<-END\n${body}`, 2, []],
    // those of the system's shell
    [`echo x | cat <<END\n${body}set /b y\n`, 0, ['set y']],
    [`! cat <<'END' <<"B" && true\n${body}create /b\nB\nset /b y\n`, 0, ['set y']],
    [`! cat <<-\\END\n\tcreate /body\n\tEND\nset /b y\n`, 0, ['set y']],
    [`set /a <<END | cat <<B\n${body}create /b\nB\nset /b y\n`, 0, ['set create /body', 'set y']],
    [`! cat <<END\r\ncreate /body\r\nEND\r\nset /b y\r\n`, 0, ['set y']],
    [`! cat <<END\ncreate /body\nset /b y\n`, 2, []],
    [`! echo '<<END' "<<END" $((1<<2)) # <<END\nset /b y\n`, 0, ['set y']],
    // a word that only looks like one
    ['set /a "<<END"\n', 0, ['set <<END']],
    ['set /a <<\n', 0, ['set <<']],
    ['set /a <<<<<<<\n', 0, ['set <<<<<<<']],
    ['set /a <<a.b\n', 0, ['set <<a.b']],
  ];
  for (const [text, status, expected] of table) {
    sent.length = 0;
    const { shell } = rig(client as never);
    told.push(`${text} ${await shell.run(text, { line: 1, isScript: true })}`);
    assert.equal(told.at(-1), `${text} ${status}`);
    assert.deepEqual(sent, expected, text);
  }
});
