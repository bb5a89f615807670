import type { Config } from '../records/txns.ts';

/** A member under the incarnation it acts with; only the listed incarnation of a voter counts (foundations.md 13.8). */
export interface Voice {
  readonly sid: number;
  readonly incarnation: string;
}

/** True when `voices` hold a majority of the voters of `config`, each under the incarnation listed for it. */
export function isQuorum(config: Config, voices: readonly Voice[]): boolean {
  let voters = 0;
  let heard = 0;
  for (const member of config.members) {
    if (member.role !== 'participant') continue;
    voters++;
    if (member.incarnation === null) continue; // stays in the denominator, counts for nothing
    if (voices.some((voice) => voice.sid === member.sid && voice.incarnation === member.incarnation)) heard++;
  }
  return heard * 2 > voters;
}
