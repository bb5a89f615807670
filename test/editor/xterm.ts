/** The one door to `@xterm/headless`: a terminal emulator that is not ours, the judge of what the editor draws. */
import xterm from '@xterm/headless';
import { cells, clusterCells, type Opinion } from './alphabet.ts';

/**
 * Rows are counted from the first line ever, what scrolled away included. Its widths are those of {@link cells}: xterm's
 * own table is of Unicode 6, which has no wide emoji; `alphabet.test.ts` shows that the two agree on all the rest.
 */
export class Xterm {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #buffer: Internals;
  readonly #reflow: boolean;

  /** `reflow` false: a terminal that cuts long rows when it gets narrower, as X's own xterm and the Linux console do. */
  constructor(columns: number, rows: number, unicode: Opinion | '6' = 'points', reflow = true) {
    this.#reflow = reflow;
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 2000,
      allowProposedApi: true,
      // as VTE, kitty, alacritty and Windows do; xterm.js by itself cuts the cursor's line instead
      reflowCursorLine: true,
    });
    this.#buffer = (this.#terminal as unknown as { _core: { buffer: Internals } })._core.buffer;
    mend(this.#buffer.lines.get(0));
    if (!reflow) Object.defineProperty(this.#buffer, '_isReflowEnabled', { value: false });
    if (unicode === '6') return;
    this.#terminal.unicode.register({
      version: 'alphabet',
      wcwidth: cells,
      charProperties: unicode === 'points' ? charProperties : clusterProperties(),
    });
    this.#terminal.unicode.activeVersion = 'alphabet';
  }

  get columns(): number {
    return this.#terminal.cols;
  }
  get rows(): number {
    return this.#terminal.rows;
  }

  /** Takes effect at once. */
  write(text: string): void {
    if (text === '') return;
    // what comes right after a key of the user is not put off
    this.#terminal.input('', true);
    this.#terminal.write(text);
  }

  /**
   * Another size. `first` is a row that begins a line; the answer is where that line begins now. The cursor stays on the
   * character it stands on, as in VTE, kitty and alacritty: xterm.js counts rows that wrap below it as if they were above,
   * and leaves the column.
   */
  resize(columns: number, rows: number, first = 0): number {
    // xterm only hides what it cuts
    if (!this.#reflow && columns < this.columns) {
      const cut = Array.from({ length: this.rows }, (_, row) => `\x1b[${row + 1};${columns + 1}H\x1b[K`);
      this.write(`\x1b7\x1b[0m${cut.join('')}\x1b8`);
    }
    if (!this.#reflow || columns === this.columns) {
      this.#terminal.resize(columns, rows);
      return first;
    }
    const followed = this.#lineOf(first);
    const line = this.#lineOf(this.cursorRow);
    let cell = this.cursorColumn;
    for (let row = this.#startOf(line); row < this.cursorRow; row++) cell += this.#used(row);
    this.#terminal.resize(this.columns, rows);
    // what wraps below its cursor would cost xterm.js rows at the end, whatever stands there
    let bottom = this.length - 1;
    while (bottom > this.cursorRow && this.text(bottom) === '') bottom--;
    this.#buffer.y = bottom - this.top;
    this.#terminal.resize(columns, rows);
    let row = this.#startOf(line);
    for (; cell >= this.#used(row) && this.#isWrapped(row + 1); row++) cell -= this.#used(row);
    this.#putCursor(row, Math.min(cell, columns - 1));
    return this.#startOf(followed);
  }

  /** What is below the screen when the cursor must be on it is gone. */
  #putCursor(row: number, column: number): void {
    const buffer = this.#buffer;
    if (row < buffer.ybase) {
      buffer.ybase = row;
      buffer.ydisp = row;
      buffer.lines.length = row + this.rows;
    }
    buffer.y = row - buffer.ybase;
    buffer.x = column;
  }

  /** Which line the row belongs to, counted from the first. */
  #lineOf(row: number): number {
    let line = 0;
    for (let at = 1; at <= row; at++) if (!this.#isWrapped(at)) line++;
    return line;
  }
  #startOf(line: number): number {
    let row = 0;
    for (let left = line; left > 0; ) if (!this.#isWrapped(++row)) left--;
    return row;
  }
  #isWrapped(row: number): boolean {
    return this.#terminal.buffer.active.getLine(row)?.isWrapped === true;
  }
  /** Cells of a row that goes on in the next: all, or all but the one where a wide character had no room. */
  #used(row: number): number {
    const { active } = this.#terminal.buffer;
    const last = active.getLine(row)?.getCell(this.columns - 1);
    const next = active.getLine(row + 1)?.getCell(0);
    return last?.getCode() === 0 && last.getWidth() === 1 && next?.getWidth() === 2 ? this.columns - 1 : this.columns;
  }

  /** First row on the screen. */
  get top(): number {
    return this.#terminal.buffer.active.baseY;
  }
  /** How many rows there are. */
  get length(): number {
    return this.#terminal.buffer.active.length;
  }
  get cursorRow(): number {
    return this.top + this.#terminal.buffer.active.cursorY;
  }
  get cursorColumn(): number {
    return this.#terminal.buffer.active.cursorX;
  }

  /** A row's text without blanks at its end. */
  text(row: number): string {
    return (this.#terminal.buffer.active.getLine(row)?.translateToString(true, 0, this.columns) ?? '').replace(
      / +$/,
      '',
    );
  }

  /** The rows above `end`, as they are. */
  picture(end: number): string[] {
    return Array.from({ length: end }, (_, row) => this.text(row));
  }

  /** The lines of rows from `start` to before `end`, joined where they only wrapped. */
  logical(start: number, end: number): string[] {
    return this.#lines(start, end, Number.POSITIVE_INFINITY);
  }

  /** The last `limit` lines above `end`, or fewer. */
  lastLines(end: number, limit: number): string[] {
    return this.#lines(0, end, limit);
  }

  #lines(start: number, end: number, limit: number): string[] {
    const buffer = this.#terminal.buffer.active;
    const out: string[] = [];
    let text = '';
    for (let row = end - 1; row >= start && out.length < limit; row--) {
      const line = buffer.getLine(row);
      // a blank at the end of a row that goes on is one of the line's
      const goesOn = row + 1 < end && this.#isWrapped(row + 1);
      text = (line?.translateToString(!goesOn, 0, goesOn ? this.#used(row) : this.columns) ?? '') + text;
      if (line?.isWrapped === true && row > start) continue;
      out.unshift(text.replace(/ +$/, ''));
      text = '';
    }
    return out;
  }

  /** All of it, for a failure's message. */
  show(): string {
    return Array.from({ length: this.length }, (_, row) => {
      const mark = row === this.cursorRow ? `${this.cursorColumn}`.padStart(3) : '   ';
      return `${row < this.top ? ' ' : '|'}${mark} ${this.text(row)}`;
    }).join('\n');
  }

  dispose(): void {
    this.#terminal.dispose();
  }
}

/** What of xterm.js has no public door. */
interface Internals {
  x: number;
  y: number;
  ybase: number;
  ydisp: number;
  readonly lines: { length: number; get(row: number): Cells | undefined };
}
type Put = (this: Cells, at: number, code: number, width: number, style: unknown) => void;
type Copy = (from: Cells, start: number, to: number, length: number, backwards: boolean) => void;
interface Cells {
  _combined: Record<number, string>;
  getWidth(at: number): number;
}

let mended = false;
/** Two faults of xterm.js in how it keeps rows. */
function mend(line: Cells | undefined): void {
  if (mended || line === undefined) return;
  mended = true;
  const type = Object.getPrototypeOf(line) as { copyCellsFrom: Copy; setCellFromCodepoint: Put };
  copiesWithinBounds(type);
  leavesBlanks(type);
}

/** Copying some cells to wrap a line anew, it copies the marks of all that follow over those of other cells, also while it reads them. */
function copiesWithinBounds(type: { copyCellsFrom: Copy }): void {
  const copy = type.copyCellsFrom;
  type.copyCellsFrom = function (this: Cells, from, start, to, length, backwards) {
    const all = from._combined;
    from._combined = {};
    copy.call(this, from, start, to, length, backwards);
    from._combined = all;
    const moved = Object.entries(all).flatMap(([key, text]) => {
      const at = Number(key) - start;
      return at >= 0 && at < length ? [[to + at, text] as const] : [];
    });
    for (const [at, text] of moved) this._combined[at] = text;
  };
}

/**
 * The left half of a picture whose right half is written over or cleared becomes a cell that looks like one where a wide
 * character had no room: at a row's end it would be dropped with the next wrapping. It is a blank as any other.
 */
function leavesBlanks(type: { setCellFromCodepoint: Put }): void {
  const put = type.setCellFromCodepoint;
  type.setCellFromCodepoint = function (this: Cells, at, code, width, style) {
    put.call(this, at, code === 0 && width === 1 && this.getWidth(at) === 2 ? 32 : code, width, style);
  };
}

/** A code point without cells joins the one before it: xterm's bits are width at 1, joining at 0. */
function charProperties(point: number, before: number): number {
  const width = cells(point);
  const widthBefore = (before >> 1) & 3;
  const joins = width === 0 && widthBefore > 0;
  return ((joins ? widthBefore : width) << 1) | (joins ? 1 : 0);
}

/** A grapheme is one character: xterm's bits above the width hold which grapheme it is so far. */
function clusterProperties(): (point: number, before: number) => number {
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const known = [''];
  const ids = new Map([['', 0]]);
  const answers = new Map<number, number>();
  return (point, before) => {
    const key = (before >> 3) * 0x20_0000 + point;
    const answer = answers.get(key);
    if (answer !== undefined) return answer;
    const char = String.fromCodePoint(point);
    const sofar = known[before >> 3] ?? '';
    // without cells of its own it joins anything
    const joins = sofar !== '' && (cells(point) === 0 || [...segmenter.segment(sofar + char)].length === 1);
    const grapheme = joins ? sofar + char : char;
    const id = ids.get(grapheme) ?? known.push(grapheme) - 1;
    ids.set(grapheme, id);
    const properties = (id << 3) | (clusterCells(grapheme) << 1) | (joins ? 1 : 0);
    answers.set(key, properties);
    return properties;
  };
}
