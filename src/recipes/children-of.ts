import type { Acl, Client, WatchListener } from '../client/api.ts';
import { ensurePath, isCode, read } from './certain.ts';
import { orAborted } from './waiting.ts';

export interface ChildrenOptions {
  readonly acl: readonly Acl[] | undefined;
  readonly watch: WatchListener | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Names below a path. What is not there has no children to watch, so with `watch` it is made then: also when it went, as empty
 * containers do. @throws KeeperError; the reason of `signal`
 */
export async function childrenOf(client: Client, path: string, options: ChildrenOptions): Promise<string[]> {
  const { acl, watch, signal } = options;
  const asked = watch === undefined ? { signal } : { signal, watch };
  for (;;)
    try {
      return (await read(client, () => client.getChildren(path, asked), signal)).children;
    } catch (error) {
      if (!isCode(error, 'NoNode')) throw error;
      if (watch === undefined) return [];
      await orAborted(ensurePath(client, path, acl), signal);
    }
}
