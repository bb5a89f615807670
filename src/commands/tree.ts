import { joinPath, nameOf } from '../base/path.ts';
import type { Stat } from '../client/api.ts';
import { command } from '../shell/command.ts';
import type { Output, TreeNode } from '../shell/output.ts';
import { eachOf, inOrder, walkTree } from '../shell/walk.ts';
import { tellDenied } from './ls.ts';
import { inflightOf, withSuggestion } from './support.ts';

/** A drawing of everything below a node. */
export default command({
  name: 'tree',
  group: 'read',
  about: 'draw the nodes below a node',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'where to begin; default the current node', optional: true },
    levels: { kind: 'number', short: '-L', about: 'levels to go down' },
    sizes: { kind: 'flag', short: '-s', about: 'show the size of the data' },
    ephemeral: { kind: 'flag', short: '-e', about: 'only ephemeral nodes, and what leads to them' },
    limit: { kind: 'number', long: '--limit', about: 'stop after this many nodes; default 2000' },
  },
  examples: [
    ['tree', 'from here'],
    ['tree -L 2 /', 'two levels'],
  ],
  exits: [10, 14],
  async run({ path: given, levels, sizes, ephemeral, limit = 2000 }, context): Promise<Output> {
    const client = await context.client();
    const { signal } = context;
    const path = given ?? context.cwd;
    const inflight = inflightOf(context);
    const skip = (child: string): boolean => child === '/zookeeper' && path === '/';
    const deniedPaths: string[] = [];
    const denied = (child: string): void => void deniedPaths.push(child);
    const { children } = await withSuggestion(path, context, () =>
      walkTree(client, path, { signal, inflight, depth: levels, limit, skip, denied }),
    );
    tellDenied(deniedPaths, context);
    const order = inOrder(path, children).filter((each) => !skip(each));
    const shown = order.slice(0, limit);
    const stats = new Map<string, Stat>();
    if (sizes || ephemeral)
      await eachOf(shown, inflight, signal, async (each) => {
        const stat = await client.exists(each, { signal });
        if (stat !== undefined) stats.set(each, stat);
      });
    const visible = new Set(shown);
    const build = (at: string): TreeNode => {
      const names = (children.get(at) ?? []).filter((name) => !skip(joinPath(at, name)));
      const here = names.map((name) => joinPath(at, name)).filter((child) => visible.has(child));
      return {
        name: at === path ? path : nameOf(at),
        path: at,
        stat: stats.get(at),
        children: here.map(build),
        more: names.length - here.length,
      };
    };
    const root = build(path);
    if (ephemeral) onlyEphemeral(root);
    return {
      ...(deniedPaths.length > 0 && { exit: 14 }),
      type: 'tree',
      root,
      sizes,
      shown: shown.length,
      truncated: order.length > shown.length,
    };
  },
});

/** Takes out what is not ephemeral and leads to nothing that is. */
function onlyEphemeral(node: TreeNode): boolean {
  const kept = node.children.filter(onlyEphemeral);
  node.children.splice(0, node.children.length, ...kept);
  return kept.length > 0 || (node.stat?.ephemeralOwner ?? 0n) !== 0n;
}
