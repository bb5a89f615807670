import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pointWidth } from '../../src/base/width.ts';
import { render } from '../../src/editor/render.ts';
import { draw, update } from '../../src/editor/screen.ts';
import { cells, NEWER, PRINTED, TYPED } from './alphabet.ts';
import { Xterm } from './xterm.ts';

const POINTS = [...new Set([...TYPED, ...PRINTED].join(''))].map((char) => char.codePointAt(0) as number);
const isShown = (point: number): boolean => point >= 0xa0 && point !== 0x2028 && point !== 0x202e;

test("the fuzz's table of cells, xterm's and the editor's agree on its alphabet", () => {
  const screen = new Xterm(80, 5, '6');
  for (const point of POINTS.filter((each) => each < 0x7f || isShown(each))) {
    const char = String.fromCodePoint(point);
    screen.write(`\r\x1b[Kx${char}`);
    if (!NEWER.includes(point)) assert.equal(screen.cursorColumn - 1, cells(point), `xterm: ${point.toString(16)}`);
    assert.equal(pointWidth(point), cells(point), `the editor: ${point.toString(16)}`);
  }
  screen.dispose();
});

test('the judge has emoji two cells wide, as terminals do since Unicode 9, and joins marks to what they stand on', () => {
  const screen = new Xterm(10, 3);
  screen.write('👍日e\u0301x');
  assert.deepEqual([screen.cursorColumn, screen.text(0)], [6, '👍日e\u0301x']);
  screen.write('\r12345678日本');
  assert.deepEqual([screen.text(0), screen.text(1), screen.cursorColumn], ['12345678日', '本', 2]);
  assert.deepEqual(screen.logical(0, 2), ['12345678日本']);
  screen.dispose();
});

test('half a picture that is left is a blank, and stays one where the row is wrapped behind it', () => {
  const screen = new Xterm(40, 5);
  // as the editor draws it: the modifier has no room in the cells of the digit
  screen.write(`${'a'.repeat(18)}  \x1b[2D\x1b[?7l1\ufe0f\u20e3🏽\x1b[?7h\r\x1b[20C\x1b[K👨`);
  assert.equal(screen.text(0), `${'a'.repeat(18)}1\ufe0f\u20e3 👨`);
  screen.resize(20, 5);
  assert.deepEqual(screen.logical(0, 2), [`${'a'.repeat(18)}1\ufe0f\u20e3 👨`]);
  screen.dispose();
});

test('letters that only a joiner kept apart stay apart in terminals that join what makes one', () => {
  for (const opinion of ['points', 'clusters'] as const) {
    const screen = new Xterm(20, 5, opinion);
    const text = '\u1112\u200d\u1112\u1161\u11ab//x';
    const view = { prompt: '> ', continuation: '', text, cursor: text.length, styles: [], ghost: '', below: [] };
    screen.write(draw(render(view, 20, 5, true)));
    assert.deepEqual([screen.text(0), screen.cursorColumn], ['> \u1112\u1112\u1161\u11ab//x', 9], opinion);
    screen.write('\r\x1b[4C!');
    assert.equal(screen.text(0), '> \u1112! //x', opinion);
    screen.dispose();
  }
});

test('behind a picture of several code points the cursor is right in terminals of either opinion', () => {
  const frame = (text: string) =>
    render(
      { prompt: '> ', continuation: '', text, cursor: text.length, styles: [], ghost: '', below: [] },
      20,
      5,
      true,
    );
  for (const opinion of ['points', 'clusters'] as const)
    for (const picture of ['👨‍👩‍👧', '🏳️‍🌈', '👍🏽', '🇩🇪', '🇫', '❤️', '1️⃣', '🏽'])
      for (let before = 0; before < 20; before++) {
        const screen = new Xterm(20, 5, opinion);
        const first = frame(`${'a'.repeat(before)}${picture}x`);
        screen.write(draw(first));
        const where = `${opinion} ${picture} behind ${before}`;
        const last = before + 2 + 2 < 20 ? 0 : 1;
        assert.equal(screen.cursorRow, last + (before === 15 ? 1 : 0), where);
        assert.equal(screen.cursorColumn, first.cursorColumn, where);
        assert.match(screen.text(before === 15 ? 0 : last), /x$/, where);
        screen.write(update(first, frame('a'), 20));
        assert.deepEqual([screen.text(0), screen.text(1)], ['> a', ''], where);
        screen.dispose();
      }
});
