import type { Acl } from '../client/api.ts';
import { showAcl } from '../shell/acl-text.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { aclJson } from '../shell/node-json.ts';
import type { Output } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { walkNodes } from '../shell/walk.ts';
import { Denied, inflightOf, inTurn, Streamed, withSuggestion } from './support.ts';

/** Who may do what. */
export default command({
  name: 'getAcl',
  group: 'acl',
  about: 'show who may do what with a node',
  risk: 'read',
  params: {
    paths: { kind: 'path', about: 'the nodes', many: true, globs: true, placeholder: 'PATH' },
    stat: { kind: 'flag', short: '-s', about: 'also show the stat' },
    recursive: { kind: 'flag', short: '-R', about: 'of all below, too, each after its path' },
  },
  examples: [
    ['getAcl /app', 'in a form that setAcl takes'],
    ['getAcl -R /app', 'of every node at and below /app'],
    ['getAcl -s /app', 'and the stat, with the version of the ACL'],
  ],
  exits: [10, 14],
  async run({ paths, stat: showStat, recursive }, context): Promise<Output> {
    if (recursive && showStat) throw usage('getAcl: -s shows one node, -R all below');
    if (recursive) return below(paths, context);
    const client = await context.client();
    return inTurn(paths, context, true, async (path) => {
      const { acl, stat } = await withSuggestion(path, context, () => client.getAcl(path, { signal: context.signal }));
      return { type: 'acl', path, acl, ...(showStat && { stat }), aversion: stat.aversion };
    });
  },
});

/** What of a node waits to be shown. */
interface Shown {
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly aversion: number;
}

/** Paths and ACLs of whole subtrees. */
async function below(paths: readonly string[], context: CommandContext): Promise<Output> {
  const client = await context.client();
  const denied = new Denied();
  const shown = new Streamed<Shown>(context, (nodes, part) => {
    const rows = nodes.map(({ path, acl }) => [path, showAcl(acl)]);
    return {
      type: 'table',
      columns: [
        { name: 'path', isPath: true },
        { name: 'acl', isPath: true },
      ],
      rows,
      json: nodes.map(({ path, acl, aversion }) => ({ path, aversion, acl: aclJson(acl) })),
      ...(part !== undefined && { part }),
    };
  });
  using progress = context.progress('reading ACLs');
  let seen = 0;
  for (const root of paths)
    await withSuggestion(root, context, async () => {
      const walk = { signal: context.signal, inflight: inflightOf(context), skip: skipsOwn(client, root), acl: true };
      for await (const node of walkNodes(client, root, walk)) {
        progress.update(++seen);
        if (node.denied) denied.add(node.path);
        else await shown.add({ path: node.path, acl: node.acl, aversion: node.stat.aversion });
      }
    });
  denied.tell(context, 'read');
  return { ...shown.end(), ...(denied.any && { exit: 14 }) };
}
