import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import { batchesOf } from '../shell/batches.ts';
import { deleteTree } from '../shell/bulk-delete.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { refused, usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { isOwn, isTopOfOwn, undeletable, type View, viewOf } from '../shell/own-nodes.ts';
import { stoppedAfter } from '../shell/part-done.ts';
import { survey, surveyLines } from '../shell/survey.ts';
import { UNDO_BYTES } from '../shell/trash.ts';
import { plural, showBytes } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { countBelow, inflightOf, undoKeeps, withSuggestion } from './support.ts';
import { isWholeTree } from './whole-tree.ts';

const BATCH = 1000;
/** So few are looked at one by one, for whether undo keeps them. */
const FEW = 20;

const UNREADABLE = '  undo cannot keep all of it: not everybody may read it (settings undo-protected on keeps it)';
const TOO_MUCH = `  undo cannot keep it: it is more than ${showBytes(UNDO_BYTES)}, and does not come back`;

const showTook = (ms: number): string => (ms < 100 ? `in ${Math.ceil(ms)}ms` : `in ${(ms / 1000).toFixed(1)}s`);

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
    limit: { kind: 'number', long: '--limit', about: 'refuse when there are more nodes than this', placeholder: 'N' },
    keepRoot: { kind: 'flag', long: '--keep-root', about: 'only what is below' },
    atomic: { kind: 'flag', long: '--atomic', about: 'all in one transaction, or nothing' },
    noTrash: { kind: 'flag', long: '--no-trash', about: 'keep no copy for undo' },
    force: { kind: 'flag', long: '--force', about: 'also what quotas are kept in, below /zookeeper/quota' },
  },
  examples: [
    ['deleteall /app/old', 'the node and all below'],
    ['deleteall --keep-root /app/cache', 'only what is below'],
    ['deleteall --limit 100 /app/old', 'refused when there is more than that'],
    ['deleteall --atomic /app/old /app/older', 'each in one transaction'],
  ],
  exits: [10, 13, 14, 30, 31],
  notes: [
    'A pattern that stands for all nodes below / counts as /: off a terminal it needs --yes.',
    'At a prompt it says how much there is, asks first, but for up to 20 nodes that undo can bring back, and keeps a copy for undo.',
  ],
  async run({ paths: named, batch = BATCH, limit, keepRoot, atomic, noTrash, force }, context): Promise<Output> {
    if (batch < 1) throw usage('deleteall: -b is at least 1');
    if (limit !== undefined && limit < 0) throw usage('deleteall: --limit must not be negative');
    const view = viewOf(context);
    for (const path of named) {
      if (!keepRoot) refuseProtected(view, path, force);
      else if (isOwn(view, path))
        throw refused(
          `what is below ${path} cannot be deleted: the ensemble needs it`,
          'delquota removes quotas',
          path,
        );
    }
    if (noTrash) context.dropUndo();
    const client = await context.client();
    const paths = await topsOf(client, named, context);
    if (await isWholeTree(client, named, context))
      await context.confirm({ what: `delete ${keepRoot ? 'what is below ' : ''}all that / holds`, path: '/' });
    let [count, ms] = [0, 0];
    const deleted = (more: number): number => (count += more);
    try {
      for (const path of paths) {
        const total = await agree(client, path, limit, keepRoot, context);
        const size = atomic ? Number.POSITIVE_INFINITY : batch;
        const began = performance.now(); // the time it takes to answer is not ours
        await remove(client, path, { batch: size, keepRoot, below: total, total: count + total, deleted }, context);
        ms += performance.now() - began;
      }
    } catch (error) {
      throw stoppedAfter(error, count === 0 ? undefined : `${plural(count, 'node')} deleted`, context);
    }
    return { type: 'deleted', paths, count, isTree: true, note: showTook(ms) };
  },
});

/** Those that do not go with another one: `/app/**` stands for `/app`, too. @throws KeeperError NoNode: of one that would */
async function topsOf(client: Client, named: readonly string[], context: CommandContext): Promise<string[]> {
  const all = new Set(named);
  const isBelow = (path: string): boolean => {
    for (let at = path; at !== '/'; ) {
      at = parentOf(at) || '/';
      if (all.has(at)) return true;
    }
    return false;
  };
  const tops = [...all].filter((path) => !isBelow(path));
  // a pattern stands for what is there; what somebody wrote down is missed before anything is gone
  for (const path of context.globbed || tops.length === all.size ? [] : all)
    if ((await client.exists(path, { signal: context.signal })) === undefined) throw new KeeperError('NoNode', path);
  return tops;
}

/** The nodes ZooKeeper itself lives in. Said before anything else is gone. @throws Failure (30) */
export function refuseProtected(view: View, path: string, force = false): void {
  const why = undeletable(view, path, force);
  if (why !== undefined) throw refused(why.what, why.hint, path);
}

/** Looks at what there is, and asks. How many nodes it is about. @throws Failure (10, 30, 31) */
async function agree(
  client: Client,
  path: string,
  limit: number | undefined,
  keepRoot: boolean,
  context: CommandContext,
): Promise<number> {
  const { signal } = context;
  using progress = context.progress(`looking at ${path}`);
  const found = await withSuggestion(path, context, async () =>
    context.asks
      ? survey(client, path, {
          signal,
          inflight: inflightOf(context),
          skip: (each) => isTopOfOwn(client, each),
          seen: (n) => progress.update(n),
        })
      : undefined,
  );
  const below = found?.count ?? (await withSuggestion(path, context, () => countBelow(client, path, context))) + 1;
  const count = keepRoot ? below - 1 : below;
  if (limit !== undefined && count > limit)
    throw refused(
      `${plural(count, 'node')} ${keepRoot ? 'below' : 'at and below'} ${path}, more than --limit ${limit}`,
      `--limit ${count} or more allows it`,
      path,
    );
  const few: string[] = [];
  if (context.asks && context.keepsUndo && below <= FEW)
    for await (const node of walkNodes(client, path, {
      signal,
      inflight: inflightOf(context),
      skip: (each) => isTopOfOwn(client, each),
    }))
      few.push(node.path);
  const keepsUndo = (found?.bytes ?? 0) < UNDO_BYTES && (await undoKeeps(client, few, context));
  await context.confirm({
    what: `delete ${plural(count, 'node')} ${keepRoot ? 'below' : 'at and below'} ${path}`,
    path,
    count,
    hasOthersEphemerals: (found?.owners ?? 0) > 0,
    keepsUndo,
    details: [
      ...(found === undefined ? [] : surveyLines(path, found)),
      ...(keepsUndo ? ['  a copy is kept for 14 days (undo)'] : []),
      ...(context.keepsUndo && !keepsUndo ? [(found?.bytes ?? 0) < UNDO_BYTES ? UNREADABLE : TOO_MUCH] : []),
    ],
  });
  return count;
}

interface Removal {
  /** Nodes per transaction. */
  readonly batch: number;
  readonly keepRoot: boolean;
  /** Nodes it is about, and all with those of the paths before it. */
  readonly below: number;
  readonly total: number;
  readonly deleted: (more: number) => number;
}

async function remove(
  client: Client,
  path: string,
  { batch, keepRoot, below, total, deleted }: Removal,
  context: CommandContext,
): Promise<void> {
  using looking = context.progress(`looking at ${path}`);
  using progress = context.progress(`deleting ${path}`);
  let isDeleting = false;
  await deleteTree(client, path, {
    signal: context.signal,
    inflight: inflightOf(context),
    batch,
    batches: batchesOf(context),
    keepRoot,
    skip: (each) => isTopOfOwn(client, each),
    seen(count) {
      if (!isDeleting) looking.update(count, below);
    },
    deleted(paths) {
      isDeleting = true;
      for (const each of paths) context.session.forgetEphemeral(each);
      progress.update(deleted(paths.length), total);
    },
  });
}
