import type { Key } from './keys.ts';

/** One way to complete the word at the cursor. */
export interface Candidate {
  /** Replaces `from..to` of its {@link Completion}. */
  readonly text: string;
  /** What the menu shows instead of `text`. */
  readonly display?: string;
  readonly note?: string;
  /** No blank after it: a directory-like path, an `option=`. */
  readonly open?: boolean;
}

/** An answer to Tab. `from` and `to` are UTF-16 offsets into the text asked about. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly candidates: readonly Candidate[];
  /**
   * The same candidates in their order, with what there is to say of them: asked once for those without a note that come into
   * view. One of which nothing is known stays as it is.
   */
  more?(candidates: readonly Candidate[]): Promise<readonly Candidate[]>;
  /** None begins with what was typed, in whatever case: shown, and not put in the place of it before it is chosen. */
  readonly isGuess?: boolean;
  /** A dim line, in place of the menu when there are no candidates: `no permission`. */
  readonly message?: string;
}

/** How a stretch of the text looks. `path` is underlined: a path known not to be there. */
export type SpanStyle = 'command' | 'unknown' | 'option' | 'badOption' | 'string' | 'dim' | 'path';
/** UTF-16 offsets `from..to` of the text, and their style. Where spans overlap the later one wins. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly style: SpanStyle;
}

/** What the editor asks of whoever reads its lines. */
export interface EditorHost {
  /** One line; may hold SGR colours. */
  prompt(): string;
  /** Shown before each further row: `...> `. */
  readonly continuation: string;
  /** On Enter: true when the text is a whole line, false to go on on a further row. */
  isComplete(text: string): boolean;
  /** `again` on the second Tab in a row. */
  complete(text: string, cursor: number, again: boolean): Promise<Completion>;
  /** While no line is edited: a key that means that the user has seen enough of what is shown meanwhile. */
  isEnough?(key: Key): boolean;
  highlight?(text: string): readonly Span[];
  /** Ghost text after the end, `''` for none. Asked when no history line goes on from `text`; without it there are no hints. */
  hint?(text: string): string;
}

/** Lines entered before. */
export interface HistoryStore {
  /** Oldest first. */
  lines(): readonly string[];
  add(text: string): void;
  /** The rest of the line most worth proposing after `prefix`; without it the newest in `lines` is taken. */
  suggest?(prefix: string): string | undefined;
  /** Reads what other shells have added; called when a search begins. */
  reload?(): void;
}

export interface EditorOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly host: EditorHost;
  readonly history: HistoryStore;
  readonly color: boolean;
  /**
   * `TERM=dumb`, a screen reader: no menu and no escape codes; candidates are listed once and the line is written again. Asked
   * at the beginning of each line.
   */
  plain(): boolean;
}

export type LineResult =
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'eof' }
  /** C-c; `again` when the line was empty already. */
  | { readonly type: 'interrupt'; readonly again: boolean };
