/** The real editor between a keyboard and a terminal emulator, both in memory, in a time that stands until it is told. */
import assert from 'node:assert/strict';
import { Editor, type EditorHost, type LineResult } from '../../src/editor/editor.ts';
import { MemoryHistory } from '../../src/editor/memory-history.ts';
import type { LineState } from '../../src/editor/state.ts';
import { viewOf } from '../../src/editor/view.ts';
import { Clock, settled } from './clock.ts';
import { clip, lay, leftBehind, type Row, rowsUp, type Shape, type Shown } from './fuzz-model.ts';
import { type Asked, completionOf, HISTORY, Input, Output, spans } from './fuzz-ports.ts';
import { spy } from './fuzz-spy.ts';
import type { Plan, Step } from './fuzz-steps.ts';
import { Xterm } from './xterm.ts';

const CONTINUATION = '...> ';
/** What a terminal that does not say its size is. */
const UNKNOWN = { columns: 80, rows: 24 };
/** Lines above the prompt that are compared each time. */
const COMPARED = 12;

/**
 * Of all sessions: how often a terminal that wraps anew wrapped a row that it measures otherwise than the editor, and how
 * often its line began elsewhere than the editor took it to.
 */
export const counted = { resizes: 0, disputed: 0, tooFar: 0, tooNear: 0 };

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
  #results = 0;
  #atLineStart = true;
  #closed = false;
  #failed: Error | undefined;
  #deaf: { readonly line: LineState; readonly text: string; readonly cursor: number } | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.screen = new Xterm(plan.columns || UNKNOWN.columns, plan.rows || UNKNOWN.rows, plan.opinion, plan.reflow);
    this.#output = new Output(plan.columns, plan.rows, (text) => {
      this.screen.write(text);
      // of what stood above there is left what had gone out of the screen before
      if (text.includes('\x1b[2J')) this.#printed = this.screen.logical(0, this.screen.top);
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
    const options = { host: this.#host, history, color: plan.color, plain: () => false };
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
    if (spy.awaited) return this.#settle(step.type === 'judge', ticks);
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
    this.#printed.push(...leftBehind(this.#shape(text), this.#columns));
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

  #flush(): void {
    this.#printed.push(...this.#held.splice(0));
  }

  /** C-z: the line is left, and the shell above says so. */
  suspend(): void {
    this.#suspended = true;
    // the process stands still until it is continued: no timer comes before that
    setImmediate(() => this.#continue());
    if (this.#editing) this.#printed.push(...leftBehind(this.#shape(spy.line?.text ?? ''), this.#columns));
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
   * The line is redrawn at once, from where the editor takes its first row to be. That is where it is, or the terminal
   * wraps at other places than the editor thinks: it gives a character other cells, or cuts rows instead. How far off the
   * editor is then, is known to the row. What stands above that must stay as the terminal made it; of the line itself may
   * stay what was pushed out of the screen, where nobody can erase it.
   */
  #resize(columns: number, rows: number): void {
    if (!this.#editing) return;
    const { screen } = this;
    const { reflow } = this.#plan;
    const next = { columns: columns || UNKNOWN.columns, rows: rows || UNKNOWN.rows };
    const shown = this.#expected();
    const first = screen.resize(next.columns, next.rows, screen.cursorRow - shown.cursorRow);
    const up = reflow ? rowsUp(shown, next.columns, 'drawn') : shown.cursorRow;
    const thought = rowsUp(shown, next.columns, 'declared');
    if (screen.cursorRow - first !== up)
      assert.fail(`the emulator wrapped to ${screen.cursorRow - first} rows, not ${up}\n${screen.show()}`);
    counted.resizes++;
    const differs = ({ declared, drawn }: Row): boolean =>
      declared.reduce((sum, width) => sum + width, 0) > next.columns && String(declared) !== String(drawn);
    if (reflow && shown.laid.some(differs)) counted.disputed++;
    if (reflow && thought !== up) counted[thought > up ? 'tooFar' : 'tooNear']++;
    const begins = Math.max(screen.top, screen.cursorRow - thought);
    const kept = screen.picture(begins);
    // a terminal that cuts rows has cut these, too
    if (reflow && begins >= first) this.#printed.push(...screen.logical(first, begins));
    else this.#printed = screen.logical(0, begins);
    this.#output.columns = columns;
    this.#output.rows = rows;
    this.#output.emit('resize');
    const now = screen.cursorRow - this.#expected().cursorRow;
    if (now !== begins || !screen.picture(begins).every((row, at) => row === kept[at]))
      assert.fail(`the line begins at ${now}, not ${begins}, or what stands above changed\n${screen.show()}`);
  }

  /** What the screen must show of the line. */
  #expected(): Shown {
    const state = spy.line;
    if (state === undefined) return this.#clip(lay(this.#shape(''), this.#columns), []);
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
    return this.#clip(lay({ ...view, opinion }, this.#columns), below);
  }

  #clip(shown: Shown, below: readonly string[]): Shown {
    return clip(shown, below, this.#columns, this.#rows, this.#plan.opinion);
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
      if (screen.text(row) !== expected)
        bad(`row ${row - first} is ${JSON.stringify(screen.text(row))}, not ${JSON.stringify(expected)}:`);
    }
    const above = screen.lastLines(first, lines);
    const printed = this.#printed.slice(-Math.min(lines, this.#printed.length));
    if (above.length !== printed.length || !printed.every((line, at) => line === above[at]))
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
