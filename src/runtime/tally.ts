/** What happens to this server that takes time, as ZooKeeper calls it; ms. */
export const TIMED = ['election_time', 'follower_sync_time', 'observer_sync_time', 'snapshottime'] as const;
export type Timed = (typeof TIMED)[number];
/** What is counted since the process began, as ZooKeeper calls it. */
export const COUNTED = {
  looking_count: 'times that this member began to look for a leader',
  diff_count: 'learners that were sent what they lacked',
  snap_count: 'learners that were sent a snapshot',
  learner_proposal_received_count: 'transactions received from a leader',
  learner_commit_received_count: 'packets that say what is committed; one may be about many transactions',
} as const;
export type Counted = keyof typeof COUNTED;
const KEYS = Object.keys(COUNTED) as readonly Counted[];

/** Counts what words and metrics tell of the life of a process. */
export class Tally {
  readonly counts: Record<Counted, number> = Object.fromEntries(KEYS.map((key) => [key, 0])) as Record<Counted, number>;
  /** Rounds of the background verification, and files that were found whole in the last one. */
  readonly scrub = { rounds: 0, whole: 0 };
  /** Told of each time that something took. */
  listener: ((name: Timed, ms: number) => void) | undefined;
  private syncBegan: number | undefined;

  add(name: Counted, by = 1): void {
    this.counts[name] += by;
  }
  took(name: Timed, ms: number): void {
    this.listener?.(name, ms);
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
