import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { before } from '../../src/base/width.ts';
import { COMMANDS } from '../../src/editor/commands.ts';
import type { Key } from '../../src/editor/keys.ts';
import { Painter } from '../../src/editor/painter.ts';
import { plainRow } from '../../src/editor/plain.ts';
import { type Frame, layoutText, render, type View } from '../../src/editor/render.ts';
import { draw, update } from '../../src/editor/screen.ts';
import { LineState } from '../../src/editor/state.ts';
import type { Span } from '../../src/editor/types.ts';
import { type Surroundings, styleRuns, viewOf } from '../../src/editor/view.ts';
import { lateIf, timely } from '../patience.ts';
import { Emulator } from './emulator.ts';

const PROMPT = '\x1b[1;32mlocal\x1b[0m:/\x1b[31m>\x1b[0m ';
const view = (text: string, cursor = text.length, rest: Partial<View> = {}): View => ({
  prompt: PROMPT,
  continuation: '...> ',
  text,
  cursor,
  styles: [],
  ghost: '',
  below: [],
  ...rest,
});
const shows = (frame: Frame, columns: number): string[] => {
  const screen = new Emulator(columns, 50);
  screen.write(draw(frame));
  assert.deepEqual([screen.row, screen.column], [frame.cursorRow, frame.cursorColumn]);
  return screen.screen();
};
const plainOf = (one: View, columns: number, height = 24): string[] =>
  shows(render(one, columns, height, false), columns);

test('text wraps at the edge, wide characters as a whole, and a full row puts the cursor on the next', () => {
  assert.deepEqual(plainOf(view('get /app'), 20), ['local:/> get /app']);
  assert.deepEqual(plainOf(view('get /application'), 20), ['local:/> get /applic', 'ation']);
  assert.deepEqual(plainOf(view('0123456789日本'), 20), ['local:/> 0123456789', '日本']);
  const full = render(view('01234567890'), 20, 24, false);
  assert.deepEqual([full.cursorRow, full.cursorColumn, full.rows.length], [1, 0, 2]);
  const inside = render(view('01234567890x', 11), 20, 24, false);
  assert.deepEqual([inside.cursorRow, inside.cursorColumn], [1, 0]);
  assert.deepEqual(plainOf(view('a "b\nc\td'), 20), ['local:/> a "b', '...> c  d']);
  assert.deepEqual(plainOf(view('a\x1b[2Jb'), 20), ['local:/> a^[[2Jb']);
});

test('a newline behind a row that ASCII fills leaves no empty row', () => {
  assert.deepEqual(plainOf(view('0123456789a\nnext line', 0), 20), ['local:/> 0123456789a', '...> next line']);
});

test('a syllable of four letters takes the cells that terminals give them, and parts only between letters', () => {
  const syllable = '\u0915\u094d\u0937\u093f'; // three cells: the second letter is a mark
  assert.equal(layoutText(view(`x${syllable}`), 40, false).cursorColumn, 13);
  const parted = render(view(`012345678${syllable}`, 0), 20, 24, false).rows;
  assert.deepEqual(
    parted.map((row) => row.text.replace(/\x1b\[[?0-9]*[A-Za-z]|[\r ]/g, '')),
    ['local:/>012345678\u0915\u094d', '\u0937\u093f'],
  );
  assert.equal(layoutText(view('\u1112\u1112'), 40, false).cursorColumn, 13);
});

test('what was made visible once is not made so again', () => {
  const below = [[{ text: '> \u25cc\u200b ^I', style: '' }]];
  const frame = render(view('', 0, { below }), 40, 24, false);
  assert.deepEqual([frame.rows[1]?.text, frame.rows[1]?.width], ['> \u25cc\u200b ^I', 6]);
});

test('the prompt keeps its colours and nothing else of its codes', () => {
  const frame = render(view('x', 1, { prompt: '\x1b[2J\x1b[31mred\x1b[0m\r\n> ' }), 40, 24, true);
  assert.equal(frame.rows[0]?.text, '\x1b[31mred\x1b[0m> x');
  assert.equal(render(view('x', 1), 40, 24, false).rows[0]?.text, 'local:/> x');
});

test('spans become colours, the later over the earlier', () => {
  const spans: Span[] = [
    { from: 0, to: 3, style: 'command' },
    { from: 4, to: 9, style: 'string' },
    { from: 6, to: 7, style: 'badOption' },
  ];
  const frame = render(view('get "abc" x', 0, { styles: styleRuns(spans, 11) }), 40, 24, true);
  assert.equal(
    frame.rows[0]?.text.replace(/^.*\x1b\[31m>\x1b\[0m /, ''),
    '\x1b[1mget\x1b[0m \x1b[32m"a\x1b[0m\x1b[31mb\x1b[0m\x1b[32mc"\x1b[0m x',
  );
});

test('a ghost stays in its row', () => {
  assert.deepEqual(plainOf(view('ge', 2, { ghost: 't /app/config/and/more' }), 20), ['local:/> get /app/c']);
  assert.deepEqual(plainOf(view('ge', 2, { ghost: 't "a\nb' }), 20), ['local:/> get "a']);
});

test('half a word of a synopsis is not shown', () => {
  const of = (ghost: string, columns: number): string[] =>
    plainOf(view('get', 3, { ghost, isSynopsis: true }), columns);
  assert.deepEqual(of(' [-s] [-w] PATH...', 27), ['local:/> get [-s] [-w]']);
  assert.deepEqual(of(' [-s] [-w] PATH...', 32), ['local:/> get [-s] [-w] PATH...']);
  assert.deepEqual(of(' PATH...', 17), ['local:/> get']);
});

test('a text higher than the screen shows the rows around the cursor', () => {
  const text = Array.from({ length: 30 }, (_, i) => `row ${i}`).join('\n');
  assert.deepEqual(plainOf(view(text), 20, 4), ['...> row 26', '...> row 27', '...> row 28', '...> row 29']);
  assert.deepEqual(plainOf(view(text, 0), 20, 3), ['local:/> row 0', '...> row 1', '...> row 2']);
  const below = Array.from({ length: 10 }, (_, i) => [{ text: `menu ${i}`, style: '' }]);
  assert.deepEqual(plainOf(view(text, text.length, { below }), 20, 4), [
    '...> row 28',
    '...> row 29',
    'menu 0',
    'menu 1',
  ]);
});

test('one row only in which nothing fits does not hang', () => {
  for (const columns of [1, 2, 3]) assert.ok(render(view('日本\tx'), columns, 5, true).rows.length <= 5);
});

test('a pasted megabyte does not make keys slow', () =>
  timely(() => {
    const state = new LineState({
      isComplete: () => true,
      history: { lines: () => [], add: () => {} },
      plain: false,
      hints: true,
    });
    const start = process.cpuUsage();
    for (const text of ['x'.repeat(1e6), '日本'.repeat(3e4), 'e\u0301'.repeat(3e4), '👍🏽'.repeat(3e4)]) {
      state.press({ type: 'key', name: 'C-u' });
      state.press({ type: 'paste', text });
      for (const name of ['M-b', 'M-f', 'Left', 'Backspace']) state.press({ type: 'key', name });
      assert.equal(render(view(state.text, state.cursor), 80, 24, true).rows.length, 24);
    }
    // what grows with the square takes many seconds
    const { user } = process.cpuUsage(start);
    return lateIf(user >= 3e6, `it took ${user / 1e6} s`);
  }));

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T;
const TEXTS = ['a', 'get ', 'abcdefghijkl', '/app', '日', '本語', 'e\u0301', ' ', '"', '\t', '👍', '\x07'];

function randomView(random: Random, columns: number): View {
  let text = '';
  for (let count = random.below(40); count > 0; count--) text += random.below(12) === 0 ? '\n' : pick(random, TEXTS);
  const cuts = [0, ...[...new Intl.Segmenter().segment(text)].map((one) => one.index + one.segment.length)];
  const styles = styleRuns(
    [{ from: random.below(5), to: random.below(30), style: pick(random, ['string', 'option']) }],
    text.length,
  );
  const below = Array.from({ length: random.below(3) === 0 ? random.below(12) : 0 }, (_, i) => [
    { text: `menu ${i}`.slice(0, columns - 1), style: pick(random, ['', '7', '2']) },
  ]);
  return view(text, pick(random, cuts), { styles, below, ghost: random.below(3) === 0 ? 'ghost text' : '' });
}

test('any screen turned into any other is what a fresh one would be', () => {
  const random = seededRandom(1);
  for (let round = 0; round < 60; round++) {
    const columns = 6 + random.below(70);
    const height = 3 + random.below(20);
    const screen = new Emulator(columns, height);
    let old: Frame | undefined;
    for (let step = 0; step < 25; step++) {
      const frame = render(randomView(random, columns), columns, height, true);
      screen.write(old === undefined ? draw(frame) : update(old, frame, columns));
      old = frame;
      const fresh = new Emulator(columns, height);
      fresh.write(draw(frame));
      const first = screen.row - frame.cursorRow;
      assert.equal(screen.column, fresh.column, `round ${round} step ${step}`);
      for (let row = 0; row < height; row++)
        if (first + row < screen.top + height)
          assert.equal(screen.styled(first + row), fresh.styled(row), `round ${round} step ${step} row ${row}`);
    }
  }
});

test('nothing is written when nothing changed, and little when little did', () => {
  const long = view('get /some/path "with a string"');
  const frame = render(long, 40, 24, true);
  assert.equal(update(frame, render(long, 40, 24, true), 40), '');
  const next = render(view(`${long.text}x`), 40, 24, true);
  const two = render(view(`x\n${long.text}x`), 40, 24, true);
  const three = render(view(`x\n${long.text}xy`), 40, 24, true);
  assert.ok(update(frame, next, 40).length < 100);
  // the row above is left alone
  assert.doesNotMatch(update(two, three, 40), /local/);
});

/** Keys, lines from elsewhere and resizes in any order; the screen must hold what was printed, then the line, then nothing. */
function live(seed: number, resizes: boolean): void {
  const random = seededRandom(seed);
  const screen = new Emulator(80, 60);
  const painter = new Painter(screen, false, true);
  const history = { lines: () => ['get /app', 'ls /日本語', 'set /x "a\nb"'], add: () => {} };
  let state = new LineState({ isComplete: (text) => !text.includes('"'), history, plain: false, hints: true });
  const names = Object.keys(COMMANDS).filter((name) => !name.includes(' ') && name !== 'C-l');
  const printed: string[] = [];
  const surroundings = (): Surroundings => ({
    prompt: PROMPT,
    continuation: '...> ',
    spans: [{ from: 0, to: 3, style: 'command' }],
    hint: '[-s] PATH',
    columns: screen.columns,
    height: screen.rows,
    color: true,
  });
  const current = (): View => viewOf(state, surroundings());
  painter.begin();
  painter.show(current());
  for (let step = 0; step < 120; step++) {
    const dice = random.below(20);
    if (dice === 0 && resizes) {
      screen.resize(20 + random.below(100), 60);
      painter.resized();
    } else if (dice === 1) {
      const line = `event ${step} ${'e'.repeat(1 + random.below(30))}`;
      printed.push(line);
      painter.above(`${line}\n`, current());
    } else if (dice === 2 || state.text.length > 150) {
      const text = state.text.replaceAll('\t', ' ');
      if (!/[\n\x07]/.test(text) && state.search === undefined) {
        printed.push(`local:/> ${text}`.trimEnd());
        painter.leave(current(), '');
        state = new LineState(state.rules, state.kills);
        painter.begin();
      } else state.buffer.set('', 0);
    } else {
      const key: Key =
        dice < 12
          ? { type: 'text', text: pick(random, ['a', 'get ', '/', '日', 'e\u0301', '👍']) }
          : { type: 'key', name: pick(random, names) };
      for (const effect of state.press(key))
        if (effect.type === 'complete')
          state.answer(effect.id, {
            from: before(effect.text, effect.cursor),
            to: effect.cursor,
            candidates: Array.from({ length: random.below(40) }, (_, i) => ({
              text: `cand-${i}`,
              ...(random.below(2) === 0 && { note: 'a note 日本' }),
            })),
            ...(random.below(2) === 0 && { message: 'no permission' }),
          });
    }
    state.columns = screen.columns;
    painter.show(current());

    const frame = render(current(), screen.columns, screen.rows, true);
    const fresh = new Emulator(screen.columns, 60);
    fresh.write(draw(frame));
    const first = screen.row - frame.cursorRow;
    const where = `seed ${seed} step ${step}\n${screen.all().join('\n')}`;
    assert.equal(screen.column, fresh.column, where);
    for (let row = first; row < screen.lines.length; row++)
      assert.equal(screen.styled(row), fresh.styled(row - first), `row ${row - first} ${where}`);
    assert.deepEqual(screen.logical(0, first), printed, where);
  }
}

test('random keys and lines from elsewhere leave the screen as a fresh one', () => {
  for (let seed = 1; seed <= 25; seed++) live(seed, false);
});

test('random keys, lines from elsewhere and resizes leave the screen as a fresh one', () => {
  for (let seed = 101; seed <= 140; seed++) live(seed, true);
});

test('a resize leaves nothing of the line behind, wherever the cursor stood', () => {
  const text = 'get /app/日本語/config and "a string that is long enough to wrap" -x 👍 and more words until the end';
  for (const [from, to] of [
    [100, 99],
    [100, 70],
    [100, 31],
    [60, 25],
    [40, 100],
    [30, 29],
  ] as const)
    for (const cursor of [0, 9, 25, 40, 60, 80, text.length]) {
      const screen = new Emulator(from, 40);
      const painter = new Painter(screen, false, true);
      screen.write('printed before\r\n');
      painter.begin();
      painter.show(view(text, cursor));
      screen.resize(to, 40);
      painter.resized();
      painter.show(view(text, cursor));
      const expected = plainOf(view(text, cursor), to, 40);
      assert.deepEqual(screen.all(), ['printed before', ...expected], `${from} to ${to} at ${cursor}`);
    }
});

test('the menu keeps to ten rows, says which, and stands below its word', () => {
  const state = new LineState({
    isComplete: () => true,
    history: { lines: () => [], add: () => {} },
    plain: false,
    hints: false,
  });
  const ask = (text: string, count: number, note?: string, display = false): string[] => {
    state.press({ type: 'key', name: 'C-u' });
    state.press({ type: 'text', text });
    const [effect] = state.press({ type: 'key', name: 'Tab' });
    assert.ok(effect?.type === 'complete');
    const candidates = Array.from({ length: count }, (_, i) => ({
      text: `/app/n${i}`,
      ...(display && { display: `n${i}` }),
      ...(note !== undefined && { note }),
    }));
    state.answer(effect.id, { from: 4, to: text.length, candidates });
    return plainOf(
      viewOf(state, { prompt: '> ', continuation: '', spans: [], hint: '', columns: 40, height: 24, color: false }),
      40,
    );
  };
  assert.deepEqual(ask('get /app/', 2, '3 children', true), [
    '> get /app/n',
    '           n0   3 children',
    '           n1   3 children',
  ]);
  state.press({ type: 'key', name: 'Tab' });
  assert.equal(ask('get /app/', 30, 'note').length, 1 + 10 + 1);
  const wide = ask('get /app/', 100);
  assert.equal(wide[0], '> get /app/n');
  assert.equal(wide[1], '  /app/n0     /app/n1     /app/n2');
  assert.equal(wide.at(-1), '  1 to 30 of 100');
  for (let i = 0; i < 31; i++) state.press({ type: 'key', name: 'Tab' });
  const scrolled = plainOf(
    viewOf(state, { prompt: '> ', continuation: '', spans: [], hint: '', columns: 40, height: 24, color: false }),
    40,
  );
  assert.equal(scrolled[1], '> /app/n30    /app/n31    /app/n32');
  assert.equal(scrolled.at(-1), '  31 to 60 of 100');
});

test('a plain row has an entry a cell, also for marks on a caret and for syllables', () => {
  const cellsOf = (text: string): readonly string[] => plainRow(view(text, text.length, { prompt: '' }), 40).cells;
  assert.deepEqual(cellsOf('^\u0301x'), ['^\u0301', 'x']);
  assert.deepEqual(cellsOf('\u0915\u094d\u0937\u093f'), ['\u0915\u094d', '\u0937', '\u093f']);
  assert.deepEqual(cellsOf('\u1112\u1112'), ['\u1112', '', '\u1112', '']);
  assert.deepEqual(cellsOf('\x01'), ['^', 'A']);
});

test('a plain terminal is served with printing and backspaces alone', () => {
  const random = seededRandom(9);
  for (let round = 0; round < 200; round++) {
    const screen = new Emulator(24, 10);
    const painter = new Painter(screen, true, false);
    painter.begin();
    let cursorRow = 0;
    for (let step = 0; step < 20; step++) {
      let text = '';
      for (let count = random.below(20); count > 0; count--) text += pick(random, ['a', 'bc', ' ', '日', 'e\u0301']);
      const cuts = [0, ...[...new Intl.Segmenter().segment(text)].map((one) => one.index + one.segment.length)];
      const cursor = pick(random, cuts);
      painter.show(view(text, cursor));
      assert.doesNotMatch(screen.received, /\x1b/);
      assert.equal(screen.row, cursorRow);
      const shown = screen.text(screen.row);
      if ([...`local:/> ${text}`].length * 2 < 23) {
        const fresh = new Emulator(24, 10);
        fresh.write(`local:/> ${text.slice(0, cursor)}`);
        assert.equal(screen.column, fresh.column);
        assert.equal(shown, `local:/> ${text}`.trimEnd());
      }
    }
    painter.leave(view('end'), '');
    cursorRow = screen.row;
    assert.equal(screen.text(cursorRow - 1), 'local:/> end');
  }
});

test('a terminal that cannot move the cursor gets of a picture what has the same cells everywhere', () => {
  const cells = (text: string): string => plainRow(view(text), 40).cells.join('').slice('local:/> '.length);
  assert.equal(cells('👨‍👩‍👧x'), '👨x');
  assert.equal(cells('👍🏽x'), '👍x');
  assert.equal(cells('🇩🇪x'), 'DEx');
  assert.equal(cells('🇫x'), 'F x');
  assert.equal(cells('❤️x'), '❤ x');
});
