import { assert } from '../base/assert.ts';
import type { Config, Member } from '../records/txns.ts';
import type { Voice } from './quorum.ts';

/** The members that zoo.cfg lists, for as long as the log names nobody (foundations.md 13.13). Incarnations in it are void. */
export interface Founders {
  readonly members: readonly Member[];
  readonly maxTxnBytes: number;
  /** A hash of the server lines: only servers with the same lines found an ensemble together. */
  readonly lines: string;
  /** How many voters must be met, this one among them: a majority at least (`--bootstrap-with`); all when undefined. */
  readonly enough?: number | undefined;
}
/** What is known of another server: its incarnation, and the hash of its lines while its log is empty, else null. */
export interface Present {
  readonly incarnation: string;
  readonly lines: string | null;
  /** The epoch it stands with, when it has a log and said so. */
  readonly epoch: number | undefined;
}

/**
 * Who counts for a server whose log is empty: the voters of zoo.cfg under the incarnations met, once enough of them are met
 * with empty logs and the same lines (`complete`: the ensemble may be founded), or once one is met that has a log, to vote for
 * it and no other. Undefined before. Voters that were not met stay in the denominator; with `enough` they are admitted later.
 * A log from before the `epoch` that we took part in, empty, holds what a few began and a later founding passed over.
 */
export function assemble(
  founders: Founders,
  self: Voice,
  present: ReadonlyMap<number, Present>,
  epoch = 0,
): { readonly config: Config; readonly complete: boolean } | undefined {
  const { members, maxTxnBytes, lines } = founders;
  const voters = members.filter(({ role }) => role === 'participant');
  const enough = founders.enough ?? voters.length;
  assert(enough * 2 > voters.length && enough <= voters.length, `${enough} of ${voters.length} voters found nothing`);
  const isFounded = members.some(({ sid }) => {
    const other = present.get(sid);
    return other?.lines === null && (other.epoch === undefined || other.epoch >= epoch);
  });
  const alike = voters.filter(({ sid }) => sid === self.sid || present.get(sid)?.lines === lines);
  const complete = !isFounded && alike.length >= enough;
  if (!isFounded && !complete) return undefined;
  const met = (sid: number): string | null => {
    if (sid === self.sid) return self.incarnation;
    const other = present.get(sid);
    return other === undefined || (complete && other.lines !== lines) ? null : other.incarnation;
  };
  return {
    config: { members: members.map((each) => ({ ...each, incarnation: met(each.sid) })), maxTxnBytes },
    complete,
  };
}
