import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zxid } from '../../src/base/ids.ts';
import type { EventType } from '../../src/client/api.ts';
import { MAX_SET_WATCHES_BYTES, setWatchesBodies, type TableKind, WatchTable } from '../../src/client/watches.ts';

const KINDS: TableKind[] = ['data', 'exists', 'children', 'persistent', 'persistentRecursive'];

/** Which kinds of watch on /a hear of an event on a path, and which of them stay. */
const matrix: [type: EventType, path: string, hear: string, stay: string][] = [
  ['NodeCreated', '/a', 'data exists persistent persistentRecursive', 'children persistent persistentRecursive'],
  ['NodeDataChanged', '/a', 'data exists persistent persistentRecursive', 'children persistent persistentRecursive'],
  ['NodeDeleted', '/a', KINDS.join(' '), 'persistent persistentRecursive'],
  ['NodeChildrenChanged', '/a', 'children persistent', 'data exists persistent persistentRecursive'],
  ['NodeCreated', '/a/b', 'persistentRecursive', KINDS.join(' ')],
  ['NodeDataChanged', '/a/b/c', 'persistentRecursive', KINDS.join(' ')],
  ['NodeDeleted', '/a/b', 'persistentRecursive', KINDS.join(' ')],
  ['NodeChildrenChanged', '/a/b', '', KINDS.join(' ')],
  ['NodeDeleted', '/ab', '', KINDS.join(' ')],
  ['NodeDeleted', '/', '', KINDS.join(' ')],
];
for (const [type, path, hear, stay] of matrix)
  test(`${type} on ${path}: heard by ${hear || 'nobody'} on /a`, () => {
    const table = new WatchTable<string>();
    for (const kind of KINDS) table.add(kind, '/a', kind);
    assert.equal(table.take(type, path).join(' '), hear);
    assert.equal(KINDS.filter((kind) => table.has(kind, '/a')).join(' '), stay);
  });

test('a watcher in several places hears an event once, and a recursive watch on the root hears all', () => {
  const table = new WatchTable<string>();
  for (const kind of KINDS) table.add(kind, '/a', 'w');
  table.add('persistentRecursive', '/', 'w');
  table.add('persistentRecursive', '/', 'root');
  assert.deepEqual(table.take('NodeDeleted', '/a'), ['w', 'root']);
  assert.deepEqual(table.take('NodeCreated', '/x/y'), ['w', 'root']);
});

test('for an event told before, only one-shot watches are left to hear it', () => {
  const table = new WatchTable<string>();
  table.add('children', '/a', 'child');
  table.add('persistent', '/a', 'stays');
  assert.deepEqual(table.take('NodeDeleted', '/a', true), ['child']);
  assert.equal(table.has('persistent', '/a'), true);
});

test('setWatches is cut into packets below the limit that together name every path once', () => {
  const table = new WatchTable<string>();
  const wanted = new Set<string>();
  for (let i = 0; i < 3000; i++) {
    const kind = KINDS[i % 3] as TableKind;
    const path = `/${'p'.repeat(100)}${i}${'é'.repeat(10)}`;
    table.add(kind, path, 'w');
    wanted.add(path);
  }
  const bodies = setWatchesBodies(table, 7n as Zxid);
  assert.ok(bodies.length > 2);
  const seen: string[] = [];
  for (const body of bodies) {
    assert.equal(body.relativeZxid, 7n);
    const paths = [...body.dataWatches, ...body.existWatches, ...body.childWatches];
    const bytes = paths.reduce((sum, path) => sum + 4 + Buffer.byteLength(path), 48);
    assert.ok(bytes <= MAX_SET_WATCHES_BYTES && bytes > 0, `${bytes} bytes`);
    seen.push(...paths);
  }
  assert.equal(seen.length, wanted.size);
  assert.deepEqual(new Set(seen), wanted);
});

test('a child watch beside a recursive one goes into the last packet, all others into the first', () => {
  const table = new WatchTable<string>();
  for (const kind of KINDS) table.add(kind, '/a', 'w');
  table.add('children', '/b', 'w');
  const bodies = setWatchesBodies(table, 1n as Zxid);
  assert.deepEqual(
    bodies.map((body) => [body.childWatches, body.persistentRecursiveWatches]),
    [
      [['/b'], ['/a']],
      [['/a'], []],
    ],
  );
  assert.deepEqual(
    setWatchesBodies(table, 1n as Zxid, '/b').map((body) => body.childWatches),
    [['/b']],
  );
});

test('what a persistent watch reports need not be watched again', () => {
  const table = new WatchTable<string>();
  assert.equal(table.covered('data', '/a'), false);
  table.add('persistentRecursive', '/a', 'r');
  assert.deepEqual([table.covered('data', '/a'), table.covered('children', '/a')], [true, false]);
  table.add('persistent', '/a', 'p');
  assert.equal(table.covered('children', '/a'), true);
  assert.equal(table.remove('persistent', '/a', 'other'), false);
  assert.equal(table.remove('persistent', '/a', 'p'), true);
  assert.equal(table.covered('children', '/a'), false);
});
