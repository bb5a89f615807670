import type { Random } from '../../../src/base/random.ts';
import type { Transfer } from '../../../src/runtime/snapshot-sender.ts';
import type { SessionMode } from '../check/locals.ts';
import { Chance, fraction, logUniform, oneIn, pick } from '../world/chance.ts';
import { FAULT_KINDS, type FaultKind } from './coverage.ts';
import { drawShares, EQUAL, type Shares } from './shares.ts';

/** Profiles that are always among the seeds, whatever chance makes of the others. */
export const PROFILES = [
  'swarm',
  'calm',
  'single',
  'elections',
  'power',
  'disk',
  'network',
  'readers',
  'members',
] as const;
export type Profile = (typeof PROFILES)[number];

/** From here on the top byte of a session id is that of a negative number. */
export const HIGH_ID = 128;
/** What a seed is about. Times are ms. */
export interface Plan {
  readonly seed: number;
  readonly profile: Profile;
  readonly voters: number;
  readonly observers: number;
  /** Servers that run beside the ensemble from the beginning and may be made members. */
  readonly spares: number;
  /** Their numbers, in this order; empty: counted from 1. */
  readonly ids: readonly number[];
  /** The members may be changed while it runs. */
  readonly reconfigures: boolean;
  /** What the voters count; empty: each as one. */
  readonly shares: Shares;
  readonly tickMs: number;
  readonly snapCount: number;
  readonly logKiB: number;
  /** From one reading of all files to the next; one that rots is found by whoever needs it, when that is long. */
  readonly scrubMs: number;
  readonly commitLogCount: number;
  /** Counters of an epoch end here; undefined: long after any run. */
  readonly lastCounter: number | undefined;
  /** In which parts snapshots travel; undefined: as with servers, where those of a run fit into one. */
  readonly transfer: Transfer | undefined;
  readonly clients: number;
  /** Clients that change things; the others only read. */
  readonly writers: number;
  /** And these think so many times as long. */
  readonly slowness: number;
  readonly lanes: number;
  /** What a lane begins at once, at most. */
  readonly pipeline: number;
  readonly thinkMs: number;
  readonly sessionMs: number;
  /** How new sessions begin; those of a server alone are everybody's. */
  readonly sessions: SessionMode;
  /** Members that find no leader show what they have, and every other client takes that. */
  readonly readOnly: boolean;
  /** Nodes may have a time to live, and children, so that containers are emptied. */
  readonly ttl: boolean;
  /** So many ephemerals one session makes; 0: there is none such. */
  readonly crowd: number;
  readonly mostBytes: number;
  readonly meanDelayMs: number;
  readonly diskMs: number;
  /** By how much longer a write of the log takes. */
  readonly logMs: number;
  readonly chaosMs: number;
  readonly faults: readonly FaultPlan[];
  /** Members that stay dead in the end, at most a minority. */
  readonly leftDead: number;
}
export interface FaultPlan {
  readonly kind: FaultKind;
  /** Mean ms between two. */
  readonly everyMs: number;
  /** Several at once, then none for long. */
  readonly burst: boolean;
}
const GROUPS: Readonly<Record<Exclude<Profile, 'swarm' | 'calm' | 'single'>, readonly FaultKind[]>> = {
  elections: [
    'proc.crash',
    'proc.down',
    'proc.pause',
    'net.partition_one',
    'net.partition_asym',
    'net.partition_channel',
    'proc.graceful',
  ],
  power: ['disk.lost_unsynced', 'proc.crash_call', 'proc.crash_all', 'proc.crash_loop'],
  disk: FAULT_KINDS.filter((kind) => kind.startsWith('disk.')),
  /** Hardly anybody writes, so that a leader has nothing under way when it is cut off, and could be asked for what is old. */
  readers: ['net.partition_one', 'net.partition_full', 'net.client_cut'],
  network: FAULT_KINDS.filter((kind) => kind.startsWith('net.')),
  members: ['op.reconfig', 'proc.crash', 'proc.down', 'proc.graceful', 'net.partition_one', 'disk.wiped'],
};

/**
 * Tried so many times as often: it may hurt one member at a time alone, and there is much that it could hit; or it is
 * not to be had most of the time, as a change of the members while one is under way or no quorum is healthy.
 */
const OFTEN: Partial<Record<FaultKind, number>> = {
  'disk.bitrot': 3,
  'disk.misdirected_read': 2,
  'disk.read_eio': 2,
  'disk.rolled_back': 5,
  'op.reconfig': 3,
};

/** Which of them a seed is of: half are swarms, the rest take turns. */
const profileOf = (seed: number, random: Random): Profile =>
  seed % 2 === 0 ? 'swarm' : (pick(random, PROFILES.slice(1)) as Profile);

/** Every kind decides for itself: that one is left out changes nothing about the others. */
function kindsOf(profile: Profile, chance: Chance, { allowed = FAULT_KINDS, without = [] }: SwarmLimits): FaultKind[] {
  const kinds = ((): readonly FaultKind[] => {
    switch (profile) {
      case 'calm':
        return [];
      case 'swarm':
        return allowed.filter((kind) => oneIn(chance.stream(`plan/${kind}`), 2));
      case 'single':
        return allowed.length === 0 ? [] : [pick(chance.stream('plan/single'), allowed)];
      default:
        return GROUPS[profile].filter((kind) => allowed.includes(kind));
    }
  })();
  return kinds.filter((kind) => !without.includes(kind));
}

export interface SwarmLimits {
  readonly allowed?: readonly FaultKind[];
  readonly profile?: Profile;
  readonly voters?: number;
  readonly chaosMs?: number;
  /** Kinds that are left out of what the seed drew; nothing else changes. */
  readonly without?: readonly FaultKind[];
}

/**
 * Without faults nothing is to be lost: a client waits two thirds of this for an answer, and behind a slow disk, where every
 * seventh transaction begins a file, one may take 200 ms.
 */
const CALM_SESSION_MS = 1000;

/** In every third run the log lies on a device that is slower than that of the identity record. */
function slowLog(chance: Chance, tickMs: number): number {
  const random = chance.stream('plan/log');
  return oneIn(random, 3) ? logUniform(random, 1, Math.max(2, tickMs / 12)) : 0;
}

/** In every fourth run where nobody changes the members, which ensembles with groups refuse. */
function sharesOf(chance: Chance, voters: readonly number[], reconfigures: boolean): Shares {
  const random = chance.stream('plan/shares');
  return voters.length > 1 && !reconfigures && oneIn(random, 4) ? drawShares(random, voters) : EQUAL;
}
/** In every eighth run counters end early: a few times, or a few dozen. Without faults no term may end. */
function lastCounterOf(chance: Chance, profile: Profile): number | undefined {
  const random = chance.stream('plan/counter');
  return oneIn(random, 8) && profile !== 'calm' ? Math.round(logUniform(random, 60, 1000)) : undefined;
}
/** In every second run snapshots travel in so many parts that links break between them. */
function transferOf(chance: Chance): Transfer | undefined {
  const random = chance.stream('plan/transfer');
  if (oneIn(random, 2)) return undefined;
  const chunkBytes = Math.round(logUniform(random, 256, 8192));
  return { chunkBytes, windowBytes: chunkBytes * (1 + random.below(4)) };
}
const MOST_ID = 254;
/** The least and the most, and on both sides of where session ids begin to be negative. */
const EDGES = [1, HIGH_ID - 1, HIGH_ID, MOST_ID];
/** In every sixth run whatever `myid` may say, in any order. */
function idsOf(chance: Chance, count: number): number[] {
  const random = chance.stream('plan/ids');
  const ids = new Set<number>();
  if (!oneIn(random, 6)) return [];
  while (ids.size < count) ids.add(oneIn(random, 4) ? pick(random, EDGES) : 1 + random.below(MOST_ID));
  return [...ids];
}
/** The number of the server at this place, counted from 1: voters, observers, spares. */
export const sidAt = ({ ids }: Pick<Plan, 'ids'>, place: number): number => ids[place - 1] ?? place;
/** All servers of a run. */
export const serversOf = (plan: Plan): number[] =>
  Array.from({ length: plan.voters + plan.observers + plan.spares }, (_, i) => sidAt(plan, i + 1));
/** As often as there is hardly time for between faults, and in every fourth run as often as servers do. */
const SCRUB_MS = { often: 4000, daily: 24 * 3600 * 1000 };

/**
 * In every 15th run, but for those whose snapshots come so often that most of the work would be to write it down. A session
 * of one member owns none.
 */
function crowdOf(chance: Chance, { snapCount, sessions }: Pick<Plan, 'snapCount' | 'sessions'>): number {
  const random = chance.stream('plan/crowd');
  return oneIn(random, 15) && snapCount >= 30 && sessions !== 'local' ? 2200 + random.below(800) : 0;
}

/** Draws everything about a run from its seed. */
export function planOf(seed: number, limits: SwarmLimits = {}): Plan {
  const chance = new Chance(seed);
  const random = chance.stream('plan');
  const profile = limits.profile ?? profileOf(seed, random);
  const tickMs = Math.round(logUniform(random, 70, 450));
  const drawn = pick(random, [1, 3, 3, 3, 4, 5, 5, 7]);
  const voters = limits.voters ?? drawn;
  const kinds = kindsOf(profile, chance, limits);
  const drawnKinds = kindsOf(profile, chance, { ...limits, without: [] });
  const scale = 1 + drawnKinds.length / 4;
  const reconfigures = voters > 1 && drawnKinds.includes('op.reconfig');
  const spares = chance.stream('plan/spares').below(voters > 4 ? 2 : 3);
  const chaosMs = 15_000 + random.below(15_000);
  const observers = random.below(3);
  const clients = 3 + random.below(6);
  const writers = 1 + random.below(clients);
  const slowness = pick(random, [1, 1, 1, 5, 30]);
  const sessions = pick<SessionMode>(chance.stream('plan/sessions'), [
    'shared',
    'shared',
    'shared',
    'local',
    'upgraded',
  ]);
  const dead = fraction(random) < 0.3 ? fraction(random) : 0;
  const count = { observers: voters === 1 ? 0 : observers, spares: reconfigures ? spares : 0 };
  const ids = idsOf(chance, voters + count.observers + count.spares);
  const plan: Omit<Plan, 'crowd'> = {
    seed,
    profile,
    voters,
    ...count,
    ids,
    reconfigures,
    shares: sharesOf(
      chance,
      Array.from({ length: voters }, (_, i) => sidAt({ ids }, i + 1)),
      reconfigures,
    ),
    tickMs,
    snapCount: Math.round(logUniform(random, 6, 500)),
    logKiB: Math.round(logUniform(random, 1, 1024)),
    scrubMs: oneIn(chance.stream('plan/scrub'), 4) ? SCRUB_MS.daily : SCRUB_MS.often,
    commitLogCount: Math.round(logUniform(random, 4, 500)),
    lastCounter: lastCounterOf(chance, profile),
    transfer: transferOf(chance),
    clients,
    writers: profile === 'readers' ? 1 : writers,
    slowness: profile === 'readers' ? 30 : slowness,
    lanes: 1 + random.below(3),
    pipeline: pick(chance.stream('plan/pipeline'), [1, 1, 2, 4, 8]),
    thinkMs: logUniform(random, 16, 160),
    sessionMs: Math.max(profile === 'calm' ? CALM_SESSION_MS : 0, tickMs * (4 + random.below(12))),
    sessions: voters > 1 ? sessions : 'shared',
    readOnly: voters > 1 && oneIn(chance.stream('plan/read-only'), 3),
    ttl: oneIn(chance.stream('plan/ttl'), 3),
    mostBytes: Math.round(logUniform(random, 100, 8000)),
    meanDelayMs: logUniform(random, 0.2, 5),
    diskMs: logUniform(random, 0.05, 2),
    logMs: slowLog(chance, tickMs),
    // where hardly a leader changes a short chaos says as much
    chaosMs: limits.chaosMs ?? (profile === 'calm' || profile === 'single' ? chaosMs / 2 : chaosMs),
    faults: kinds.map((kind) => {
      const own = chance.stream(`rate/${kind}`);
      const everyMs = logUniform(own, tickMs * 1.5, tickMs * 20) * scale;
      return { kind, everyMs: everyMs / (OFTEN[kind] ?? 1), burst: oneIn(own, 3) };
    }),
    leftDead: profile === 'calm' ? 0 : Math.floor(dead * Math.ceil(voters / 2)),
  };
  return { ...plan, crowd: crowdOf(chance, plan) };
}
