import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import { registry } from '../../src/commands/index.ts';
import { complete } from '../../src/shell/complete.ts';
import { type NodeReader, PathSource } from '../../src/shell/path-source.ts';

test('of many names the first have notes at once, the others when they are asked for', async () => {
  const asked: string[] = [];
  const server: NodeReader = {
    getChildren: async () => ({ children: Array.from({ length: 120 }, (_, at) => `n ${at}`) }),
    exists: async (path) => {
      asked.push(path);
      return { numChildren: path === '/a' ? 120 : 1, ephemeralOwner: 0n, dataLength: 0 };
    },
  };
  const paths = new PathSource(
    () => Promise.resolve(server),
    () => 0,
  );
  const none = (): [] => [];
  const found = await complete('get "/a/', 8, false, {
    ...{ registry, cwd: '/', paths, settings: none, settingValues: none, profiles: none, hosts: none, topics: none },
    ...{ watched: none, files: none, variables: none, ensembleWords: none },
  });
  assert.deepEqual(
    found.candidates.map(({ note }) => note !== undefined),
    Array.from({ length: 120 }, (_, at) => at < 50),
  );
  asked.length = 0;
  const some = found.candidates.slice(70, 72);
  assert.deepEqual(
    (await found.more?.(some))?.map(({ text, note }) => [text, note]),
    [
      ['"/a/n 70/', '1 child'],
      ['"/a/n 71/', '1 child'],
    ],
  );
  assert.deepEqual(asked, ['/a/n 70', '/a/n 71']);
});

test('a child that may not be read costs no other one its note', async () => {
  const server: NodeReader = {
    getChildren: async () => ({ children: [] }),
    exists: async (path) => {
      if (path === '/a/hidden') throw new KeeperError('NoAuth', path);
      await new Promise((resolve) => setTimeout(resolve, 5)); // the refusal comes first
      return { numChildren: 2, ephemeralOwner: 0n, dataLength: 3 };
    },
  };
  const paths = new PathSource(
    () => Promise.resolve(server),
    () => 0,
  );
  const notes = await paths.notes('/a', ['first', 'hidden', 'last']);
  assert.deepEqual(
    notes.map((note) => note?.text),
    ['2 children  3B', undefined, '2 children  3B'],
  );
});
