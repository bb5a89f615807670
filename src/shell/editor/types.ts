/**
 * Words the editor, the completion engine and the prompt loop share. Positions are UTF-16 indices into the text; ranges
 * are half open.
 */

/** What a piece of text means; the view knows how each looks. */
export type Style =
  | 'plain'
  | 'command'
  | 'unknown'
  | 'option'
  | 'badOption'
  | 'string'
  | 'missingPath'
  | 'variable'
  | 'comment'
  | 'dim'
  | 'good'
  | 'attention'
  | 'danger'
  | 'selected'
  | 'match';

/** A styled range of the edited text. Spans do not overlap and come in order; gaps are plain. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly style: Style;
}

/** A styled piece of the prompt. */
export interface Piece {
  readonly text: string;
  readonly style?: Style;
}

/** One thing the word under the cursor could become. */
export interface Candidate {
  /** Replaces `from..to`, quoted as the language needs it. */
  readonly text: string;
  /** What the menu shows; may hold anything a server sent, the view makes control characters visible. */
  readonly display: string;
  readonly kind: 'command' | 'option' | 'path' | 'enum' | 'file' | 'variable' | 'host';
  readonly note?: string;
  /** What `text` means without its quotes; typing with the menu open filters by it. Default: `text`. */
  readonly value?: string;
  /** Added after `text`: a blank when the word is complete, nothing when more may follow. */
  readonly suffix?: '' | ' ';
  /** `text` without a closing quote, for going on with `/`. Default: `text`. */
  readonly stem?: string;
}

/** What the engine answers for one cursor position. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly candidates: readonly Candidate[];
  /** Shared beginning of all candidates, quoted but left open, when longer than what is typed. */
  readonly common?: string;
  /** There are more than given, or none were loaded: one line that says so and what a further Tab does. */
  readonly more?: string;
  /** Why there is nothing, in one line: no permission, no connection. */
  readonly reason?: string;
  /** Where the last path element begins, for placing the menu. Default: `from`. */
  readonly anchor?: number;
}

export interface CompleteOptions {
  /** Tab was pressed again on the same text: load what was only counted before. */
  readonly again?: boolean;
}

/** What the editor asks of a completion engine. Never throws, never rejects. */
export interface Completer {
  /** Answers at once when no server has to be asked. */
  complete(line: string, cursor: number, options?: CompleteOptions): Completion | Promise<Completion>;
  /** `/` was typed: loads the children of the path before the cursor, if it is one, for a Tab that may follow. */
  prefetch?(line: string, cursor: number): void;
  /** Notes for the candidates given (those visible, at most 50), by `value`. */
  notes?(candidates: readonly Candidate[]): Promise<ReadonlyMap<string, Partial<Candidate>>>;
}

/** Somewhere text can be written; a Writable is one. */
export interface TextSink {
  write(chunk: string | Uint8Array): unknown;
}

/** What a line being run may use. */
export interface RunIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Aborted by C-c. */
  readonly signal: AbortSignal;
  readonly columns: number;
  readonly rows: number;
  /** Runs `work` with the keyboard handed over (cooked mode, nobody else reads): questions, pagers, child processes. */
  handOver<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the shell with this status once the line is done: `quit`. */
  leave(status?: number): void;
}

/** The part of a terminal's streams the shell uses; process.stdin and process.stdout are such, and so are tests' fakes. */
export interface KeySource {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
  on(event: 'data', listener: (chunk: Uint8Array | string) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  removeListener(event: string, listener: (...values: never[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}
export interface Screen extends TextSink {
  readonly columns?: number;
  readonly rows?: number;
  on?(event: 'resize', listener: () => void): unknown;
  removeListener?(event: string, listener: (...values: never[]) => void): unknown;
}
