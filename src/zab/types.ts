import type { Config } from '../records/txns.ts';
import type { Founders } from './founding.ts';
import type { ServerLines } from './lines.ts';

/** What a peer does. `stopped`: handed over or rolled back; nothing comes after it in this life. */
export type Role = 'looking' | 'leading' | 'following' | 'observing' | 'stopped';
/** How far a term has come: promises are collected, then acknowledgements of one history, then it is broadcast. */
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
  /**
   * The log or the newest state is damaged: all that is said of the log here and in {@link Ensemble} is about its intact
   * part, and the member may have acknowledged everything up to `mayHaveAcked` (foundations.md 3). It is repairing.
   */
  readonly damage?: { readonly mayHaveAcked: Position } | undefined;
}

/** A position and the chain of hashes at it: two logs that agree on a mark agree on everything before it. */
export interface Mark extends Position {
  readonly chainHi: number;
  readonly chainLo: number;
}
/** The place before the first transaction. */
export const ORIGIN: Mark = Object.freeze({ epoch: 0, counter: 0, chainHi: 0, chainLo: 0 });

/** What zab reads of a transaction: who counts from it on, or under which boot tag a member ran. */
export type Note =
  | { readonly type: 'config'; readonly config: Config }
  | { readonly type: 'seen'; readonly sid: number; readonly incarnation: string; readonly tag: string };
/** A transaction: its place and its bytes. `note` is read from the bytes by whoever decoded them; it does not travel. */
export interface Entry extends Mark {
  readonly bytes: Uint8Array;
  readonly note: Note | undefined;
}
/** A config record of the log, and where it stands. */
export interface ConfigAt {
  readonly at: Mark;
  readonly config: Config;
}
/** A `seen` record of the log, and where it stands. */
export interface SeenAt {
  readonly at: Position;
  readonly sid: number;
  readonly incarnation: string;
  readonly tag: string;
}

/** How long things may last, counted in `tick` inputs (the runtime ticks some ten times in a tickTime). */
export interface Limits {
  /** A vote is sent again after this long, then after twice as long, up to `notifyMost`. */
  readonly notify: number;
  readonly notifyMost: number;
  /** How long a decided election looks for a better vote (finalizeWait). */
  readonly drain: number;
  readonly ping: number;
  /**
   * From the end of an election until the epoch is established, or a learner is synchronised; time in which the history that
   * somebody is given comes further does not count (foundations.md 8).
   */
  readonly init: number;
  /** A silent learner is dropped, and an own quorum out of hearing is lost, after this. */
  readonly sync: number;
  /** A silent leader is given up after this. */
  readonly silence: number;
  /**
   * How long a quorum of one asks the other servers of its zoo.cfg before it leads, and a leader waits for learners that hung
   * up: two tickTimes.
   */
  readonly ask: number;
}

/** What a member of an ensemble brings beyond {@link Past}. */
export interface Ensemble {
  readonly limits: Limits;
  /** The boot tags of this incarnation that are kept, the present one last (foundations.md 13.9). */
  readonly tags: readonly string[];
  /** Every start that was seen up to here is one of ours, though its tag may not be among {@link tags}. */
  readonly startsUpTo?: Position | undefined;
  /** Where the recent part of the log begins, not beyond `Past.committed`, and that part; `Past.last` is its end. */
  readonly base: Mark;
  readonly recent: readonly Entry[];
  /** Config records of the log up to its end, in order: the last two at least. */
  readonly configs: readonly ConfigAt[];
  /** The last `seen` record of each member and incarnation up to the end of the log, in order. */
  readonly seen: readonly SeenAt[];
  /** The newest verified snapshot on the disk; the origin stands for the empty state. */
  readonly snapshot: Mark;
  /** Server ids of zoo.cfg, asked for a leader beside the voters that the log names. */
  readonly peers: readonly number[];
  /** Who may found the ensemble while the log is empty; undefined for a server that waits for a leader. */
  readonly founders: Founders | undefined;
  /** What zoo.cfg says of members now, and what it said at the last start; undefined when it says nothing. */
  readonly lines?: ServerLines | undefined;
  /** How many entries, and bytes of them, are remembered for learners that come back; what is not committed always is. */
  readonly remember: number;
  readonly rememberBytes: number;
}

/** Whom a member wants to lead, and what speaks for it: the last epoch it took part in, and the end of its log. */
export interface Vote {
  readonly sid: number;
  readonly incarnation: string;
  readonly epoch: number;
  readonly last: Position;
}

/** What members say to each other. Those with an `epoch` belong to the term that they name. */
export type Message =
  /** Election, outside of links. `vote` is null while nobody fits. `config`: the last config known committed (13.7). */
  | {
      readonly type: 'VOTE';
      readonly state: 'looking' | 'following' | 'leading' | 'observing';
      readonly round: number;
      readonly vote: Vote | null;
      readonly incarnation: string;
      readonly config: Mark | null;
      /** While the sender's log is empty, the hash of its server lines; null when it has a log (13.13). */
      readonly lines: string | null;
    }
  /**
   * Before what tells tags: every start of the sender that was seen up to here is one of its directory's, whether or not its tag is
   * told. Said only by who keeps not all of them.
   */
  | { readonly type: 'STARTS'; readonly upTo: Position }
  /** Learner to leader, first on a link but for STARTS. `voter`: its own log holds a config record with its incarnation (13.11). */
  | {
      readonly type: 'FOLLOWERINFO';
      readonly incarnation: string;
      readonly tags: readonly string[];
      readonly acceptedEpoch: number;
      readonly voter: boolean;
      readonly config: Mark | null;
    }
  | {
      readonly type: 'LEADERINFO';
      readonly epoch: number;
      readonly incarnation: string;
      readonly tags: readonly string[];
      readonly config: Mark | null;
    }
  /**
   * `currentEpoch` null: no promise, this epoch was accepted before. `ends`: the last mark of each epoch, newest first. Of a
   * repairing member `last` is what it may have acknowledged (chain 0, 0), and `ends` is empty: it needs a snapshot.
   */
  | {
      readonly type: 'ACKEPOCH';
      readonly epoch: number;
      readonly currentEpoch: number | null;
      readonly last: Mark;
      readonly ends: readonly Mark[];
    }
  /** Synchronisation begins: go on from here, cut to here, or begin anew from the snapshot that follows. */
  | { readonly type: 'DIFF'; readonly epoch: number; readonly from: Mark }
  | { readonly type: 'TRUNC'; readonly epoch: number; readonly to: Mark }
  | {
      readonly type: 'SNAP';
      readonly epoch: number;
      readonly at: Mark;
      readonly configs: readonly ConfigAt[];
      readonly seen: readonly SeenAt[];
    }
  /** Learner to leader: the marks disagree, send everything. */
  | { readonly type: 'ASKSNAP'; readonly epoch: number }
  | { readonly type: 'PROPOSAL'; readonly epoch: number; readonly entries: readonly Entry[] }
  | { readonly type: 'NEWLEADER'; readonly epoch: number }
  | { readonly type: 'ACKNEWLEADER'; readonly epoch: number; readonly incarnation: string; readonly upTo: Position }
  | { readonly type: 'UPTODATE'; readonly epoch: number; readonly committed: Position }
  /**
   * Cumulative: everything up to here is on the disk. Before ACKNEWLEADER it acknowledges nothing (the origin): it says that what
   * the learner is given to begin with came further since the last one.
   */
  | { readonly type: 'ACK'; readonly epoch: number; readonly incarnation: string; readonly upTo: Position }
  | { readonly type: 'COMMIT'; readonly epoch: number; readonly upTo: Position }
  /** To learners that do not count: committed entries. */
  | { readonly type: 'INFORM'; readonly epoch: number; readonly entries: readonly Entry[] }
  /** `round` numbers the probe of `sync` that this heartbeat carries. */
  | { readonly type: 'PING'; readonly epoch: number; readonly round: number }
  | { readonly type: 'PONG'; readonly epoch: number; readonly incarnation: string; readonly round: number }
  /** The leader goes and proposes this member in its place. */
  | { readonly type: 'HANDOVER'; readonly epoch: number; readonly vote: Vote }
  /** The receiver's directory is an old copy: the sender's log knows a later start of it (13.9). */
  | { readonly type: 'ROLLEDBACK'; readonly incarnation: string };

/** What happened to a peer. Times are not needed by a quorum of one. */
export type Input =
  | { readonly type: 'start' }
  /** The epochs asked for last are on the disk, in both copies. */
  | { readonly type: 'epochsStored'; readonly accepted: number; readonly current: number }
  /** The counter of this epoch is used up and all it numbered is committed: a new epoch begins. */
  | { readonly type: 'exhausted' }
  /** The log is on the disk up to here. One from an older `generation` of the log is ignored. */
  | { readonly type: 'persisted'; readonly generation: number; readonly upTo: Position }
  /** The rest is for members of ensembles. Time has passed. */
  | { readonly type: 'tick' }
  /** A vote, of another member. */
  | { readonly type: 'voted'; readonly from: number; readonly message: Message & { readonly type: 'VOTE' } }
  /** Votes reach this member, or the attempt to reach it failed, or its connection closed. */
  | { readonly type: 'reached'; readonly sid: number; readonly up: boolean }
  /** A link between learner and leader is open; `dialled` by us. Numbers of links are never used twice in a life. */
  | { readonly type: 'linked'; readonly sid: number; readonly link: number; readonly dialled: boolean }
  | { readonly type: 'dialFailed'; readonly sid: number }
  | { readonly type: 'received'; readonly link: number; readonly message: Message }
  | { readonly type: 'closed'; readonly link: number }
  /**
   * The snapshot that is on its way over this link has come further: more of it is on our disk, or read back from there, or the
   * learner asks for what comes behind all it asked for so far. Never said of a repetition: what stands still is to time out.
   */
  | { readonly type: 'progress'; readonly link: number }
  /** The leader's server numbered these and wrote them into its own log. */
  | { readonly type: 'proposed'; readonly entries: readonly Entry[] }
  /** The log of this generation is cut on the disk. */
  | { readonly type: 'truncated'; readonly generation: number }
  /** The snapshot that came in lies beside the old files, durable and verified. */
  | { readonly type: 'snapshotStaged'; readonly generation: number }
  /** A snapshot of our own is on the disk. */
  | { readonly type: 'snapshotTaken'; readonly at: Mark }
  /** This snapshot could not be read whole for a learner: it is read once more before it is sent to anybody again. */
  | { readonly type: 'snapshotDoubted'; readonly at: Mark }
  /** Answer `synced` once it is certain that this member still led after now. */
  | { readonly type: 'sync'; readonly id: number }
  /** Hand over and stop. */
  | { readonly type: 'handOver' }
  /**
   * To a leader that serves: these members from now on. Incarnations that are null are filled in from what is known. The
   * same step answers with `proposeConfig` or with `reconfigRefused`.
   */
  | { readonly type: 'reconfigure'; readonly config: Config }
  /** The disk takes no more. A leader hands over if it can; then this life ends (`stopped`): load again, begin a new one. */
  | { readonly type: 'diskFailed' };

/** Why a reconfiguration is refused now: ReconfigInProgress and NewConfigNoQuorum of ZooKeeper (semantics.md 17). */
export type Refusal = 'in-progress' | 'no-quorum';
/** Who wants a config record: somebody asked, a voter has a new directory (13.8), or zoo.cfg was changed (13.14). */
export type ConfigReason = 'reconfigure' | 'admit' | 'lines';

/** What must happen next. Each target (the identity record, the log, the server) gets its effects in order. */
export type Effect =
  /** With `install`, the same write makes the staged files of that generation the log (foundations.md 13.4). */
  | { readonly type: 'storeEpochs'; readonly accepted: number; readonly current: number; readonly install?: number }
  /** This member leads `epoch`: everything in its log is committed now. */
  | { readonly type: 'established'; readonly epoch: number }
  /** Propose these first, before any request: the ensemble's birth, or that this start was seen. */
  | { readonly type: 'proposeFound'; readonly config?: Config }
  | { readonly type: 'proposeSeen'; readonly sid: number; readonly incarnation: string; readonly tag: string }
  /** After a config record was committed: its commitment is to be known by a quorum (foundations.md 13.7). */
  | { readonly type: 'proposeNoop' }
  /** Propose this config record, as it is and at once; no other is under way. */
  | { readonly type: 'proposeConfig'; readonly config: Config; readonly reason: ConfigReason }
  /** Nothing was or will be proposed for the last `reconfigure`: it may be asked again. */
  | { readonly type: 'reconfigRefused'; readonly refusal: Refusal }
  /**
   * A quorum of the last config holds a group header that says it is committed: it is done, and so is every config before
   * it. Who is not in it may stop now (foundations.md 13.7).
   */
  | { readonly type: 'configDone'; readonly at: Position }
  /** This leader is about to go: take no more requests. It goes as soon as everything proposed is committed. */
  | { readonly type: 'drain' }
  /** It stays after all: requests may be taken again, those first that were held back. */
  | { readonly type: 'undrain' }
  /** Requests may be taken. */
  | { readonly type: 'serve' }
  /** Apply everything up to here. */
  | { readonly type: 'commit'; readonly upTo: Position }
  /** The rest is for members of ensembles. The term is over: stop serving, forget what was proposed. */
  | { readonly type: 'looking'; readonly reason: string }
  /** A round of an election begins: try to reach these, and say of each with `reached` whether votes get there. */
  | { readonly type: 'gather'; readonly voters: readonly number[] }
  | { readonly type: 'vote'; readonly to: number; readonly message: Message & { readonly type: 'VOTE' } }
  | { readonly type: 'dial'; readonly to: number }
  | { readonly type: 'send'; readonly link: number; readonly message: Message }
  /** SNAP, then the file of that snapshot, on this link; what is sent later comes after it. */
  | { readonly type: 'sendSnapshot'; readonly link: number; readonly message: Message & { readonly type: 'SNAP' } }
  | { readonly type: 'hangUp'; readonly link: number; readonly reason: string }
  /** To the log, in order. */
  | { readonly type: 'append'; readonly generation: number; readonly entries: readonly Entry[] }
  | { readonly type: 'truncate'; readonly generation: number; readonly to: Mark }
  /** New files beside the old: the snapshot that comes in, and what is appended under this generation. */
  | { readonly type: 'stageSnapshot'; readonly generation: number; readonly at: Mark }
  | { readonly type: 'dropStaged'; readonly generation: number }
  /** The staged files are the log now: the state is the snapshot's, `commit` goes on from it. */
  | { readonly type: 'installed'; readonly at: Mark }
  /** This member and we have different records at one place: only damage explains that. Its log is replaced. */
  | { readonly type: 'diverged'; readonly sid: number }
  /**
   * A learner needs a snapshot newer than the last one, or that one, once it is known to be whole (`doubted`): answered by
   * `snapshotTaken`, tried until it succeeds.
   */
  | { readonly type: 'takeSnapshot'; readonly doubted: Mark | undefined }
  | { readonly type: 'synced'; readonly id: number }
  | { readonly type: 'handedOver'; readonly to: number }
  /** This directory is an old copy: draw a new incarnation, durably, and start as an amnesiac. */
  | { readonly type: 'rolledBack' }
  /** The log is whole again, from `installed` on. */
  | { readonly type: 'repaired' }
  /** The present server lines of zoo.cfg are in force, or a later config is: store them as those of the last start. */
  | { readonly type: 'linesSettled' }
  /** Server `sid` is empty as we are but its server lines differ: no ensemble is founded with it. Said once each. */
  | { readonly type: 'otherLines'; readonly sid: number }
  /** Server `sid` is empty as we are, and waits for a leader: no ensemble is founded with it. Said once each. */
  | { readonly type: 'foundsNothing'; readonly sid: number };

export const isBefore = (a: Position, b: Position): boolean =>
  a.epoch !== b.epoch ? a.epoch < b.epoch : a.counter < b.counter;
export const isSame = (a: Position, b: Position): boolean => a.epoch === b.epoch && a.counter === b.counter;
export const isSameMark = (a: Mark, b: Mark): boolean =>
  isSame(a, b) && a.chainHi === b.chainHi && a.chainLo === b.chainLo;
export const earlier = <T extends Position>(a: T, b: T): T => (isBefore(b, a) ? b : a);
/** Within an epoch the next counter, or the first of a later epoch: there are no gaps. */
export const follows = (a: Position, b: Position): boolean =>
  b.epoch === a.epoch ? b.counter === a.counter + 1 : b.epoch > a.epoch && b.counter === 1;
export const positionOf = ({ epoch, counter }: Position): Position => ({ epoch, counter });
export const markOf = ({ epoch, counter, chainHi, chainLo }: Mark): Mark => ({ epoch, counter, chainHi, chainLo });
