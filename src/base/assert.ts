/** A broken invariant is our own bug; it ends what was running, since a wrong answer is worse than none. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws {@link InvariantError} unless `fact` holds. For our own bugs only, never for what a peer or a user sent. */
export function assert(fact: unknown, what: string): asserts fact {
  if (!fact) throw new InvariantError(what);
}

/** Marks a branch that types say cannot be reached: a new case does not compile until it is handled. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${String(value)}`);
}
