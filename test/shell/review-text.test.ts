import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visible, visibleLine } from '../../src/out/data.ts';
import { failureText } from '../../src/out/failures.ts';
import { inColumns, toHuman } from '../../src/out/human.ts';
import { plainTheme } from '../../src/out/theme.ts';
import { Failure } from '../../src/shell/failure.ts';
import { parse } from '../../src/shell/parser.ts';
import { quoteWord } from '../../src/shell/paths.ts';

const theme = plainTheme(true);
const ESCAPE = '\u001b]0;PWN\u0007';
const SHOWN = '\\u001b]0;PWN\\u0007';

test('what a terminal obeys is shown, not sent', () => {
  assert.equal(visible(`a${ESCAPE}\n\tb`), `a${SHOWN}\n\tb`);
  assert.equal(visibleLine('a\nb\u202ec'), 'a\\nb\\u202ec');
  assert.equal(quoteWord('a\u202eb'), "$'a\\u202eb'");
});

test('ACL ids, values and messages do not drive the terminal', () => {
  const screen = { theme, width: 80, now: 0 };
  const acl = toHuman(
    { type: 'acl', path: '/a', acl: [{ scheme: 'digest', id: ESCAPE, perms: 1 }], aversion: 0 },
    screen,
  );
  assert.deepEqual(acl, ["$'digest:\\u001b]0;PWN\\u0007:r'", ` digest:${SHOWN}: read`]);
  assert.deepEqual(toHuman({ type: 'fields', fields: [['ip', ESCAPE]] }, screen), [` ip  ${SHOWN}`]);
  assert.deepEqual(toHuman({ type: 'done', text: ESCAPE, json: null }, screen), [SHOWN]);
  const told = { failure: new Failure(10, 'NoNode', ESCAPE), command: 'ls', file: undefined, line: undefined };
  assert.equal(failureText(told, 'text', theme), `error: ${SHOWN}\n`);
});

test('more names than a call takes arguments', () => {
  const names = Array.from({ length: 200_000 }, (_, at) => `n${at}`);
  assert.equal(inColumns(names, 10).length, 200_000);
});

test('a second redirection or a pipe after one is an error', () => {
  for (const text of ['ls > f | wc', 'ls > f > g', 'ls > f >> g']) {
    const { fault, pipelines } = parse(text);
    assert.match(fault?.message ?? '', /after a redirection/, text);
    assert.deepEqual(pipelines, []);
  }
});
