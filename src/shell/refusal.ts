import { KeeperError } from '../base/errors.ts';
import { MultiError } from '../client/api.ts';
import { UNKNOWN_OUTCOME } from './exit-codes.ts';
import { Failure } from './failure.ts';

/** A change was refused, by the server or by the shell itself: it was not made. Anything else leaves that open, Ctrl-C as well. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof MultiError ||
  (error instanceof Failure && error.exit === 30) ||
  (error instanceof KeeperError && !UNKNOWN_OUTCOME.has(error.code));
