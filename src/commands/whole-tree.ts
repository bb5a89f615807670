import type { Client } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import { isTopOfOwn } from '../shell/own-nodes.ts';

/** Whether a pattern stands for every node below the root: that is asked about, or refused, as the root itself is. */
export async function isWholeTree(
  client: Client,
  paths: readonly string[],
  { globbed, signal }: Pick<CommandContext, 'globbed' | 'signal'>,
): Promise<boolean> {
  if (!globbed) return false;
  const { children } = await client.getChildren('/', { signal });
  const tops = children.map((name) => `/${name}`).filter((path) => !isTopOfOwn(client, path));
  const named = new Set(paths);
  return tops.length > 0 && tops.every((path) => named.has(path));
}
