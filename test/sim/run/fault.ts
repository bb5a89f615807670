import type { Random } from '../../../src/base/random.ts';
import { logUniform, oneIn, pick } from '../world/chance.ts';
import type { SimClient } from './client.ts';
import type { Coverage } from './coverage.ts';
import type { DiskHarm } from './disk-harm.ts';
import type { Ensemble } from './ensemble.ts';
import type { Member } from './member.ts';
import type { Operator } from './operator.ts';
import type { RawSession } from './raw.ts';

/** What a fault may reach. */
export interface FaultWorld {
  readonly ensemble: Ensemble;
  readonly coverage: Coverage;
  readonly harm: DiskHarm;
  readonly tickMs: number;
  /** Changes the members; undefined where they stay what they are. */
  readonly operator: Operator | undefined;
  /** Members that nobody starts again for now. */
  readonly held: Set<number>;
  /** More load for a while. */
  burst(on: boolean): void;
  /** A further client, of these servers alone; it has no session yet. */
  visitor(sids: readonly number[]): SimClient;
  /** A session without a library, not yet begun. */
  raw(): RawSession;
}
/** A fault that is there; `end` takes it away. `text` says where. */
export interface Injected {
  readonly text: string;
  readonly forMs: number;
  /** It ends before that when this is settled. */
  readonly until?: Promise<unknown>;
  end(): void;
}
export type Inject = (world: FaultWorld, random: Random) => Injected | undefined;

const nothing = (): void => {};
export const once = (text: string): Injected => ({ text, forMs: 0, end: nothing });
export const spell = (random: Random, { tickMs }: FaultWorld): number => logUniform(random, tickMs / 2, tickMs * 25);
export const both = (a: string, b: string): [string, string][] => [
  [a, b],
  [b, a],
];
/** Between one machine and all others. */
export const around = ({ ensemble }: FaultWorld, one: string): [string, string][] =>
  ensemble.members.flatMap(({ host: { name } }) => (name === one ? [] : both(one, name)));
export const up = ({ ensemble }: FaultWorld): Member[] => ensemble.members.filter(({ isUp }) => isUp);
export const anyUp = (world: FaultWorld, random: Random): Member | undefined => {
  const all = up(world);
  // the leader is the most interesting
  const { leader } = world.ensemble;
  if (leader !== undefined && oneIn(random, 3)) return leader;
  return all.length === 0 ? undefined : pick(random, all);
};
