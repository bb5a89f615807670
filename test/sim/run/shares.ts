/** Ensembles whose voters count by weight, in groups (zoo.cfg `group.N`, `weight.N`): the simulator's own count of who decides. */
import type { Random } from '../../../src/base/random.ts';
import { oneIn, pick } from '../world/chance.ts';

export interface Share {
  readonly group: number;
  readonly weight: number;
}
/** By voter. Empty: each counts as one. */
export type Shares = ReadonlyMap<number, Share>;
export const EQUAL: Shares = new Map();

/** More than half of the weight in more than half of the groups that have any. */
export function decide(of: readonly number[], holds: (sid: number) => boolean, shares: Shares = EQUAL): boolean {
  const groups = new Map<number, { all: number; those: number }>();
  for (const sid of of) {
    const { group, weight } = shares.get(Math.abs(sid)) ?? { group: 0, weight: 1 };
    const sum = groups.get(group) ?? { all: 0, those: 0 };
    sum.all += weight;
    if (holds(sid)) sum.those += weight;
    groups.set(group, sum);
  }
  const counting = [...groups.values()].filter(({ all }) => all > 0);
  return 2 * counting.filter(({ all, those }) => 2 * those > all).length > counting.length;
}

/** Of an ensemble of these voters: one group with weights, or several of about the same size. */
export function drawShares(random: Random, voters: readonly number[]): Shares {
  const count = voters.length < 3 || oneIn(random, 2) ? 1 : pick(random, voters.length > 5 ? [2, 3] : [3]);
  const shares = new Map<number, Share>();
  for (const [i, sid] of voters.entries())
    shares.set(sid, { group: 1 + (i % count), weight: pick(random, [0, 1, 1, 1, 2, 3]) });
  // somebody in each group has a say
  for (let group = 1; group <= count; group++) {
    const members = [...shares].filter(([, share]) => share.group === group);
    if (members.every(([, { weight }]) => weight === 0))
      for (const [sid] of members) shares.set(sid, { group, weight: 1 });
  }
  return shares;
}

/** Lines of zoo.cfg. */
export function linesOf(shares: Shares): string[] {
  const groups = new Map<number, number[]>();
  for (const [sid, { group }] of shares) groups.set(group, [...(groups.get(group) ?? []), sid]);
  return [
    ...[...groups].map(([group, sids]) => `group.${group}=${sids.join(':')}`),
    ...[...shares].map(([sid, { weight }]) => `weight.${sid}=${weight}`),
  ];
}
