import type { Client } from '../client/api.ts';
import type { CommandContext } from './command.ts';
import { usage } from './failure.ts';
import { plural } from './units.ts';

/** What was collected for the tree of this session must not be sent to another one. @throws Failure (2) */
export function refuseWaiting(name: string, { transaction, session }: CommandContext): void {
  const { waiting = 0 } = transaction;
  if (waiting === 0) return;
  const wait = `${plural(waiting, 'operation')} of a transaction ${waiting === 1 ? 'waits' : 'wait'}`;
  throw usage(`${name}: ${wait}, meant for ${session.target}`, 'commit or abort first');
}

/**
 * Begins a session with `target` (absent: the same again), and stands at the root of it. Once the servers are others that is
 * so also when none answers: what is typed next must not be meant for a folder of those before. @throws ConnectError, Failure (2)
 */
export async function goTo(target: string | undefined, context: CommandContext): Promise<Client> {
  const { session } = context;
  const before = session.target;
  const home = (): void => {
    context.cwd = '/';
    context.previous = '/';
  };
  try {
    const client = await session.connect(target, context.signal);
    home();
    return client;
  } catch (error) {
    if (session.target !== before) home();
    throw error;
  }
}
