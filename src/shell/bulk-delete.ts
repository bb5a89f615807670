/** Subtrees taken away, what is deepest first. */
import { KeeperError } from '../base/errors.ts';
import { type Client, MultiError } from '../client/api.ts';
import { walkNodes } from './walk.ts';

export interface BulkDeleteOptions {
  readonly signal: AbortSignal;
  readonly inflight: number;
  /** Nodes in one transaction. */
  readonly batch: number;
  /** Transactions on their way. */
  readonly batches: number;
  /** The root stays. */
  readonly keepRoot: boolean;
  readonly skip: (path: string) => boolean;
  readonly deleted: (paths: readonly string[]) => void;
  /** Told how many nodes were looked at, which is what takes its time before the first are deleted. */
  readonly seen?: (count: number) => void;
}

/** Nodes whose children may not be listed are remembered, up to so many. */
const MOST_HIDDEN = 10_000;
/** New children that appear meanwhile are looked for so often. */
const ROUNDS = 4;

/**
 * Deletes `root` with all below it, or only that. Memory holds the way to one node, not the tree. @throws MultiError and
 * KeeperError as the last round met them: NotEmpty when others create faster than we delete
 */
export async function deleteTree(client: Client, root: string, options: BulkDeleteOptions): Promise<void> {
  const hidden = new Set<string>();
  const onHidden = (path: string): void => {
    if (hidden.size < MOST_HIDDEN) hidden.add(path);
  };
  for (let round = 1; ; round++)
    try {
      return await deleteOnce(client, root, options, onHidden);
    } catch (error) {
      const code = error instanceof MultiError || error instanceof KeeperError ? error.code : undefined;
      if (code === 'NoNode' && round > 1 && !(await client.exists(root))) return;
      // what is below it was not seen, and is still there
      const { path } = error as { path?: string };
      if (code === 'NotEmpty' && path !== undefined && hidden.has(path)) throw new KeeperError('NoAuth', path);
      if ((code !== 'NotEmpty' && code !== 'NoNode') || round >= ROUNDS) throw error;
      // others created or deleted nodes meanwhile: look again
      if (code === 'NoNode' && round === 1 && !(await client.exists(root))) throw error;
    }
}

async function deleteOnce(
  client: Client,
  root: string,
  options: BulkDeleteOptions,
  onHidden: (path: string) => void,
): Promise<void> {
  const { signal, inflight, batch, batches, keepRoot, skip, deleted, seen } = options;
  const sent: { readonly paths: readonly string[]; readonly done: Promise<unknown> }[] = [];
  let paths: string[] = [];
  const take = async (): Promise<void> => {
    const first = sent.shift();
    if (first === undefined) return;
    const error = await first.done;
    if (error !== undefined) throw error;
    deleted(first.paths);
  };
  const send = async (): Promise<void> => {
    if (paths.length === 0) return;
    const part = paths;
    paths = [];
    const done = client
      .multi(
        part.map((path) => ({ op: 'delete', path, version: -1 })),
        { signal },
      )
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    sent.push({ paths: part, done });
    if (sent.length >= batches) await take();
  };
  const drop = async (path: string): Promise<void> => {
    paths.push(path);
    if (paths.length >= batch) await send();
  };
  // a node goes once the walk has left what is below it
  const above: string[] = [];
  let count = 0;
  try {
    for await (const { path, depth, denied } of walkNodes(client, root, { signal, inflight, skip })) {
      seen?.(++count);
      if (denied) onHidden(path);
      while (above.length > depth) await drop(above.pop() as string);
      above.push(path);
    }
    while (above.length > (keepRoot ? 1 : 0)) await drop(above.pop() as string);
    await send();
    while (sent.length > 0) await take();
  } catch (error) {
    // what was on its way behind it may have been done all the same
    for (const { paths: later, done } of sent.splice(0)) if ((await done) === undefined) deleted(later);
    throw error;
  }
}
