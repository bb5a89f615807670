/** What every command and every error looks like, compared with the files beside; `node dist/test/screens/draw.js --write`. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { KEEPER_CODES } from '../../src/base/errors.ts';
import { registry } from '../../src/commands/index.ts';
import { EXIT_CODES } from '../../src/shell/exit-codes.ts';
import { tooWide } from './book.ts';
import { COMMANDS } from './commands.ts';
import { type Drawn, drawAll, filed } from './draw.ts';
import { ERRORS, SILENT } from './errors.ts';

let drawn: readonly Drawn[] = [];
before(async () => {
  drawn = await drawAll();
});

test('every screen is as it is filed, and no file belongs to nothing', () => {
  const files = filed();
  for (const { file, text } of drawn) {
    assert.equal(text, files.get(file), `${file} looks otherwise; draw.js --write keeps it as it is now`);
    files.delete(file);
  }
  assert.deepEqual([...files.keys()], [], 'files of no screen');
});

test('every command and every exit code has its screen', () => {
  assert.deepEqual(Object.keys(COMMANDS).sort(), registry.all.map(({ name }) => name).sort());
  const codes = Object.keys(EXIT_CODES).map(Number);
  assert.deepEqual(
    codes.filter((code) => !ERRORS.has(code)),
    Object.keys(SILENT).map(Number),
  );
  const seen = new Set<string>();
  for (const { file, pieces } of drawn)
    for (const piece of pieces) {
      if (piece.type === 'told') seen.add(piece.told.failure.code);
      if (file.startsWith('errors/') && piece.type === 'ended') seen.add(`${file} ${piece.status}`);
    }
  for (const code of ERRORS.keys()) assert.ok(seen.has(`errors/${code}.txt ${code}`), `no line ends with ${code}`);
  for (const code of Object.keys(KEEPER_CODES)) assert.ok(seen.has(code), `${code} is never seen`);
});

test('no screen sends what its terminal does not know', () => {
  assert.deepEqual(
    drawn.flatMap(({ file, page }) => page.faults.map((fault) => `${file}: ${fault}`)),
    [],
  );
});

test('no sentence runs over the edge of its screen', () => {
  const wide = drawn.flatMap(({ file, page }) =>
    page.looks.flatMap((look) => tooWide(look).map((line) => `${file} at ${look.columns}: ${line}`)),
  );
  assert.deepEqual(
    wide.filter((line) => !DATA.some((each) => each.test(line))),
    [],
  );
});

test('a duration is shown as it is typed: 12ms, 30s', () => {
  const apart = drawn.flatMap(({ file, page }) =>
    page.looks.flatMap(({ text }) =>
      text
        .split('\n')
        .filter((line) => /\d (?:ms|s|min)\b/.test(line))
        .map((line) => `${file}: ${line}`),
    ),
  );
  // the lines of bench are those of zk-latencies.py
  assert.deepEqual(
    apart.filter((line) => !/^commands\/bench.txt: (?:\w+ +\d+ | {2}\(0)/.test(line)),
    [],
  );
});

/** Lines that are data, and are not broken so that they can be copied and searched. */
const DATA: readonly RegExp[] = [
  /^commands\/4lw.txt .*Zookeeper version/, // as the server says it
  /^commands\/acl.txt .* digest:/, // an identity
  /^commands\/(?:ensemble|profile).txt .*:\d+,\S+$/, // a connect string
  /^commands\/ensemble.txt .*: \d \| /, // a line of a log
  /^commands\/watch.txt .* -> /, // an event and the data
];
