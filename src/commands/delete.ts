import type { KeeperError } from '../base/errors.ts';
import type { Client } from '../client/api.ts';
import { type Arg, type CommandContext, command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { viewOf } from '../shell/own-nodes.ts';
import { Tally } from '../shell/survey.ts';
import { plural } from '../shell/units.ts';
import deleteall, { refuseProtected } from './deleteall.ts';
import { undoKeeps, versionOf, withSuggestion } from './support.ts';
import { isWholeTree } from './whole-tree.ts';

/** Deletes nodes without children. */
export default command({
  name: 'delete',
  aliases: ['rm'],
  group: 'write',
  about: 'delete a node that has no children',
  risk: 'write',
  transaction: 'operation',
  params: {
    paths: { kind: 'path', about: 'nodes to delete', many: true, globs: true, placeholder: 'PATH' },
    version: {
      kind: 'text',
      short: '-v',
      about: 'only if this is the current version; = is the one last read here',
      placeholder: 'VERSION',
    },
    force: { kind: 'flag', short: '-f', about: 'no error when it does not exist' },
    recursive: { kind: 'flag', short: '-r', about: 'with everything below, as deleteall does' },
  },
  riskOf: ({ recursive }) => (recursive ? 'bulk' : 'write'),
  examples: [
    ['delete /app/old', 'one'],
    ['delete -v 3 /app/old', 'only if nobody changed it since version 3'],
    ['delete -f /app/old /app/older', 'no error when one does not exist'],
  ],
  exits: [10, 12, 13, 14, 30, 31],
  // `delete P 3` is `delete -v 3 P`, unless the second word looks like a path
  legacy: (args: readonly Arg[]) => {
    const [path, version, ...more] = args;
    const isOld = more.length === 0 && version?.quote === 'none' && /^-?\d+$/.test(version.text);
    return isOld && path !== undefined && !path.text.startsWith('-')
      ? [{ text: '-v', quote: 'none' }, version, path]
      : args;
  },
  async run({ paths, version: text, force, recursive }, context): Promise<Output | undefined> {
    if (recursive) return deleteWithAll(paths, text, force, context);
    for (const path of paths) refuseProtected(viewOf(context), path);
    const versions = paths.map((path) => versionOf(text, path, context, 'delete: the version'));
    const client = await context.client();
    if (context.globbed && paths.length > 1) await agree(client, paths, context);
    const done: string[] = [];
    for (const [at, path] of paths.entries())
      try {
        await withSuggestion(path, context, () => client.delete(path, versions[at], { signal: context.signal }));
        context.versionsRead.delete(path);
        context.session.forgetEphemeral(path);
        done.push(path);
      } catch (error) {
        const code = (error as KeeperError).code;
        if (force && code === 'NoNode') continue;
        if (done.length > 0 && !context.isDry) context.show({ type: 'deleted', paths: done, count: done.length });
        throw error;
      }
    return { type: 'deleted', paths: done, count: done.length };
  },
});

/** `rm -r`, which hands have learned elsewhere. */
async function deleteWithAll(
  paths: readonly string[],
  version: string | undefined,
  force: boolean,
  context: CommandContext,
): Promise<Output | undefined> {
  if (version !== undefined) throw usage('delete: -v and -r do not go together', 'a version is that of one node');
  const client = await context.client();
  const there: string[] = [];
  for (const path of paths)
    if (!force || (await client.exists(path, { signal: context.signal })) !== undefined) there.push(path);
  if (there.length === 0) return { type: 'deleted', paths: [], count: 0 };
  const how = { batch: undefined, limit: undefined, keepRoot: false, atomic: false, noTrash: false, force: false };
  return deleteall.run({ paths: there, ...how }, context);
}
/** What a pattern stands for is asked about as deleteall's nodes are. @throws Failure (30, 31) */
async function agree(client: Client, paths: readonly string[], context: CommandContext): Promise<void> {
  const tally = new Tally(client.sessionId);
  if (context.asks)
    for (let at = 0; at < paths.length; at += AT_ONCE)
      for (const stat of await Promise.all(
        paths.slice(at, at + AT_ONCE).map((path) => client.exists(path, { signal: context.signal })),
      ))
        if (stat !== undefined) tally.add(stat);
  await context.confirm({
    what: `delete ${plural(paths.length, 'node')}`,
    path: (await isWholeTree(client, paths, context)) ? '/' : (paths[0] as string),
    details: tally.lines(paths.slice(0, 10)),
    count: paths.length,
    keepsUndo: await undoKeeps(client, paths, context),
    hasOthersEphemerals: tally.owners > 0,
  });
}
/** Questions under way. */
const AT_ONCE = 500;
