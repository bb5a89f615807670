import { KeeperError } from '../base/errors.ts';
import { nameOf } from '../base/path.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output, TreeNode } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { walkNodes } from '../shell/walk.ts';
import { countBelow, Denied, inflightOf, withSuggestion } from './support.ts';

const MOST_SHOWN = 100_000;

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
    limit: {
      kind: 'number',
      long: '--limit',
      about: 'stop after so many nodes, at most 100,000; default 2,000',
      placeholder: 'N',
    },
  },
  examples: [
    ['tree', 'from here'],
    ['tree -L 2 /', 'two levels'],
    ['tree -s -e /app', 'sizes, and only ephemeral nodes'],
  ],
  exits: [10, 14],
  async run({ path: given, levels, sizes, ephemeral, limit = 2000 }, context): Promise<Output> {
    // a drawing is in memory as a whole: its last line decides how the first is drawn
    if (limit > MOST_SHOWN) throw usage('tree: --limit is at most 100,000', 'ls -R and find have no limit');
    if (limit < 1) throw usage('tree: --limit is at least 1');
    if (levels !== undefined && levels < 0) throw usage('tree: -L is how many levels to go down, 0 or more');
    const client = await context.client();
    const { signal } = context;
    const path = given ?? context.cwd;
    const denied = new Denied();
    let root: TreeNode | undefined;
    const skip = skipsOwn(client, path);
    const walk = { signal, inflight: inflightOf(context), depth: levels, skip };
    const above: TreeNode[] = [];
    let shown = 0;
    let isTruncated = false;
    await withSuggestion(path, context, async () => {
      for await (const { path: at, depth, stat, denied: isDenied, hidden } of walkNodes(client, path, walk)) {
        if (shown >= limit) {
          isTruncated = true;
          break;
        }
        if (isDenied && depth !== levels) denied.add(at);
        shown++;
        const own = at === '/' && skip('/zookeeper') ? 1 : 0; // /zookeeper is there and not shown
        const node: TreeNode = {
          name: depth === 0 ? path : nameOf(at),
          path: at,
          stat: (sizes || ephemeral) && hidden !== true ? stat : undefined,
          children: [],
          more: isDenied || depth === levels ? 0 : stat.numChildren - own,
        };
        above.length = depth;
        const parent = above.at(-1);
        if (parent !== undefined) {
          parent.children.push(node);
          parent.more = Math.max(0, parent.more - 1);
        }
        above.push(node);
        root ??= node;
      }
    });
    denied.tell(context);
    if (root === undefined) throw new KeeperError('NoNode', path);
    if (!isTruncated) forgetMore(root); // what a node gained or lost meanwhile is not there to be shown
    if (ephemeral) onlyEphemeral(root);
    // with -L less may be wanted than there is
    const isCounted = isTruncated && levels === undefined;
    const total = isCounted ? 1 + (await countBelow(client, path, context).catch(() => shown - 1)) : shown;
    return {
      ...(denied.any && { exit: 14 }),
      type: 'tree',
      root,
      sizes,
      shown,
      truncated: isTruncated,
      ...(total > shown && { total }),
    };
  },
});

function forgetMore(node: TreeNode): void {
  node.more = 0;
  for (const child of node.children) forgetMore(child);
}

/** Takes out what is not ephemeral and leads to nothing that is. */
function onlyEphemeral(node: TreeNode): boolean {
  const kept = node.children.filter(onlyEphemeral);
  node.children.splice(0, node.children.length, ...kept);
  return kept.length > 0 || (node.stat?.ephemeralOwner ?? 0n) !== 0n;
}
