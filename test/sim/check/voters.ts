/** Who decides by a config record: the checkers' own count, by weight, within groups where there are any. */
import type { Config } from '../../../src/records/txns.ts';

/** `holds` says whether a server has it under that incarnation. A voter whose directory is not known does not have it. */
export function isMajority({ members }: Config, holds: (sid: number, incarnation: string) => boolean): boolean {
  const groups = new Map<number, { all: number; those: number }>();
  for (const { sid, role, incarnation, group = 0, weight = 1 } of members) {
    if (role !== 'participant') continue;
    const sum = groups.get(group) ?? { all: 0, those: 0 };
    sum.all += weight;
    if (incarnation !== null && holds(sid, incarnation)) sum.those += weight;
    groups.set(group, sum);
  }
  const counting = [...groups.values()].filter(({ all }) => all > 0);
  const won = counting.filter(({ all, those }) => those > all - those).length;
  return won > counting.length - won;
}
