import type { History } from '../config/history.ts';
import type { Clock } from '../ports/clock.ts';
import type { Completer, KeySource, Piece, RunIo, Screen, Span, TextSink } from './editor/types.ts';
import type { EventFeed } from './events.ts';

/** Everything the prompt loop is handed; it owns none of it but the terminal's mode. */
export interface ReplOptions {
  readonly input: KeySource;
  /** Where prompt and edited line are drawn and `RunIo.stdout` goes: the terminal. */
  readonly output: Screen;
  /** Where `RunIo.stderr` goes. Default: `output`. */
  readonly errors?: TextSink;
  readonly clock: Clock;
  /** The prompt as it is now; asked at every drawing, so a lost connection shows at once after {@link Repl.redraw}. */
  prompt(width: number): readonly Piece[];
  /** Runs one complete text (it may hold several lines) and resolves with its exit status. A rejection is a bug: it is shown, status 70. */
  runLine(text: string, io: RunIo): Promise<number>;
  /** True when Enter should open a continuation line: an open quote, JSON value, heredoc, brace, or a trailing backslash. */
  isIncomplete?(text: string): boolean;
  readonly history: History;
  /** Profile and current path noted beside each history line; the profile's lines are hinted first. */
  place?(): { readonly profile?: string | undefined; readonly cwd?: string | undefined };
  readonly completer?: Completer;
  /** Colours of the edited text, from what is known already; called at every change of up to 4,096 characters. */
  highlight?(text: string): readonly Span[];
  /** Ghost text when no history line fits: what could follow `text`. */
  hint?(text: string): string;
  /** Its lines appear above the prompt and are held while a line runs. The loop calls `attach`. */
  readonly events?: EventFeed;
  readonly color?: boolean;
  /** No symbols; completion lists are printed once instead of a menu. */
  readonly ascii?: boolean;
  /** TERM is dumb: no cursor movement beyond carriage return. */
  readonly dumb?: boolean;
  /** `$VISUAL` or `$EDITOR`, for C-x C-e. */
  readonly editorCommand?: string | undefined;
  /** Stops the process as C-z does; default SIGTSTP to ourselves. Resolves when it goes on. */
  suspend?(): Promise<void>;
  /** Lines printed before the first prompt. */
  readonly banner?: string;
}

/** A running prompt loop. */
export interface Repl {
  /** Resolves with the exit status: that of `leave`, 0 at end of input, 130 after a second C-c. The terminal is restored by then. */
  readonly done: Promise<number>;
  /** Shows lines above the prompt, or holds them until the running command ends. */
  print(text: string): void;
  /** The prompt's parts changed: draws it again. */
  redraw(): void;
  /** Ends the loop as end of input does; a running line is aborted first. */
  close(status?: number): void;
}

export type StartRepl = (options: ReplOptions) => Repl;
