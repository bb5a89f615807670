import { type PlainRow, plainList, plainRow, plainUpdate } from './plain.ts';
import { type Frame, layoutText, render, type View } from './render.ts';
import { draw, erase, rowsAbove, running, update } from './screen.ts';

/** Where the codes go, and how large it is. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

const LISTED = 200;
const lines = (text: string): string => text.replace(/\r?\n/g, '\r\n');

/** Remembers what of the line is on the screen, and writes the difference. */
export class Painter {
  readonly #screen: Screen;
  /** Nothing but printing and backspaces; another value only between lines. */
  plain: boolean;
  readonly #color: boolean;
  #frame: Frame | undefined;
  #row: PlainRow | undefined;

  constructor(screen: Screen, plain: boolean, color: boolean) {
    this.#screen = screen;
    this.plain = plain;
    this.#color = color;
  }

  /** What comes next starts on a row of its own, also when the last output ended without a newline. */
  begin(): void {
    this.#forget();
    // a full row of blanks wraps exactly when the cursor was not in the first column
    if (!this.plain) this.#screen.write(' '.repeat(this.#screen.columns));
  }

  show(view: View): void {
    const { columns } = this.#screen;
    if (this.plain) {
      const row = plainRow(view, columns);
      this.#screen.write(plainUpdate(this.#row, row));
      if (view.below.length > 0) this.#screen.write(this.#below(view) + plainUpdate(undefined, row));
      this.#row = row;
      return;
    }
    const frame = render(view, columns, this.#screen.rows, this.#color);
    const old = this.#frame;
    this.#screen.write(old === undefined ? erase(undefined) + draw(frame) : update(old, frame, columns));
    this.#frame = frame;
  }

  /** Plain terminals have no place below: such lines are written once, and the text again. */
  #below(view: View): string {
    if (view.below.length === 0) return '';
    const rows = view.below.map((row) => row.map((segment) => segment.text).join(''));
    return `\r\n${rows.join('\r\n')}\r\n`;
  }

  /** Writes whole lines where the text stood, and the text below them. */
  above(text: string, view: View): void {
    if (this.plain) {
      this.#screen.write(this.#wipe() + lines(text));
      this.#row = undefined;
      this.show(view);
      return;
    }
    const frame = render(view, this.#screen.columns, this.#screen.rows, this.#color);
    this.#screen.write(erase(this.#frame) + lines(text) + draw(frame));
    this.#frame = frame;
  }

  /** Takes the text off the screen. */
  erase(): void {
    this.#screen.write(this.plain ? this.#wipe() : erase(this.#frame));
    this.#forget();
  }

  /** Leaves the whole text and `suffix` on the screen for good; the cursor goes to the row below. */
  leave(view: View, suffix: string): void {
    const last: View = {
      ...view,
      text: view.text + suffix,
      cursor: view.text.length + suffix.length,
      below: [],
      ghost: '',
    };
    if (this.plain) {
      this.show(last);
      this.#screen.write('\r\n');
    } else {
      const frame = layoutText(last, this.#screen.columns, this.#color);
      this.#screen.write(erase(this.#frame) + running(trimmed(frame)));
    }
    this.#forget();
  }

  list(labels: readonly string[]): void {
    const more = labels.length > LISTED ? `... and ${labels.length - LISTED} more\r\n` : '';
    this.#screen.write(`\r\n${plainList(labels.slice(0, LISTED), this.#screen.columns)}${more}`);
    this.#forget();
  }

  clear(): void {
    this.#screen.write(this.plain ? '\r\n' : '\x1b[H\x1b[2J');
    this.#forget();
  }

  /** The terminal has another size, and has wrapped anew what was on it. */
  resized(): void {
    const frame = this.#frame;
    if (this.plain) this.#screen.write('\r\n');
    else if (frame !== undefined)
      this.#screen.write(erase({ ...frame, cursorRow: rowsAbove(frame, this.#screen.columns) }));
    this.#forget();
  }

  #wipe(): string {
    const width = this.#row?.cells.length ?? 0;
    return width === 0 ? '\r' : `\r${' '.repeat(width)}\r`;
  }

  #forget(): void {
    this.#frame = undefined;
    this.#row = undefined;
  }
}

/** Without the empty row that only waited for the cursor, since the row before is full. */
function trimmed(frame: Frame): Frame {
  const { rows } = frame;
  const last = rows.at(-1);
  const before = rows.at(-2);
  if (last === undefined || before === undefined || last.width > 0 || !before.soft) return frame;
  return { ...frame, rows: [...rows.slice(0, -2), { ...before, soft: false }] };
}
