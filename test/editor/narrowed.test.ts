/** What becomes of the line, and of what stands above it, when a terminal gets narrower and wraps its rows anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Painter } from '../../src/editor/painter.ts';
import type { View } from '../../src/editor/render.ts';
import { wrappedTo } from '../../src/editor/screen.ts';
import type { Opinion } from './alphabet.ts';
import { Xterm } from './xterm.ts';

const view = (text: string, cursor = text.length): View => ({
  ...{ prompt: '> ', continuation: '', text, cursor, styles: [], ghost: '', below: [] },
});

/** The rows of a screen of `from` columns with a printed line and this one, once it has `to`. */
function narrowed(text: string, cursor: number, from: number, to: number, opinion: Opinion = 'points'): string[] {
  const screen = new Xterm(from, 20, opinion);
  const painter = new Painter(screen, false, true);
  screen.write('printed before\r\n');
  painter.begin();
  painter.show(view(text, cursor));
  screen.resize(to, 20);
  painter.resized();
  painter.show(view(text, cursor));
  const rows = screen.picture(screen.length);
  while (rows.at(-1) === '') rows.pop();
  screen.dispose();
  return rows;
}

test('a line that fills the narrower rows to the last cell, the cursor behind it, leaves what stands above alone', () => {
  assert.deepEqual(narrowed('x'.repeat(18), 18, 60, 20), ['printed before', `> ${'x'.repeat(18)}`]);
  assert.deepEqual(narrowed('x'.repeat(38), 38, 60, 20), ['printed before', `> ${'x'.repeat(18)}`, 'x'.repeat(20)]);
  // on the first cell of a row the cursor went there
  assert.deepEqual(narrowed('x'.repeat(38), 18, 60, 20), ['printed before', `> ${'x'.repeat(18)}`, 'x'.repeat(20)]);
});

test('wide characters that had no room in the last cell count where the cursor went', () => {
  const text = `a${'日'.repeat(40)}`;
  for (let cursor = 0; cursor <= text.length; cursor++) {
    const rows = narrowed(text, cursor, 100, 22);
    assert.deepEqual(rows, [
      'printed before',
      `> a${'日'.repeat(9)}`,
      ...['日', '日', '日'].map((one, at) => one.repeat(at < 2 ? 11 : 9)),
    ]);
  }
});

test('which row a cell comes to stand on', () => {
  const row = { text: 'ab日日日', width: 8, soft: false };
  assert.deepEqual(
    [0, 2, 4, 6, 8].map((cell) => wrappedTo(row, 5, cell)),
    [0, 0, 1, 1, 1],
  );
  assert.equal(wrappedTo(row, 8), 0);
  assert.equal(wrappedTo(row, 4), 1);
});

test('a control character at the edge stays whole in what is left behind, and pictures behind it stand where they were', () => {
  const screen = new Xterm(20, 6);
  const painter = new Painter(screen, false, true);
  const text = `${'x'.repeat(17)}\x07🇩🇪y`;
  painter.begin();
  painter.show(view(text));
  const before = screen.picture(2);
  painter.leave(view(text), '');
  assert.deepEqual(screen.picture(2), before);
  assert.deepEqual(before, [`> ${'x'.repeat(17)}`, '^G🇩🇪y']);
  screen.dispose();
});

test('where a flag would be parted at the edge, rows are counted as by a terminal that keeps it whole', () => {
  const flags = (count: number): string => '🇩🇪'.repeat(count);
  const line = [`> ${flags(13)}`, flags(14), flags(1)];
  const at = flags(28).length;
  assert.deepEqual(narrowed(flags(28), at, 60, 29, 'clusters'), ['printed before', ...line]);
  // one that counts points has a row less above the cursor: nobody knows that, and a line is lost
  assert.deepEqual(narrowed(flags(28), at, 60, 29, 'points'), line);
});
