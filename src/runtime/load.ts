import type { Clock } from '../ports/clock.ts';
import { PackReader } from '../records/pack.ts';
import { type Envelope, KIND, readEnvelope } from '../records/txns.ts';
import type { ServerConfig } from '../server/config.ts';
import { type Numbered, numberedOf } from '../server/replica.ts';
import type { FlushWait } from '../storage/flush-pace.ts';
import { openStorage } from '../storage/open.ts';
import type { SeenStart } from '../storage/starts.ts';
import type { Storage } from '../storage/storage.ts';
import { apply, NO_SINK } from '../tree/apply.ts';
import { DataTree } from '../tree/data-tree.ts';
import { SnapshotLoader } from '../tree/snapshot.ts';
import { isQuorum } from '../zab/quorum.ts';
import { type ConfigAt, type Entry, type Mark, ORIGIN, type SeenAt } from '../zab/types.ts';
import { hasMetApache, MET_APACHE } from './met-apache.ts';
import type { ServerPorts, StartOptions } from './node-options.ts';
import { REMEMBER_BYTES, RecentEntries } from './recent.ts';
import { StartError } from './start-error.ts';

/** Bytes of zeros kept ahead of the log's end, at most. */
const ZERO_AHEAD = 4 * 1024 * 1024;

/** Under which id a server keeps its files: one alone may have none, and is the first then. */
export const ownId = ({ serverId }: Pick<ServerConfig, 'serverId'>): number => Math.max(1, serverId);

/** What a directory holds. */
export interface Loaded {
  readonly storage: Storage;
  /** The state up to where the log is known committed; for a server alone, to its end. */
  readonly tree: DataTree;
  /** What the log holds beyond it. */
  readonly tail: readonly Numbered[];
  /** It holds no history, and its server met one of Apache's (see {@link noteApache}). */
  readonly metApache: boolean;
  /** How many transactions were read from the log. */
  readonly txns: number;
  /** How long that took, and the snapshot before it where there is one, ms. */
  readonly txnsMs: number;
  readonly snapshotMs: number | undefined;
  /** The last part of the log, its tail included, and where it begins; empty for a server alone. */
  readonly recent: readonly Entry[];
  readonly base: Mark;
  /** Config records and the last `seen` records up to the end of the log, in order. */
  readonly configs: readonly ConfigAt[];
  readonly seen: readonly SeenAt[];
}

/** Applies what is read to a tree: at once for a server alone, as far as it is committed for a member. */
class Replay {
  tree: DataTree | undefined;
  tail: Numbered[] = [];
  private readonly seed: number;
  constructor(seed: number) {
    this.seed = seed;
  }
  private get target(): DataTree {
    this.tree ??= new DataTree(this.seed);
    return this.tree;
  }
  apply(envelope: Envelope): void {
    const tree = this.target;
    apply(tree, envelope.zxidHi, envelope.zxidLo, envelope.time, envelope.txn, NO_SINK);
    tree.chained(envelope.chainHi, envelope.chainLo);
  }
  keep(envelope: Envelope): void {
    this.tail.push(numberedOf(envelope));
  }
  committed(hi: number, lo: number): void {
    const { tail } = this;
    const counter = lo >>> 0;
    let done = 0;
    for (; done < tail.length; done++) {
      const numbered = tail[done] as Numbered;
      if (numbered.epoch > hi || (numbered.epoch === hi && numbered.counter > counter)) break;
      const tree = this.target;
      apply(tree, numbered.epoch, numbered.counter | 0, numbered.time, numbered.txn, NO_SINK);
      tree.chained(numbered.chainHi, numbered.chainLo);
    }
    if (done > 0) this.tail = tail.slice(done);
  }
}

/**
 * Reads the directories into a tree. A server alone is the quorum of its whole log, and nothing is served before its new
 * epoch is established; a member applies what it knows committed and keeps the rest. `generation` names a member's log; it
 * must not have been used before in this process.
 * @throws StorageRefusal, DamageError
 */
export async function loadTree(
  config: ServerConfig,
  sid: number,
  ignoreApacheData: boolean,
  generation: number,
  { disk, random, clock }: Pick<ServerPorts, 'disk' | 'random' | 'clock'>,
): Promise<Loaded> {
  const seed = random.below(2 ** 32) | 0;
  const { ensemble } = config;
  let replay = new Replay(seed);
  let loader: SnapshotLoader | undefined;
  let txns = 0;
  const began = clock.monotonic();
  let snapshotAt: number | undefined;
  const remembered = (base: Mark): RecentEntries =>
    new RecentEntries(base, ensemble?.commitLogCount ?? 0, REMEMBER_BYTES);
  let recent = remembered(ORIGIN);
  const from = new PackReader(Buffer.alloc(0));
  const storage = await openStorage({
    disk,
    dataDir: config.dataDir,
    logDir: config.dataLogDir,
    sid,
    random,
    forceSync: config.forceSync,
    zeroAheadBytes: Math.min(config.preAllocBytes, ZERO_AHEAD),
    ignoreApacheData,
    flushWait: waitOf(config, clock),
    onSnapshotChunk: (chunk) => {
      loader ??= new SnapshotLoader(seed);
      loader.push(chunk);
    },
    onSnapshotEnd: () => {
      const tree = loader?.finish();
      if (tree !== undefined) snapshotAt = clock.monotonic();
      replay.tree = tree;
      if (tree !== undefined && ensemble !== undefined) recent = remembered(endOf(tree));
    },
    onEnvelope: (bytes, start, end) => {
      txns++;
      from.reset(bytes, start, end);
      if (ensemble === undefined) return replay.apply(readEnvelope(from, undefined)); // its chain was verified with its group
      // kept beyond this call: from memory of its own
      recent.push(bytes, start, end, replay.tail.length + 1);
      from.reset(Buffer.from(bytes.subarray(start, end)), 0, end - start);
      replay.keep(readEnvelope(from, undefined));
    },
    ...(ensemble === undefined
      ? {}
      : {
          heals: true,
          generation,
          onCommitted: (hi: number, lo: number) => replay.committed(hi, lo),
          onStartOver: () => {
            replay = new Replay(seed);
            loader = undefined;
            snapshotAt = undefined;
            recent = remembered(ORIGIN);
          },
        }),
  });
  if (ensemble !== undefined) replay.committed(storage.committed.hi, storage.committed.lo);
  const tree = replay.tree ?? new DataTree(seed);
  storage.noteSeen(ownSeen(tree, storage));
  const { tail } = replay;
  const known = membership(tree, tail);
  return {
    storage,
    tree,
    tail,
    txns,
    txnsMs: clock.monotonic() - (snapshotAt ?? began),
    snapshotMs: snapshotAt === undefined ? undefined : snapshotAt - began,
    metApache: ensemble !== undefined && !ignoreApacheData && (await hasMetApache(disk, config.dataDir, storage)),
    recent: ensemble === undefined ? [] : recent.entries(tail.length),
    base: recent.base,
    ...known,
  };
}

const endOf = (tree: DataTree): Mark => ({
  epoch: tree.zxidHi,
  counter: tree.zxidLo >>> 0,
  chainHi: tree.chainHi,
  chainLo: tree.chainLo,
});

/** The last start of this directory that its log knows committed. */
function ownSeen(tree: DataTree, { identity }: Storage): SeenStart | undefined {
  const own = tree.members
    .seen()
    .findLast(({ sid, incarnation }) => sid === identity.sid && incarnation === identity.incarnation);
  return own && { tag: own.tag, at: { hi: own.at.epoch, lo: own.at.counter } };
}

/** What the state says about members, and what the log says beyond it. */
function membership(tree: DataTree, tail: readonly Numbered[]): { configs: ConfigAt[]; seen: SeenAt[] } {
  const { config } = tree;
  const { configAt } = tree.members;
  const configs: ConfigAt[] = config === undefined || configAt === undefined ? [] : [{ at: configAt, config }];
  const seen: SeenAt[] = [...tree.members.seen()];
  for (const { epoch, counter, chainHi, chainLo, txn } of tail) {
    const at = { epoch, counter, chainHi, chainLo };
    if (txn.kind === KIND.found || txn.kind === KIND.config) configs.push({ at, config: txn.config });
    if (txn.kind === KIND.seen)
      seen.push({ at: { epoch, counter }, sid: txn.sid, incarnation: txn.incarnation, tag: txn.tag });
  }
  return { configs, seen };
}

/** What was loaded is not for a server that is started so; its files are closed again. @throws StartError (43) */
export async function refuseStart(options: StartOptions, loaded: Loaded, sid: number): Promise<void> {
  await refuseAlone(options, loaded, sid);
  await refuseBootstrap(options, loaded);
}

/**
 * A server alone that was given the directory of a member: by itself it is no quorum of those that the history lists, and never
 * will be. @throws StartError (43)
 */
async function refuseAlone({ config }: StartOptions, { storage, tree }: Loaded, sid: number): Promise<void> {
  const { config: members } = tree;
  const { incarnation } = storage.identity;
  if (config.ensemble !== undefined || members === undefined || isQuorum(members, [{ sid, incarnation }])) return;
  await storage.close();
  const voters = members.members.filter(({ role }) => role === 'participant').map((member) => member.sid);
  throw new StartError(
    43,
    `${config.dataDir} belongs to an ensemble whose voters are ${voters.join(', ')}, and this configuration has no server lines. Start it with the zoo.cfg that lists them; where the others are lost for good, zoosh server accept-loss goes on with what this directory holds`,
  );
}

/** A directory that holds a history, or lost one, founds nothing with a few (foundations.md 4). @throws StartError */
async function refuseBootstrap({ bootstrapWith, config }: StartOptions, loaded: Loaded): Promise<void> {
  const { storage, metApache } = loaded;
  const { identity, last, damage } = storage;
  const isEmpty = last.hi === 0 && last.lo === 0 && damage === undefined && !identity.amnesiac;
  if (bootstrapWith === undefined || (isEmpty && !metApache)) return;
  await storage.close();
  if (metApache) throw new StartError(43, MET_APACHE);
  throw new StartError(
    43,
    `--bootstrap-with founds an ensemble from empty directories, and ${config.dataDir} ${identity.amnesiac ? 'lost what it held' : 'holds a history'}. Start this server without it`,
  );
}

const waitOf = ({ flushDelayMs, flushIdleMs, maxBatchSize }: ServerConfig, clock: Clock): FlushWait | undefined =>
  flushDelayMs === 0 ? undefined : { clock, delayMs: flushDelayMs, idleMs: flushIdleMs, most: maxBatchSize };
