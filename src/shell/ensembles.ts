/** Ensembles on this machine, as commands see them; `src/ensemble` makes them real. */

/** A server of a local ensemble. */
export interface MemberView {
  readonly id: number;
  /** `-` when it is not known. */
  readonly role: 'leader' | 'follower' | 'observer' | 'looking' | 'standalone' | '-';
  /** `up` serves clients; `starting` lives and does not serve; `paused` is stopped by SIGSTOP. */
  readonly state: 'up' | 'starting' | 'paused' | 'down';
  readonly votes: boolean;
  /** Where clients connect, `host:port`. */
  readonly client: string;
  readonly ports: {
    readonly client: number;
    readonly quorum: number;
    readonly election: number;
    readonly admin: number;
  };
  readonly pid: number | undefined;
  /** What follows is as the member says itself. */
  readonly phase?: string | undefined;
  readonly epoch?: number | undefined;
  readonly zxid?: string | undefined;
  /** Transactions behind the leader; undefined when that cannot be told. */
  readonly lag?: number | undefined;
  readonly clients?: number | undefined;
  readonly leader?: number | undefined;
  /** Hexadecimal; only when it was asked for. */
  readonly digest?: string | undefined;
  /** What was damaged and whether that is repaired, in a sentence. */
  readonly repair?: string | undefined;
  /** Faults in force, why it is down, whether it is repaired: short phrases. */
  readonly faults: readonly string[];
  /** What was damaged since its start and how it was mended: sentences with their times. */
  readonly damage: readonly string[];
  readonly directory: string;
}
export interface EnsembleView {
  readonly name: string;
  /** What clients connect to. */
  readonly connect: string;
  readonly directory: string;
  readonly members: readonly MemberView[];
  /** A quorum answered just now: what is written is taken. */
  readonly quorum: boolean;
  /** By the config in force, also those that are not on this machine. */
  readonly voters: number;
  /** Of the voters, those that follow that leader, itself included. */
  readonly serving: number;
  readonly electionMs: number | undefined;
}
export interface EnsembleSummary {
  readonly name: string;
  readonly members: number;
  readonly up: number;
  readonly connect: string;
  /** ms since 1970 */
  readonly created: number;
  readonly bytes: number;
  /** Why nothing else is known of it. */
  readonly problem?: string;
}

/** A line of a member's log. */
export interface LogLine {
  readonly member: number;
  readonly text: string;
}

/** What became of a partition. */
export interface PartitionView {
  readonly groups: readonly (readonly number[])[];
  /** The group that can still elect a leader, by its place in `groups`. */
  readonly majority: number | undefined;
}

/**
 * All that can be done with local ensembles. A name that is left out means the only one that runs, else `local`. Members
 * are named by their number or by `leader`, `follower`, `observer` or `random`. All methods throw Failure.
 */
export interface LocalEnsembles {
  /** Names, for completion. */
  names(): readonly string[];
  /** Splits words into the name, if the first one is no member's, and the rest. */
  split(words: readonly string[]): { readonly name: string | undefined; readonly rest: readonly string[] };
  list(): Promise<readonly EnsembleSummary[]>;
  view(name: string | undefined, withDigest?: boolean): Promise<EnsembleView>;
  /** In order; all members when none is named. The ids of those concerned. */
  stop(name: string | undefined, members: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
  start(
    name: string | undefined,
    members: readonly string[],
    signal: AbortSignal,
    tell?: Tell,
  ): Promise<readonly number[]>;
  restart(
    name: string | undefined,
    members: readonly string[],
    signal: AbortSignal,
    tell?: Tell,
  ): Promise<readonly number[]>;
  kill(name: string | undefined, members: readonly string[]): Promise<readonly number[]>;
  pause(name: string | undefined, members: readonly string[]): Promise<readonly number[]>;
  resume(name: string | undefined, members: readonly string[]): Promise<readonly number[]>;
  /** `groups` as typed: `1,2 / 3`. Members of no group hear everyone. */
  partition(name: string | undefined, groups: readonly string[], clients: boolean): Promise<PartitionView>;
  lag(name: string | undefined, members: readonly string[], ms: number): Promise<readonly number[]>;
  heal(name: string | undefined): Promise<void>;
  scale(name: string | undefined, voters: number, observers: number | undefined, how: ScaleHow): Promise<EnsembleView>;
  /** The last lines of all logs in the order of their times. */
  logs(name: string | undefined, members: readonly string[], last: number): Promise<readonly LogLine[]>;
  /** Those that come from now on, until the signal. */
  follow(name: string | undefined, members: readonly string[], signal: AbortSignal): AsyncIterable<LogLine>;
  /** The text of a member's zoo.cfg. */
  config(name: string | undefined, member: string): Promise<string>;
  /** Ends its processes, and removes its files. */
  destroy(name: string | undefined): Promise<void>;
}
/** Told what is worth saying, a sentence. */
export type Tell = (sentence: string) => void;

export interface ScaleHow {
  readonly signal: AbortSignal;
  /** Told of each step. */
  readonly step: (sentence: string) => void;
}
