/** Who gives one ACL to many nodes is not to lock himself, or everybody, out with it. */
import type { CommandContext } from '../shell/command.ts';
import { warnOfPasswords } from '../shell/node-record.ts';
import type { AclPolicy } from '../shell/node-source.ts';
import { guard, guardNew } from './set-acl.ts';

const WAY = 'setAcl --force gives it to nodes that are there';

/** What may not be looked at is there. Words for many nodes are no path. */
async function isThere(path: string, context: CommandContext): Promise<boolean> {
  if (!path.startsWith('/')) return true;
  const client = await context.client();
  return client.exists(path, { signal: context.signal }).then(
    (stat) => stat !== undefined,
    () => true,
  );
}

/**
 * Of the ACL that `--acl` gives: its passwords are told, and one by which nobody could change it again is refused. `recasts`:
 * nodes of this session get it that are there already, which it must not lose. @throws Failure (30)
 */
export async function guardGiven(
  policy: AclPolicy,
  path: string,
  recasts: boolean | 'moved',
  context: CommandContext,
): Promise<void> {
  if (policy.way !== 'fixed') return;
  warnOfPasswords(policy.acl, (line) => context.warn(line));
  guardNew(path, policy.acl, WAY);
  if (recasts === 'moved' || (recasts && (await isThere(path, context)))) await guard(path, policy.acl, context, WAY);
}
