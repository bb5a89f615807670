/** What was done before something ended a command: whoever reads the error needs it to know where the tree stands. */
import { KeeperError } from '../base/errors.ts';
import { MultiError } from '../client/api.ts';
import type { CommandContext } from './command.ts';
import { Failure, failureOf } from './failure.ts';
import { isRefusal } from './refusal.ts';
import { plural, showCount } from './units.ts';

/** How a command that broke off goes on: `hint` takes the place of what the error itself advises. */
export interface GoingOn {
  readonly hint?: string | undefined;
  /** It changed another ensemble than the one in use, whose changes undo does not keep. */
  readonly isElsewhere?: boolean;
}

/**
 * The error as it is to be thrown: with `done` (`1,500 of 1,511 changes made`, in numbers of the whole command) beside it,
 * and without the claim of a transaction that nothing was changed. Undefined: nothing was done. What was on its way when a
 * connection broke or somebody had enough is not in the number, so that it is the least there can be.
 */
export function stoppedAfter(
  error: unknown,
  done: string | undefined,
  {
    signal,
    warn,
    keepsUndo,
    isDry,
    transaction,
  }: Pick<CommandContext, 'signal' | 'warn' | 'keepsUndo' | 'isDry' | 'transaction'>,
  { hint, isElsewhere = false }: GoingOn = {},
): unknown {
  if (done === undefined || isDry || transaction.collects) return error; // what only would be done, or waits, is not
  const isAnswer = error instanceof Failure && error.exit === 31;
  const isSure = isAnswer || (!signal.aborted && !endsSession(error) && (isRefusal(error) || error instanceof Failure));
  const undo = keepsUndo && !isElsewhere ? '; undo takes it back' : '';
  const line = `${isSure ? '' : 'at least '}${done} before that${undo}`;
  if (!isSure) {
    // what ended it may be told otherwise than it was thrown: Ctrl-C, an outcome that is not known
    warn(line);
    if (hint !== undefined) warn(hint);
    return error;
  }
  const failure = failureOf(withoutClaim(error), 'write');
  return new Failure(failure.exit, failure.code, failure.message, {
    path: failure.path,
    hint: hint ?? failure.hint,
    lines: [...failure.lines, line],
    told: failure.told,
    cause: error,
  });
}

/** Whatever was on its way with it has no answer either. */
const endsSession = (error: unknown): boolean =>
  error instanceof KeeperError && ['SessionExpired', 'SessionMoved', 'Closing'].includes(error.code);

/** How far a plan came. */
export const madeOf = (made: number, total: number): string | undefined =>
  made === 0 ? undefined : `${showCount(made)} of ${plural(total, 'change')} made`;

/** A refused part of a transaction, as the same refused alone. */
function withoutClaim(error: unknown): unknown {
  if (!(error instanceof MultiError)) return error;
  return new KeeperError(error.code, error.path, { cause: error });
}
