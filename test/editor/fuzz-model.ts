/** What the screen must show and what simple keys must do, said in the simplest way: nothing here is the editor's. */
import { cells, clusterCells, type Opinion } from './alphabet.ts';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

export interface Row {
  /** With blanks at its end. */
  readonly text: string;
  /** Cells of each character as the editor counts them. */
  readonly declared: readonly number[];
  /** The same row in the characters that this terminal made of it: only between them may it wrap. */
  readonly drawn: readonly number[];
}

export interface Shown {
  /** Without blanks at their ends. */
  readonly rows: readonly string[];
  readonly laid: readonly Row[];
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
  /** The ghost ends with a whole word where there is no room for all of it. */
  readonly isSynopsis?: boolean;
  readonly opinion: Opinion;
}

interface Piece {
  readonly shown: string;
  readonly width: number;
  /** Terminals differ on its cells. */
  readonly disputed: boolean;
  /** False for several characters, which a terminal may part. */
  readonly isWhole?: boolean;
}

type Fitted = Pick<Piece, 'width' | 'disputed' | 'isWhole'>;

const cellsOf = (text: string): number => [...text].reduce((sum, char) => sum + cells(char.codePointAt(0) ?? 0), 0);
const total = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width, 0);

/** What is written for a grapheme, in pieces that rows may part. */
function piecesOf(grapheme: string): Piece[] {
  const code = grapheme.charCodeAt(0);
  if (code < 32 || code === 127)
    return [{ shown: `^${String.fromCharCode(code ^ 64)}`, width: 2, disputed: false, isWhole: false }];
  if (/[\u0080-\u009f\u2028\u2029\u202a-\u202e\ud800-\udfff]/u.test(grapheme))
    return [{ shown: '\ufffd', width: 1, disputed: false }];
  const kept = grapheme.replace(/\u200d+$/, '');
  // without its joiner it might join the next
  if (kept !== grapheme && kept !== '') return declared(kept).map((piece) => ({ ...piece, disputed: true }));
  return declared(kept);
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

/** A character on the screen; one without cells is the right half of the one before. */
interface Cell {
  text: string;
  width: number;
}
const blank = (): Cell => ({ text: ' ', width: 1 });

/**
 * What a terminal that is not to wrap makes of one of disputed width, `room` cells before its edge, when all behind the
 * cells meant for it is cleared: the rest of them is blank, and of a picture that reached beyond, its half too. What has no
 * room at the edge is lost, but not the marks behind it: those hang on what is left there.
 */
function seen({ shown, width }: Piece, room: number, opinion: Opinion): Cell[] {
  const row = Array.from({ length: Math.max(room, width) }, blank);
  let at = 0;
  let before = 0;
  for (const part of opinion === 'points' ? shown : [...segmenter.segment(shown)].map((one) => one.segment)) {
    const needs = opinion === 'points' ? cellsOf(part) : clusterCells(part);
    if (needs === 0) {
      const left = row[at - 1]?.width === 0 ? row[at - 2] : row[at - 1];
      // it counts as wide as what it was meant for
      if (left !== undefined) Object.assign(left, { text: left.text + part, width: before });
      continue;
    }
    before = needs;
    if (at + needs > room) at = room - 1;
    if (at + needs > room) continue;
    row[at] = { text: part, width: needs };
    if (needs === 2) row[at + 1] = { text: '', width: 0 };
    at += needs;
  }
  const kept = row.slice(0, width);
  return kept.at(-1)?.width === 2 ? [...kept.slice(0, -1), blank()] : kept;
}

/** Rows being filled by a terminal of one opinion. */
class Layout {
  readonly rows: { text: string; declared: number[]; drawn: number[] }[] = [];
  readonly soft: boolean[] = [];
  readonly #columns: number;
  readonly #opinion: Opinion;
  width = 0;
  constructor(columns: number, opinion: Opinion) {
    this.#columns = columns;
    this.#opinion = opinion;
    this.#begin();
  }

  #begin(): void {
    this.rows.push({ text: '', declared: [], drawn: [] });
    this.width = 0;
  }
  end(isSoft: boolean): void {
    this.soft.push(isSoft);
    this.#begin();
  }

  fit({ width, disputed, isWhole = true }: Fitted): void {
    // none of disputed width stands in the last cell
    // and what a terminal would part is put on the next row by us
    if (this.width + width > this.#columns - (disputed ? 1 : 0) && this.width > 0)
      this.end(!disputed && (isWhole || this.width === this.#columns));
  }

  put(piece: Piece): void {
    this.fit(piece);
    const row = this.rows.at(-1) as (typeof this.rows)[number];
    const { shown, width, disputed, isWhole = true } = piece;
    if (disputed) {
      const made = seen(piece, this.#columns - this.width, this.#opinion);
      row.text += made.map((cell) => cell.text).join('');
      row.drawn.push(...made.flatMap((cell) => (cell.width > 0 ? cell.width : [])));
    } else {
      row.text += shown;
      row.drawn.push(...(isWhole ? [width] : [1, 1]));
    }
    row.declared.push(...(isWhole ? [width] : [1, 1]));
    this.width += width;
  }

  write(text: string): void {
    for (const { segment } of segmenter.segment(text)) for (const piece of piecesOf(segment)) this.put(piece);
  }
}

const trimmed = (row: Row): string => row.text.replace(/ +$/, '');

/** Prompt, text and ghost in rows of `columns` cells. */
export function lay(shape: Shape, columns: number): Shown {
  const out = new Layout(columns, shape.opinion);
  let cursorRow = -1;
  let cursorColumn = 0;
  const tab = (): void => {
    if (out.width === columns) out.end(true);
    for (let left = Math.min(columns - out.width, 8 - (out.width % 8)); left > 0; left--)
      out.put({ shown: ' ', width: 1, disputed: false });
  };
  const promptOf = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '');
  /** The place behind a full row is the beginning of the next. */
  const here = (): void => {
    if (out.width === columns) out.end(true);
    cursorRow = out.rows.length - 1;
    cursorColumn = out.width;
  };
  out.write(promptOf(shape.prompt));
  for (const { segment, index } of segmenter.segment(shape.text)) {
    const isBreak = segment === '\n' || segment === '\r\n';
    const [first = { width: 0, disputed: false }] = piecesOf(segment);
    if (isBreak) out.fit({ width: 0, disputed: false });
    else out.fit(segment === '\t' ? { width: 1, disputed: false } : first);
    if (cursorRow < 0 && index >= shape.cursor) here();
    if (isBreak) {
      out.end(false);
      out.write(promptOf(shape.continuation));
    } else if (segment === '\t') tab();
    else for (const piece of piecesOf(segment)) out.put(piece);
  }
  if (cursorRow < 0) here();
  const ghost = [...segmenter.segment(shape.ghost.split('\n')[0] ?? '')].map(({ segment }) => segment);
  const widthOf = (segment: string): number => total(piecesOf(segment).map((one) => one.width));
  let fits = 0;
  for (let width = out.width; fits < ghost.length; fits++) {
    width += widthOf(ghost[fits] as string);
    if (ghost[fits] === '\t' || width >= columns) break;
  }
  if (shape.isSynopsis === true && fits < ghost.length && ghost[fits] !== '\t') {
    if (ghost[fits] !== ' ') while (fits > 0 && ghost[fits - 1] !== ' ') fits--;
    while (fits > 0 && ghost[fits - 1] === ' ') fits--;
  }
  for (const segment of ghost.slice(0, fits)) for (const each of piecesOf(segment)) out.put(each);
  return { rows: out.rows.map(trimmed), laid: out.rows, soft: [...out.soft, false], cursorRow, cursorColumn };
}

/** A row that is laid out already: what was invisible has its circle. */
function layRow(text: string, columns: number, opinion: Opinion): Row {
  const out = new Layout(columns, opinion);
  for (const { segment } of segmenter.segment(text))
    for (const piece of cellsOf(segment) === 0 ? [{ shown: segment, width: 0, disputed: false }] : piecesOf(segment))
      out.put(piece);
  return out.rows[0] as Row;
}

/** The part of it that a screen of `height` rows has, with `below` beneath: the cursor's row is always in it. */
export function clip(shown: Shown, below: readonly string[], columns: number, height: number, opinion: Opinion): Shown {
  const all = shown.rows.length;
  const under = Math.min(below.length, Math.max(0, height - 1), Math.max(height - all, Math.floor(height / 2)));
  const room = Math.min(all, height - under);
  const start = Math.max(0, Math.min(shown.cursorRow - room + 1, all - room));
  const menu = below.slice(0, under).map((row) => layRow(row, columns, opinion));
  const laid = [...shown.laid.slice(start, start + room), ...menu];
  return {
    rows: laid.map(trimmed),
    laid,
    soft: [],
    cursorRow: shown.cursorRow - start,
    cursorColumn: shown.cursorColumn,
  };
}

/** How many rows the first is above the cursor when a terminal of `columns` wraps them between the characters of `as`. */
export function rowsUp({ laid, cursorRow, cursorColumn }: Shown, columns: number, as: 'declared' | 'drawn'): number {
  const wraps = (widths: readonly number[], cell: number): number => {
    let rows = 0;
    let used = 0;
    let passed = 0;
    for (const width of widths) {
      if (used + width > columns) {
        rows++;
        used = 0;
      }
      used += width;
      passed += width;
      if (passed > cell) break;
    }
    return rows;
  };
  const above = laid.slice(0, cursorRow).map((row) => wraps(row[as], Number.POSITIVE_INFINITY) + 1);
  return total(above) + wraps(laid[cursorRow]?.[as] ?? [], cursorColumn);
}

/** Lines as they stay behind when the editing is over: what only wrapped is one. */
export function leftBehind(shape: Shape, columns: number): string[] {
  const shown = lay({ ...shape, cursor: shape.text.length, ghost: '' }, columns);
  const out: string[] = [];
  let line = '';
  for (const [at, { text }] of shown.laid.entries()) {
    line += text;
    if (shown.soft[at] === true) continue;
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
