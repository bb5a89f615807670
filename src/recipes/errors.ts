/**
 * Why a recipe said no; requests that fail are KeeperErrors as ever.
 * `StyleConflict`: another library's nodes, or another recipe's, are on the path. `Conflict`: the path holds something that
 * does not go with what was asked, such as another limit. `TimedOut`: not in the time given. `Busy`: not at once.
 * `WouldDeadlock`: the session waits for itself. `Lost`: what was held is not held any more.
 */
export type RecipeFault = 'StyleConflict' | 'Conflict' | 'TimedOut' | 'Busy' | 'WouldDeadlock' | 'Lost';

export class RecipeError extends Error {
  override readonly name = 'RecipeError';
  readonly code: RecipeFault;
  readonly path: string;
  constructor(code: RecipeFault, path: string, what: string) {
    super(`${path}: ${what}`);
    this.code = code;
    this.path = path;
  }
}
