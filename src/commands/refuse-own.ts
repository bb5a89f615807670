import { refused } from '../shell/failure.ts';
import { isOwn, type View } from '../shell/own-nodes.ts';

/** Bulk work leaves alone what servers keep for themselves: with nothing else to do it says so. @throws Failure (30) */
export function refuseOwn(view: View, path: string): void {
  if (!isOwn(view, path)) return;
  throw refused(
    `nothing is written at or below ${path}: servers keep it for themselves`,
    'setquota sets quotas, reconfig changes the members; --root PATH puts a file elsewhere',
    path,
  );
}
