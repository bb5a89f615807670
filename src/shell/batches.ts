import type { CommandContext } from './command.ts';

const BATCHES = 4;

/**
 * How many transactions may be on their way. A server does those of a session in order; what only notes them, for a dry run
 * or a script that is one transaction, looks at the tree meanwhile, and takes one after the other.
 */
export const batchesOf = ({ isDry, transaction }: Pick<CommandContext, 'isDry' | 'transaction'>): number =>
  isDry || transaction.collects ? 1 : BATCHES;
