/** What the shell needs of the world around it, and what it tells it. */
import type { WatchEvent } from '../client/api.ts';
import type {
  CommandSpec,
  HistoryLines,
  Plan,
  ProfileStore,
  Progress,
  Registry,
  RunningProgram,
  SettingsStore,
  SnapshotNodes,
} from './command.ts';
import type { StdinReader } from './data.ts';
import type { LocalEnsembles } from './ensembles.ts';
import type { EventRing } from './event-ring.ts';
import type { Failure } from './failure.ts';
import type { EventChange, Output } from './output.ts';
import type { ShellSession } from './session.ts';
import type { Trash } from './trash.ts';

/** Where a line comes from; decides what errors name and whether a person is asked. */
export interface Source {
  /** `deploy.zk`; undefined at the prompt and for one command. */
  readonly file?: string;
  /** Lines have numbers that mean something to whoever wrote them. */
  readonly isScript?: boolean;
  /** Commands of `-c`: what ends a script ends them. */
  readonly isBatch?: boolean;
  /** Nothing of it comes behind this text: the status of the last command is its answer. */
  readonly isLast?: boolean;
  /** Number of the text's first line, 1-based. */
  readonly line: number;
}

/** A failure with the line it came from. */
export interface Told {
  readonly failure: Failure;
  readonly command: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

/** What one command of a script did, for programs that read along. */
export interface CommandRecord {
  readonly line: number;
  readonly command: string;
  readonly outputs: readonly Output[];
  readonly failure?: Failure;
}

/** Takes bytes that go elsewhere than to the screen. */
export interface Outlet {
  /** Resolves when there is room for more; false: whoever took them wants no more. @throws Failure (2, 126) */
  write(bytes: Uint8Array): Promise<boolean>;
  /** There is no more; the status of the program that took it, 0 of a file. */
  end(): Promise<number>;
}

/** What the shell needs of the world around it. */
export interface ShellPorts {
  /** Of this program. */
  readonly version: string;
  readonly registry: Registry;
  readonly session: ShellSession;
  readonly settings: SettingsStore;
  readonly profiles: ProfileStore;
  readonly history: HistoryLines;
  ensembles(): Promise<LocalEnsembles>;
  /** A subtree of a server's snapshot. @throws Failure (2, 10, 44) */
  snapshot(file: string, root: string): Promise<SnapshotNodes>;
  /** Shows a result on standard output. */
  show(output: Output): void;
  /** Shows it in the place of the one before, where the screen allows. */
  redraw(output: Output): void;
  /** The plain bytes of a result, for pipes and files. */
  plain(output: Output): Uint8Array;
  /** Bytes of an answer, as they are. */
  write(bytes: Uint8Array): void;
  /** Resolves when standard output has room. */
  drained(): Promise<void>;
  progress(what: string): Progress;
  /** Standard input as it comes. @throws Failure (2) */
  input(): AsyncIterable<Uint8Array>;
  choose(question: string, choices: readonly { readonly value: string; readonly about: string }[]): Promise<string>;
  readonly events: EventRing;
  readonly trash: Trash;
  /** A command has ended: what it showed and is still held goes to the screen. */
  settled(): Promise<void>;
  tell(told: Told): void;
  /** Ctrl-C ended what would not have ended by itself: nothing is told. */
  endedByUser(): void;
  /** Set while results are JSON: takes each command of a script as one record. */
  readonly record?: ((record: CommandRecord) => void) | undefined;
  warn(line: string): void;
  /** A failure of what goes on all the same: whoever wants no warnings wants that, too. */
  complain(line: string): void;
  confirm(plan: Plan, spec: CommandSpec): Promise<void>;
  /** Before the first change of each kind under a protected profile. */
  confirmWrite(spec: CommandSpec): Promise<void>;
  askSecret(question: string): Promise<string>;
  /** An event, what it changed where somebody looked, and where the watch stands, if that is known. */
  readonly watched: (event: WatchEvent, change?: EventChange, watch?: string) => void;
  /** A line that comes on its own. */
  news(line: string): void;
  /** The user's editor. @throws Failure (2) */
  editor(): string;
  /** Runs a line of the operating system's shell; its status. `isBeside`: what it prints is no answer, and goes to standard error. */
  os(line: string, signal: AbortSignal, isBeside?: boolean): Promise<number>;
  /** Begins one that reads what is written. */
  pipe(line: string, signal: AbortSignal, isBeside?: boolean): Outlet;
  /**
   * Begins a program. `signal` interrupts it; `leaving` is the status the shell then ends with, if it does.
   * @throws Failure 126, 127
   */
  start(
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    signal: AbortSignal,
    leaving: () => number | undefined,
  ): Promise<RunningProgram>;
  /** @throws Failure (2) */
  readFile(file: string): string;
  /** A word names a file of this machine. */
  isFile(word: string): boolean;
  clearScreen(): void;
  /** Appends to or replaces a file. @throws Failure (2) */
  openFile(file: string, append: boolean): Outlet;
  readonly stdin: StdinReader;
  readonly interactive: boolean;
  /** Somebody is there to answer, and has not said yes to everything. */
  readonly asks: boolean;
  readonly readOnly: boolean;
  /** `-n`: changes are shown and not sent. */
  readonly dryRun: boolean;
  /** How long one request may take, ms. */
  opTimeoutMs(): number;
  /** `-k`: go on after a failure. */
  readonly keepGoing: boolean;
  /** Every question was answered with yes beforehand. */
  readonly saysYes: boolean;
  readonly variables: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
}
