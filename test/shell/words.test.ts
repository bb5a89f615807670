/** What screens say: time limits, who holds nothing, usage lines on a narrow terminal, hints that would not help. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import { ensembleBanner, serverBanner } from '../../src/cli/playground.ts';
import type { Client, Stat } from '../../src/client/api.ts';
import { registry } from '../../src/commands/index.ts';
import { foldPage } from '../../src/out/fold.ts';
import { toHuman } from '../../src/out/human.ts';
import { makeTheme } from '../../src/out/theme.ts';
import { pageOf } from '../../src/shell/help.ts';
import type { Change } from '../../src/shell/recorder.ts';
import { parseDuration, showDuration } from '../../src/shell/units.ts';
import { rig } from './rig.ts';

const STAT = {
  czxid: 1n,
  mzxid: 1n,
  ctime: 0,
  mtime: 0,
  version: 2,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 4,
  numChildren: 2,
  pzxid: 1n,
} as unknown as Stat;
/** A server with one node, `/app`, that nobody touches. */
const still = (): Client => {
  const found = (path: string): Stat => {
    if (path !== '/app') throw new KeeperError('NoNode', path);
    return STAT;
  };
  return {
    exists: async (path: string) => (path === '/app' ? STAT : undefined),
    get: async (path: string) => ({ data: Buffer.from('warm'), stat: found(path) }),
    getChildren: async (path: string) => ({
      children: path === '/' ? ['app', 'gone'] : [],
      stat: path === '/' ? STAT : found(path),
    }),
    on: () => () => {},
    watches: () => [],
    chroot: '',
    sessionId: 1n,
  } as unknown as Client;
};

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('a wait that runs out says the limit and how the node is', async () => {
  for (const [line, what] of [
    ['wait /nope --timeout 5ms', 'not within 5ms: /nope does not exist'],
    ['wait /app --gone --timeout 5ms', 'not within 5ms: /app is still there'],
    ['wait /app --changed --timeout 5ms', 'not within 5ms: /app did not change'],
    ['wait /app --children 3 --timeout 5ms', 'not within 5ms: /app has 2 children, not 3'],
    ['wait /app --version 3 --timeout 5ms', 'not within 5ms: /app is version 2, not 3'],
    ['wait /app --data "*ready*" --timeout 5ms', 'not within 5ms: the data of /app does not match *ready*'],
    ['wait /nope --children 3 --timeout 5ms', 'not within 5ms: /nope does not exist'],
  ] as const) {
    const it = rig(still());
    assert.equal(await it.shell.run(line), 124, line);
    assert.deepEqual(
      it.told.map(({ failure }) => failure.message),
      [what],
    );
  }
});

test('a duration is shown as short as it can be typed', () => {
  for (const text of ['0ms', '5ms', '1.5s', '10s', '90s', '2m', '1h', '3d'])
    assert.equal(showDuration(parseDuration(text)), text);
});

test('a persistent node is held by nobody, in words and once', async () => {
  const it = rig(still());
  assert.equal(await it.shell.run('who /app'), 1);
  assert.deepEqual(it.warned, ['nobody holds /app: it is persistent']);
  const screen = { theme: await makeTheme(false, false), width: 80, now: 0 };
  assert.deepEqual(
    it.shown.flatMap((output) => toHuman(output, screen)),
    [],
  );
  const both = rig(still());
  assert.equal(await both.shell.run('who /app /app'), 1);
  assert.deepEqual(both.warned, ['nobody holds the 2 persistent nodes named']);
});

test('an option and its value stay on one line of a usage, and what a command is also called on its own', () => {
  for (const spec of registry.all)
    for (const width of [80, 48]) {
      const rows = foldPage(pageOf(spec), width);
      const from = rows.findIndex((row) => row.startsWith('usage: '));
      for (const row of rows.slice(from, rows.indexOf('', from))) {
        assert.equal(row.split('[').length, row.split(']').length, `${width} columns: ${row}`);
        assert.doesNotMatch(row, /\S.*also called/);
      }
    }
});

test('what would change is shown as differences are, within the width, without the ACL that says nothing', async () => {
  const changes: Change[] = [
    {
      kind: 'set',
      path: '/a',
      version: 1,
      before: bytes('{"level":"info"}'),
      after: bytes('{"level":"warn","pool":[1,2]}'),
    },
    { kind: 'create', path: '/a-rather-long-name/of-a-node', after: bytes('"x" and more'), note: 'world:anyone:cdrwa' },
    { kind: 'create', path: '/b', after: null, note: 'ephemeral world:anyone:r' },
    { kind: 'acl', path: '/c', version: 0, note: 'world:anyone:cdrwa -> world:anyone:r' },
    { kind: 'delete', path: '/d', version: 2 },
  ];
  const screen = { theme: await makeTheme(false, false), width: 40, now: 0 };
  assert.deepEqual(toHuman({ type: 'plan', changes, summary: 'would do it' }, screen), [
    ' ~ /a  v1',
    '     {',
    '   -   "level": "info"',
    '   +   "level": "warn",',
    '   +   "pool": [',
    '   +     1,',
    '   +     2',
    '   +   ]',
    '     }',
    ' + /a-rather-long-name/of-a-node',
    `     '"x" and more'`,
    ' + /b                    (null)',
    '     ephemeral',
    '     acl world:anyone:r',
    ' ~ /c  v0',
    '     acl world:anyone:cdrwa ->',
    '     world:anyone:r',
    ' - /d  v2',
    'would do it.  Nothing was sent.',
  ]);
});

test('what is said of examples, options and arguments stands beside all of a list, or below each of it', () => {
  for (const spec of registry.all)
    for (const width of [80, 48]) {
      const rows = foldPage(pageOf(spec), width);
      for (const title of ['arguments:', 'options:', 'examples:']) {
        const from = rows.indexOf(title);
        if (from < 0) continue;
        const list = rows.slice(from + 1, rows.indexOf('', from) < 0 ? undefined : rows.indexOf('', from));
        const isBeside = (row: string): boolean => /^ {2}\S.* {2,}\S/.test(row);
        const isBelow = list.some(
          (row, at) => /^ {6}\S/.test(row) && !/^ {6}/.test(list[at - 1] ?? '') && !isBeside(list[at - 1] ?? ''),
        );
        if (isBelow) assert.deepEqual(list.filter(isBeside), [], `${spec.name} at ${width} columns, ${title}`);
      }
    }
});

test('nobody meant the name that was typed', async () => {
  const it = rig(still());
  assert.equal(await it.shell.run('get /gone'), 10);
  assert.equal(it.told[0]?.failure.hint, undefined);
  assert.equal(await it.shell.run('get /gon'), 10);
  assert.equal(it.told[1]?.failure.hint, 'did you mean /gone ?');
});

test('the playground introduces itself within 80 columns', () => {
  for (const line of [...serverBanner('127.0.0.1:65535'), ...ensembleBanner(99)]) assert.ok(line.length <= 80, line);
});

test('a number that cannot be meant is refused before anything is sent', async () => {
  for (const [line, message] of [
    ['deleteall -b 0 /app', 'deleteall: -b is at least 1'],
    ['deleteall -b -1 /app', 'deleteall: -b is at least 1'],
    ['deleteall --limit -1 /app', 'deleteall: --limit must not be negative'],
    ['find /app -depth -1', 'find: -depth and -limit must not be negative'],
    ['find /app -limit -1', 'find: -depth and -limit must not be negative'],
    ['wait /app --children -1', 'wait: --children and --version must not be negative'],
    ['wait /app --version -1', 'wait: --children and --version must not be negative'],
    ['history -1', 'history: COUNT must not be negative'],
    ['ensemble scale demo 3 --observers -1', 'ensemble scale: --observers must not be negative'],
  ] as const) {
    const it = rig(undefined, {}, new Map(), { history: ['ls', 'pwd'] });
    assert.equal(await it.shell.run(line), 2, line);
    assert.equal(it.told[0]?.failure.message, message);
    assert.equal(it.sessions, 0, line);
  }
  const it = rig(undefined, {}, new Map(), { history: ['ls', 'pwd'] });
  assert.equal(await it.shell.run('history 0'), 0);
  assert.deepEqual(it.shown.at(-1), { type: 'fields', fields: [], json: [] });
});
