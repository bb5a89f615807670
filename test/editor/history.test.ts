import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileHistory, redact } from '../../src/editor/history-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'zoosh-history-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = (): string => join(folder, `state-${files++}`, 'history');
const entriesOf = (file: string): unknown[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('credentials do not reach the history', () => {
  const table: readonly (readonly [string, string])[] = [
    ['addauth digest bob:secret', 'addauth digest ****'],
    ['ADDAUTH digest "bob:my secret"', 'ADDAUTH digest ****'],
    ['addauth digest bob:secret; ls /', 'addauth digest ****; ls /'],
    ['addauth digest bob:se;cret && ls /', 'addauth digest **** && ls /'],
    ["ls /; addauth digest 'bob:a && b' && ls /", 'ls /; addauth digest ****'],
    ['addauth digest bob:secret more', 'addauth digest ****'],
    ['addauth digest', 'addauth digest'],
    ['connect h:1 --auth digest:bob:secret', 'connect h:1 --auth digest:****'],
    ['connect --auth=digest:bob:secret h:1', 'connect --auth=digest:**** h:1'],
    ['connect --auth "digest:bob:my secret" h:1', 'connect --auth "digest:****" h:1'],
    ["connect --auth='digest:bob:my secret", "connect --auth='digest:****'"],
    ["connect --auth $'digest:bob:x' --auth secret", "connect --auth $'digest:****' --auth ****"],
    ['connect -auth digest:bob:secret; ls', 'connect -auth digest:****; ls'],
    ['acl digest bob:secret', 'acl digest bob:****'],
    ['acl digest bob secret', 'acl digest bob ****'],
    ['acl digest bob', 'acl digest bob'],
    ['acl digest "bob:my secret"', 'acl digest "bob:****'],
    ['time acl digest bob:secret | cat', 'time acl digest bob:**** | cat'],
    ['digest bob:secret', 'digest bob:****'],
    ['digest --sha256 bob:secret eve:secret2', 'digest --sha256 bob:****'],
    ['zoosh digest bob:secret', 'zoosh digest bob:****'],
    ['!zoosh digest bob:secret | tail -1', '!zoosh digest bob:**** | tail -1'],
    ['ls / && digest bob:secret; pwd', 'ls / && digest bob:****; pwd'],
    ['-o json --nosuch digest bob:secret', '-o json --nosuch digest bob:****'],
    ['setAcl /a world:anyone:r,digest:bob:secret:cdrwa', 'setAcl /a world:anyone:r,digest:bob:****:cdrwa'],
    ['create --acl=digest:bob:secret:r /a', 'create --acl=digest:bob:****:r /a'],
    // hashes and what only looks alike
    ['setAcl /a digest:bob:x:r', 'setAcl /a digest:bob:x:r'],
    [
      'setAcl /a digest:bob:ikIaKsbtGweaHnb/jKn7OHqbunM=:cdrwa',
      'setAcl /a digest:bob:ikIaKsbtGweaHnb/jKn7OHqbunM=:cdrwa',
    ],
    [
      'create /a x digest:bob:ikIaKsbtGweaHnb/jKn7OHqbunM=:cdrwa',
      'create /a x digest:bob:ikIaKsbtGweaHnb/jKn7OHqbunM=:cdrwa',
    ],
    ['get /addauth', 'get /addauth'],
    // misspelt it is no command, and the password stands there all the same
    ['adauth digest bob:secret', 'adauth digest ****'],
    ['addath digest bob:secret; ls /', 'addath digest ****; ls /'],
    ['addauht digest bob:secret', 'addauht digest ****'],
    ['auth digest bob:secret', 'auth digest ****'],
    ['addWatch /a', 'addWatch /a'],
    ['set /a "x\ny"', 'set /a "x\ny"'],
    ['addauth digest a:b\nls /', 'addauth digest ****\nls /'],
  ];
  for (const [line, stored] of table) assert.equal(redact(line), stored, line);
  for (const [line] of table) assert.doesNotMatch(redact(line), /secret/);
});

test('lines are kept with their time and place, and read again by the next shell', () => {
  const file = fresh();
  let time = 1000;
  const context = { profile: 'prod', cwd: '/app' };
  const one = new FileHistory({ file, context: () => context, now: () => time++ });
  one.add('get /a');
  one.add(' get /hidden');
  one.add('');
  one.add('set /a "x\ny"');
  one.add('set /a "x\ny"');
  one.add('addauth digest bob:secret');
  assert.deepEqual(one.lines(), ['get /a', 'set /a "x\ny"', 'addauth digest ****']);
  assert.deepEqual(entriesOf(file)[0], { time: 1000, profile: 'prod', cwd: '/app', text: 'get /a' });
  assert.equal(entriesOf(file).length, 3);
  assert.deepEqual(new FileHistory({ file }).lines(), one.lines());
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700);
});

test('two shells share one file, in the order the lines came', () => {
  const file = fresh();
  const a = new FileHistory({ file });
  const b = new FileHistory({ file });
  a.add('a1');
  b.add('b1');
  a.add('a2');
  assert.deepEqual(b.lines(), ['a1', 'b1']);
  b.reload();
  assert.deepEqual(b.lines(), ['a1', 'b1', 'a2']);
  assert.deepEqual(a.lines(), ['a1', 'b1', 'a2']);
  b.reload();
  assert.equal(b.lines().length, 3);
});

test('what is damaged or foreign is skipped, and a torn end does not spoil the next line', () => {
  const file = fresh();
  new FileHistory({ file }).add('first');
  appendFileSync(
    file,
    'plain text\n\n[1,2]\n"x"\nnull\n{"text":5}\n{"text":""}\n{"text":"bare"}\n{"time":1,"text":"to',
  );
  const one = new FileHistory({ file });
  assert.deepEqual(one.lines(), ['first', 'bare']);
  one.add('last');
  assert.deepEqual(new FileHistory({ file }).lines(), ['first', 'bare', 'last']);
});

test('a file grown too long is cut to its newest lines, at once or not at all', () => {
  const file = fresh();
  const one = new FileHistory({ file, kept: 100, trimAt: 120 });
  const other = new FileHistory({ file, kept: 100, trimAt: 120 });
  for (let i = 0; i < 121; i++) one.add(`line ${i}`);
  assert.equal(entriesOf(file).length, 100);
  other.reload(); // the file it knew is gone
  assert.equal(other.lines().length, 100);
  assert.equal(other.lines().at(-1), 'line 120');
  other.add('after');
  one.reload();
  assert.equal(one.lines().at(-1), 'after');
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const many = fresh();
  new FileHistory({ file: many }).add('x');
  writeFileSync(
    many,
    Array.from({ length: 12_001 }, (_, i) => `{"time":${i},"profile":"","cwd":"/","text":"l${i}"}\n`).join(''),
  );
  assert.equal(new FileHistory({ file: many }).lines().at(0), 'l2001');
  assert.equal(entriesOf(many).length, 10_000);
});

test('a disk that refuses is told of once, and the lines live on in memory', () => {
  for (const file of ['/dev/null/no/history', folder]) {
    const warnings: string[] = [];
    const one = new FileHistory({ file, warn: (message) => warnings.push(message) });
    one.add('one');
    one.add('two');
    one.reload();
    assert.deepEqual(one.lines(), ['one', 'two']);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] as string, /^history is not kept: E/);
  }
});

test('a line of the same profile is proposed before a newer one of another', () => {
  const file = fresh();
  let profile = 'prod';
  const one = new FileHistory({ file, context: () => ({ profile, cwd: '/' }) });
  one.add('get /prod');
  profile = 'test';
  one.add('get /test');
  assert.equal(one.suggest('get'), 'get /test');
  profile = 'prod';
  assert.equal(one.suggest('get'), 'get /prod');
  assert.equal(one.suggest('get /t'), 'get /test');
  assert.equal(one.suggest('get /test'), undefined);
  one.clear();
  assert.deepEqual(one.lines(), []);
  assert.deepEqual(new FileHistory({ file }).lines(), []);
});
