import type { Random } from '../../../src/base/random.ts';
import { Chance, fraction, logUniform, oneIn, pick } from '../world/chance.ts';
import { FAULT_KINDS, type FaultKind } from './coverage.ts';

/** Profiles that are always among the seeds, whatever chance makes of the others. */
export const PROFILES = ['swarm', 'calm', 'single', 'elections', 'power', 'disk', 'network'] as const;
export type Profile = (typeof PROFILES)[number];

/** What a seed is about. Times are ms. */
export interface Plan {
  readonly seed: number;
  readonly profile: Profile;
  readonly voters: number;
  readonly observers: number;
  readonly tickMs: number;
  readonly snapCount: number;
  readonly logKiB: number;
  readonly commitLogCount: number;
  readonly clients: number;
  readonly lanes: number;
  readonly thinkMs: number;
  readonly sessionMs: number;
  readonly mostBytes: number;
  readonly meanDelayMs: number;
  readonly diskMs: number;
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
    'proc.pause',
    'net.partition_one',
    'net.partition_asym',
    'net.partition_channel',
    'proc.graceful',
  ],
  power: ['disk.lost_unsynced', 'proc.crash_call', 'proc.crash_all', 'proc.crash_loop'],
  disk: FAULT_KINDS.filter((kind) => kind.startsWith('disk.')),
  network: FAULT_KINDS.filter((kind) => kind.startsWith('net.')),
};

/** Which of them a seed is of: half are swarms, the rest take turns. */
const profileOf = (seed: number, random: Random): Profile =>
  seed % 2 === 0 ? 'swarm' : (pick(random, PROFILES.slice(1)) as Profile);

function kindsOf(profile: Profile, random: Random, allowed: readonly FaultKind[]): readonly FaultKind[] {
  switch (profile) {
    case 'calm':
      return [];
    case 'swarm':
      return allowed.filter(() => oneIn(random, 2));
    case 'single':
      return allowed.length === 0 ? [] : [pick(random, allowed)];
    default:
      return GROUPS[profile].filter((kind) => allowed.includes(kind));
  }
}

export interface SwarmLimits {
  readonly allowed?: readonly FaultKind[];
  readonly profile?: Profile;
  readonly voters?: number;
  readonly chaosMs?: number;
}

/** Draws everything about a run from its seed. */
export function planOf(seed: number, limits: SwarmLimits = {}): Plan {
  const random = new Chance(seed).stream('plan');
  const profile = limits.profile ?? profileOf(seed, random);
  const tickMs = Math.round(logUniform(random, 100, 1000));
  const voters = limits.voters ?? pick(random, [1, 3, 3, 3, 4, 5, 5, 7]);
  const kinds = kindsOf(profile, random, limits.allowed ?? FAULT_KINDS);
  const scale = 1 + kinds.length / 4;
  return {
    seed,
    profile,
    voters,
    observers: voters === 1 ? 0 : random.below(3),
    tickMs,
    snapCount: Math.round(logUniform(random, 6, 500)),
    logKiB: Math.round(logUniform(random, 1, 1024)),
    commitLogCount: Math.round(logUniform(random, 4, 500)),
    clients: 2 + random.below(6),
    lanes: 1 + random.below(3),
    thinkMs: logUniform(random, 5, 60),
    sessionMs: tickMs * (4 + random.below(12)),
    mostBytes: Math.round(logUniform(random, 100, 8000)),
    meanDelayMs: logUniform(random, 0.2, 5),
    diskMs: logUniform(random, 0.05, 2),
    chaosMs: limits.chaosMs ?? 15_000 + random.below(15_000),
    faults: kinds.map((kind) => ({
      kind,
      everyMs: logUniform(random, tickMs * 2, tickMs * 40) * scale,
      burst: oneIn(random, 3),
    })),
    leftDead: fraction(random) < 0.3 ? random.below(Math.ceil(voters / 2)) : 0,
  };
}
