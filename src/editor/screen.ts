import { drawn, type Frame, pieces, type Row } from './render.ts';

const CLEAR_BELOW = '\x1b[J';
const CLEAR_ROW = '\x1b[K';
/** What a row's text holds besides characters: colours, and what surrounds one of disputed width. */
const CODES = / {2}\x1b\[2D| \x1b\[1D|\x1b\[[?0-9;:]*[A-Za-z]|\r/g;
const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : '');
const down = (rows: number): string => (rows > 0 ? `\x1b[${rows}B` : '');
const rightTo = (column: number): string => (column > 0 ? `\r\x1b[${column}C` : '\r');

// Clearing behind a full row would take its last character away: the cursor waits on top of it.
const written = (row: Row, columns: number): string => (row.width < columns ? row.text + CLEAR_ROW : row.text);

/**
 * From the cursor to the frame's first cell, all of it cleared. The first row is cleared by itself: terminals that keep
 * what is cleared from the top left corner on would store our half-typed line with every redraw.
 */
export const erase = (frame: Frame | undefined): string =>
  `${up(frame?.cursorRow ?? 0)}\r${CLEAR_ROW}\x1b7\x1b[B${CLEAR_BELOW}\x1b8`;

/** Draws a frame from its first cell on; what is below must be clear. */
export function draw(frame: Frame): string {
  const last = frame.rows.length - 1;
  const rows = frame.rows.map((row) => row.text).join('\r\n');
  return rows + up(last - frame.cursorRow) + rightTo(frame.cursorColumn);
}

/**
 * The codes that turn `old` on the screen, the cursor in it, into `next`. Only rows that differ are written. All moves
 * are relative, since nobody knows where on the screen the frame stands.
 */
export function update(old: Frame, next: Frame, columns: number): string {
  let out = '';
  let at = old.cursorRow;
  let bottom = old.rows.length - 1; // the last row that exists below
  const go = (row: number): void => {
    if (row < at) out += up(at - row);
    else if (row <= bottom) out += down(row - at);
    else {
      out += down(bottom - at) + '\r\n'.repeat(row - bottom);
      bottom = row;
    }
    at = row;
  };
  for (const [index, row] of next.rows.entries()) {
    if (old.rows[index]?.text === row.text && old.rows[index]?.width === row.width) continue;
    go(index);
    out += `\r${written(row, columns)}`;
  }
  if (old.rows.length > next.rows.length) {
    go(next.rows.length);
    out += `\r${CLEAR_BELOW}`;
  }
  const moved = out !== '' || at !== next.cursorRow || old.cursorColumn !== next.cursorColumn;
  go(next.cursorRow);
  return moved ? out + rightTo(next.cursorColumn) : '';
}

/** Rows as running text: those that ran on are joined, so that the terminal may wrap them anew and copy them whole. */
export function running(frame: Frame): string {
  let out = '';
  for (const row of frame.rows) out += row.text + (row.soft ? '' : '\r\n');
  return out;
}

/**
 * On which of the screen rows that a row takes, once the terminal became `columns` wide and wrapped what no longer fits,
 * its cell `cell` is: 0 is the first. The place behind a last row that is full is still on it, where terminals wait.
 */
export function wrappedTo(row: Row, columns: number, cell = row.width): number {
  let below = 0;
  if (row.width <= columns) return below;
  let width = 0;
  let passed = 0;
  for (const one of drawn(row.text.replace(CODES, '')))
    for (const piece of one.width > 2 ? pieces(one.shown) : [one]) {
      if (width + piece.width > columns) {
        below++;
        width = 0;
      }
      width += piece.width;
      passed += piece.width;
      if (passed > cell) return below;
    }
  return below;
}

/**
 * How many rows the frame's first cell is above the cursor after the terminal became `columns` wide, when it wraps
 * rows too long for it, as nearly all do.
 */
export function rowsAbove(frame: Frame, columns: number): number {
  let above = 0;
  for (const row of frame.rows.slice(0, frame.cursorRow)) above += wrappedTo(row, columns) + 1;
  return above + wrappedTo(frame.rows[frame.cursorRow] as Row, columns, frame.cursorColumn);
}
