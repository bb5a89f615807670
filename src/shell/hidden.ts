import { holdsHidden, isHidden } from '../editor/redact.ts';
import { type Failure, usage } from './failure.ts';

export { holdsHidden };

/** A line of the history is typed or run again, and what it hides would be taken for the credential. */
export const hiddenCredential = (): Failure =>
  usage('**** stands for a credential that the history does not keep', 'type it again in the place of ****');

/** @throws Failure (2) for a credential that is none any more */
export function refuseHidden(credential: string): void {
  if (isHidden(credential)) throw hiddenCredential();
}
