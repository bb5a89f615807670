/** What Tab offers, and how it is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registry } from '../../src/commands/index.ts';
import { complete } from '../../src/shell/complete.ts';
import { type NodeReader, PathSource } from '../../src/shell/path-source.ts';

const NAMES = ["quote'd", 'plain', 'with blank', 'line\nbreak', 'star*'];
const server: NodeReader = {
  getChildren: async () => ({ children: NAMES }),
  exists: async (path) => ({ numChildren: path === '/app' ? NAMES.length : 0, ephemeralOwner: 0n, dataLength: 0 }),
};

async function completed(line: string, asked: string[] = []) {
  const paths = new PathSource(
    () => Promise.resolve(server),
    () => 0,
  );
  const pathsOf = (profile: string): PathSource => {
    asked.push(profile);
    return paths;
  };
  const none = (): [] => [];
  return complete(line, line.length, false, {
    ...{ registry, cwd: '/', paths, settings: none, settingValues: none, hosts: none, topics: none },
    ...{ watched: none, files: none, ensembleWords: none, pathsOf, profiles: () => ['prod', 'test'] },
    variables: () => ['_', 'cwd', 'env:HOME', 'env:HOST', 'env:PATH'],
  });
}
/** The line with each candidate in its place. */
async function lines(line: string): Promise<string[]> {
  const { from, to, candidates } = await completed(line);
  return candidates.map(({ text }) => line.slice(0, from) + text + line.slice(to));
}

test('a quote that cannot hold the name gives way to one that can', async () => {
  for (const [line, wanted] of [
    ["get '/app/q", `get "/app/quote'd"`],
    ["get '/app/w", "get '/app/with blank'"],
    ['get "/app/q', `get "/app/quote'd"`],
    ["get '/app/l", "get $'/app/line\\nbreak'"],
    ['get "/app/l', "get $'/app/line\\nbreak'"],
    ['get /app/q', `get "/app/quote'd"`],
  ] as const)
    assert.deepEqual(await lines(line), [wanted], line);
});

test('words that are known are offered where no list closes them', async () => {
  assert.deepEqual(await lines('addauth dig'), ['addauth digest', 'addauth digest256']);
  assert.deepEqual(await lines('find / -acl w'), ['find / -acl world']);
  assert.deepEqual(await lines('undo '), ['undo list', 'undo clear']);
});

test('inside $( a command is completed like any other', async () => {
  assert.deepEqual(await lines('let x = $(getAc'), ['let x = $(getAcl']);
  assert.deepEqual(await lines('let x = $(get /app/p'), ['let x = $(get /app/plain']);
});

test('the environment is offered behind its prefix, and only its prefix before', async () => {
  assert.deepEqual(await lines('echo ${env:H'), ['echo ${env:HOME}', 'echo ${env:HOST}']);
  assert.deepEqual(await lines('echo ${'), ['echo ${_}', 'echo ${cwd}', 'echo ${env:']);
});

test('between the braces of a transaction only its operations are offered', async () => {
  assert.deepEqual(await lines('txn { create /x y ; se'), ['txn { create /x y ; set']);
  const all = await lines('txn { ');
  assert.deepEqual(all.toSorted(), ['txn { check', 'txn { create', 'txn { delete', 'txn { set']);
  assert.ok((await lines('txn { set /a b } ; se')).length > 1, 'behind them everything is');
});

test('what the words before make of a word decides what is offered', async () => {
  assert.ok((await lines('acl add /app wor')).includes('acl add /app world:anyone:'));
  assert.deepEqual(await lines('acl digest bo'), []);
  assert.deepEqual(await lines('acl diff /app /app/p'), ['acl diff /app /app/plain']);
  assert.deepEqual(await lines('assert exists /app/plain '), []);
});

test('names of commands are never quoted', async () => {
  assert.deepEqual(await lines('?'), ['?']);
});

test('what only has the letters of what was typed is a guess', async () => {
  assert.equal((await completed('get /app/ta')).isGuess, true);
  assert.equal((await completed('get /app/PL')).isGuess, undefined);
  assert.equal((await completed('get /app/w')).isGuess, undefined);
});

test('behind the mark of a profile the nodes of its ensemble are offered, quoted as a whole where they must be', async () => {
  assert.deepEqual(await lines('cp /app @'), ['cp /app @prod:', 'cp /app @test:']);
  assert.deepEqual(await lines('cp /app @prod:/app/pl'), ['cp /app @prod:/app/plain']);
  assert.deepEqual(await lines('mirror @prod:/app/w'), ["mirror '@prod:/app/with blank'"]);
  assert.deepEqual(await lines("diff '@prod:/app/w"), ["diff '@prod:/app/with blank'"]);
  const asked: string[] = [];
  const { more, candidates } = await completed('cp -r @prod:/app/', asked);
  assert.deepEqual(asked, ['prod']);
  const plain = candidates.filter(({ text }) => text.endsWith('plain'));
  assert.deepEqual(
    plain.map(({ text, display }) => [text, display]),
    [['@prod:/app/plain', 'plain']],
  );
  assert.deepEqual(await more?.(plain), plain);
  // of what is no profile nobody is asked
  const none: string[] = [];
  assert.deepEqual((await completed('cp /app @prodd:/app/', none)).candidates, []);
  assert.deepEqual(none, []);
});
