/** The terminal that a view is drawn on. */
export interface LiveTerminal {
  readonly rows: number | undefined;
  write(text: string): unknown;
  on(event: 'resize', heard: () => void): unknown;
  off(event: 'resize', heard: () => void): unknown;
}

const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** A view that is drawn again and again in its place, and anew when the window has another size. It never scrolls. */
export class LiveScreen {
  readonly #terminal: LiveTerminal;
  #lines: (() => string) | undefined;
  readonly #resized = (): void => this.#paint();

  constructor(terminal: LiveTerminal) {
    this.#terminal = terminal;
  }

  /** `render` gives the lines as they are in a window of this size; it is asked again when the size changes. */
  draw(render: () => string): void {
    if (this.#lines === undefined) {
      // what is on the screen goes up into what can be scrolled back to
      this.#terminal.write('\n'.repeat(this.#rows - 1));
      this.#terminal.on('resize', this.#resized);
    }
    this.#lines = render;
    this.#paint();
  }

  get isDrawn(): boolean {
    return this.#lines !== undefined;
  }
  /** What is drawn stays; the cursor is below it. */
  end(): void {
    if (this.#lines === undefined) return;
    this.#lines = undefined;
    this.#terminal.off('resize', this.#resized);
  }

  get #rows(): number {
    return this.#terminal.rows || 24;
  }
  #paint(): void {
    if (this.#lines === undefined) return;
    const lines = this.#lines().replace(/\n$/, '').split('\n');
    // the cursor goes onto the line below the last: one row is its
    const shown = lines.slice(0, this.#rows - 1).map((line) => `${line}${CLEAR_LINE}\n`);
    this.#terminal.write(`${HOME}${shown.join('')}${CLEAR_BELOW}`);
  }
}
