import type { Client } from '../client/api.ts';
import { Failure } from './failure.ts';
import { quoteWord } from './paths.ts';

/** How long is asked whether it is there, ms: the answer that failed came from the same server just now. */
const PATIENCE_MS = 3000;

/**
 * A node that is not there, where what is missing is the chroot of the connect string: nothing is there, and a path inside of
 * it misleads. One request more, only after such a failure.
 */
export async function namedChroot(failure: Failure, client: () => Promise<Client>): Promise<Failure> {
  if (failure.code !== 'NoNode') return failure;
  try {
    const asked = await client();
    const { chroot } = asked;
    if (chroot === '') return failure;
    if ((await asked.exists('/', { signal: AbortSignal.timeout(PATIENCE_MS) })) !== undefined) return failure;
    return new Failure(failure.exit, failure.code, `the chroot ${chroot} does not exist`, {
      path: '/',
      hint: `who connects without it can make it: create -p ${quoteWord(chroot)}`,
      cause: failure,
    });
  } catch {
    return failure; // it is as true as it was
  }
}
