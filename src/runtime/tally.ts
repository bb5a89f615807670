import { LeastLately } from '../base/least-lately.ts';
import { Spread } from '../base/spread.ts';

/** The certificate that is shown to each, with the chain above it; PEM. */
export type Certificates = Partial<Record<'clients' | 'members' | 'admin', string>>;

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
  startup_snap_load_time: 'to read the snapshot at a start, ms',
  startup_txns_load_time: 'to read the log behind it, ms',
  proposal_latency: 'until a proposal is in the log of this follower, ms of wall clocks',
  proposal_ack_creation_latency: 'until a proposal is on the disk of this member, ms of wall clocks',
  quorum_ack_latency: 'until this leader commits, ms of wall clocks',
  commit_propagation_latency: 'until this learner hears that it is committed, ms of wall clocks',
  jvm_pause_time_ms: 'by which a sleep of jvm.pause.sleep.time.ms was too long, ms',
  inflight_snap_count: 'learners that are sent a snapshot, each time that one more is',
  inflight_diff_count: 'learners that are sent what they lack, each time that one more is',
} as const;
export type Timed = keyof typeof TIMED;
/** Those that only a member of an ensemble has. */
export const OF_MEMBERS: ReadonlySet<string> = new Set<Timed>([
  'election_time',
  'unavailable_time',
  'leader_unavailable_time',
  'follower_sync_time',
  'observer_sync_time',
  'proposal_latency',
  'proposal_ack_creation_latency',
  'quorum_ack_latency',
  'commit_propagation_latency',
  'inflight_snap_count',
  'inflight_diff_count',
]);
/** Those that have more quantiles in mntr. */
export const DETAILED: ReadonlySet<string> = new Set<Timed>([
  'proposal_latency',
  'proposal_ack_creation_latency',
  'quorum_ack_latency',
  'commit_propagation_latency',
  'jvm_pause_time_ms',
]);
/** What is counted since the process began, as ZooKeeper calls it. */
export const COUNTED = {
  looking_count: 'times that this member began to look for a leader',
  diff_count: 'learners that were sent what they lacked',
  snap_count: 'learners that were sent a snapshot',
  learner_proposal_received_count: 'transactions received from a leader',
  learner_commit_received_count: 'packets that say what is committed; one may be about many transactions',
  revalidate_count: 'sessions that learners asked this leader about',
  digest_mismatches_count: 'members found to hold other transactions under the same numbers',
} as const;
export type Counted = keyof typeof COUNTED;
const KEYS = Object.keys(COUNTED) as readonly Counted[];

/** Counts what words and metrics tell of the life of a process. */
export class Tally {
  readonly counts: Record<Counted, number> = Object.fromEntries(KEYS.map((key) => [key, 0])) as Record<Counted, number>;
  readonly times = Object.fromEntries(Object.keys(TIMED).map((key) => [key, new Spread()])) as Record<Timed, Spread>;
  /** Of a leader: by member, until it acknowledges a transaction, ms of wall clocks. */
  readonly acks = new Map<number, Spread>();
  /** Snapshots that came to nothing, and those that were asked for too soon. */
  readonly snapshots = { failed: 0, limited: 0 };
  /** Connections to the admin server without TLS. */
  plainAdmins = 0;
  /** Rounds of the background verification, and files that were found whole in the last one. */
  readonly scrub = { rounds: 0, whole: 0 };
  /** Sessions that this member ended as a leader since nothing was heard of them. */
  expired = 0;
  /** When something was committed last, ms of the monotonic clock. */
  committedAt: number | undefined;
  /** How far this learner's clock is ahead of its leader's. */
  readonly ahead = new LeastLately(60_000);
  readonly shown: Certificates = {};
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
  /** `sid` acknowledged. */
  acked(sid: number, ms: number): void {
    let spread = this.acks.get(sid);
    if (spread === undefined) {
      spread = new Spread();
      this.acks.set(sid, spread);
    }
    spread.add(ms);
  }
  /** What lay on the disk was read: at a start, or when another life begins. */
  loaded({ txns, txnsMs, snapshotMs }: { txns: number; txnsMs: number; snapshotMs: number | undefined }): void {
    this.took('startup_txns_loaded', txns);
    this.took('startup_txns_load_time', txnsMs);
    if (snapshotMs !== undefined) this.took('startup_snap_load_time', snapshotMs);
  }
  snapshotTaken({ epoch, counter }: { epoch: number; counter: number }, wall: number): void {
    this.lastSnapshot = { zxid: (BigInt(epoch) << 32n) | BigInt(counter), seconds: Math.floor(wall / 1000) };
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
