/** What a pipeline is among those of its line. */
import type { Pipeline } from './parser.ts';
import type { Source } from './shell-ports.ts';

export interface Role {
  /** Another one is what to do when it fails. */
  readonly isHandled: boolean;
  /** It decides what follows. */
  readonly steers: boolean;
  /** Whatever status it has ends nothing: a person sees it, another one goes by it, or it is the status of all. */
  readonly isAnswer: boolean;
}

export function roleOf(all: readonly Pipeline[], at: number, { isScript, isBatch, isLast }: Source): Role {
  const next = all[at + 1]?.after;
  const isHandled = hasOtherwise(all, at);
  const steers = next === 'success' || isHandled;
  const endsOthers = isScript === true || isBatch === true;
  return { isHandled, steers, isAnswer: steers || !endsOthers || (next === undefined && isLast === true) };
}

/** `a && b || c`: c is what to do when a fails, too. */
function hasOtherwise(all: readonly Pipeline[], at: number): boolean {
  for (const { after } of all.slice(at + 1)) {
    if (after === 'failure') return true;
    if (after !== 'success') return false;
  }
  return false;
}
