import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeeperError } from '../../src/base/errors.ts';
import { type NodeReader, PathSource } from '../../src/shell/path-source.ts';

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
