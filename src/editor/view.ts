import { cut, textWidth } from '../base/width.ts';
import { type Grid, labelOf, type Menu } from './menu.ts';
import type { Search } from './recall.ts';
import { layoutText, type Segment, type View } from './render.ts';
import type { LineState } from './state.ts';
import type { Candidate, Span, SpanStyle } from './types.ts';

const MENU_ROWS = 10;
const STYLES: Readonly<Record<SpanStyle, string>> = {
  command: '1',
  unknown: '4;31',
  option: '36',
  badOption: '31',
  string: '32',
  dim: '2',
  path: '4',
};
const DIM = '2';
const CHOSEN = '7';
const FOUND = '1;4';

/** What the view needs besides the state. */
export interface Surroundings {
  readonly prompt: string;
  readonly continuation: string;
  readonly spans: readonly Span[];
  /** The host's ghost text, shown when the history has none. */
  readonly hint: string;
  readonly columns: number;
  readonly height: number;
  readonly color: boolean;
}

/** Spans, which may overlap, as the style from each offset on. */
export function styleRuns(spans: readonly Span[], length: number): { from: number; style: string }[] {
  if (spans.length === 0) return [];
  const edges = new Set<number>([0]);
  for (const { from, to } of spans) {
    edges.add(Math.max(0, from));
    edges.add(Math.min(to, length));
  }
  return [...edges]
    .sort((a, b) => a - b)
    .map((from) => {
      const span = spans.findLast((one) => one.from <= from && from < one.to);
      return { from, style: span === undefined ? '' : STYLES[span.style] };
    });
}

const dim = (text: string, columns: number): Segment[] => [{ text: cut(text, columns - 1).shown, style: DIM }];

/** Which rows of a menu are shown: from `top` on so many as are `visible`. */
function windowOf(menu: Menu, grid: Grid, limit: number): { readonly top: number; readonly visible: number } {
  const visible = Math.max(
    1,
    Math.min(MENU_ROWS, limit - (grid.rows > limit || grid.rows > MENU_ROWS ? 1 : 0), grid.rows),
  );
  const chosenRow = Math.max(0, Math.floor(menu.selected / grid.columns));
  return { visible, top: Math.min(Math.floor(chosenRow / visible) * visible, grid.rows - visible) };
}

/** The candidates in these rows. */
function inView(menu: Menu, columns: number, limit: number): readonly Candidate[] {
  const grid = menu.grid(columns);
  const { top, visible } = windowOf(menu, grid, limit);
  return menu.shown.slice(top * grid.columns, (top + visible) * grid.columns);
}

/** The rows of a menu: labels in columns, or one column with notes, and which part is shown when it is not all. */
export function menuRows(menu: Menu, indent: number, columns: number, limit: number): Segment[][] {
  const grid = menu.grid(columns);
  const cells = grid.label + 2;
  const full = grid.columns === 1;
  const left = full ? Math.max(0, Math.min(indent - 2, columns - 1 - cells)) : 0;
  const { top, visible } = windowOf(menu, grid, limit);
  const out: Segment[][] = [];
  for (let row = top; row < top + visible; row++) {
    const segments: Segment[] = [];
    if (left > 0) segments.push({ text: ' '.repeat(left), style: '' });
    for (let column = 0; column < grid.columns; column++) {
      const index = row * grid.columns + column;
      const one = menu.shown[index];
      if (one === undefined) break;
      const chosen = index === menu.selected;
      const label = cut(labelOf(one), grid.label);
      if (column > 0) segments.push({ text: '  ', style: '' });
      const last = column === grid.columns - 1 || index === menu.shown.length - 1;
      // blanks at a row's end would count when the terminal wraps it anew
      const padding = last && !one.note ? '' : ' '.repeat(grid.label - label.width);
      segments.push({
        text: `${chosen ? '> ' : '  '}${label.shown}${padding}`,
        style: chosen ? CHOSEN : '',
      });
      const room = columns - 1 - left - cells - 3;
      if (full && one.note && room > 3) segments.push({ text: `   ${cut(one.note, room).shown}`, style: DIM });
    }
    out.push(segments);
  }
  if (grid.rows > visible && limit > 1) {
    const last = Math.min(menu.shown.length, (top + visible) * grid.columns);
    out.push(dim(`  ${top * grid.columns + 1} to ${last} of ${menu.shown.length}`, columns));
  }
  if (menu.message !== undefined && out.length < limit) out.push(dim(`  ${menu.message}`, columns));
  return out;
}

function searchView(search: Search, surroundings: Surroundings): View {
  const { columns, height } = surroundings;
  const text = search.current ?? '';
  const { place, selected, matches } = search;
  const visible = Math.max(0, Math.min(MENU_ROWS, height - 2, matches.length));
  const top = Math.max(0, Math.min(Math.floor(selected / Math.max(1, visible)) * visible, matches.length - visible));
  const below = matches.slice(top, top + visible).map((line, index): Segment[] => {
    const chosen = top + index === selected;
    const label = `${chosen ? '> ' : '  '}${cut(line, columns - 3).shown}`;
    return [{ text: label, style: chosen ? CHOSEN : DIM }];
  });
  const end = place + search.query.length;
  return {
    prompt: `${matches.length === 0 ? 'no match' : 'search'} '${cut(search.query, Math.max(8, columns >> 1)).shown}': `,
    continuation: surroundings.continuation,
    text,
    cursor: place,
    styles:
      text === '' || search.query === ''
        ? []
        : [
            { from: place, style: FOUND },
            { from: end, style: '' },
          ],
    ghost: '',
    below,
  };
}

/** What the screen shall show of a line being edited. */
export function viewOf(state: LineState, surroundings: Surroundings): View {
  if (state.search !== undefined) return searchView(state.search, surroundings);
  const { columns, height, color } = surroundings;
  const { ghost } = state;
  const atEnd = state.cursor === state.text.length && state.menu === undefined && state.text !== '';
  const view: View = {
    prompt: surroundings.prompt,
    continuation: surroundings.continuation,
    text: state.text,
    cursor: state.cursor,
    styles: styleRuns(surroundings.spans, state.text.length),
    ghost: ghost !== '' ? ghost : atEnd && surroundings.hint !== '' ? ghostGap(state.text) + surroundings.hint : '',
    isSynopsis: ghost === '',
    below: [],
  };
  if (state.waiting) return { ...view, below: [dim('  ...', columns)] };
  if (state.message !== undefined) return { ...view, below: [dim(`  ${state.message}`, columns)] };
  if (state.menu === undefined) return view;
  const { menu } = state;
  const before = layoutText(
    { ...view, text: state.text.slice(0, menu.from), cursor: menu.from, ghost: '' },
    columns,
    color,
  );
  // labels stand below what they stand for: `worker-a/` below the last part of `/app/wor`
  const [first] = menu.shown;
  const hidden = first?.text.endsWith(labelOf(first)) ? first.text.length - labelOf(first).length : 0;
  const indent =
    before.cursorColumn + textWidth(state.text.slice(menu.from, Math.min(state.cursor, menu.from + hidden)));
  const textRows = layoutText(view, columns, color).rows.length;
  const limit = Math.max(1, Math.min(MENU_ROWS + 2, Math.max(height - textRows, height >> 1)));
  return { ...view, below: menuRows(menu, indent, columns, limit), inView: inView(menu, columns, limit) };
}

/** A synopsis stands one blank behind the text. */
const ghostGap = (text: string): string => (/\s$/.test(text) ? '' : ' ');
