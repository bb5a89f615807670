/** One cell: undefined when never written, `''` for the right half of a wide character. */
interface Cell {
  readonly char: string;
  readonly style: string;
}
interface Line {
  cells: (Cell | undefined)[];
  /** The text ran over the right edge into the next line. */
  wrapped: boolean;
}

// not our own table: what these tests type, by what terminals are known to do
const isWide = (char: string): boolean => /[\u3000-\u9fff\uac00-\ud7a3\uff01-\uff60\u{1f300}-\u{1f64f}]/u.test(char);
const isMark = (char: string): boolean => /[\u0300-\u036f]/.test(char);

/**
 * A terminal in memory: it wraps late, scrolls, keeps what scrolled away, and wraps anew when its width changes. It
 * throws on every code it does not know, so nothing can be sent that no test has seen.
 */
export class Emulator {
  columns: number;
  rows: number;
  lines: Line[] = [{ cells: [], wrapped: false }];
  /** First line on the screen. */
  top = 0;
  /** Of the cursor, in `lines`. */
  row = 0;
  column = 0;
  #late = false;
  #style = '';
  #saved = { row: 0, column: 0 };
  #pending = '';
  modes = new Set<string>();
  bells = 0;
  /** Everything ever received. */
  received = '';

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    this.received += text;
    let rest = this.#pending + text;
    this.#pending = '';
    while (rest !== '') {
      if (rest[0] === '\x1b') {
        const found = /^\x1b(?:\[([?0-9;]*)([A-Za-z])|([78]))/.exec(rest);
        if (found === null) {
          if (!/^\x1b(\[[?0-9;]*)?$/.test(rest)) throw new Error(`unknown code ${JSON.stringify(rest.slice(0, 12))}`);
          this.#pending = rest;
          return;
        }
        this.#code(found[1] ?? '', found[2] ?? (found[3] as string));
        rest = rest.slice(found[0].length);
      } else {
        const char = String.fromCodePoint(rest.codePointAt(0) as number);
        this.#char(char);
        rest = rest.slice(char.length);
      }
    }
  }

  #line(): Line {
    while (this.lines.length <= this.row) this.lines.push({ cells: [], wrapped: false });
    return this.lines[this.row] as Line;
  }

  #down(): void {
    this.row++;
    this.#line();
    if (this.row >= this.top + this.rows) this.top = this.row - this.rows + 1;
  }

  #char(char: string): void {
    if (char === '\x07') this.bells++;
    else if (char === '\r') this.#to(0);
    else if (char === '\b') this.#to(Math.max(0, this.column - 1));
    else if (char === '\n') {
      this.#line().wrapped = false;
      this.#late = false;
      this.#down();
    } else if (char < ' ' || char === '\x7f') throw new Error(`control ${JSON.stringify(char)} on the screen`);
    else if (isMark(char)) {
      const at = this.#late ? this.column : this.column - 1;
      const { cells } = this.#line();
      const on = cells[at]?.char === '' ? at - 1 : at;
      const cell = cells[on];
      if (cell !== undefined) cells[on] = { ...cell, char: cell.char + char };
    } else {
      const width = isWide(char) ? 2 : 1;
      if (this.#late || this.column + width > this.columns) {
        this.#line().wrapped = true;
        this.#late = false;
        this.column = 0;
        this.#down();
      }
      const { cells } = this.#line();
      while (cells.length < this.column) cells.push(undefined);
      cells[this.column] = { char, style: this.#style };
      if (width === 2) cells[this.column + 1] = { char: '', style: this.#style };
      this.column += width;
      if (this.column >= this.columns) {
        this.column = this.columns - 1;
        this.#late = true;
      }
    }
  }

  #to(column: number): void {
    this.column = column;
    this.#late = false;
  }

  #code(parameters: string, final: string): void {
    const count = Math.max(1, Number.parseInt(parameters, 10) || 1);
    switch (final) {
      case 'A':
        this.row = Math.max(this.top, this.row - count);
        this.#late = false;
        return;
      case 'B':
        this.row = Math.min(this.top + this.rows - 1, this.row + count);
        this.#line();
        this.#late = false;
        return;
      case 'C':
        this.#to(Math.min(this.columns - 1, this.column + count));
        return;
      case 'D':
        this.#to(Math.max(0, this.column - count));
        return;
      case 'G':
        this.#to(Math.min(this.columns, count) - 1);
        return;
      case 'H':
        this.row = this.top;
        this.#to(0);
        return;
      case 'K':
        if (parameters === '2') this.#line().cells.length = 0;
        this.#line().cells.length = Math.min(this.#line().cells.length, this.column);
        this.#line().wrapped = false;
        return;
      case 'J':
        if (parameters === '2') for (let at = this.top; at < this.lines.length; at++) this.#blank(at);
        else {
          this.#code('', 'K');
          for (let at = this.row + 1; at < this.lines.length; at++) this.#blank(at);
        }
        return;
      case 'm':
        this.#style = parameters === '0' || parameters === '' ? '' : `${this.#style};${parameters}`;
        return;
      case '7':
        this.#saved = { row: this.row - this.top, column: this.column };
        return;
      case '8':
        this.row = this.top + this.#saved.row;
        this.#to(this.#saved.column);
        return;
      case 'h':
      case 'l':
        if (final === 'h') this.modes.add(parameters);
        else this.modes.delete(parameters);
        return;
      default:
        throw new Error(`unknown code CSI ${parameters}${final}`);
    }
  }

  #blank(at: number): void {
    this.lines[at] = { cells: [], wrapped: false };
  }

  resize(columns: number, rows: number): void {
    if (columns !== this.columns) this.#reflow(columns);
    this.columns = columns;
    this.rows = rows;
    // blank lines at the bottom go first, then the top scrolls away
    while (
      this.lines.length - this.top > rows &&
      this.lines.length - 1 > this.row &&
      this.lines.at(-1)?.cells.length === 0
    )
      this.lines.pop();
    this.top = Math.min(Math.max(this.top, this.lines.length - rows), this.row);
    this.lines.length = Math.min(this.lines.length, this.top + rows);
  }

  #reflow(columns: number): void {
    const out: Line[] = [];
    let top = 0;
    let cursor = { row: 0, column: 0 };
    for (let at = 0; at < this.lines.length; ) {
      const whole: (Cell | undefined)[] = [];
      let place = -1; // of the cursor in this logical line
      for (;;) {
        const line = this.lines[at] as Line;
        if (at === this.top) top = out.length;
        if (at === this.row) place = whole.length + this.column;
        whole.push(...line.cells);
        at++;
        if (!line.wrapped || at >= this.lines.length) break;
      }
      const first = out.length;
      let row: (Cell | undefined)[] = [];
      for (const [index, cell] of whole.entries()) {
        const width = whole[index + 1]?.char === '' ? 2 : 1;
        if (cell?.char !== '' && row.length + width > columns) {
          out.push({ cells: row, wrapped: true });
          row = [];
        }
        if (index === place) cursor = { row: out.length, column: row.length };
        row.push(cell);
      }
      out.push({ cells: row, wrapped: false });
      if (place >= whole.length) {
        const beyond = place - whole.length + row.length;
        cursor = { row: out.length - 1 + Math.floor(beyond / columns), column: beyond % columns };
        while (out.length <= cursor.row) out.push({ cells: [], wrapped: false });
      }
      if (first > out.length) throw new Error('unreachable');
    }
    this.lines = out;
    this.row = cursor.row;
    this.#to(cursor.column);
    this.top = Math.max(0, Math.min(top, this.row), this.row - this.rows + 1, out.length - this.rows);
    this.top = Math.min(this.top, this.row);
  }

  /** A line's text, unwritten cells as blanks, none at the end. */
  text(at: number): string {
    return (this.lines[at]?.cells ?? [])
      .map((cell) => cell?.char ?? ' ')
      .join('')
      .trimEnd();
  }

  /** A line with the style of each cell. */
  styled(at: number): string {
    return (this.lines[at]?.cells ?? []).map((cell) => `${cell?.style ?? ''}|${cell?.char ?? ' '}`).join('~');
  }

  /** All lines ever, without blank ones at the end. */
  all(): string[] {
    const out = this.lines.map((_, at) => this.text(at));
    while (out.length > 0 && out.at(-1) === '') out.pop();
    return out;
  }

  /** What is on the screen now. */
  screen(): string[] {
    const out = this.lines.slice(this.top).map((_, at) => this.text(this.top + at));
    while (out.length > 0 && out.at(-1) === '') out.pop();
    return out;
  }

  /** Lines from `start` to before `end`, joined where they only wrapped. */
  logical(start: number, end: number): string[] {
    const out: string[] = [];
    let text = '';
    for (let at = start; at < end; at++) {
      const line = this.lines[at] as Line;
      text += line.wrapped ? line.cells.map((cell) => cell?.char ?? ' ').join('') : this.text(at);
      if (line.wrapped && at + 1 < end) continue;
      out.push(text);
      text = '';
    }
    return out;
  }
}
