import type { Config } from '../records/txns.ts';

/** What a peer does: `looking` for a leader, `leading`, or (in ensembles) following. */
export type Role = 'looking' | 'leading';
/** How far a leader has come: it collects promises, then acknowledgements of its history, then it broadcasts. */
export type Phase = 'discovery' | 'synchronization' | 'broadcast';

/** A place in the history: epoch and counter, the halves of a zxid. Numbers, since every write compares them. */
export interface Position {
  readonly epoch: number;
  readonly counter: number;
}

/** What this member brings from its disk. */
export interface Past {
  readonly sid: number;
  /** Random, new with each empty directory; hexadecimal. */
  readonly incarnation: string;
  /** The random tag of this start, hexadecimal; already durable in the identity record. */
  readonly bootTag: string;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** End of the log. */
  readonly last: Position;
  /** Up to where the log itself says that it is committed. */
  readonly committed: Position;
  /** The last config record of the log, undefined before `found`. */
  readonly config: Config | undefined;
  /** Boot tags of this member and incarnation that the log knows. */
  readonly seenTags: ReadonlySet<string>;
}

/** What happened to a peer. Times are not needed by a quorum of one. */
export type Input =
  | { readonly type: 'start' }
  /** The epochs asked for last are on the disk, in both copies. */
  | { readonly type: 'epochsStored'; readonly accepted: number; readonly current: number }
  /** The counter of this epoch is used up and all it numbered is committed: a new epoch begins. */
  | { readonly type: 'exhausted' }
  /** The log is on the disk up to here. One from an older `generation` of the log is ignored. */
  | { readonly type: 'persisted'; readonly generation: number; readonly upTo: Position };

/** What must happen next. Each target (the identity record, the log, the server) gets its effects in order. */
export type Effect =
  | { readonly type: 'storeEpochs'; readonly accepted: number; readonly current: number }
  /** This member leads `epoch`: everything in its log is committed now. */
  | { readonly type: 'established'; readonly epoch: number }
  /** Propose these first, before any request: the ensemble's birth, or that this start was seen. */
  | { readonly type: 'proposeFound' }
  | { readonly type: 'proposeSeen' }
  /** Requests may be taken. */
  | { readonly type: 'serve' }
  /** Apply everything up to here. */
  | { readonly type: 'commit'; readonly upTo: Position };

export const isBefore = (a: Position, b: Position): boolean =>
  a.epoch !== b.epoch ? a.epoch < b.epoch : a.counter < b.counter;
