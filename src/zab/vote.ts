import { isBefore, isSame, type Position, type Vote } from './types.ts';

/** What two histories are compared by: the last epoch taken over whole, then the end of the log. */
export interface Standing {
  readonly epoch: number;
  readonly last: Position;
}

/** True when `a` knows more than `b`: leading under `b` would lose what `a` may have acknowledged. */
export const isMoreRecent = (a: Standing, b: Standing): boolean =>
  a.epoch !== b.epoch ? a.epoch > b.epoch : isBefore(b.last, a.last);

/** True when `a` wins over `b`: the more recent, then the larger server id. Nobody at all loses against anybody. */
export function beats(a: Vote, b: Vote | null): boolean {
  if (b === null || isMoreRecent(a, b)) return true;
  return !isMoreRecent(b, a) && a.sid > b.sid;
}

/** Equal in an election: the same candidate with the same claims. */
export const isSameVote = (a: Vote | null, b: Vote | null): boolean =>
  a === b ||
  (a !== null &&
    b !== null &&
    a.sid === b.sid &&
    a.incarnation === b.incarnation &&
    a.epoch === b.epoch &&
    isSame(a.last, b.last));
/** Equal outside of one, where members joined at different times: only leader and epoch matter (ZOOKEEPER-1805). */
export const isSameLeader = (a: Vote, b: Vote): boolean => a.sid === b.sid && a.epoch === b.epoch;
