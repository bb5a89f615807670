import { Spread } from '../base/spread.ts';

/** What happens to this server that has a size or takes time (ms), as ZooKeeper calls it. */
export const TIMED = {
  election_time: 'from the loss of a leader until this member served again, ms',
  unavailable_time: 'while this member served nobody since it had no leader, ms',
  leader_unavailable_time: 'the same, where this member led then, ms',
  follower_sync_time: 'from the call of a leader until this follower served, ms',
  observer_sync_time: 'from the call of a leader until this observer served, ms',
  snapshottime: 'of a snapshot of our own, ms',
  fsynctime: 'of a durable write to the log, ms',
  sync_processor_batch_size: 'transactions in a durable write to the log',
  dbinittime: 'to load snapshot and log, ms',
  startup_txns_loaded: 'transactions read from the log at a start',
} as const;
export type Timed = keyof typeof TIMED;
/** Those that only a member of an ensemble has. */
export const OF_MEMBERS: ReadonlySet<string> = new Set<Timed>([
  'election_time',
  'unavailable_time',
  'leader_unavailable_time',
  'follower_sync_time',
  'observer_sync_time',
]);
/** What is counted since the process began, as ZooKeeper calls it. */
export const COUNTED = {
  looking_count: 'times that this member began to look for a leader',
  diff_count: 'learners that were sent what they lacked',
  snap_count: 'learners that were sent a snapshot',
  learner_proposal_received_count: 'transactions received from a leader',
  learner_commit_received_count: 'packets that say what is committed; one may be about many transactions',
  digest_mismatches_count: 'members found to hold other transactions under the same numbers',
} as const;
export type Counted = keyof typeof COUNTED;
const KEYS = Object.keys(COUNTED) as readonly Counted[];

/** Counts what words and metrics tell of the life of a process. */
export class Tally {
  readonly counts: Record<Counted, number> = Object.fromEntries(KEYS.map((key) => [key, 0])) as Record<Counted, number>;
  readonly times = Object.fromEntries(Object.keys(TIMED).map((key) => [key, new Spread()])) as Record<Timed, Spread>;
  /** Rounds of the background verification, and files that were found whole in the last one. */
  readonly scrub = { rounds: 0, whole: 0 };
  /** Sessions that this member ended as a leader since nothing was heard of them. */
  expired = 0;
  /** Java's trace mask: asked for and set by tools, and kept for them; nothing here goes by it. */
  traceMask = 306n;
  /** The newest write to the log was refused by the disk. */
  diskFailed = false;
  /** Groups that took the disk longer than `fsync.warningthresholdms`. */
  slowWrites = 0;
  /** The newest snapshot of this life; seconds since 1970. */
  lastSnapshot: { readonly zxid: bigint; readonly seconds: number } | undefined;
  /** Why the admin server is not there although it was asked for. */
  adminDown: string | undefined;
  private syncBegan: number | undefined;

  add(name: Counted, by = 1): void {
    this.counts[name] += by;
  }
  took(name: Timed, ms: number): void {
    this.times[name].add(ms);
  }
  scrubbed(whole: number): void {
    this.scrub.rounds++;
    this.scrub.whole = whole;
  }
  /** A leader is dialled; ms, monotonic. */
  dialled(now: number): void {
    this.syncBegan ??= now;
  }
  /** This member serves: it is in step with its leader, or leads. */
  served(now: number, role: 'follower' | 'observer' | undefined): void {
    if (this.syncBegan !== undefined && role !== undefined) this.took(`${role}_sync_time`, now - this.syncBegan);
    this.syncBegan = undefined;
  }
  /** It looks for another leader. */
  looked(): void {
    this.add('looking_count');
    this.syncBegan = undefined;
  }
}
