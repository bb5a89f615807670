import { after, before } from '../base/width.ts';

const UNDO_LIMIT = 500;
const WORD = /[\p{L}\p{N}\p{M}_]/u;

const isWord = (text: string, at: number, blanks: boolean): boolean => {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 32);
  return blanks ? !/\s/.test(char) : WORD.test(char);
};
const stepRight = (text: string, at: number): number => at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
const stepLeft = (text: string, at: number): number =>
  at > 1 && (text.codePointAt(at - 2) ?? 0) > 0xffff ? at - 2 : Math.max(0, at - 1);

/** Text, cursor (a UTF-16 offset on a grapheme boundary) and the way back. */
export class LineBuffer {
  text = '';
  cursor = 0;
  #undo: { text: string; cursor: number }[] = [];
  #group = '';

  /** Takes a new text. Changes of one named `group` in a row are undone together. */
  set(text: string, cursor: number, group = ''): void {
    if (text !== this.text && (group === '' || group !== this.#group)) {
      this.#undo.push({ text: this.text, cursor: this.cursor });
      if (this.#undo.length > UNDO_LIMIT) this.#undo.shift();
    }
    this.#group = group;
    this.text = text;
    this.cursor = cursor;
  }

  move(cursor: number): void {
    this.#group = '';
    this.cursor = Math.max(0, Math.min(cursor, this.text.length));
  }

  undo(): boolean {
    const back = this.#undo.pop();
    if (back === undefined) return false;
    this.#group = '';
    this.text = back.text;
    this.cursor = back.cursor;
    return true;
  }

  /** Typed text joins the undo group of the word it is part of. */
  type(text: string): void {
    this.insert(text, text === ' ' ? '' : 'type');
  }

  insert(text: string, group = ''): void {
    this.replace(this.cursor, this.cursor, text, group);
  }

  /** Puts `text` in place of `from..to` and the cursor behind it. */
  replace(from: number, to: number, text: string, group = ''): void {
    this.set(this.text.slice(0, from) + text + this.text.slice(to), from + text.length, group);
  }

  /** Removes `from..to` and returns it. */
  remove(from: number, to: number, group = ''): string {
    const gone = this.text.slice(from, to);
    if (gone !== '') this.replace(from, to, '', group);
    return gone;
  }

  get left(): number {
    return before(this.text, this.cursor);
  }
  get right(): number {
    return after(this.text, this.cursor);
  }
  get rowStart(): number {
    return this.cursor === 0 ? 0 : this.text.lastIndexOf('\n', this.cursor - 1) + 1;
  }
  get rowEnd(): number {
    const end = this.text.indexOf('\n', this.cursor);
    return end < 0 ? this.text.length : end;
  }

  /** The start of the word before the cursor: letters and digits, or with `blanks` anything but white space. */
  wordLeft(blanks = false): number {
    // by code points: a word has no part of a character at its edges, and a long way may lie before it
    const inside = (at: number): boolean => isWord(this.text, stepLeft(this.text, at), blanks);
    let at = this.cursor;
    while (at > 0 && !inside(at)) at = stepLeft(this.text, at);
    while (at > 0 && inside(at)) at = stepLeft(this.text, at);
    return at;
  }

  wordRight(): number {
    const { text } = this;
    let at = this.cursor;
    while (at < text.length && !isWord(text, at, false)) at = stepRight(text, at);
    while (at < text.length && isWord(text, at, false)) at = stepRight(text, at);
    return at;
  }

  /** Where one row up (-1) or down (1) the cursor would be, undefined when there is none. */
  vertical(step: -1 | 1): number | undefined {
    const column = this.cursor - this.rowStart;
    if (step < 0) {
      const end = this.rowStart - 1;
      if (end < 0) return undefined;
      const start = end === 0 ? 0 : this.text.lastIndexOf('\n', end - 1) + 1;
      return this.#snap(start, Math.min(start + column, end));
    }
    const start = this.rowEnd + 1;
    if (start > this.text.length) return undefined;
    const end = this.text.indexOf('\n', start);
    return this.#snap(start, Math.min(start + column, end < 0 ? this.text.length : end));
  }

  /** The last grapheme boundary at or before `at`. */
  #snap(start: number, at: number): number {
    let place = start;
    while (place < at) {
      const next = after(this.text, place);
      if (next > at) break;
      place = next;
    }
    return place;
  }

  /** Swaps the graphemes around the cursor; at the end the last two. */
  transpose(): void {
    const middle = this.cursor === this.rowEnd ? this.left : this.cursor;
    const start = before(this.text, middle);
    if (middle <= this.rowStart || start === middle) return;
    const end = after(this.text, middle);
    this.replace(start, end, this.text.slice(middle, end) + this.text.slice(start, middle));
  }
}

/** What was cut, newest last. Lives longer than one line. */
export class KillRing {
  #items: string[] = [];
  #at = 0;

  /** `grow` joins to the newest: a kill right after a kill. */
  add(text: string, where: 'before' | 'after', grow: boolean): void {
    if (text === '') return;
    const last = grow ? this.#items.pop() : undefined;
    this.#items.push(last === undefined ? text : where === 'before' ? text + last : last + text);
    if (this.#items.length > 60) this.#items.shift();
    this.#at = this.#items.length - 1;
  }

  get newest(): string | undefined {
    this.#at = this.#items.length - 1;
    return this.#items.at(-1);
  }

  /** The one before what was given last, round and round. */
  older(): string | undefined {
    if (this.#items.length === 0) return undefined;
    this.#at = (this.#at + this.#items.length - 1) % this.#items.length;
    return this.#items[this.#at];
  }
}
