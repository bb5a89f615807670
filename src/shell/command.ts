import type { Client, ConnectOptions, Credential, WatchEvent, WatchKind, WatchListener } from '../client/api.ts';
import type { FourLetterOptions } from '../client/four-letter.ts';
import type { Profile } from '../config/profiles.ts';
import type { LocalEnsembles } from './ensembles.ts';
import type { EventRing } from './event-ring.ts';
import type { Failure } from './failure.ts';
import type { ListedWatch } from './kept-watches.ts';
import type { Quote } from './lexer.ts';
import type { NodeRecord } from './node-record.ts';
import type { EventChange, Output } from './output.ts';
import type { Pipeline } from './parser.ts';
import type { ServerFacts } from './server-facts.ts';
import type { Trash } from './trash.ts';

/** A word with its variables filled in. `bytes` is set when it is not valid UTF-8. */
export interface Arg {
  readonly text: string;
  readonly bytes?: Uint8Array;
  readonly quote: Quote;
  /** The same as a pattern, where parts of it are to be taken as they are: see masked.ts. */
  readonly pattern?: string;
  /** Of the name `txn`: the operations between its braces. */
  readonly block?: readonly Pipeline[];
}

/** The nodes of a snapshot from its root on, each before what is below it, names by code unit. */
export type SnapshotNodes = (options: {
  readonly signal: AbortSignal;
  readonly skip?: ((path: string) => boolean) | undefined;
  /** The root and nothing below. */
  readonly isAlone: boolean;
}) => AsyncIterable<NodeRecord>;

/** Risk classes of shell-design: what asks before it runs, and where. */
export type Risk = 'read' | 'write' | 'bulk' | 'cluster';

/** How a parameter is read, completed and explained. */
export type ParamKind =
  | 'path'
  | 'newPath'
  /** A path, `@profile:PATH`, `file:F`, or `snap:F:PATH`. */
  | 'place'
  | 'data'
  | 'text'
  | 'number'
  | 'duration'
  /** Bytes: `100`, `10k`, `64M`. */
  | 'size'
  | 'acl'
  | 'enum'
  | 'flag'
  | 'file'
  | 'command'
  | 'target'
  | 'profile'
  | 'setting'
  | 'settingValue'
  | 'subject'
  | 'ensembleWord'
  | 'watchedPath';
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
  /** Positional: takes all that is left for it; only one, and behind it none that may be left out. Option: may be given several times. The value is a list, empty when absent. */
  readonly many?: boolean;
  /** Globs are expanded before `run` sees the argument. */
  readonly globs?: boolean;
  /** Of many the last is where something goes to, which is no pattern. */
  readonly endsInTarget?: boolean;
  /** For `enum`; matched without regard to case, `run` sees the spelling given here. */
  readonly values?: readonly string[];
  /** Words that completion offers, though others may be typed, too; what ends with a colon goes on. */
  readonly offers?: readonly string[];
  /** What it is behind these positional words of the command, for completion and hints; undefined: of its own kind. */
  readonly kindAfter?: (before: readonly string[]) => ParamKind | 'nothing' | undefined;
  /** What is said when it is missing behind these positional words of the command, where its name does not tell. */
  readonly missing?: (before: readonly string[]) => Failure;
  /** What help calls the value: `TTL`. Default: the parameter's name in capitals. */
  readonly placeholder?: string;
  /** A path keeps its trailing slash: `create -s dir/` names no prefix. */
  readonly trailingSlash?: boolean;
  /** A path stays as typed: `cd -`. */
  readonly keepsText?: boolean;
  /** Accepted, but not shown by help and completion: an older tool's spelling. */
  readonly hidden?: boolean;
  /** A text that is a whole number of any size: with a minus it is no option. */
  readonly isInteger?: boolean;
  /** A duration that nothing waits for, as long as it likes. */
  readonly isSpan?: boolean;
  /** An option that has to be given: shown so; `run` says what is missing. */
  readonly required?: boolean;
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
type BaseOf<P extends Param> = P['kind'] extends 'number' | 'duration' | 'size'
  ? number
  : P['kind'] extends 'data'
    ? Data
    : P['kind'] extends 'command'
      ? Arg
      : string;
/** Data given to a command: bytes, or null for no data at all. */
export type Data = Uint8Array | null;
export type Values<Ps extends Record<string, Param>> = { readonly [K in keyof Ps]: ValueOf<Ps[K]> };

/** How a further session is begun. */
export interface OpenAtOptions {
  /** Session timeout asked for, ms; absent: as this session's. */
  readonly timeoutMs?: number;
  /** It is waited for as long as for the session itself; absent: for a moment, to see whether the server is there. */
  readonly isPatient?: boolean;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/** The session the shell keeps, for the commands that change which one it is. */
export interface SessionControl {
  /** Connect string in use. */
  readonly target: string;
  /** What people call it: `@profile`, else the connect string. */
  readonly label: string;
  /** As it is spoken to the servers; undefined for plain. */
  readonly tls: ConnectOptions['tls'];
  /** A four-letter word to a server, and its answer; see {@link FourLetterOptions} for what may fail. */
  word(word: string, options: FourLetterOptions): Promise<string>;
  /** Name of the profile in use. */
  readonly profile: string | undefined;
  /**
   * Ends the session, if any, and begins one with `target` (a connect string or `@profile`; absent: the same again).
   * Once `signal` is aborted no server is looked for any more.
   */
  connect(target: string | undefined, signal: AbortSignal): Promise<Client>;
  /** A further session, with another target, whose profile may let it only read; whoever asks closes it. @throws ConnectError, Failure (2) */
  open(target: string): Promise<Client>;
  /** That a target opened before, undefined for the session in use, is one whose changes are asked about. */
  isProtected(target: string | undefined): boolean;
  /**
   * A further session with one server of this ensemble (`host:port`), or some of them, spoken to as this one is; whoever
   * asks closes it. @throws ConnectError
   */
  openAt(servers: string, options?: OpenAtOptions): Promise<Client>;
  /** Ends the session; every further command that needs one fails until `connect`. */
  close(): Promise<void>;
  /** Presents a credential now and in every later session. @throws KeeperError AuthFailed; the shell then has a new session without it. */
  addAuth(scheme: string, auth: string): Promise<void>;
  /** Says that this session made an ephemeral node, so that its loss can be told. */
  noteEphemeral(path: string): void;
  /** It deleted it. */
  forgetEphemeral(path: string): void;
  /** Those presented so far. */
  readonly credentials: readonly Credential[];
  /** Asks the server in use what it is, without a session one of the target; undefined when none says. */
  facts(): Promise<ServerFacts | undefined>;
  /** What the server in use said when it was last asked. */
  readonly knownFacts: ServerFacts | undefined;
  /**
   * Sets a watch that is set again in the next session, should this one expire. It tells `listener`, without one the
   * shell; a watch that stands there tells the new one from now on. Its number.
   */
  addWatch(path: string, recursive: boolean, listener?: WatchListener): Promise<number>;
  /** Those that stand, by number. */
  watches(): Promise<readonly ListedWatch[]>;
  /** Ends one that `addWatch` set, if it still tells `listener`; false: there is none of that number. */
  endWatch(id: number, listener?: WatchListener): Promise<boolean>;
  /** Persistent watches of a kind on a path end. */
  forgetWatches(path: string, kind: WatchKind): void;
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
  save(name: string): void;
}

/** Targets with names, as `profile` keeps them. */
export interface ProfileStore {
  list(): readonly { readonly name: string; readonly isDefault: boolean; readonly profile: Profile }[];
  /** @throws Failure (2) when there is none of that name. */
  get(name: string): Profile;
  has(name: string): boolean;
  /** Each of these writes the user's configuration file. */
  add(name: string, profile: Profile): void;
  remove(name: string): void;
  setDefault(name: string): void;
}

/** How far work of some length is; shown where somebody looks, after half a second. */
export interface Progress extends Disposable {
  /** Somebody is told: else nothing has to be found out for it. */
  readonly isSeen: boolean;
  /** `total` undefined: nobody knows. */
  update(done: number, total?: number): void;
}

/** A program of the operating system, begun by a command. */
export interface RunningProgram {
  /** Its exit code when it has ended; 128 and the number of the signal that ended it. */
  readonly ended: Promise<number>;
  /** To it and, unless it shares our terminal, to all that it has begun. Harmless when nothing is left. */
  kill(signal: string): void;
}

/** The transaction that `txn` opens. */
export interface TransactionControl {
  readonly isOpen: boolean;
  /** Operations that wait in it; undefined without one. */
  readonly waiting: number | undefined;
  /** @throws Failure (2) when one is open already */
  open(): void;
  /** What waits in it. @throws Failure (2) when none is open, as the others */
  show(): Output;
  drop(number: number): void;
  /** Sends it; a refusal is shown, then thrown. */
  commit(): Promise<Output>;
  abort(): number;
  /** Runs the operations of a file and commits them. */
  runFile(file: string): Promise<Output>;
  /** That a node has a version, -1 for any, or does not exist, becomes part of it. @throws Failure (2) */
  check(path: string, version: number | 'absent'): Promise<void>;
  /** Checks are collected: the command itself need not ask the server. */
  readonly collects: boolean;
}

/** What a command may use. The context knows the terminal; commands do not. */
export interface CommandContext {
  /** Waits for the connection; rejects with ConnectError (exit 3). */
  client(): Promise<Client>;
  /** Ctrl-C, down to the request. */
  readonly signal: AbortSignal;
  /** Current path, absolute. */
  cwd: string;
  /** Where `cd -` goes. */
  previous: string;
  /** A line for people, on stderr. */
  warn(line: string): void;
  /** Asks before something is done that hurts. @throws Failure 30 (refused), 31 (answered no). */
  confirm(plan: Plan): Promise<void>;
  /** A secret typed unseen. @throws Failure (2) when nobody is there to type it. */
  askSecret(question: string): Promise<string>;
  /** All of standard input. @throws Failure (2) when it is the terminal */
  readonly stdin: () => Uint8Array;
  /** Paths came out of a pattern. */
  readonly globbed: boolean;
  /** Those, from the root on. */
  readonly patterns: readonly string[];
  /** What is said of a node that is not there and has the name of a pattern. */
  patternHint(path: string): string;
  /** Takes the events of watches that commands set, what they changed where somebody looked, and where the watch stands. */
  readonly watched: (event: WatchEvent, change?: EventChange, watch?: string) => void;
  /** A line for people that comes on its own, while they type. */
  news(line: string): void;
  /** Events are shown as they come; `printwatches`. */
  showsEvents: boolean;
  readonly session: SessionControl;
  readonly settings: SettingsStore;
  readonly profiles: ProfileStore;
  readonly history: HistoryLines;
  /** Those on this machine. */
  ensembles(): Promise<LocalEnsembles>;
  /** A subtree of a snapshot that a server of ours wrote, verified whole. @throws Failure (2, 10, 44) */
  snapshot(file: string, root: string): Promise<SnapshotNodes>;
  /** Shows a part of the answer now. */
  show(output: Output): void;
  /** Shows the answer as it is now, in the place of the one before it where the screen allows. */
  redraw(output: Output): void;
  /** Resolves when there is room to show more. */
  drained(): Promise<void>;
  /** Bytes of an answer as they are; resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** `exporting /app`. */
  progress(what: string): Progress;
  /** Standard input as it comes. @throws Failure (2) when it is the terminal */
  input(): AsyncIterable<Uint8Array>;
  /** Runs a line of the operating system's shell, which has the terminal meanwhile. Its status. */
  os(line: string): Promise<number>;
  /** The user's editor, a command for `os`. @throws Failure (2) when there is no terminal for one */
  editor(): string;
  /** One of several answers. @throws Failure 31, and (2) when nobody is there to ask */
  choose(question: string, choices: readonly { readonly value: string; readonly about: string }[]): Promise<string>;
  /** Events of the watches, the latest of them. */
  readonly events: EventRing;
  /** What was changed here, and how to take it back. */
  readonly trash: Trash;
  /** What this command changes is kept for `undo`. */
  readonly keepsUndo: boolean;
  /** Keeps nothing of this command. */
  dropUndo(): void;
  /** Somebody is there whom `confirm` would ask: a plan is worth the reading it takes. */
  readonly asks: boolean;
  /** Nothing is sent: what would be is shown once the command has ended. */
  readonly isDry: boolean;
  /** Of this program. */
  readonly version: string;
  /** Every command there is, for `help`. */
  readonly registry: Registry;
  /** Runs one command whose words are given, shows what it found, gives its status. Its failure is thrown. */
  execute(words: readonly Arg[]): Promise<number>;
  /** What was thrown by a command run so, as a failure, where the one that ran it goes on; told, behind `where`. */
  failedWithin(error: unknown, where?: string): Failure;
  /** A session of another ensemble, the caller's to close. */
  open(target: string): Promise<Client>;
  /** A path as the user typed it, made absolute. @throws Failure (2) */
  resolve(typed: string): string;
  /** Requests of a pattern: the paths it stands for, sorted. @throws Failure (10) */
  expand(pattern: string): Promise<string[]>;
  /** `-k`: go on after a failure. */
  readonly keepGoing: boolean;
  /** Every question was answered with yes beforehand. */
  readonly saysYes: boolean;
  /**
   * Begins a program with our environment and `env`; the terminal is its own meanwhile. An interruption of the command
   * reaches it, too. @throws Failure 126, 127
   */
  start(words: readonly string[], env: Readonly<Record<string, string>>): Promise<RunningProgram>;
  /** How long the command may take to end once it is interrupted, ms. */
  graceMs: number;
  readonly transaction: TransactionControl;
  /** `${name}` from now on. */
  setVariable(name: string, value: string): void;
  /** Runs a file of commands in this shell; `args` are its `${1}` and so on. @throws Failure when it stopped, told already */
  runFile(file: string, args: readonly string[]): Promise<number>;
  /** Empties the screen. */
  clearScreen(): void;
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
  /** Some of them are ephemeral nodes of other sessions: nothing brings those back. */
  readonly hasOthersEphemerals?: boolean;
  /** It can be taken back with undo. */
  readonly keepsUndo?: boolean;
  /** It happens in an ensemble that is protected, though the one in use may not be. */
  readonly protects?: boolean;
  /** It hurts more than znodes, whatever profile is in use: where nobody can be asked, only --yes allows it. */
  readonly always?: boolean;
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
    | 'coordination'
    | 'admin'
    | 'shell'
    | 'server';
  /** One line. */
  readonly about: string;
  readonly risk: Risk;
  /** The risk of one call, where an option makes it another. */
  riskOf?(values: Values<Ps>): Risk;
  /**
   * How it may stand in a transaction: `operation` in any, `expanded` into operations under `--atomic`, `harmless` there
   * since it changes nothing and reads only what it says. Absent: not at all.
   */
  readonly transaction?: 'operation' | 'expanded' | 'harmless';
  /** It runs lines whose failures are told and counted by themselves. */
  readonly runsLines?: true;
  /** It runs a command for many nodes: what that changes is taken back as one. */
  readonly runsForMany?: true;
  /** It takes away what it made: when nobody reads its answer any more it is told to end, and waited for. */
  readonly removesOwn?: true;
  /** What it makes goes with the session: interrupted, it leaves nothing to look for, and undo nothing to take back. */
  readonly isPassing?: true;
  /**
   * Only Ctrl-C ends such a call: outside scripts that is no failure to be told, though the status is 130; `interrupted`: it is
   * told, since what it did stands still in the middle.
   */
  isEndless?(values: Values<Ps>): boolean | 'interrupted';
  /** False: what it does cannot be shown without doing it, so that a dry run refuses it. */
  readonly dryRun?: false;
  /** What a call that changes files of the user's own is called, where a dry run refuses it: no znode shows what it would do. */
  keeps?(values: Values<Ps>): string | undefined;
  readonly params: Ps;
  /** [line, what it does]; each must parse. */
  readonly examples: readonly (readonly [string, string])[];
  /** Exit codes worth naming, besides 0, 2 and 3. */
  readonly exits?: readonly number[];
  /** What one of them means for this command, where that is not what it means everywhere. */
  readonly exitsHere?: Readonly<Partial<Record<number, string>>>;
  /** What the synopsis ends with, behind all that is read by itself: `[-- CMD...]`. */
  readonly tail?: string;
  /** What is said of options that people know from elsewhere and that there are not: `-type`, and what does the same. */
  readonly foreign?: Readonly<Record<string, string>>;
  /** What help says below the options, if more is worth saying. */
  readonly notes?: readonly string[];
  /**
   * Rewrites an older tool's spelling before the words are bound: `ls P watch` to `ls -w P`. `name` is the name typed,
   * lower case, `args` what follows it. Only words with quote `none` may be taken for keywords.
   */
  readonly legacy?: (args: readonly Arg[], name: string) => readonly Arg[];
  // A method, so that specs of differing parameters fit into one list.
  run(values: Values<Ps>, context: CommandContext): Promise<Output | undefined>;
}

/** Gives a command its types; the object itself is returned unchanged. */
export const command = <const Ps extends Record<string, Param>>(spec: CommandSpec<Ps>): CommandSpec<Ps> => spec;

/** Finds commands by name or alias, whatever the case. */
export interface Registry {
  readonly all: readonly CommandSpec[];
  find(name: string): CommandSpec | undefined;
}

/** @throws Error when two commands share a name; that is a mistake of ours. */
export function registryOf(all: readonly CommandSpec[]): Registry {
  const byName = new Map<string, CommandSpec>();
  for (const spec of all)
    for (const name of [spec.name, ...(spec.aliases ?? [])]) {
      const key = name.toLowerCase();
      if (byName.has(key)) throw new Error(`two commands are called ${name}`);
      byName.set(key, spec);
    }
  return { all, find: (name) => byName.get(name.toLowerCase()) };
}
