import { assert } from '../base/assert.ts';
import { KillRing } from './buffer.ts';
import { editExternally } from './external.ts';
import type { Key } from './keys.ts';
import { Painter } from './painter.ts';
import { type Effect, LineState } from './state.ts';
import { Terminal } from './terminal.ts';
import type { Candidate, Completion, EditorOptions, LineResult } from './types.ts';
import { type Surroundings, viewOf } from './view.ts';

export type {
  Candidate,
  Completion,
  EditorHost,
  EditorOptions,
  HistoryStore,
  LineResult,
  Span,
  SpanStyle,
} from './types.ts';

/** No answer to Tab for so long: say that one is awaited. */
const LATE_MS = 300;
/** What need not wait for it. */
const CANCELS: ReadonlySet<string> = new Set(['C-c', 'C-g', 'Escape']);
/** Longer texts are shown without colours: nobody reads them by colour, and each key would pay. */
const COLOURED_LENGTH = 10_000;

/**
 * The line editor of one terminal. It keeps the terminal in raw mode from the first {@link readLine} to
 * {@link close}, also between lines, so that keys typed ahead are kept and C-c is heard; {@link pause} lends the
 * terminal to another program.
 */
export class Editor {
  /** While no line is edited: called on C-c. */
  onInterrupt: (() => void) | undefined;
  /** While no line is edited: called on a key that is enough, see {@link EditorHost.isEnough}. */
  onEnough: (() => void) | undefined;
  readonly #options: EditorOptions;
  readonly #terminal: Terminal;
  readonly #painter: Painter;
  readonly #kills = new KillRing();
  #state: LineState | undefined;
  #resolve: ((result: LineResult) => void) | undefined;
  #queue: Key[] = [];
  #above = '';
  /** Keys after a Tab wait a while for its answer, so that a fast typist gets what a slow one gets. */
  #holding = false;
  #away = false;
  /** Of the line being read; the user may wish otherwise for the next one. */
  #plain = false;
  #ended = false;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#terminal = new Terminal(options.input, options.output, {
      keys: (keys) => {
        this.#queue.push(...keys);
        if (keys.some((key) => key.type === 'key' && CANCELS.has(key.name))) this.#holding = false;
        this.#pump();
      },
      end: () => this.#end(),
      resized: () => this.#resized(),
      resumed: () => this.#back(),
      interrupted: () => {
        if (this.#away || this.#state === undefined) this.onInterrupt?.();
        else {
          this.#holding = false;
          this.#queue.push({ type: 'key', name: 'C-c' });
          this.#pump();
        }
      },
    });
    this.#painter = new Painter(this.#terminal, this.#plain, options.color);
  }

  /** Shows the prompt and edits one line, which may have several rows. Only one at a time. */
  readLine(): Promise<LineResult> {
    assert(this.#resolve === undefined, 'a line is being read already');
    if (this.#ended && this.#queue.length === 0) return Promise.resolve({ type: 'eof' });
    const { host, history, color } = this.#options;
    this.#plain = this.#options.plain();
    this.#terminal.plain = this.#plain;
    this.#painter.plain = this.#plain;
    const rules = {
      isComplete: (text: string) => host.isComplete(text),
      history,
      plain: this.#plain,
      hints: color && !this.#plain && host.hint !== undefined,
    };
    this.#state = new LineState(rules, this.#kills);
    this.#away = false;
    const result = new Promise<LineResult>((resolve) => {
      this.#resolve = resolve;
    });
    this.#terminal.take();
    this.#painter.begin();
    this.#draw();
    this.#pump();
    return result;
  }

  /** Prints whole lines above the prompt when a line is edited, else directly. */
  printAbove(text: string): void {
    const lines = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    if (this.#state === undefined) {
      this.#terminal.write(lines);
      return;
    }
    // all that comes in one turn of the loop costs one redraw
    if (this.#above === '') setImmediate(() => this.#printHeld());
    this.#above += lines;
  }

  /** The prompt's text has changed. */
  refresh(): void {
    this.#draw();
  }

  /** Leaves raw mode and stops reading, so that another program can have the terminal. */
  pause(): void {
    if (this.#state !== undefined && !this.#away) this.#painter.erase();
    this.#away = true;
    this.#terminal.give();
  }

  /** Takes the terminal back. */
  resume(): void {
    this.#terminal.take();
    this.#back();
  }

  /** Gives the terminal back for good; a line still being read ends with `eof`. */
  close(): void {
    if (this.#state !== undefined) this.#finish({ type: 'eof' }, '');
    this.#ended = true;
    this.#queue = [];
    this.#terminal.close();
  }

  #back(): void {
    this.#away = false;
    if (this.#state === undefined) return;
    this.#painter.begin();
    this.#printHeld();
    this.#draw();
    this.#pump();
  }

  /** Feeds waiting keys to the line; between lines they stay, but a C-c among them is the command's. */
  #pump(): void {
    let drawn = true;
    while (!this.#away && !this.#holding && this.#state !== undefined) {
      const key = this.#queue.shift();
      if (key === undefined) break;
      drawn = false;
      for (const effect of this.#state.press(key)) this.#perform(effect);
    }
    if (!drawn) this.#draw();
    if (this.#state === undefined && this.#queue.length > 0) setImmediate(() => this.#betweenLines());
    if (this.#ended && this.#state !== undefined && this.#queue.length === 0) this.#finish({ type: 'eof' }, '');
  }

  #betweenLines(): void {
    if (this.#state !== undefined) return;
    const { host } = this.#options;
    const isSignal = (key: Key): boolean => key.type === 'key' && (key.name === 'C-c' || key.name === 'C-z');
    const at = this.#queue.findLastIndex((key) => isSignal(key) || host.isEnough?.(key));
    const key = this.#queue[at];
    if (key === undefined) return;
    this.#queue.splice(0, at + 1);
    if (key.type !== 'key') this.onEnough?.();
    else if (key.name === 'C-c') this.onInterrupt?.();
    else this.#terminal.suspend();
  }

  #end(): void {
    this.#ended = true;
    this.#pump();
  }

  #perform(effect: Effect): void {
    const state = this.#state;
    if (state === undefined) return;
    switch (effect.type) {
      case 'submit':
        this.#finish({ type: 'line', text: effect.text }, '');
        if (effect.text.trim() !== '') this.#options.history.add(effect.text);
        break;
      case 'interrupt':
        this.#finish({ type: 'interrupt', again: effect.again }, '^C');
        break;
      case 'eof':
        this.#finish({ type: 'eof' }, '');
        break;
      case 'complete':
        void this.#complete(state, effect.id, effect.text, effect.cursor, effect.again);
        break;
      case 'list':
        this.#painter.list(effect.labels);
        break;
      case 'clear':
        this.#painter.clear();
        break;
      case 'bell':
        this.#terminal.write('\x07');
        break;
      case 'suspend':
        this.#painter.leave(viewOf(state, this.#surroundings()), '');
        this.#away = true;
        this.#terminal.suspend();
        break;
      case 'external':
        void this.#external(state);
        break;
    }
  }

  /** Leaves the line as it is on the screen, without menu and hint, and answers whoever waits for it. */
  #finish(result: LineResult, suffix: string): void {
    const state = this.#state;
    const resolve = this.#resolve;
    if (state === undefined || resolve === undefined) return;
    if (!this.#away) {
      this.#printHeld();
      this.#painter.leave({ ...viewOf(state, { ...this.#surroundings(), hint: '' }), ghost: '' }, suffix);
    }
    this.#state = undefined;
    this.#resolve = undefined;
    this.#holding = false;
    resolve(result);
  }

  async #complete(state: LineState, id: number, text: string, cursor: number, again: boolean): Promise<void> {
    this.#holding = true;
    const timer = setTimeout(() => {
      if (this.#state !== state) return;
      this.#holding = false;
      if (state.late(id)) this.#draw();
      this.#pump();
    }, LATE_MS);
    let completion: Completion;
    try {
      completion = await this.#options.host.complete(text, cursor, again);
    } catch (error) {
      completion = { from: cursor, to: cursor, candidates: [], message: String((error as Error)?.message ?? error) };
    }
    clearTimeout(timer);
    if (this.#state !== state) return;
    const effects = state.answer(id, completion);
    if (effects === undefined) return; // the line has changed; it may wait for another answer
    this.#holding = false;
    for (const effect of effects) this.#perform(effect);
    this.#draw();
    this.#pump();
  }

  async #external(state: LineState): Promise<void> {
    this.pause();
    try {
      const text = await editExternally(state.text);
      state.buffer.set(text, text.length);
    } catch (error) {
      state.message = `the editor failed: ${(error as Error).message}`;
    }
    if (this.#state === state) this.resume();
  }

  #printHeld(): void {
    if (this.#above === '' || this.#away) return;
    const text = this.#above;
    this.#above = '';
    const state = this.#state;
    if (state === undefined) this.#terminal.write(text);
    else this.#painter.above(text, viewOf(state, this.#surroundings()));
  }

  #resized(): void {
    if (this.#state === undefined || this.#away) return;
    this.#painter.resized();
    this.#draw();
  }

  #draw(): void {
    if (this.#state === undefined || this.#away) return;
    this.#state.columns = this.#terminal.columns;
    const view = viewOf(this.#state, this.#surroundings());
    this.#painter.show(view);
    void this.#lookAt(view.inView);
  }

  /** Notes of rows that have come into view; a note is a comfort, and none is no failure. */
  async #lookAt(inView: readonly Candidate[] = []): Promise<void> {
    const menu = this.#state?.menu;
    const bare = menu?.unasked(inView) ?? [];
    if (menu?.more === undefined || bare.length === 0) return;
    const known = await menu.more(bare).catch(() => []);
    if (menu.learn(bare, known) && this.#state?.menu === menu) this.#draw();
  }

  #surroundings(): Surroundings {
    const { host, color } = this.#options;
    const text = this.#state?.text ?? '';
    const short = color && !this.#plain && text.length <= COLOURED_LENGTH;
    return {
      prompt: host.prompt(),
      continuation: host.continuation,
      spans: short ? (host.highlight?.(text) ?? []) : [],
      hint: short ? (host.hint?.(text) ?? '') : '',
      columns: this.#terminal.columns,
      height: this.#terminal.rows,
      color,
    };
  }
}
