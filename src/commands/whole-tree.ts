import type { Client } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import { isTopOfOwn } from '../shell/own-nodes.ts';

/** `/*`: any name below the root. `/app*` is meant for some, whatever else there is at the time. */
const ANY = /^\/\*+(?:\/\*+)*$/;

/** Whether a pattern stands for every node below the root: that is asked about, or refused, as the root itself is. */
export async function isWholeTree(
  client: Client,
  paths: readonly string[],
  { patterns, signal }: Pick<CommandContext, 'patterns' | 'signal'>,
): Promise<boolean> {
  if (!patterns.some((pattern) => ANY.test(pattern))) return false;
  const { children } = await client.getChildren('/', { signal });
  const tops = children.map((name) => `/${name}`).filter((path) => !isTopOfOwn(client, path));
  const named = new Set(paths);
  return tops.length > 0 && tops.every((path) => named.has(path));
}
