import { cannotShow } from '../shell/failure.ts';
import type { Globals } from './globals.ts';

/** Where a command changes something and cannot show what it would be. @throws Failure (30) under -n */
export function refuseDryRun(name: string, { dryRun }: Globals): void {
  if (dryRun === true) throw cannotShow(name);
}

/** Behind what a dry run shows, as the shell says it of znodes. */
export const NOTHING_WRITTEN = '  Nothing was written.';
