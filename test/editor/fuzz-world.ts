/** The real editor between a keyboard and a terminal emulator, both in memory, in a time that stands until it is told. */
import assert from 'node:assert/strict';
import { Editor, type EditorHost, type LineResult } from '../../src/editor/editor.ts';
import { MemoryHistory } from '../../src/editor/memory-history.ts';
import type { LineState } from '../../src/editor/state.ts';
import { viewOf } from '../../src/editor/view.ts';
import { Clock, settled } from './clock.ts';
import { alike, wrappedAnew } from './fuzz-compare.ts';
import { clip, type Left, lay, leftBehind, type Shape, type Shown } from './fuzz-model.ts';
import { type Asked, completionOf, HISTORY, Input, Output, spans } from './fuzz-ports.ts';
import { spy } from './fuzz-spy.ts';
import type { Plan, Step } from './fuzz-steps.ts';
import { Xterm } from './xterm.ts';

const CONTINUATION = '...> ';
/** What a terminal that does not say its size is. */
const UNKNOWN = { columns: 80, rows: 24 };
/** What terminals wrap at different places: joined pictures, flags, syllables of several letters. */
const DISPUTED = /\u200d|\ufe0e|\ufe0f|\u094d|\uff9e|\u20e3|[\u{1f3fb}-\u{1f3ff}]|\p{RI}/u;
/** Lines above the prompt that are compared each time. */
const COMPARED = 12;

export class World implements Disposable {
  readonly screen: Xterm;
  readonly #clock = new Clock();
  readonly #plan: Plan;
  readonly #input = new Input();
  readonly #output: Output;
  readonly #editor: Editor;
  readonly #host: EditorHost;
  readonly #asked: Asked[] = [];
  #prompt = '\x1b[32mlocal:/>\x1b[0m ';
  /** Lines that must stand above the prompt. */
  #printed: string[] = [];
  /** Printed by others, and not shown yet. */
  #held: string[] = [];
  #editing = false;
  #suspended = false;
  /** What is above can no longer be told from what was drawn: take what is there. */
  #lost = false;
  /** Lines of {@link World.#printed} in which a picture went over the last column. */
  readonly #over = new Set<string>();
  #results = 0;
  #atLineStart = true;
  #closed = false;
  #failed: Error | undefined;
  #deaf: { readonly line: LineState; readonly text: string; readonly cursor: number } | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.screen = new Xterm(plan.columns || UNKNOWN.columns, plan.rows || UNKNOWN.rows, plan.opinion, plan.reflow);
    this.#output = new Output(plan.columns, plan.rows, (text) => {
      if (text.includes('\x1b[2J')) this.#lost = true;
      this.screen.write(text);
      return true;
    });
    const history = new MemoryHistory();
    for (const line of HISTORY) history.add(line);
    if (plan.suggests)
      Object.assign(history, { suggest: (text: string) => (text.startsWith('g') ? `${text}日本\nmore` : undefined) });
    this.#host = {
      prompt: () => this.#prompt,
      continuation: CONTINUATION,
      isComplete: (text) => (text.match(/"/g) ?? []).length % 2 === 0,
      complete: (text, cursor) =>
        new Promise((resolve, reject) => void this.#asked.push({ text, cursor, resolve, reject })),
      highlight: (text) => spans(text),
      ...(plan.hints && {
        hint: (text: string) => (/get\s*$/.test(text) ? '[-s] [-w] PATH 日本語 to the end of the row' : ''),
      }),
    };
    const options = { host: this.#host, history, color: plan.color, plain: false };
    this.#editor = new Editor({ ...options, input: this.#input as never, output: this.#output as never });
    this.#read();
  }

  /** Nothing to wait for when nothing is returned. */
  step(step: Step): Promise<void> | undefined {
    return this.#suspended ? this.#resumed(step) : this.#take(step);
  }

  async #resumed(step: Step): Promise<void> {
    for (; this.#suspended; await settled()) this.#continue();
    await this.#take(step);
  }

  #take(step: Step): Promise<void> | undefined {
    spy.awaited = step.type === 'answer' || step.type === 'tick' || step.type === 'judge';
    const ticks = step.type === 'tick' ? step.ms : step.type === 'judge' ? 0 : undefined;
    if (ticks === undefined) this.#happens(step);
    if (spy.awaited || this.#lost) return this.#settle(step.type === 'judge', ticks);
    assert.equal(spy.wrong, undefined);
    return undefined;
  }

  #happens(step: Step): void {
    switch (step.type) {
      case 'keys':
        this.#input.emit('data', Buffer.from(step.bytes, 'latin1'));
        break;
      case 'event':
        if (this.#editing) this.#held.push(...step.text.split('\n').map((line) => line.replace(/ +$/, '')));
        else if (this.#atLineStart) this.#printed.push(...step.text.split('\n').map((line) => line.replace(/ +$/, '')));
        else break;
        this.#editor.printAbove(step.text);
        // the editor shows them when it comes to that, and not while another has the terminal
        if (this.#editing) setImmediate(() => void (this.#suspended || this.#flush()));
        break;
      case 'resize':
        this.#resize(step.columns, step.rows);
        break;
      case 'answer': {
        const asked = step.last ? this.#asked.pop() : this.#asked.shift();
        if (asked === undefined) break;
        const { line } = spy;
        // an answer to what the line no longer is must not be heard
        if (line !== undefined && (line.text !== asked.text || line.cursor !== asked.cursor))
          this.#deaf = { line, text: line.text, cursor: line.cursor };
        if (step.kind === 3 && step.count < 10) asked.reject(new Error('no\nconnection'));
        else asked.resolve(completionOf(asked, step.kind, step.count));
        break;
      }
      case 'prompt':
        this.#prompt = step.text;
        this.#editor.refresh();
        break;
      case 'lend':
        if (!this.#atLineStart) break;
        this.#editor.pause();
        this.screen.write('lent\r\n');
        this.#printed.push('lent');
        this.#editor.resume();
        this.#flush();
        break;
    }
  }

  /** Promises of the editor and of this world. */
  async #settle(judges: boolean, ticks: number | undefined): Promise<void> {
    if (ticks !== undefined) await this.#clock.tick(ticks);
    do {
      if (judges && this.#suspended) this.#continue();
      await settled();
    } while (judges && this.#suspended);
    if (this.#failed !== undefined) throw this.#failed;
    const deaf = this.#deaf;
    this.#deaf = undefined;
    if (deaf !== undefined && (deaf.line.text !== deaf.text || deaf.line.cursor !== deaf.cursor))
      assert.fail(`a late answer changed ${JSON.stringify(deaf.text)} to ${JSON.stringify(deaf.line.text)}`);
    if (this.#lost && !this.#suspended) await this.#adopt();
    assert.equal(spy.wrong, undefined);
    if (judges) this.#judge(COMPARED);
  }

  /** Compares all there ever was. */
  finish(): void {
    this.#judge(Number.POSITIVE_INFINITY);
  }

  #read(): void {
    if (!this.#atLineStart) this.#printed.push('no newline');
    this.#atLineStart = true;
    spy.line = undefined;
    this.#editing = true;
    this.#editor
      .readLine()
      .then((result) => {
        if (!this.#closed) this.#ended(result);
      })
      .catch((error: Error) => {
        this.#failed ??= error;
      });
    this.#flush();
  }

  /** The line stays on the screen; then a command prints, and the next begins. */
  #ended(result: LineResult): void {
    this.#flush();
    const text = result.type === 'line' ? result.text : result.type === 'interrupt' ? `${spy.line?.text ?? ''}^C` : '';
    this.#left(leftBehind({ ...this.#shape(text), prompt: this.#prompt }, this.#columns));
    this.#editing = false;
    const kind = this.#results++ % 4;
    if (kind === 1) {
      this.screen.write('a result\r\n');
      this.#printed.push('a result');
    } else if (kind === 2) {
      this.screen.write('no newline');
      this.#atLineStart = false;
    }
    this.#read();
  }

  #shape = (text: string): Shape => ({
    ...{ prompt: this.#prompt, continuation: CONTINUATION, text, cursor: 0, ghost: '' },
    opinion: this.#plan.opinion,
  });

  #left(lines: readonly Left[]): void {
    for (const { text, over } of lines) {
      this.#printed.push(text);
      if (over) this.#over.add(text);
    }
  }

  #flush(): void {
    this.#printed.push(...this.#held.splice(0));
  }

  /** C-z: the line is left, and the shell above says so. */
  suspend(): void {
    this.#suspended = true;
    // the process stands still until it is continued: no timer comes before that
    setImmediate(() => this.#continue());
    if (this.#editing) this.#left(leftBehind(this.#shape(spy.line?.text ?? ''), this.#columns));
    this.screen.write('stopped\r\n');
    this.#printed.push('stopped');
  }

  #continue(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    // what was held is shown before the keys that waited are heard
    this.#flush();
    process.emit('SIGCONT', 'SIGCONT');
  }

  get #columns(): number {
    return this.#output.columns || UNKNOWN.columns;
  }
  get #rows(): number {
    return this.#output.rows || UNKNOWN.rows;
  }

  /**
   * Where the line begins is known, and it is redrawn at once: what stands above must stay as the terminal made it. Of the
   * line itself may stay what was pushed out of the screen, where nobody can erase it.
   */
  #resize(columns: number, rows: number): void {
    if (!this.#editing) return;
    const { screen } = this;
    const next = { columns: columns || UNKNOWN.columns, rows: rows || UNKNOWN.rows };
    const shown = this.#expected();
    const isNarrower = next.columns < this.#columns;
    const first = screen.resize(next.columns, next.rows, screen.cursorRow - shown.cursorRow);
    const kept = screen.picture(Math.max(first, screen.top));
    const pushedOut = screen.logical(first, screen.top);
    this.#output.columns = columns;
    this.#output.rows = rows;
    this.#output.emit('resize');
    this.#printed.push(...pushedOut);
    // which row a picture goes to depends on the cells that this terminal gives it, and nobody knows those
    const isUncertain = shown.rows.some((row, at) => (shown.widths[at] ?? 0) > next.columns && DISPUTED.test(row));
    if (this.#plan.reflow && isUncertain) this.#lost = true;
    if (this.#plan.reflow) return;
    // where rows are cut and not wrapped, nobody can know that: we go up too far, but never further than this
    const begins = screen.cursorRow - this.#expected().cursorRow;
    const extra = (width: number): number => Math.floor(width / (next.columns - 1));
    const above = shown.widths.slice(0, shown.cursorRow).reduce((sum, width) => sum + extra(width), 0);
    const most = isNarrower ? above + extra(shown.cursorColumn) : 0;
    const now = screen.picture(begins);
    if (begins < first - most || begins > Math.max(first, screen.top) || !now.every((row, at) => row === kept[at]))
      assert.fail(`lines above are gone: ${begins} of ${first}, ${most} at most\n${screen.show()}`);
    this.#printed = screen.logical(0, begins);
  }

  /** What the screen must show of the line. */
  #expected(): Shown {
    const state = spy.line;
    if (state === undefined) return clip(lay(this.#shape(''), this.#columns), [], this.#rows, this.#plan.opinion);
    const { color, opinion } = this.#plan;
    const view = viewOf(state, {
      prompt: this.#prompt,
      continuation: CONTINUATION,
      spans: [],
      hint: color ? (this.#host.hint?.(state.text) ?? '') : '',
      columns: this.#columns,
      height: this.#rows,
      color,
    });
    const below = view.below.map((row) => row.map((segment) => segment.text).join(''));
    return clip(lay({ ...view, opinion }, this.#columns), below, this.#rows, opinion);
  }

  async #adopt(): Promise<void> {
    this.#lost = false;
    await this.#clock.tick(0);
    const shown = this.#expected();
    this.#printed = this.screen.logical(0, this.screen.cursorRow - shown.cursorRow);
  }

  #judge(lines: number): void {
    const { screen } = this;
    const shown = this.#expected();
    const where = (): string =>
      `${this.#columns}x${this.#rows}, text ${JSON.stringify(spy.line?.text)} cursor ${spy.line?.cursor}; expected cursor ${shown.cursorRow}:${shown.cursorColumn}\n${shown.rows.join('\n')}\n--- shown:\n${screen.show()}`;
    const first = screen.cursorRow - shown.cursorRow;
    const bad = (what: string): never => assert.fail(`${what} ${where()}`);
    if (screen.cursorColumn !== shown.cursorColumn) bad('the cursor is elsewhere:');
    if (first < screen.top) bad('the line does not begin on the screen:');
    if (first + shown.rows.length > screen.length) bad('rows are missing:');
    for (let row = first; row < screen.length; row++) {
      const expected = shown.rows[row - first] ?? '';
      if (!alike(screen.text(row), expected, shown.over[row - first] === true))
        bad(`row ${row - first} is ${JSON.stringify(screen.text(row))}, not ${JSON.stringify(expected)}:`);
    }
    const above = screen.lastLines(first, lines);
    const printed = this.#printed.slice(-Math.min(lines, this.#printed.length));
    const same = (line: string, at: number): boolean =>
      alike(wrappedAnew(above[at] ?? ''), wrappedAnew(line), this.#over.has(line));
    if (above.length !== printed.length || !printed.every(same))
      bad(`above stands ${JSON.stringify(above)}, not ${JSON.stringify(printed)}:`);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#editor.close();
    this.screen.dispose();
    this.#clock[Symbol.dispose]();
    spy.wrong = undefined;
  }
}
