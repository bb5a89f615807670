/** Who decides by a config record: the checkers' own count, by weight; ensembles here have no groups. */
import type { Config } from '../../../src/records/txns.ts';

/** `holds` says whether a server has it under that incarnation. A voter whose directory is not known does not have it. */
export function isMajority({ members }: Config, holds: (sid: number, incarnation: string) => boolean): boolean {
  let all = 0;
  let those = 0;
  for (const { sid, role, incarnation, weight = 1 } of members) {
    if (role !== 'participant') continue;
    all += weight;
    if (incarnation !== null && holds(sid, incarnation)) those += weight;
  }
  return those > all - those;
}
