import type { Client, WatchEvent } from '../client/api.ts';

/** Risk classes of shell-design: what asks before it runs, and where. */
export type Risk = 'read' | 'write' | 'bulk' | 'cluster';

/** How a parameter is read, completed and explained. */
export type ParamKind =
  | 'path'
  | 'newPath'
  | 'data'
  | 'text'
  | 'number'
  | 'duration'
  | 'acl'
  | 'enum'
  | 'flag'
  | 'file'
  | 'command'
  | 'zxid';
export interface Param {
  readonly kind: ParamKind;
  /** One line for help. */
  readonly about: string;
  /** `-R`; given means this is an option, not a positional argument. */
  readonly short?: string;
  /** `--recursive`; given means this is an option. */
  readonly long?: string;
  /** Positional and may be left out. Options are always optional. */
  readonly optional?: boolean;
  /** Positional: takes all that is left. Option: may be given several times. The value is a list, empty when absent. */
  readonly many?: boolean;
  /** Globs are expanded before `run` sees the argument. */
  readonly globs?: boolean;
  /** For `enum`; matched without regard to case, `run` sees the spelling given here. */
  readonly values?: readonly string[];
  /** What help calls the value: `TTL`. Default: the parameter's name in capitals. */
  readonly placeholder?: string;
  /** A path keeps its trailing slash: `create -s dir/` names no prefix. */
  readonly trailingSlash?: boolean;
  /** Accepted, but not shown by help and completion: an older tool's spelling. */
  readonly hidden?: boolean;
}
type ValueOf<P extends Param> = P['kind'] extends 'flag'
  ? boolean
  : P['many'] extends true
    ? readonly BaseOf<P>[]
    : P['optional'] extends true
      ? BaseOf<P> | undefined
      : P extends { short: string } | { long: string }
        ? BaseOf<P> | undefined
        : BaseOf<P>;
type BaseOf<P extends Param> = P['kind'] extends 'number' | 'duration'
  ? number
  : P['kind'] extends 'data'
    ? Data
    : string;
/** Data given to a command: bytes, or null for no data at all. */
export type Data = Uint8Array | null;
export type Values<Ps extends Record<string, Param>> = { readonly [K in keyof Ps]: ValueOf<Ps[K]> };

/**
 * What a command found; a renderer decides how it looks. `type` names the shape; see out/shapes.ts. `exit` is the status
 * of an answer that is not 0, such as `exists` saying no.
 */
export interface Output {
  readonly type: string;
  readonly exit?: number;
  readonly [field: string]: unknown;
}

/** The session the shell keeps, for the commands that change which one it is. */
export interface SessionControl {
  /** Connect string in use. */
  readonly target: string;
  /** Name of the profile in use. */
  readonly profile: string | undefined;
  /** Ends the session, if any, and begins one with `target` (a connect string or `@profile`; absent: the same again). */
  connect(target?: string): Promise<Client>;
  /** Ends the session; every further command that needs one fails until `connect`. */
  close(): Promise<void>;
}

/** Lines typed before, as `history` and `redo` need them. */
export interface HistoryLines {
  /** Oldest first, with numbers that stay. */
  list(): readonly { readonly number: number; readonly text: string }[];
  clear(): void;
}

/** Values of `settings`. */
export interface SettingsStore {
  all(): readonly { readonly name: string; readonly value: string; readonly about: string }[];
  /** @throws Failure (2) for an unknown name or a value that does not fit. */
  get(name: string): string;
  set(name: string, value: string): void;
  /** Writes the value into the user's configuration file. */
  save(name: string): Promise<void>;
}

/** What a command may use. The context knows the terminal; commands do not. */
export interface CommandContext {
  /** Waits for the connection; rejects with ConnectError (exit 3). */
  client(): Promise<Client>;
  /** The session if there is one, without waiting. */
  readonly current: Client | undefined;
  /** Ctrl-C, down to the request. */
  readonly signal: AbortSignal;
  /** Current path, absolute. */
  cwd: string;
  /** Where `cd -` goes. */
  previous: string;
  /** Absolute, normalised form of a path typed by the user. */
  resolve(path: string): string;
  /** Writes one result at once, for commands that stream. */
  emit(output: Output): void;
  /** A line for people, on stderr. */
  warn(line: string): void;
  /** Asks before something is done that hurts. @throws Failure 30 (refused), 31 (answered no). */
  confirm(plan: Plan): Promise<void>;
  /** A secret typed unseen. @throws Failure (2) when nobody is there to type it. */
  askSecret(question: string): Promise<string>;
  /** Takes the events of watches that commands set. */
  watched(event: WatchEvent): void;
  /** Events are shown as they come; `printwatches`. */
  showsEvents: boolean;
  readonly session: SessionControl;
  readonly settings: SettingsStore;
  readonly history: HistoryLines;
  /** Runs a further line in this shell, for `redo`. */
  run(line: string): Promise<number>;
  /** Ends the shell after this command. */
  leave(status?: number): void;
  /** The version of each node as this shell last read it, for `-v =`. */
  readonly versionsRead: Map<string, number>;
  /** Status of the last command. */
  readonly lastStatus: number;
  /** Somebody types at the prompt. */
  readonly interactive: boolean;
  /** `--yes`. */
  readonly yes: boolean;
  /** `--dry-run`: nothing is sent that changes anything. */
  readonly dryRun: boolean;
}

/** What is about to be done, for the question before it. */
export interface Plan {
  /** `delete 12 znodes under /a`. */
  readonly what: string;
  readonly path: string;
  /** Further lines shown above the question. */
  readonly details?: readonly string[];
  /** How many znodes are touched, as far as known. */
  readonly count?: number;
}

export interface CommandSpec<Ps extends Record<string, Param> = Record<string, Param>> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group:
    | 'session'
    | 'read'
    | 'write'
    | 'watch'
    | 'transaction'
    | 'acl'
    | 'bulk'
    | 'admin'
    | 'shell'
    | 'server';
  /** One line. */
  readonly about: string;
  readonly risk: Risk;
  readonly params: Ps;
  /** [line, what it does]; each must parse. */
  readonly examples: readonly (readonly [string, string])[];
  /** Exit codes worth naming, besides 0, 2 and 3. */
  readonly exits?: readonly number[];
  /** What help says below the options, if more is worth saying. */
  readonly notes?: readonly string[];
  /**
   * Rewrites an older tool's spelling before the words are parsed: `ls P watch` to `ls -w P`. `name` is the name typed,
   * `words` what follows it; quoted words come as opaque tokens and are never taken for keywords.
   */
  readonly legacy?: (words: readonly string[], name: string) => readonly string[];
  // A method, so that specs of differing parameters fit into one list.
  run(values: Values<Ps>, context: CommandContext): Promise<Output | undefined>;
}

/** Gives a command its types; the object itself is returned unchanged. */
export const command = <const Ps extends Record<string, Param>>(spec: CommandSpec<Ps>): CommandSpec<Ps> => spec;
