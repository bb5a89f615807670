import { KeeperError } from '../base/errors.ts';
import { nameOf } from '../base/path.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output, TreeNode } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { walkNodes } from '../shell/walk.ts';
import { countBelow, Denied, inflightOf, withSuggestion } from './support.ts';
import { drawRows } from './tree-rows.ts';

/** So many are drawn as a whole; of more the lines are shown as they are found. */
const DRAWN_WHOLE = 10_000;
/** Ephemeral nodes and what leads to them: the last decides how the first is drawn. */
const MOST_KEPT = 100_000;

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
      about: 'stop after so many nodes; default 2,000',
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
    if (limit < 1) throw usage('tree: --limit is at least 1');
    if (levels !== undefined && levels < 0) throw usage('tree: -L is how many levels to go down, 0 or more');
    const client = await context.client();
    const { signal } = context;
    const path = given ?? context.cwd;
    const skip = skipsOwn(client, path);
    if (limit > DRAWN_WHOLE && !ephemeral) return drawRows(client, { path, levels, sizes, limit, skip }, context);
    const denied = new Denied();
    let root: TreeNode | undefined;
    const walk = { signal, inflight: inflightOf(context), depth: levels, skip };
    const above: TreeNode[] = [];
    let shown = 0;
    let kept = 0;
    let isTruncated = false;
    /** Nodes of these levels have been passed: of only ephemeral ones what leads to none is no more needed. */
    const leave = (depth: number): void => {
      while (above.length > depth) {
        const node = above.pop() as TreeNode;
        if (!ephemeral || isKept(node)) continue;
        above.at(-1)?.children.pop();
        kept--;
      }
    };
    using progress = context.progress(`drawing ${path}`);
    await withSuggestion(path, context, async () => {
      for await (const { path: at, depth, stat, denied: isDenied, hidden } of walkNodes(client, path, walk)) {
        leave(depth);
        if (shown >= limit || kept >= MOST_KEPT) {
          isTruncated = true;
          break;
        }
        if (isDenied && depth !== levels) denied.add(at);
        progress.update(++shown);
        kept++;
        const own = at === '/' && skip('/zookeeper') ? 1 : 0; // /zookeeper is there and not shown
        const node: TreeNode = {
          name: depth === 0 ? path : nameOf(at),
          path: at,
          stat: (sizes || ephemeral) && hidden !== true ? stat : undefined,
          children: [],
          more: isDenied || depth === levels ? 0 : stat.numChildren - own,
        };
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
    if (kept >= MOST_KEPT) context.warn('-e draws no more of them; find -ephemeral shows all');
    if (root === undefined) throw new KeeperError('NoNode', path);
    if (!isTruncated) forgetMore(root); // what a node gained or lost meanwhile is not there to be shown
    leave(0);
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

/** It is ephemeral, or leads to one that is. */
const isKept = (node: TreeNode): boolean => node.children.length > 0 || (node.stat?.ephemeralOwner ?? 0n) !== 0n;
