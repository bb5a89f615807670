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

test('an option is red only where the line would be refused for it', () => {
  for (const [text, spans] of [
    ['set -n /a x', ['command:set', 'option:-n']],
    ['set --dry-run /a x', ['command:set', 'option:--dry-run']],
    ['get -n /a', ['command:get', 'badOption:-n']],
    ['find / -name x', ['command:find', 'option:-name']],
    ['find / -na', ['command:find', 'option:-na']],
    ['find / -naem x', ['command:find', 'badOption:-naem']],
    ['find / -mtime -h -count', ['command:find', 'option:-mtime', 'option:-count']],
    ['ls -Rw /', ['command:ls', 'option:-Rw']],
    ['ls -Rq /', ['command:ls', 'badOption:-Rq']],
    ['set -v3 /a x', ['command:set', 'option:-v3']],
    ['set --at=.x /a x', ['command:set', 'option:--at=.x']],
    ['ls --lim', ['command:ls', 'option:--lim']],
    ['repeat 3 get -s /a', ['command:repeat']],
    ['each /a/* do get -s {}', ['command:each']],
    ['let x=1 -y', ['command:let', 'badOption:-y']],
    ['reconfig -add x -remove 2', ['command:reconfig', 'option:-add', 'option:-remove']],
  ] as const)
    assert.deepEqual(coloured(text), spans, text);
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
