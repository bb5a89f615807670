import { asciiRun, type Cluster, clusters, pointWidth } from '../base/width.ts';
import type { Candidate } from './types.ts';

/** One row of the screen: what to write, the cells it takes, and whether the text simply ran on into the next row. */
export interface Row {
  readonly text: string;
  readonly width: number;
  readonly soft: boolean;
}

/** What the screen shall show, and where the cursor stands in it. */
export interface Frame {
  readonly rows: readonly Row[];
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

/** A stretch in one style; a style is the parameters of an SGR sequence, `''` for none. */
export interface Segment {
  readonly text: string;
  readonly style: string;
}

/** Everything to be drawn, in no particular width. */
export interface View {
  readonly prompt: string;
  readonly continuation: string;
  readonly text: string;
  readonly cursor: number;
  /** Style of the text at each offset where it changes, ascending. */
  readonly styles: readonly { readonly from: number; readonly style: string }[];
  /** Behind the text, cut to the row's end. */
  readonly ghost: string;
  /** The ghost says what may follow: half a word of it would say nothing. */
  readonly isSynopsis?: boolean;
  /** Rows below, as wide as they are; drawn for this terminal already. */
  readonly below: readonly (readonly Segment[])[];
  /** Candidates of the menu among them. */
  readonly inView?: readonly Candidate[];
}

const TAB = 8;
/** ASCII characters in a row that are worth being written as one. */
const WORTHWHILE = 8;
/** How a control character is shown. */
const isCaret = (text: string): boolean => text.length === 2 && text[0] === '^';

/** Fills rows of a given width, carrying styles over the breaks. */
export class RowWriter {
  readonly rows: Row[] = [];
  readonly #columns: number;
  #text = '';
  #style = '';
  width = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Cells left in this row. */
  get room(): number {
    return this.#columns - this.width;
  }

  /**
   * Goes to the next row when this one has no room for a character. One of disputed width never takes the last cell:
   * no terminal could be told to wait behind it. The row runs on into the next only where the terminal, writing on, would
   * part them at the same place: `several` characters that belong together it would not keep so.
   */
  fit(width: number, disputed: boolean, several = false): void {
    if (disputed ? width >= this.room : width > this.room)
      if (this.width > 0) this.end(!disputed && !(several && this.room > 0));
  }

  /**
   * Writes one character. One of disputed width may take other cells than we think: the terminal may not wrap while it
   * draws it, blanks stand where it draws too little, what it drew too much is cleared, and the next character is placed
   * by its column.
   */
  put(text: string, width: number, style: string, disputed = false): void {
    this.fit(width, disputed, isCaret(text));
    if (disputed ? width >= this.#columns : width > this.#columns) {
      text = '?';
      width = 1;
      disputed = false;
    }
    if (style !== this.#style) {
      if (this.#style !== '') this.#text += '\x1b[0m';
      if (style !== '') this.#text += `\x1b[${style}m`;
      this.#style = style;
    }
    this.width += width;
    if (!disputed) {
      this.#text += text;
      return;
    }
    // without a style, or the rest of the row would be cleared in its background
    const plain = style === '' ? '' : '\x1b[0m';
    this.#style = '';
    const blanks = `${' '.repeat(width)}\x1b[${width}D`;
    this.#text += `${blanks}\x1b[?7l${text}\x1b[?7h${plain}\r\x1b[${this.width}C\x1b[K`;
  }

  /** Writes text that may hold anything; a tab goes to the next stop. Newlines are the caller's. */
  write(text: string, style: string): void {
    for (const one of clusters(text)) this.putCluster(one, style);
  }

  putCluster({ shown, width, disputed }: Omit<Cluster, 'index'>, style: string): void {
    if (shown === '^I') {
      if (this.room === 0) this.end(true);
      for (let cells = Math.min(this.room, TAB - (this.width % TAB)); cells > 0; cells--) this.put(' ', 1, style);
    } else if (width > 2) for (const piece of pieces(shown)) this.put(piece.text, piece.width, style, disputed);
    else this.put(shown, width, style, disputed);
  }

  /** Ends the row. */
  end(soft: boolean): void {
    if (this.#style !== '') this.#text += '\x1b[0m';
    this.rows.push({ text: this.#text, width: this.width, soft });
    this.#text = '';
    this.#style = '';
    this.width = 0;
  }
}

/** The characters of a text in which all is visible already: a mark keeps the circle it stands on, and gets no second. */
export function* drawn(text: string): Generator<Omit<Cluster, 'index'>> {
  for (const { index, ...one } of clusters(text))
    yield text.startsWith(one.shown, index) ? one : { ...one, shown: one.shown.slice(1), width: 0 };
}

/** A character too wide to be kept in one row, as syllables of some scripts are: its code points, each with its marks. */
export function pieces(shown: string): { text: string; width: number }[] {
  const out: { text: string; width: number }[] = [];
  for (const char of shown) {
    const width = pointWidth(char.codePointAt(0) as number);
    const last = out.at(-1);
    if (width === 0 && last !== undefined) last.text += char;
    else out.push({ text: char, width });
  }
  return out;
}

/** The prompt's own colours kept, anything else of it that could move the cursor removed. */
export function promptSegments(prompt: string, color: boolean): Segment[] {
  const out: Segment[] = [];
  let style = '';
  for (const part of prompt.split(/(\x1b\[[0-9;:]*m)/)) {
    const sgr = /^\x1b\[([0-9;:]*)m$/.exec(part)?.[1];
    if (sgr === undefined) {
      const text = part.replace(/\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|[\x00-\x1f\x7f]/g, '');
      if (text !== '') out.push({ text, style: color ? style : '' });
    } else if (sgr === '' || sgr === '0') style = '';
    else style = style === '' ? sgr : `${style};${sgr}`;
  }
  return out;
}

/** The rows of prompt and text, and the cursor in them. */
export function layoutText(view: View, columns: number, color: boolean): Frame {
  const out = new RowWriter(columns);
  for (const { text, style } of promptSegments(view.prompt, color)) out.write(text, style);
  const continuation = promptSegments(view.continuation, color);
  let cursorRow = -1;
  let cursorColumn = 0;
  let nextStyle = 0;
  let style = '';
  const here = (): void => {
    // the place behind a full row is the beginning of the next
    if (out.room === 0) out.end(true);
    cursorRow = out.rows.length;
    cursorColumn = out.width;
  };
  const { text } = view;
  /** Before the character at `index` is written. */
  const arrive = (index: number, width: number, disputed = false, several = false): void => {
    for (let run = view.styles[nextStyle]; run !== undefined && run.from <= index; run = view.styles[++nextStyle])
      style = color ? run.style : '';
    out.fit(width, disputed, several);
    if (cursorRow < 0 && index >= view.cursor) here();
  };
  const write = (one: Cluster): void => {
    if (text[one.index] === '\n') {
      arrive(one.index, 0);
      out.end(false);
      for (const segment of continuation) out.write(segment.text, segment.style);
    } else {
      const needs = one.shown === '^I' ? 1 : one.width > 2 ? (pieces(one.shown)[0]?.width ?? 0) : one.width;
      arrive(one.index, needs, one.disputed, isCaret(one.shown));
      out.putCluster(one, style);
    }
  };
  for (let at = 0; at < text.length; ) {
    for (const one of clusters(text, at)) {
      at = one.index;
      if (asciiRun(text, at, at + WORTHWHILE) === WORTHWHILE) break;
      write(one);
      at = text.length;
    }
    // a pasted megabyte must not cost its length in objects with each key
    // a newline behind a full row begins the next by itself
    while (at < text.length && asciiRun(text, at, at + 1) > 0) {
      arrive(at, 1);
      const edge = Math.min(view.styles[nextStyle]?.from ?? text.length, at < view.cursor ? view.cursor : text.length);
      const length = asciiRun(text, at, Math.min(edge, at + out.room));
      if (length === 0) break;
      out.put(text.slice(at, at + length), length, style);
      at += length;
    }
  }
  if (cursorRow < 0) here();
  const ghost = view.ghost.split('\n', 1)[0] as string;
  for (const one of fitting(ghost, out.room, view.isSynopsis === true)) out.putCluster(one, color ? '2' : '');
  out.end(false);
  return { rows: out.rows, cursorRow, cursorColumn };
}

/** What of a ghost text a row has room for. */
function fitting(text: string, room: number, isSynopsis: boolean): Cluster[] {
  const out: Cluster[] = [];
  let left = room;
  let end = 0;
  for (const one of clusters(text)) {
    if (one.shown === '^I') break;
    if (one.shown === ' ' && out.at(-1)?.shown !== ' ') end = out.length;
    if (one.width >= left) return isSynopsis ? out.slice(0, end) : out;
    out.push(one);
    left -= one.width;
  }
  return out;
}

/** The whole frame, at most `height` rows of it: the rows around the cursor first, then what is below. */
export function render(view: View, columns: number, height: number, color: boolean): Frame {
  const text = layoutText(view, columns, color);
  const total = text.rows.length;
  const wanted = Math.min(view.below.length, Math.max(0, height - 1));
  const below = Math.min(wanted, Math.max(height - total, Math.floor(height / 2)));
  const shown = Math.min(total, height - below);
  const start = Math.max(0, Math.min(text.cursorRow - shown + 1, total - shown));
  const rows = text.rows.slice(start, start + shown);
  for (const segments of view.below.slice(0, below)) {
    const out = new RowWriter(columns);
    for (const { text: label, style } of segments)
      for (const one of drawn(label)) out.putCluster(one, color ? style : '');
    out.end(false);
    rows.push(out.rows[0] as Row);
  }
  return { rows, cursorRow: text.cursorRow - start, cursorColumn: text.cursorColumn };
}
