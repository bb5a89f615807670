/** What the screen must show and what simple keys must do, said in the simplest way: nothing here is the editor's. */
import { cells } from './alphabet.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

export interface Shown {
  /** Without blanks at their ends. */
  readonly rows: readonly string[];
  readonly widths: readonly number[];
  /** The text ran on into the next row. */
  readonly soft: readonly boolean[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

export interface Shape {
  readonly prompt: string;
  readonly continuation: string;
  readonly text: string;
  readonly cursor: number;
  readonly ghost: string;
}

interface Piece {
  readonly shown: string;
  readonly width: number;
}

const cellsOf = (text: string): number => [...text].reduce((sum, char) => sum + cells(char.codePointAt(0) ?? 0), 0);

/** What is written for a grapheme, in pieces that rows may part. */
function piecesOf(grapheme: string): Piece[] {
  const code = grapheme.charCodeAt(0);
  if (code < 32 || code === 127) return [{ shown: `^${String.fromCharCode(code ^ 64)}`, width: 2 }];
  if (/[\u0080-\u009f\u2028\u2029\u202a-\u202e\ud800-\udfff]/u.test(grapheme)) return [{ shown: '\ufffd', width: 1 }];
  const width = cellsOf(grapheme);
  if (width === 0) return [{ shown: `\u25cc${grapheme}`, width: 1 }];
  if (width <= 2) return [{ shown: grapheme, width }];
  const out: Piece[] = [];
  for (const char of grapheme) {
    const last = out.at(-1);
    if (cellsOf(char) === 0 && last !== undefined) out[out.length - 1] = { ...last, shown: last.shown + char };
    else out.push({ shown: char, width: cellsOf(char) });
  }
  return out;
}

/** Prompt, text and ghost in rows of `columns` cells. */
export function lay(shape: Shape, columns: number): Shown {
  const rows = [''];
  const widths = [0];
  const soft: boolean[] = [];
  let width = 0;
  let cursorRow = -1;
  let cursorColumn = 0;
  const end = (isSoft: boolean): void => {
    soft.push(isSoft);
    rows.push('');
    widths.push(0);
    width = 0;
  };
  const put = ({ shown, width: needs }: Piece): void => {
    if (width + needs > columns) end(true);
    rows[rows.length - 1] += shown;
    width += needs;
    widths[rows.length - 1] = width;
  };
  const tab = (): void => {
    if (width === columns) end(true);
    for (let left = Math.min(columns - width, 8 - (width % 8)); left > 0; left--) put({ shown: ' ', width: 1 });
  };
  const write = (text: string): void => {
    for (const { segment } of segmenter.segment(text)) for (const piece of piecesOf(segment)) put(piece);
  };
  const promptOf = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '');
  /** The place behind a full row is the beginning of the next. */
  const here = (): void => {
    if (width === columns) end(true);
    cursorRow = rows.length - 1;
    cursorColumn = width;
  };
  write(promptOf(shape.prompt));
  for (const { segment, index } of segmenter.segment(shape.text)) {
    const isBreak = segment === '\n' || segment === '\r\n';
    const needs = isBreak ? 0 : segment === '\t' ? 1 : (piecesOf(segment)[0]?.width ?? 0);
    if (width + needs > columns) end(true);
    if (cursorRow < 0 && index >= shape.cursor) here();
    if (isBreak) {
      end(false);
      write(promptOf(shape.continuation));
    } else if (segment === '\t') tab();
    else for (const piece of piecesOf(segment)) put(piece);
  }
  if (cursorRow < 0) here();
  for (const { segment } of segmenter.segment(shape.ghost.split('\n')[0] ?? '')) {
    const [piece] = piecesOf(segment);
    if (
      segment === '\t' ||
      piece === undefined ||
      width + piecesOf(segment).reduce((sum, one) => sum + one.width, 0) >= columns
    )
      break;
    for (const each of piecesOf(segment)) put(each);
  }
  soft.push(false);
  return { rows: rows.map((row) => row.replace(/ +$/, '')), widths, soft, cursorRow, cursorColumn };
}

/** The part of it that a screen of `height` rows has, with `below` beneath: the cursor's row is always in it. */
export function clip(shown: Shown, below: readonly string[], height: number): Shown {
  const total = shown.rows.length;
  const under = Math.min(below.length, Math.max(0, height - 1), Math.max(height - total, Math.floor(height / 2)));
  const room = Math.min(total, height - under);
  const start = Math.max(0, Math.min(shown.cursorRow - room + 1, total - room));
  const part = below.slice(0, under);
  return {
    rows: [...shown.rows.slice(start, start + room), ...part.map((row) => row.replace(/ +$/, ''))],
    widths: [...shown.widths.slice(start, start + room), ...part.map(rowCells)],
    soft: [],
    cursorRow: shown.cursorRow - start,
    cursorColumn: shown.cursorColumn,
  };
}

const rowCells = (row: string): number =>
  [...segmenter.segment(row)].reduce((sum, { segment }) => sum + Math.max(0, cellsOf(segment)), 0);

/** Lines as they stay behind when the editing is over: what only wrapped is one. */
export function leftBehind(shape: Shape, columns: number): string[] {
  const shown = lay({ ...shape, cursor: shape.text.length, ghost: '' }, columns);
  const out: string[] = [];
  let line = '';
  for (const [at, row] of shown.rows.entries()) {
    // blanks at the end of a row that ran on were cut off
    const isSoft = shown.soft[at] === true;
    line += isSoft ? row + ' '.repeat(Math.max(0, (shown.widths[at] ?? 0) - cellsOf(row))) : row;
    if (isSoft) continue;
    out.push(line.replace(/ +$/, ''));
    line = '';
  }
  return out;
}

const WORD = '[\\p{L}\\p{N}\\p{M}_]';
const WORD_LEFT = new RegExp(`${WORD}*[^${WORD.slice(1)}*$`, 'u');
const WORD_RIGHT = new RegExp(`^[^${WORD.slice(1)}*${WORD}*`, 'u');

export interface Edited {
  readonly text: string;
  readonly cursor: number;
}

/** What a key that only moves or cuts makes of a line; undefined for any other. */
export function edited(name: string, { text, cursor }: Edited): Edited | undefined {
  const head = text.slice(0, cursor);
  const tail = text.slice(cursor);
  const left = [...segmenter.segment(head)].at(-1)?.index ?? 0;
  const right = cursor + ([...segmenter.segment(tail)][0]?.segment.length ?? 0);
  const rowStart = head.lastIndexOf('\n') + 1;
  const rowEnd = tail.includes('\n') ? cursor + tail.indexOf('\n') : text.length;
  const wordLeft = cursor - (WORD_LEFT.exec(head)?.[0].length ?? 0);
  const wordRight = cursor + (WORD_RIGHT.exec(tail)?.[0].length ?? 0);
  const to = (place: number): Edited => ({ text, cursor: place });
  const cut = (from: number, end: number): Edited => ({ text: text.slice(0, from) + text.slice(end), cursor: from });
  switch (name) {
    case 'Left':
    case 'C-b':
      return to(left);
    case 'Right':
    case 'C-f':
      return to(right);
    case 'Home':
    case 'C-a':
      return to(rowStart);
    case 'End':
    case 'C-e':
      return to(rowEnd);
    case 'M-b':
    case 'C-Left':
      return to(wordLeft);
    case 'M-f':
    case 'C-Right':
      return to(wordRight);
    case 'M-<':
      return to(0);
    case 'M->':
      return to(text.length);
    case 'Backspace':
      return cut(left, cursor);
    case 'Delete':
      return cut(cursor, right);
    case 'C-k':
      return cut(cursor, rowEnd === cursor ? Math.min(text.length, rowEnd + 1) : rowEnd);
    case 'C-u':
      return cut(rowStart === cursor ? Math.max(0, rowStart - 1) : rowStart, cursor);
    case 'C-w':
      return cut(cursor - (/\S*\s*$/.exec(head)?.[0].length ?? 0), cursor);
    case 'M-d':
      return cut(cursor, wordRight);
    case 'M-Backspace':
      return cut(wordLeft, cursor);
    case 'M-Enter':
      return { text: `${head}\n${tail}`, cursor: cursor + 1 };
    default:
      return undefined;
  }
}
