import type { Config, Member } from '../records/txns.ts';
import type { Voice } from './quorum.ts';

/** The members that zoo.cfg lists, for as long as the log names nobody (foundations.md 13.13). Incarnations in it are void. */
export interface Founders {
  readonly members: readonly Member[];
  readonly maxTxnBytes: number;
  /** A hash of the server lines: only servers with the same lines found an ensemble together. */
  readonly lines: string;
}
/** What is known of another server: its incarnation, and the hash of its lines while its log is empty, else null. */
export interface Present {
  readonly incarnation: string;
  readonly lines: string | null;
}

/**
 * Who counts for a server whose log is empty: the voters of zoo.cfg under the incarnations met, once all of them are met with
 * empty logs and the same lines (`complete`: the ensemble may be founded), or once one is met that has a log, to vote for
 * it and no other. Undefined before. Voters that were not met stay in the denominator.
 */
export function assemble(
  founders: Founders,
  self: Voice,
  present: ReadonlyMap<number, Present>,
): { readonly config: Config; readonly complete: boolean } | undefined {
  const { members, maxTxnBytes, lines } = founders;
  const voters = members.filter(({ role }) => role === 'participant');
  const isFounded = members.some(({ sid }) => present.get(sid)?.lines === null);
  const complete = !isFounded && voters.every(({ sid }) => sid === self.sid || present.get(sid)?.lines === lines);
  if (!isFounded && !complete) return undefined;
  const met = (sid: number): string | null =>
    sid === self.sid ? self.incarnation : (present.get(sid)?.incarnation ?? null);
  return {
    config: { members: members.map((each) => ({ ...each, incarnation: met(each.sid) })), maxTxnBytes },
    complete,
  };
}
