import { KeeperError } from '../base/errors.ts';
import { joinPath } from '../base/path.ts';
import type { Client } from '../client/api.ts';

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** Requests in flight. */
  readonly inflight: number;
  /** Levels below the root; default all. */
  readonly depth?: number | undefined;
  /** Listings asked for at most; what is left is counted by nobody. Default all. */
  readonly limit?: number | undefined;
  /** Takes nodes that may not be listed, other than the root; without it the first one ends the walk. */
  readonly denied?: (path: string) => void;
  /** Nodes not to enter. */
  readonly skip?: (path: string) => boolean;
}

/**
 * The names below `root`: each node's children, sorted, by path; a level at a time, many requests at once. A node that
 * vanishes meanwhile is left out. No further node is listed once there are more names than the limit.
 * @throws KeeperError NoNode for the root, NoAuth
 */
export async function walkTree(
  client: Client,
  root: string,
  { signal, inflight, depth = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY, skip, denied }: WalkOptions,
): Promise<{ children: Map<string, string[]> }> {
  const children = new Map<string, string[]>();
  let level = [root];
  let seen = 1;
  for (let at = 0; level.length > 0 && at < depth; at++) {
    const next: string[] = [];
    await eachOf(level, inflight, signal, async (path) => {
      if (seen > limit) return;
      try {
        const found = (await client.getChildren(path, { signal })).children;
        children.set(path, found);
        seen += found.length;
      } catch (error) {
        const code = path !== root && error instanceof KeeperError ? error.code : undefined;
        if (code === 'NoAuth' && denied !== undefined) denied(path);
        else if (code !== 'NoNode') throw error;
      }
    });
    for (const path of level)
      for (const name of children.get(path) ?? []) {
        const child = joinPath(path, name);
        if (skip?.(child) !== true) next.push(child);
      }
    level = next;
  }
  return { children };
}

/** Runs `work` for every item, at most `inflight` at a time; the first failure ends it. */
export async function eachOf<T>(
  items: readonly T[],
  inflight: number,
  signal: AbortSignal,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      signal.throwIfAborted();
      const index = next++;
      await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inflight, items.length) }, worker));
}

/** Paths in the order of a reader: each node before what is below it. */
export function inOrder(root: string, children: ReadonlyMap<string, readonly string[]>): string[] {
  const out: string[] = [];
  const stack = [root];
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    out.push(path);
    const names = children.get(path) ?? [];
    for (let i = names.length - 1; i >= 0; i--) stack.push(joinPath(path, names[i] as string));
  }
  return out;
}
