/** What commands say: what is missing, what was meant, where a note stands, what people see of values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGlobals } from '../../src/cli/globals.ts';
import type { Client, Stat, WatchEvent } from '../../src/client/api.ts';
import { registry } from '../../src/commands/index.ts';
import { watchBehind } from '../../src/commands/watch-behind.ts';
import { revealSecret } from '../../src/config/secrets.ts';
import { differencesLines } from '../../src/out/differences.ts';
import { toHuman } from '../../src/out/human.ts';
import { plainTheme } from '../../src/out/theme.ts';
import type { Arg, CommandSpec } from '../../src/shell/command.ts';
import { shellBackupNodes } from '../../src/shell/foreign-backups.ts';
import { filledFor } from '../../src/shell/placeholders.ts';
import { linesBehind } from '../../src/shell/script-text.ts';
import { rig } from './rig.ts';

const STAT = {
  ...{ czxid: 1n, mzxid: 1n, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0, ephemeralOwner: 1n },
  ...{ dataLength: 0, numChildren: 0, pzxid: 1n },
} as unknown as Stat;
const tree = (): Client =>
  ({
    exists: async () => STAT,
    get: async () => ({ data: null, stat: STAT }),
    getChildren: async () => ({ children: ['a', 'b', 'c'], stat: STAT }),
    getEphemerals: async () => [],
    whoAmI: async () => [],
    getConfig: async () => ({ data: null }),
    on: () => () => {},
    watches: () => [],
    ...{ chroot: '', sessionId: 1n, lastZxid: 5n, negotiatedTimeoutMs: 30_000, state: 'connected' },
    server: '10.0.0.7:2181',
  }) as unknown as Client;
const screen = (width: number) => ({ theme: plainTheme(true), width, now: 0 });

test('what is missing and what was meant is said in words of the command', async () => {
  for (const [line, exit, message, hint] of [
    ['acl add', 2, 'acl add: PATH is missing', 'acl add PATH ENTRY, an ENTRY is SCHEME:ID:PERMS,...'],
    ['acl add config', 2, 'acl add: ENTRY is missing', 'acl add PATH ENTRY, an ENTRY is SCHEME:ID:PERMS,...'],
    ['acl copy /a', 2, 'acl copy: TO is missing', 'acl copy FROM TO...'],
    [
      'txn {check config 1}',
      2,
      'txn: a brace stands by itself, not in {check',
      'put blanks around the braces: txn { check /a 3; set /a x }',
    ],
    ['nosuch', 127, 'unknown command nosuch', 'help lists the commands'],
    ['set /a <<END\n${nope}\nEND', 2, '${nope} is not defined', "<<'END' takes it as it is, if it is meant literally"],
    ['set /a ${nope}', 2, '${nope} is not defined', 'use single quotes if it is meant literally'],
    ['addauth digest file:/nope/at/all', 2, '/nope/at/all cannot be read: there is no such file', undefined],
  ] as const) {
    const it = rig(tree());
    assert.equal(await it.shell.run(line), exit, line);
    assert.deepEqual([it.told[0]?.failure.message, it.told[0]?.failure.hint], [message, hint], line);
  }
  const it = rig(tree());
  assert.equal(await it.shell.run('create /z hello world'), 15);
  assert.match(
    it.told[0]?.failure.hint ?? '',
    /^text with blanks needs quotes: create PATH "hello world"; otherwise an ACL/,
  );
  assert.throws(() => revealSecret('file:/nope/at/all'), /there is no such file/);
});

test('a misspelt option of zoosh itself is answered as those of commands are', async () => {
  await assert.rejects(parseGlobals(['--outptu', 'json', 'ls']), { hint: 'did you mean --output ?' });
});

test('a note that not all is listed stands below the list', async () => {
  for (const line of ['ls --limit 2 /', 'ls -l --limit 2 /', 'ls --limit 2 / /a']) {
    const it = rig(tree());
    const before: number[] = [];
    it.warned.push = (): number => before.push(it.shown.length);
    assert.equal(await it.shell.run(line), 0);
    assert.equal(before[0], 1, line);
  }
});

test('who names the server of a node of this session', async () => {
  const it = rig(tree());
  assert.equal(await it.shell.run('who /a'), 0);
  const rows = it.shown.flatMap((output) => (output.type === 'table' ? output.rows : []));
  assert.deepEqual(rows, [['/a', '0x1', 'this shell', '10.0.0.7:2181', '-']]);
});

test('people see the session with names and units, pipes with the names they know', async () => {
  const it = rig(tree());
  assert.equal(await it.shell.run('session'), 0);
  const [output] = it.shown;
  assert.ok(output?.type === 'fields');
  const lines = toHuman(output, screen(80)).join('\n');
  assert.match(lines, / timeout +30s\n/);
  assert.match(lines, / last zxid +0x5\n/);
  assert.match(lines, / round trip +[\d.]+ms\n/);
  assert.doesNotMatch(lines, /timeoutMs|lastZxid|rttMs/);
  assert.ok(output.fields.some(([name, value]) => name === 'timeoutMs' && value === '30000'));
});

test('a command that is only to be known again is cut at the edge', () => {
  const row = ['1', 'create /a '.repeat(20).trim()];
  const columns = [{ name: '#' }, { name: 'command', cuts: true }];
  const lines = toHuman({ type: 'table', columns, rows: [row], json: [] }, screen(40));
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.length <= 40));
  assert.match(lines[1] ?? '', /\.\.$/);
});

test('of two JSON documents in a race only the keys that differ are shown', () => {
  const [before, after] = ['{"a": 1, "b": 2}', '{"a": 1, "b": 3}'].map((text) => Buffer.from(text));
  const lines = differencesLines([{ sign: '~', path: '/j', before, after, isBrief: true }], screen(80));
  assert.deepEqual(lines, [' ~ /j', '     b: 2 -> 3']);
});

test('what stands behind the do of an inner each is for the inner one', () => {
  const words = (text: string): Arg[] => text.split(' ').map((each) => ({ text: each, quote: 'none' }));
  const filled = (text: string): string =>
    filledFor(words(text), '/n1')
      .map(({ text: each }) => each)
      .join(' ');
  assert.equal(filled('each {}/* do echo {} {name}'), 'each /n1/* do echo {} {name}');
  assert.equal(filled('time each {}/* do get {}'), 'time each /n1/* do get {}');
  assert.equal(filled('echo each {} do {}'), 'echo each /n1 do /n1');
});

test('a file that is no JSON is told with its line', () => {
  assert.throws(
    () => shellBackupNodes('{\n"/a": {"content": ""},\n"/b": oops\n}', 'bad.nd'),
    /^Failure: bad\.nd:3: not JSON/,
  );
  assert.throws(() => shellBackupNodes('{\n"/a": {"content": ""},\n', 'bad.nd'), /bad\.nd:2: not JSON/);
  assert.throws(() => shellBackupNodes('{\noops\n}', 'bad.nd'), /bad\.nd:2: not JSON/);
});

test('a heredoc of a script with CRLF at its line ends has none in its data', () => {
  const it = rig(tree());
  const dataOf = (text: string) => it.shell.parse(text).pipelines[0]?.words.at(-1)?.parts;
  assert.deepEqual(dataOf('set /a <<END\r\none\r\ntwo\r\nEND\r\n'), [{ kind: 'text', text: 'one\ntwo', quoted: true }]);
  assert.deepEqual(dataOf('set /a <<END\none\r\ntwo\nEND\n'), [{ kind: 'text', text: 'one\r\ntwo', quoted: true }]);
});

test('lines behind the one that failed are counted', () => {
  const { shell } = rig();
  const count = (text: string, at: number): number => linesBehind(shell.parse(text), text, at);
  assert.equal(count('pwd\nnosuch\npwd\n\npwd', 2), 2);
  assert.equal(count('nosuch\n# why\nset /a {"a":\n1}\npwd', 1), 2);
  assert.equal(count('nosuch; pwd', 1), 0);
  assert.equal(count('pwd\nset /a ${\npwd\npwd', 2), 2);
});

test('a pattern that was deleted by stays one in the list of what can be undone', async () => {
  const { Drafts } = await import('../../src/shell/drafts.ts');
  const begun: string[] = [];
  const trash = { isKept: true, begin: ({ command }: { command: string }) => void begun.push(command) };
  const settings = { get: () => 'on' };
  const drafts = new Drafts({ interactive: true, settings, session: { label: 'x' }, trash, registry } as never);
  const spec = registry.find('delete') as CommandSpec;
  drafts.of(spec, 'delete', [{ text: '/a/n*', quote: 'none' }], {});
  drafts.of(spec, 'delete', [{ text: '/a/n*', quote: 'single' }], {});
  drafts.of(spec, 'delete', [{ text: '/a/n*', quote: 'none', pattern: '/a/n' }], {});
  drafts.of(
    registry.find('set') as CommandSpec,
    'set',
    [
      { text: '/a', quote: 'none' },
      { text: '{"x": 1}', quote: 'json' },
    ],
    {},
  );
  assert.deepEqual(begun, ['delete /a/n*', "delete '/a/n*'", "delete '/a/n*'", 'set /a ...']);
});

test('on a screen of twenty columns no word is broken and what goes on is indented', () => {
  const stat = { ...STAT, ctime: 1_700_000_000_000, mtime: 1_700_000_000_000, numChildren: 1234 } as unknown as Stat;
  const long = [{ name: 'node', stat }];
  const listing = toHuman({ type: 'listing', path: '/', names: ['node'], long }, screen(20));
  assert.deepEqual(listing.slice(0, 2), ['node', '  ephemeral v0 0B,']);
  assert.ok(
    listing.slice(2).every((line) => /^ {4}\S/.test(line) && line.length <= 20),
    listing.join('\n'),
  );
  const lines = toHuman({ type: 'stat', path: '/', stat }, screen(20));
  assert.deepEqual(lines.slice(0, 3), [' kind', '   ephemeral,', '   session 0x1']);
  for (const line of lines) assert.ok(line.length <= 20 || !line.trim().includes(' '), line);
});

test('watch tells with each event where it stands', async () => {
  let listener: ((event: WatchEvent) => void) | undefined;
  const told: unknown[] = [];
  const addWatch = async (_path: string, _all: boolean, hears: typeof listener) => {
    listener = hears;
    return 1;
  };
  const context = { session: { addWatch }, watched: (...all: unknown[]) => told.push(all[2]) };
  const wishes = { recursive: true, count: undefined, timeout: undefined, diff: false };
  const tests = { wanted: () => true, isOver: async () => false };
  const answer = await watchBehind(['/it has space'], wishes, tests, context as never);
  assert.ok(answer.type === 'done');
  assert.equal(answer.text, "watching '/it has space' and below (watch 1)");
  listener?.({ type: 'NodeCreated', path: '/it has space/x', zxid: undefined });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, ['/it has space']);
});

test('a character that no name may hold is named as a whole', async () => {
  for (const [typed, why] of [
    ['/a😀b', 'U+1F600 at character 3: names hold none beyond U+FFFF'],
    ['/😀', 'U+1F600 at character 2: names hold none beyond U+FFFF'],
    ['/a\ud83d', 'U+D83D at character 3'],
    ['/a\ude00', 'U+DE00 at character 3'],
    ['/\ue000', 'U+E000 at character 2'],
  ] as const) {
    const it = rig(tree());
    assert.equal(await it.shell.run(`get '${typed}'`), 2);
    assert.equal(it.told[0]?.failure.message, `not a path: ${typed}: invalid character ${why}`);
  }
});
