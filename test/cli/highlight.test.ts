/** Colours and hints of a line while it is typed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highlight, hint } from '../../src/cli/highlight.ts';
import { registry } from '../../src/commands/index.ts';

/** What is coloured, as `style:text`. */
const coloured = (text: string, { collects = false, missing = [] as string[] } = {}): string[] =>
  highlight(text, registry, { collects, exists: (path) => !missing.includes(path) }).map(
    ({ from, to, style }) => `${style}:${text.slice(from, to)}`,
  );

test('a line is coloured by what its words are', () => {
  for (const [text, spans] of [
    ['get /a', ['command:get']],
    ['GET -s /a', ['command:GET', 'option:-s']],
    ['get -Q /a', ['command:get', 'badOption:-Q']],
    ['get -- -Q', ['command:get']],
    ['ge', ['dim:ge']],
    ['gte /a', ['unknown:gte']],
    ["set /a 'b c' # why", ['command:set', "string:'b c'", 'dim:# why']],
    ['set /a -1', ['command:set']],
    ['ls /; get /b', ['command:ls', 'command:get']],
    ['exists /a && nope', ['command:exists', 'unknown:nope']],
    // a file is no command, even one that is called like it, and no node
    ['get /a > /tmp/file ', ['command:get']],
    ['get /a >> set ', ['command:get']],
    ['get /a > file; nope x', ['command:get', 'unknown:nope']],
    ['ls / | grep x', ['command:ls']],
  ] as const)
    assert.deepEqual(coloured(text), spans, text);
  assert.deepEqual(
    coloured('get /a /b', { missing: ['/a', '/b'] }),
    ['command:get', 'path:/a'],
    'one being typed is left',
  );
  assert.deepEqual(coloured('set /a x', { collects: true }), ['dim:set'], 'it waits in a transaction');
});

test('what may follow is hinted at behind a finished word', () => {
  for (const [text, wanted] of [
    ['get', ''],
    ['cp ', '[OPTION...] SRC... DST...'],
    ['set /a ', '[DATA]'],
    ['ls / > ', ''],
    ['ls / > set ', ''],
    ['ls /; cd ', '[PATH]'],
    ["get 'a ", ''],
    ['assert exists /a ', ''],
    ['assert data /a ', '[VALUE]'],
    ['counter get /a ', ''],
    ['queue take /a ', ''],
  ] as const)
    assert.equal(hint(text, registry), wanted, text);
});
