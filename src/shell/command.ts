import type { Client } from '../client/api.ts';

/** Risk classes of shell-design: what asks before it runs, and where. */
export type Risk = 'read' | 'write' | 'bulk' | 'cluster';

/** How a parameter is read, completed and explained. */
export type ParamKind = 'path' | 'newPath' | 'data' | 'text' | 'number' | 'duration' | 'acl' | 'enum' | 'flag' | 'file' | 'command' | 'zxid';
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
  /** Positional, takes all that is left. */
  readonly many?: boolean;
  /** Globs are expanded before `run` sees the argument. */
  readonly globs?: boolean;
  /** For `enum`. */
  readonly values?: readonly string[];
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
type BaseOf<P extends Param> = P['kind'] extends 'number' | 'duration' ? number : P['kind'] extends 'data' ? Data : string;
/** Data given to a command: bytes, or null for no data at all. */
export type Data = Uint8Array | null;
export type Values<Ps extends Record<string, Param>> = { readonly [K in keyof Ps]: ValueOf<Ps[K]> };

/** What a command found; a renderer decides how it looks. `type` names the shape; see out/. */
export interface Output {
  readonly type: string;
  readonly [field: string]: unknown;
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
  /** Absolute, normalised form of a path typed by the user. */
  resolve(path: string): string;
  /** Writes one result at once, for commands that stream. */
  emit(output: Output): void;
  /** A line for people, on stderr. */
  warn(line: string): void;
  readonly [service: string]: unknown;
}

export interface CommandSpec<Ps extends Record<string, Param> = Record<string, Param>> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: 'session' | 'read' | 'write' | 'watch' | 'transaction' | 'acl' | 'bulk' | 'admin' | 'shell' | 'server';
  /** One line. */
  readonly about: string;
  readonly risk: Risk;
  readonly params: Ps;
  /** [line, what it does]; each must parse. */
  readonly examples: readonly (readonly [string, string])[];
  /** Exit codes worth naming, besides 0, 2 and 3. */
  readonly exits?: readonly number[];
  run(values: Values<Ps>, context: CommandContext): Promise<Output | undefined>;
}

/** Gives a command its types; the object itself is returned unchanged. */
export const command = <const Ps extends Record<string, Param>>(spec: CommandSpec<Ps>): CommandSpec<Ps> => spec;
