import { after } from '../base/width.ts';
import { KillRing, LineBuffer } from './buffer.ts';
import { COMMANDS } from './commands.ts';
import type { Key } from './keys.ts';
import { isSubsequence, labelOf, Menu, matching, sharedPrefix } from './menu.ts';
import { menuKey, searchKey } from './modes.ts';
import { Search, suggestion, type Walk } from './recall.ts';
import type { Candidate, Completion, HistoryStore } from './types.ts';

/** What the world is to do after a key. */
export type Effect =
  | { readonly type: 'submit'; readonly text: string }
  | { readonly type: 'interrupt'; readonly again: boolean }
  /** Answer with {@link LineState.answer}; call {@link LineState.late} when it takes long. */
  | {
      readonly type: 'complete';
      readonly id: number;
      readonly text: string;
      readonly cursor: number;
      readonly again: boolean;
    }
  /** Plain terminals: write these labels once, above the line. */
  | { readonly type: 'list'; readonly labels: readonly string[] }
  | { readonly type: 'eof' | 'suspend' | 'external' | 'clear' | 'bell' };

/** What the state asks while it thinks: functions without effects. */
export interface Rules {
  isComplete(text: string): boolean;
  readonly history: HistoryStore;
  readonly plain: boolean;
  /** Ghost text from the history may be accepted. */
  readonly hints: boolean;
}

interface Question {
  readonly id: number;
  readonly again: boolean;
  /** The user has waited long enough to be told so. */
  late: boolean;
}

/** One line being edited: keys in, effects out. Knows no terminal, clock or promise. */
export class LineState {
  readonly buffer = new LineBuffer();
  readonly rules: Rules;
  readonly kills: KillRing;
  menu: Menu | undefined;
  search: Search | undefined;
  walk: Walk | undefined;
  /** A dim line below the text, gone with the next key. */
  message: string | undefined;
  /** Cells of a row and rows of the screen. */
  columns = 80;
  /** The command before this one, so that kills join and a second Tab is known. */
  last = '';
  /** Set by a command that wants to be known as `last` to the next. */
  mark = '';
  /** First half of a two-key command. */
  prefix = '';
  /** How much C-y put in. */
  yanked = 0;
  /** How far M-. went back, and how much it put in. */
  lastWord = { back: 0, length: 0 };
  #question: Question | undefined;
  #asked = 0;
  #effects: Effect[] = [];
  #original = { text: '', cursor: 0 };

  constructor(rules: Rules, kills: KillRing = new KillRing()) {
    this.rules = rules;
    this.kills = kills;
  }

  get text(): string {
    return this.buffer.text;
  }
  get cursor(): number {
    return this.buffer.cursor;
  }
  /** True while an answer is awaited. */
  get asking(): boolean {
    return this.#question !== undefined;
  }
  /** True while an answer is awaited that is late. */
  get waiting(): boolean {
    return this.#question?.late === true;
  }

  /** What the newest history line with this beginning adds; `''` when there is none or the cursor is elsewhere. */
  get ghost(): string {
    if (!this.rules.hints || this.text === '' || this.cursor !== this.text.length || this.menu || this.search)
      return '';
    return suggestion(this.rules.history, this.text)?.slice(this.text.length) ?? '';
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  press(key: Key): Effect[] {
    this.#effects = [];
    this.#take(key);
    return this.#effects;
  }

  #take(key: Key): void {
    this.mark = '';
    if (key.type === 'key' && key.name === 'Tab' && this.#question !== undefined) return;
    this.#question = undefined;
    this.message = undefined;
    if (this.search !== undefined && searchKey(this, key, this.search)) return;
    if (this.menu !== undefined && menuKey(this, key, this.menu)) return;
    if (key.type === 'key') this.#command(key.name);
    else if (this.prefix !== '') this.prefix = '';
    else if (key.type === 'text') this.buffer.type(key.text);
    else this.buffer.insert(key.text);
    if (this.mark !== 'history') this.walk = undefined;
    this.last = this.mark;
  }

  #command(name: string): void {
    const full = this.prefix + name;
    this.prefix = '';
    const command = COMMANDS[full];
    if (command !== undefined) command(this);
    else if (full !== name) this.effect({ type: 'bell' });
  }

  // Completion

  ask(): void {
    this.#question = { id: ++this.#asked, again: this.last === 'tab', late: false };
    this.#original = { text: this.text, cursor: this.cursor };
    const { id, again } = this.#question;
    this.mark = 'tab';
    this.effect({ type: 'complete', id, text: this.text, cursor: this.cursor, again });
  }

  /** The answer to `complete` number `id` is not there yet. True when this shows. */
  late(id: number): boolean {
    if (this.#question?.id !== id || this.rules.plain) return false;
    this.#question.late = true;
    return true;
  }

  /** Takes the answer to `complete` number `id`; undefined, and nothing changes, when the line is no longer the one asked about. */
  answer(id: number, completion: Completion): Effect[] | undefined {
    const question = this.#question;
    if (question?.id !== id) return undefined;
    this.#effects = [];
    this.#question = undefined;
    this.#complete(completion, question.again);
    return this.#effects;
  }

  #complete(completion: Completion, again: boolean): void {
    const from = Math.max(0, Math.min(completion.from, this.cursor));
    const to = Math.min(this.text.length, Math.max(completion.to, this.cursor));
    const typed = this.text.slice(from, this.cursor);
    const found = matching(completion.candidates, typed);
    // the host may know better than any of our ways to match, as when quotes come in
    const candidates = found.length > 0 ? found : completion.candidates;
    const [first] = candidates;
    if (first === undefined) {
      this.message = completion.message;
      this.effect({ type: 'bell' });
      return;
    }
    // another word than what was typed is seen before it is taken: with one more Tab, where it stands alone
    const isGuess = completion.isGuess === true;
    if (candidates.length === 1 && (!isGuess || (this.rules.plain && again))) {
      this.accept(first, from, to);
      return;
    }
    const shared = sharedPrefix(candidates);
    const grows =
      !isGuess &&
      shared !== typed &&
      shared.length >= typed.length &&
      isSubsequence(typed.toLowerCase(), shared.toLowerCase());
    if (grows) this.buffer.replace(from, to, shared);
    if (!this.rules.plain) this.menu = new Menu(candidates, from, completion.message, completion.more);
    else if (grows && !again) this.effect({ type: 'bell' });
    else this.effect({ type: 'list', labels: candidates.map(labelOf) });
  }

  accept(one: Candidate, from: number, to: number): void {
    this.menu = undefined;
    this.last = '';
    const { text } = this.buffer;
    if (one.open === true) this.buffer.replace(from, to, one.text);
    else this.buffer.replace(from, text[to] === ' ' ? to + 1 : to, `${one.text} `);
  }

  /** The line as it was before Tab or C-r. */
  restore(): void {
    this.buffer.set(this.#original.text, this.#original.cursor);
  }

  // Search

  startSearch(): void {
    this.rules.history.reload?.();
    this.#original = { text: this.text, cursor: this.cursor };
    this.search = new Search(this.rules.history.lines());
    if (this.text !== '') this.search.find(this.text);
  }

  /** Moves right one character, or over (a word of) the ghost text, which becomes real. */
  acceptGhost(howMuch: 'all' | 'word'): boolean {
    const { ghost } = this;
    if (ghost === '') return false;
    const end = howMuch === 'all' ? ghost.length : wordEnd(ghost);
    this.buffer.insert(ghost.slice(0, end));
    return true;
  }
}

/** Past the blanks and the word that follow, and past one slash: paths go piece by piece. */
function wordEnd(text: string): number {
  const found = /^\s*[^\s/]*\/?/.exec(text);
  return Math.max(found?.[0].length ?? 0, after(text, 0));
}
