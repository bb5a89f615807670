import type { CommandContext } from '../shell/command.ts';
import { refused } from '../shell/failure.ts';
import { isOwn, type View } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { plural } from '../shell/units.ts';

/** Bulk work leaves alone what servers keep for themselves: with nothing else to do it says so. @throws Failure (30) */
export function refuseOwn(view: View, path: string): void {
  if (!isOwn(view, path)) return;
  throw refused(
    `nothing is written at or below ${path}: servers keep it for themselves`,
    'setquota sets quotas, reconfig changes the members; --root PATH puts a file elsewhere',
    path,
  );
}

/** The same where nothing would be written anyway: what is not done cannot be checked, but compared. @throws Failure (30) */
export function refuseOwnCheck(view: View, path: string, place: string): void {
  if (!isOwn(view, path)) return;
  throw refused(
    `apply leaves what is at and below ${path} alone, since servers keep it for themselves: there is nothing to check`,
    `diff -r ${quoteWord(path)} ${quoteWord(place)} tells how they differ`,
    path,
  );
}

/** What a file holds of these beside other nodes is left out, and that is told. */
export function tellOwn(count: number, context: CommandContext): void {
  if (count > 0)
    context.warn(`${plural(count, 'node')} at and below /zookeeper left out: servers keep it for themselves`);
}
