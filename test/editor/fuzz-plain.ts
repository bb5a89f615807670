/** The real editor on a terminal that only prints: no more than characters, CR, LF and backspaces, and the last line is the buffer. */
import assert from 'node:assert/strict';
import { Editor, type LineResult } from '../../src/editor/editor.ts';
import { MemoryHistory } from '../../src/editor/memory-history.ts';
import { viewOf } from '../../src/editor/view.ts';
import { Clock, settled } from './clock.ts';
import { type Asked, completionOf, HISTORY, Input, Output, spans } from './fuzz-ports.ts';
import { spy } from './fuzz-spy.ts';
import type { Plan, Step } from './fuzz-steps.ts';

const CONTINUATION = '...> ';
const UNKNOWN = { columns: 80, rows: 24 };
/** Characters about whose cells nobody differs: what a terminal makes of pictures is another fuzz. */
export const SIMPLE: readonly string[] = [
  ...'getls/-_.x'.split(''),
  ...['get ', 'ls /', '/app/', ' ', ' ', '"', '"', "'", '\\', 'ü', 'ж', '日', '本', '한', 'Ａ', '🙂'],
];
const isWide = (char: string): boolean => /^[\u1100-\u115f\u2e80-\uffe6\u{1f300}-\u{1faff}]/u.test(char);

/** What a character takes on the line, a cell each; the right half of a wide one is empty. */
function cellsOf(text: string): string[] {
  return [...text].flatMap((char) => {
    const code = char.codePointAt(0) as number;
    if (code < 32 || code === 127) return ['^', String.fromCharCode(code ^ 64)];
    if (code >= 0x80 && code < 0xa0) return ['\ufffd'];
    return isWide(char) && code !== 0xfffd ? [char, ''] : [char];
  });
}

/** Lines of a paper that cannot be taken back. */
class Teletype {
  columns: number;
  #line: string[] = [];
  at = 0;
  constructor(columns: number) {
    this.columns = columns;
  }
  write(text: string): void {
    for (const char of text) {
      const code = char.codePointAt(0) as number;
      if (char === '\r') this.at = 0;
      else if (char === '\n') this.#line = [];
      else if (char === '\b') {
        assert.ok(this.at > 0, 'a backspace in the first column');
        this.at--;
      } else if (char !== '\x07') {
        assert.ok(code >= 32 && (code < 127 || code >= 160), `${JSON.stringify(text)} has a control character`);
        this.#print(char);
      }
    }
  }
  #print(char: string): void {
    const width = isWide(char) && char !== '\ufffd' ? 2 : 1;
    if (this.at + width > this.columns) {
      this.#line = [];
      this.at = 0;
    }
    while (this.#line.length < this.at) this.#line.push(' ');
    // half of a wide one that is printed over is blank
    if (this.#line[this.at] === '' && this.at > 0) this.#line[this.at - 1] = ' ';
    if (this.#line[this.at + width] === '') this.#line[this.at + width] = ' ';
    this.#line[this.at] = char;
    if (width === 2) this.#line[this.at + 1] = '';
    this.at += width;
  }
  /** Without blanks at its end. */
  get line(): string[] {
    const end = this.#line.findLastIndex((cell) => cell !== ' ');
    return this.#line.slice(0, end + 1);
  }
}

export class PlainWorld implements Disposable {
  readonly #clock = new Clock();
  readonly #input = new Input();
  readonly #output: Output;
  readonly #paper: Teletype;
  readonly #editor: Editor;
  readonly #asked: Asked[] = [];
  #prompt = 'local:/> ';
  #failed: Error | undefined;
  #closed = false;
  #results = 0;

  constructor(plan: Plan) {
    this.#paper = new Teletype(plan.columns || UNKNOWN.columns);
    this.#output = new Output(plan.columns, plan.rows, (text) => {
      this.#paper.write(text);
      return true;
    });
    const history = new MemoryHistory();
    for (const line of HISTORY) history.add(line);
    const host = {
      prompt: () => this.#prompt,
      continuation: CONTINUATION,
      isComplete: (text: string) => (text.match(/"/g) ?? []).length % 2 === 0,
      complete: (text: string, cursor: number) =>
        new Promise<ReturnType<typeof completionOf>>(
          (resolve, reject) => void this.#asked.push({ text, cursor, resolve, reject }),
        ),
      highlight: (text: string) => spans(text),
      hint: () => 'never shown',
    };
    const options = { host, history, color: plan.color, plain: () => true };
    this.#editor = new Editor({ ...options, input: this.#input as never, output: this.#output as never });
    this.#read();
  }

  async step(step: Step): Promise<void> {
    switch (step.type) {
      case 'keys':
        // C-z is another fuzz's
        this.#input.emit('data', Buffer.from(step.bytes.replaceAll('\x1a', ''), 'latin1'));
        break;
      case 'event':
        this.#editor.printAbove(step.text.replace(/[^ -~\n]/g, '?'));
        break;
      case 'resize':
        this.#output.columns = step.columns;
        this.#output.rows = step.rows;
        this.#paper.columns = this.#columns;
        this.#output.emit('resize');
        break;
      case 'answer': {
        const asked = step.last ? this.#asked.pop() : this.#asked.shift();
        if (asked === undefined) break;
        if (step.kind === 3 && step.count < 10) asked.reject(new Error('no\nconnection'));
        else asked.resolve(completionOf(asked, step.kind, step.count));
        break;
      }
      case 'prompt':
        this.#prompt = step.text;
        this.#editor.refresh();
        break;
      case 'tick':
        await this.#clock.tick(step.ms);
        break;
      case 'judge':
        await this.#clock.tick(0);
        break;
      case 'lend':
        break;
    }
    await settled();
    if (this.#failed !== undefined) throw this.#failed;
    assert.equal(spy.wrong, undefined);
    if (step.type === 'judge') this.#judge();
  }

  #read(): void {
    spy.line = undefined;
    this.#editor.readLine().then(
      (result) => {
        if (!this.#closed) this.#ended(result);
      },
      (error: Error) => {
        this.#failed ??= error;
      },
    );
  }
  #ended(_: LineResult): void {
    if (this.#results++ % 3 === 1) this.#paper.write('a result\r\n');
    this.#read();
  }

  get #columns(): number {
    return this.#output.columns || UNKNOWN.columns;
  }

  /** Of the row that has the cursor as much as there is room for, marked where it is cut. */
  #judge(): void {
    const state = spy.line;
    const sizes = { columns: this.#columns, height: this.#output.rows || UNKNOWN.rows };
    const looks = { prompt: this.#prompt, continuation: CONTINUATION, spans: [], hint: '', color: false };
    const { text, cursor, prompt } =
      state === undefined ? { text: '', cursor: 0, prompt: this.#prompt } : viewOf(state, { ...looks, ...sizes });
    const before = text.slice(0, cursor).split('\n');
    const head = before.length === 1 ? prompt.replace(/\x1b\[[\d;]*m/g, '') : CONTINUATION;
    const left = cellsOf(head + before.at(-1));
    const all = [...left, ...cellsOf(text.slice(cursor).split('\n')[0] as string)];
    const { line, at } = this.#paper;
    const room = this.#columns - 1;
    const from = left.length - at;
    const where = (): string =>
      `${this.#columns} columns, ${JSON.stringify({ text, cursor, at, from })}\n${all.join('')}\n--- shown:\n${line.join('')}`;
    assert.ok(from >= 0 && at < Math.max(4, room) + 1, `the cursor is elsewhere: ${where()}`);
    if (all.length <= room && left.length < room) assert.equal(from, 0, `there is room for all of it: ${where()}`);
    const part = all.slice(from, from + Math.max(4, room));
    const isCut = from + part.length < all.length;
    if (from > 0) part.splice(0, part[1] === '' ? 2 : 1, ...(part[1] === '' ? ['<', ' '] : ['<']));
    if (isCut) {
      if (part.at(-1) === '') part[part.length - 2] = ' ';
      part[part.length - 1] = '>';
    }
    while (part.at(-1) === ' ') part.pop();
    assert.deepEqual(line, part, where());
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#editor.close();
    this.#clock[Symbol.dispose]();
    spy.wrong = undefined;
  }
}
