import type { Client } from '../client/api.ts';
import type { CommandContext } from './command.ts';

/**
 * Begins a session with `target` (absent: the same again), and stands at the root of it. Once the servers are others that is
 * so also when none answers: what is typed next must not be meant for a folder of those before. @throws ConnectError
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
