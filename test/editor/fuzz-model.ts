/** What the screen must show and what simple keys must do, said in the simplest way: nothing here is the editor's. */
import { cells, clusterCells, type Opinion } from './alphabet.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

export interface Shown {
  /** Without blanks at their ends. */
  readonly rows: readonly string[];
  /** With blanks at their ends. */
  readonly full: readonly string[];
  readonly widths: readonly number[];
  /** The text ran on into the next row. */
  readonly soft: readonly boolean[];
  /** A picture of which the terminal draws more than its cells went over the last column there: see `alike`. */
  readonly over: readonly boolean[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

export interface Shape {
  readonly prompt: string;
  readonly continuation: string;
  readonly text: string;
  readonly cursor: number;
  readonly ghost: string;
  readonly opinion: Opinion;
}

interface Piece {
  readonly shown: string;
  readonly width: number;
  /** Terminals differ on its cells. */
  readonly disputed: boolean;
  /** False for several characters, which a terminal may part. */
  readonly isWhole?: boolean;
  /** Cells that this terminal draws for it, when they are more. */
  readonly drawn?: number;
}

type Fitted = Pick<Piece, 'width' | 'disputed' | 'isWhole'>;

const cellsOf = (text: string): number => [...text].reduce((sum, char) => sum + cells(char.codePointAt(0) ?? 0), 0);

/** What is written for a grapheme, in pieces that rows may part. */
function piecesOf(grapheme: string, opinion: Opinion): Piece[] {
  const code = grapheme.charCodeAt(0);
  if (code < 32 || code === 127)
    return [{ shown: `^${String.fromCharCode(code ^ 64)}`, width: 2, disputed: false, isWhole: false }];
  if (/[\u0080-\u009f\u2028\u2029\u202a-\u202e\ud800-\udfff]/u.test(grapheme))
    return [{ shown: '\ufffd', width: 1, disputed: false }];
  return seen(declared(grapheme.replace(/\u200d+$/, '')), opinion);
}

const PICTURE = /^\p{RI}|^[0-9]\ufe0f|^\p{Extended_Pictographic}.*[\u200d\ufe0e\ufe0f\u{1f3fd}]/su;

/** In the cells that the editor gives it. */
function declared(grapheme: string): Piece[] {
  const width = cellsOf(grapheme);
  if (PICTURE.test(grapheme))
    return [{ shown: grapheme, width: /^.\ufe0e$/u.test(grapheme) ? width : 2, disputed: true }];
  if (width === 0) return [{ shown: `\u25cc${grapheme}`, width: 1, disputed: false }];
  if (cells(grapheme.codePointAt(0) ?? 0) === 0) return declared(`\u25cc${grapheme}`);
  const disputed =
    /^[\u{1f3fd}\uff9e\u093f]/u.test(grapheme) || [...grapheme].filter((char) => cellsOf(char) > 0).length > 1;
  if (width <= 2) return [{ shown: grapheme, width, disputed }];
  const out: Piece[] = [];
  for (const char of grapheme) {
    const last = out.at(-1);
    if (cellsOf(char) === 0 && last !== undefined) out[out.length - 1] = { ...last, shown: last.shown + char };
    else out.push({ shown: char, width: cellsOf(char), disputed });
  }
  return out;
}

/** What stays of it in its cells, blanks behind what is narrower: the next character covers the rest. */
function seen(pieces: Piece[], opinion: Opinion): Piece[] {
  return pieces.map((piece) => {
    if (!piece.disputed) return piece;
    let shown = '';
    let width = 0;
    const parts =
      opinion === 'points'
        ? [...piece.shown].map((text) => ({ text, width: cellsOf(text) }))
        : [...segmenter.segment(piece.shown)].map(({ segment: text }) => ({ text, width: clusterCells(text) }));
    for (const part of parts) {
      if (width + part.width > piece.width) break;
      shown += part.text;
      width += part.width;
    }
    const drawn = parts.reduce((sum, part) => sum + part.width, 0);
    return { ...piece, shown: shown + ' '.repeat(piece.width - width), drawn };
  });
}

/** A row that is laid out already: what was invisible has its circle. */
const drawnPieces = (row: string, opinion: Opinion): Piece[] =>
  [...segmenter.segment(row)].flatMap(({ segment }) =>
    cellsOf(segment) === 0 ? { shown: segment, width: 0, disputed: false } : piecesOf(segment, opinion),
  );

/** Prompt, text and ghost in rows of `columns` cells. */
export function lay(shape: Shape, columns: number): Shown {
  const rows = [''];
  const widths = [0];
  const soft: boolean[] = [];
  const over = [false];
  let width = 0;
  let cursorRow = -1;
  let cursorColumn = 0;
  const end = (isSoft: boolean): void => {
    soft.push(isSoft);
    rows.push('');
    widths.push(0);
    over.push(false);
    width = 0;
  };
  const { opinion } = shape;
  const fit = ({ width: needs, disputed, isWhole = true }: Fitted): void => {
    // none of disputed width stands in the last cell
    // and what a terminal would part is put on the next row by us
    if (width + needs > columns - (disputed ? 1 : 0) && width > 0) end(!disputed && (isWhole || width === columns));
  };
  const put = (piece: Piece): void => {
    const { shown, width: needs } = piece;
    fit(piece);
    rows[rows.length - 1] += shown;
    if (width + (piece.drawn ?? 0) > columns) over[rows.length - 1] = true;
    width += needs;
    widths[rows.length - 1] = width;
  };
  const tab = (): void => {
    if (width === columns) end(true);
    for (let left = Math.min(columns - width, 8 - (width % 8)); left > 0; left--)
      put({ shown: ' ', width: 1, disputed: false });
  };
  const write = (text: string): void => {
    for (const { segment } of segmenter.segment(text)) for (const piece of piecesOf(segment, opinion)) put(piece);
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
    const [first = { width: 0, disputed: false }] = piecesOf(segment, opinion);
    if (isBreak) fit({ width: 0, disputed: false });
    else fit(segment === '\t' ? { width: 1, disputed: false } : first);
    if (cursorRow < 0 && index >= shape.cursor) here();
    if (isBreak) {
      end(false);
      write(promptOf(shape.continuation));
    } else if (segment === '\t') tab();
    else for (const piece of piecesOf(segment, opinion)) put(piece);
  }
  if (cursorRow < 0) here();
  for (const { segment } of segmenter.segment(shape.ghost.split('\n')[0] ?? '')) {
    const pieces = piecesOf(segment, opinion);
    if (segment === '\t' || width + pieces.reduce((sum, one) => sum + one.width, 0) >= columns) break;
    for (const each of pieces) put(each);
  }
  soft.push(false);
  return { rows: rows.map((row) => row.replace(/ +$/, '')), full: rows, widths, soft, over, cursorRow, cursorColumn };
}

/** The part of it that a screen of `height` rows has, with `below` beneath: the cursor's row is always in it. */
export function clip(shown: Shown, below: readonly string[], height: number, opinion: Opinion): Shown {
  const total = shown.rows.length;
  const under = Math.min(below.length, Math.max(0, height - 1), Math.max(height - total, Math.floor(height / 2)));
  const room = Math.min(total, height - under);
  const start = Math.max(0, Math.min(shown.cursorRow - room + 1, total - room));
  const part = below.slice(0, under);
  return {
    rows: [...shown.rows.slice(start, start + room), ...part.map((row) => textOf(drawnPieces(row, opinion)))],
    widths: [...shown.widths.slice(start, start + room), ...part.map(rowCells)],
    full: [],
    soft: [],
    over: shown.over.slice(start, start + room),
    cursorRow: shown.cursorRow - start,
    cursorColumn: shown.cursorColumn,
  };
}

const textOf = (pieces: readonly Piece[]): string =>
  pieces
    .map((one) => one.shown)
    .join('')
    .replace(/ +$/, '');
const rowCells = (row: string): number => drawnPieces(row, 'points').reduce((sum, one) => sum + one.width, 0);

/** A line as it stays behind, and whether {@link alike} must be told so. */
export interface Left {
  readonly text: string;
  readonly over: boolean;
}

/** Lines as they stay behind when the editing is over: what only wrapped is one. */
export function leftBehind(shape: Shape, columns: number): Left[] {
  const shown = lay({ ...shape, cursor: shape.text.length, ghost: '' }, columns);
  const out: Left[] = [];
  let line = '';
  let over = false;
  for (const [at, row] of shown.full.entries()) {
    const isSoft = shown.soft[at] === true;
    line += row;
    over ||= shown.over[at] === true;
    if (isSoft) continue;
    out.push({ text: line.replace(/ +$/, ''), over });
    line = '';
    over = false;
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
