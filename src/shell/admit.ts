import type { CommandSpec } from './command.ts';
import { READ_ONLY_HINT, refused } from './failure.ts';
import type { ShellPorts } from './shell-ports.ts';

/**
 * Lets a command change something, where this shell may: `isReal` is what is sent now, `isOpen` what waits in a transaction.
 * @throws Failure (30, 31)
 */
export async function admit(
  spec: CommandSpec,
  { isReal, isOpen }: { readonly isReal: boolean; readonly isOpen: boolean },
  ports: Pick<ShellPorts, 'session' | 'readOnly' | 'confirmWrite'>,
): Promise<void> {
  if (spec.risk === 'read') return;
  const { readOnly, protect } = ports.session.details;
  if ((isReal || isOpen) && (ports.readOnly || readOnly === true))
    throw refused(`${spec.name} changes something, and this shell is read-only`, READ_ONLY_HINT);
  if (isReal && protect === true) await ports.confirmWrite(spec);
}
