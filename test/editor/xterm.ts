/** The one door to `@xterm/headless`: a terminal emulator that is not ours, the judge of what the editor draws. */
import xterm from '@xterm/headless';
import { cells, clusterCells, type Opinion } from './alphabet.ts';

/**
 * Rows are counted from the first line ever, what scrolled away included. Its widths are those of {@link cells}: xterm's
 * own table is of Unicode 6, which has no wide emoji; `alphabet.test.ts` shows that the two agree on all the rest.
 */
export class Xterm {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #reflow: boolean;

  /** `reflow` false: a terminal that cuts long rows when it gets narrower, as Windows' old console does. */
  constructor(columns: number, rows: number, unicode: Opinion | '6' = 'points', reflow = true) {
    this.#reflow = reflow;
    this.#terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 2000,
      allowProposedApi: true,
      // as VTE, kitty, alacritty and Windows do; xterm.js by itself cuts the cursor's line instead
      reflowCursorLine: true,
      ...(!reflow && { windowsPty: { backend: 'conpty' as const, buildNumber: 19_000 } }),
    });
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

  resize(columns: number, rows: number): void {
    // xterm only hides what it cuts
    if (!this.#reflow && columns < this.columns) {
      const cut = Array.from({ length: this.rows }, (_, row) => `\x1b[${row + 1};${columns + 1}H\x1b[K`);
      this.write(`\x1b7\x1b[0m${cut.join('')}\x1b8`);
    }
    this.#terminal.resize(columns, rows);
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
    return (this.#terminal.buffer.active.getLine(row)?.translateToString(true) ?? '').replace(/ +$/, '');
  }

  /** The last `limit` lines above `end`, or fewer, joined where they only wrapped. */
  logical(end: number, limit: number): string[] {
    const buffer = this.#terminal.buffer.active;
    const out: string[] = [];
    let text = '';
    for (let row = end - 1; row >= 0 && out.length < limit; row--) {
      const line = buffer.getLine(row);
      text = (line?.translateToString(true) ?? '') + text;
      if (line?.isWrapped === true && row > 0) continue;
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
