import { clusters, pointWidth } from '../base/width.ts';
import type { View } from './render.ts';
import { pieces, promptSegments } from './render.ts';

/**
 * One row for terminals without cursor movement: one entry a cell (a wide character is followed by `''`), and the cell
 * the cursor stands on. Only the row of the text that holds the cursor is shown.
 */
export interface PlainRow {
  readonly cells: readonly string[];
  readonly cursor: number;
  /** Which row of the text it is. */
  readonly row: number;
}

/** What of a picture of several code points has the same cells everywhere: its first, a flag's letters. */
function undisputed(shown: string, width: number): string {
  if (/^\p{RI}/u.test(shown))
    return [...shown]
      .map((char) => String.fromCharCode((char.codePointAt(0) as number) - 0x1f1e6 + 65))
      .join('')
      .padEnd(2);
  const first = String.fromCodePoint(shown.codePointAt(0) as number);
  const cells = pointWidth(first.codePointAt(0) as number);
  return /[\u200d\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}]/u.test(shown)
    ? first + ' '.repeat(Math.max(0, width - cells))
    : shown;
}

function push(cells: string[], text: string): void {
  for (const one of clusters(text)) {
    const isControl = one.shown.length === 2 && one.shown.startsWith('^') && text[one.index] !== '^';
    const parts: readonly { text: string; width: number }[] = isControl
      ? [...one.shown].map((char) => ({ text: char, width: 1 }))
      : one.width > 2
        ? pieces(one.shown)
        : [{ text: one.disputed ? undisputed(one.shown, one.width) : one.shown, width: one.width }];
    for (const part of parts) {
      cells.push(part.text);
      for (let extra = 1; extra < part.width; extra++) cells.push('');
    }
  }
}

/** What does not fit is cut on the side away from the cursor, and marked `<` or `>`. */
export function plainRow(view: View, columns: number): PlainRow {
  const start = view.cursor === 0 ? 0 : view.text.lastIndexOf('\n', view.cursor - 1) + 1;
  const end = view.text.indexOf('\n', view.cursor);
  const row = view.text.slice(0, start).split('\n').length - 1;
  const cells: string[] = [];
  for (const { text } of promptSegments(row === 0 ? view.prompt : view.continuation, false)) push(cells, text);
  push(cells, view.text.slice(start, view.cursor));
  const cursor = cells.length;
  push(cells, view.text.slice(view.cursor, end < 0 ? undefined : end));
  const room = Math.max(4, columns - 1);
  if (cells.length <= room && cursor < room) return { cells, cursor, row };
  const step = Math.max(1, room >> 1);
  const skip = cursor < room - 1 ? 0 : (Math.floor((cursor - room + 1) / step) + 1) * step;
  const part = cells.slice(skip, skip + room);
  if (skip > 0) {
    part[0] = '<';
    if (part[1] === '') part[1] = ' ';
  }
  if (skip + room < cells.length) {
    if (part.at(-1) === '') part[part.length - 2] = ' ';
    part[part.length - 1] = '>';
  }
  return { cells: part, cursor: cursor - skip, row };
}

/** Turns one row into another with nothing but printing and backspaces. */
export function plainUpdate(old: PlainRow | undefined, next: PlainRow): string {
  let start = '';
  let from: PlainRow = old ?? { cells: [], cursor: 0, row: next.row };
  if (from.row !== next.row) {
    start = '\r\n';
    from = { cells: [], cursor: 0, row: next.row };
  }
  let same = 0;
  while (same < from.cells.length && same < next.cells.length && from.cells[same] === next.cells[same]) same++;
  while (same > 0 && (next.cells[same] === '' || from.cells[same] === '')) same--;
  const changed = same < from.cells.length || same < next.cells.length;
  let at = from.cursor;
  let out = start;
  const go = (to: number): void => {
    out += to < at ? '\b'.repeat(at - to) : next.cells.slice(at, to).join('');
    at = to;
  };
  if (changed) {
    // what is kept left of the change can be printed again to move right
    go(same);
    out += next.cells.slice(same).join('');
    const gone = Math.max(0, from.cells.length - next.cells.length);
    out += ' '.repeat(gone);
    at = next.cells.length + gone;
  }
  go(next.cursor);
  return out;
}

/** Labels in columns, each row ended by a newline: what classic readline prints at a second Tab. */
export function plainList(labels: readonly string[], columns: number): string {
  const all = labels.map((label) => [...clusters(label)]);
  const widths = all.map((label) => label.reduce((sum, one) => sum + one.width, 0));
  // a control character in a name would steer the terminal
  const texts = all.map((label) => label.map((one) => one.shown).join(''));
  const cell = Math.max(...widths, 1) + 2;
  const fit = Math.max(1, Math.floor((columns - 1) / cell));
  let out = '';
  for (let at = 0; at < texts.length; at += fit) {
    const row = texts.slice(at, at + fit);
    out += `${row.map((label, i) => label + (i + 1 < row.length ? ' '.repeat(cell - (widths[at + i] as number)) : '')).join('')}\r\n`;
  }
  return out;
}
