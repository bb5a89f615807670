import { textWidth } from '../base/width.ts';
import type { Candidate, Completion } from './types.ts';

/** Are the letters of `part` in `whole`, in this order? */
export function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const char of part) {
    at = whole.indexOf(char, at);
    if (at < 0) return false;
    at += char.length;
  }
  return true;
}

/** Those that go on from what was typed: by prefix, else by prefix in any case, else by its letters in order. */
export function matching(candidates: readonly Candidate[], typed: string): readonly Candidate[] {
  if (typed === '') return candidates;
  // what needs quotes goes on from what was typed without, or within others
  const bare = (text: string): string => text.replace(/^\$?['"]/, '');
  const body = ({ text }: Candidate): string => bare(text);
  const inner = bare(typed);
  const exact = candidates.filter((one) => one.text.startsWith(typed) || body(one).startsWith(inner));
  if (exact.length > 0) return exact;
  const lower = inner.toLowerCase();
  const folded = candidates.filter((one) => body(one).toLowerCase().startsWith(lower));
  if (folded.length > 0) return folded;
  return candidates.filter((one) => isSubsequence(lower, one.text.toLowerCase()));
}

/** The longest beginning all of them share, never half a character. */
export function sharedPrefix(candidates: readonly Candidate[]): string {
  const first = candidates[0]?.text ?? '';
  let length = first.length;
  for (const { text } of candidates) {
    let same = 0;
    while (same < length && text.charCodeAt(same) === first.charCodeAt(same)) same++;
    length = same;
  }
  const last = first.charCodeAt(length - 1);
  return first.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

export const labelOf = (one: Candidate): string => one.display ?? one.text;

/** How a menu lies in a terminal: cells of a label, columns, and rows in all. Filled row by row. */
export interface Grid {
  readonly label: number;
  readonly columns: number;
  readonly rows: number;
}

/** Menu cells besides the label: the mark in front, the gap behind. */
const MARK = 2;
const GAP = 2;
/** Of so many candidates it is asked at a time what there is to say of them. */
const AT_ONCE = 50;

/** The open list of candidates. `selected` is -1 until the user moves into it. */
export class Menu {
  readonly message: string | undefined;
  #all: readonly Candidate[];
  shown: readonly Candidate[];
  selected = -1;
  readonly from: number;
  #widest = -1;
  #notes = false;
  readonly more: Completion['more'];
  readonly #asked = new WeakSet<Candidate>();

  constructor(candidates: readonly Candidate[], from: number, message?: string, more?: Completion['more']) {
    this.more = more;
    this.#all = candidates;
    this.shown = candidates;
    this.from = from;
    this.message = message;
  }

  /** Those in view of whom nobody has asked what there is to say; who calls this asks. */
  unasked(inView: readonly Candidate[]): Candidate[] {
    if (this.more === undefined) return [];
    const bare = inView.filter((one) => one.note === undefined && !this.#asked.has(one)).slice(0, AT_ONCE);
    for (const one of bare) this.#asked.add(one);
    return bare;
  }

  /** What was answered; true when it shows. */
  learn(bare: readonly Candidate[], known: readonly Candidate[]): boolean {
    const learnt = new Map<Candidate, Candidate>();
    for (const [at, one] of bare.entries()) {
      const now = known[at];
      if (now?.note !== undefined) learnt.set(one, now);
    }
    const replaced = (all: readonly Candidate[]): Candidate[] => all.map((one) => learnt.get(one) ?? one);
    this.#all = replaced(this.#all);
    this.shown = replaced(this.shown);
    this.#widest = -1;
    return learnt.size > 0;
  }

  get current(): Candidate | undefined {
    return this.shown[this.selected];
  }

  /** Keeps what goes on from `typed`; false when nothing does. */
  filter(typed: string): boolean {
    this.shown = matching(this.#all, typed);
    this.#widest = -1;
    this.selected = this.shown.length > 0 ? 0 : -1;
    return this.shown.length > 0;
  }

  /** One column when there are notes beside, else as many as go into `width` cells. */
  grid(width: number): Grid {
    if (this.#widest < 0) {
      this.#notes = this.shown.some((one) => one.note !== undefined && one.note !== '');
      this.#widest = this.shown.reduce((most, one) => Math.max(most, textWidth(labelOf(one))), 1);
    }
    const label = Math.min(this.#widest, Math.max(1, width - MARK - 1));
    const fit = Math.max(1, Math.floor((width - 1 + GAP) / (label + MARK + GAP)));
    const columns = this.#notes ? 1 : Math.min(fit, this.shown.length);
    return { label, columns, rows: Math.ceil(this.shown.length / columns) };
  }

  /** Next (1) or previous (-1), round and round. */
  step(by: number): void {
    const { length } = this.shown;
    if (this.selected < 0) this.selected = by > 0 ? 0 : length - 1;
    else this.selected = (this.selected + by + length) % length;
  }

  /** Up or down by rows, staying in the column. */
  vertical(rows: number, width: number): void {
    if (this.selected < 0) {
      this.step(rows);
      return;
    }
    const grid = this.grid(width);
    const to = this.selected + rows * grid.columns;
    const column = this.selected % grid.columns;
    const last = this.shown.length - 1;
    const bottom = column + Math.floor((last - column) / grid.columns) * grid.columns;
    if (Math.abs(rows) > 1) this.selected = Math.max(column, Math.min(to, bottom));
    else this.selected = to < 0 ? bottom : to > last ? column : to;
  }
}
