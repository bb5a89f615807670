import type { History } from './history.ts';
import { isSame, isSameMark, type Mark, markOf } from './types.ts';

/** How a learner comes to the leader's history: from its own end on, from an earlier place on, or from a snapshot. */
export type Plan =
  | { readonly type: 'diff'; readonly from: Mark }
  | { readonly type: 'trunc'; readonly to: Mark }
  /** `alarm`: both hold a record at the same place with different chains, which only damage explains. */
  | { readonly type: 'snap'; readonly alarm: boolean };

/**
 * Decides what a learner with these `ends` (last mark of each epoch, newest first) is sent by a leader with this `log`, which
 * is everything the leader has logged or proposed, committed or not (foundations.md 13.1). The target of a cut is the
 * last record common to both, never an earlier one: within an epoch both logs are prefixes of what one leader proposed,
 * so the shorter one's end is in the longer; an epoch that the leader knows nothing of is cut whole.
 */
export function plan(log: History, ends: readonly Mark[]): Plan {
  const [last] = ends;
  if (last === undefined) return { type: 'snap', alarm: false };
  for (const end of ends) {
    const ours = log.floor(end);
    if (ours === undefined) return { type: 'snap', alarm: false };
    if (isSame(ours, end)) {
      if (!isSameMark(ours, end)) return { type: 'snap', alarm: true };
      return end === last ? { type: 'diff', from: markOf(end) } : { type: 'trunc', to: markOf(end) };
    }
    if (ours.epoch === end.epoch) return { type: 'trunc', to: markOf(ours) };
  }
  return { type: 'snap', alarm: false };
}
