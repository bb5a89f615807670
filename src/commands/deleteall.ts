import { KeeperError } from '../base/errors.ts';
import { PROTECTED } from '../base/path.ts';
import { type Client, MultiError } from '../client/api.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { Failure, refused } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { plural } from '../shell/units.ts';
import { inOrder, walkTree } from '../shell/walk.ts';
import { inflightOf, withSuggestion } from './support.ts';

const BATCH = 1000;
const ROUNDS = 4;

/** Deletes nodes with everything below. */
export default command({
  name: 'deleteall',
  aliases: ['rmr'],
  group: 'bulk',
  about: 'delete a node and everything below it',
  risk: 'bulk',
  transaction: 'expanded',
  params: {
    paths: { kind: 'path', about: 'where to delete', many: true, globs: true, placeholder: 'PATH' },
    batch: { kind: 'number', short: '-b', about: `nodes per transaction; default ${BATCH}` },
    limit: { kind: 'number', long: '--limit', about: 'refuse when there are more nodes than this' },
    keepRoot: { kind: 'flag', long: '--keep-root', about: 'only what is below' },
  },
  examples: [
    ['deleteall /app/old', 'the node and all below'],
    ['deleteall --keep-root /app/cache', 'only what is below'],
  ],
  exits: [10, 13, 14, 30, 31],
  notes: ['At a prompt it says how much there is and asks first.'],
  async run({ paths, batch = BATCH, limit, keepRoot }, context): Promise<Output> {
    for (const path of paths) {
      if (!keepRoot) refuseProtected(path);
      else if (path === '/zookeeper' || path.startsWith('/zookeeper/'))
        throw refused(
          `what is below ${path} cannot be deleted: the ensemble needs it`,
          'delquota removes quotas',
          path,
        );
    }
    const client = await context.client();
    let count = 0;
    for (const path of paths)
      count += await deleteTree(client, path, { batch: Math.max(1, batch), limit, keepRoot }, context);
    return { type: 'deleted', paths, count, isTree: true };
  },
});

/** The nodes ZooKeeper itself lives in. Said before anything else is gone. @throws Failure (30) */
export function refuseProtected(path: string): void {
  if (PROTECTED.has(path))
    throw refused(`${path} cannot be deleted: the ensemble needs it`, 'name the nodes below it', path);
  if (path.startsWith('/zookeeper/quota/'))
    throw refused(`${path} belongs to a quota`, 'delquota removes quotas', path);
}

async function deleteTree(
  client: Client,
  path: string,
  { batch, limit, keepRoot }: { batch: number; limit: number | undefined; keepRoot: boolean },
  context: CommandContext,
): Promise<number> {
  const { signal } = context;
  let total = 0;
  for (let round = 1; ; round++) {
    const { children } = await withSuggestion(path, context, () =>
      walkTree(client, path, { signal, inflight: inflightOf(context), skip: (each) => each === '/zookeeper' }),
    );
    // what is deepest goes first, so that no parent is deleted before its children
    const targets = inOrder(path, children)
      .filter((each) => each !== '/zookeeper' && !(keepRoot && each === path))
      .reverse();
    if (round === 1) {
      if (limit !== undefined && targets.length > limit)
        throw refused(
          `${plural(targets.length, 'node')} under ${path}, more than --limit ${limit}`,
          'raise --limit',
          path,
        );
      await context.confirm({
        what: `delete ${plural(targets.length, 'node')} under ${path}`,
        path,
        count: targets.length,
      });
    }
    try {
      for (let at = 0; at < targets.length; at += batch) {
        signal.throwIfAborted();
        const part = targets.slice(at, at + batch);
        await client.multi(
          part.map((each) => ({ op: 'delete', path: each, version: -1 })),
          { signal },
        );
        total += part.length;
        for (const each of part) context.session.forgetEphemeral(each);
      }
      return total;
    } catch (error) {
      if (signal.aborted && total > 0) context.warn(`${plural(total, 'node')} deleted before the interruption`);
      const code = error instanceof MultiError || error instanceof KeeperError ? error.code : undefined;
      if (round > 1 && code === 'NoNode' && !(await client.exists(path, { signal }))) return total;
      if ((code !== 'NotEmpty' && code !== 'NoNode') || round >= ROUNDS) {
        if (total === 0 || !(error instanceof MultiError)) throw error;
        throw new Failure(13, error.code, `${plural(total, 'node')} deleted, then: ${error.message}`, {
          path,
          cause: error,
        });
      }
      // others created or deleted nodes meanwhile: look again
    }
  }
}
