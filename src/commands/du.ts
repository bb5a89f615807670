import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { plural, showBytes, showCount } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { Denied, inflightOf, withSuggestion } from './support.ts';

const MOST_ROWS = 1000;

interface Sum {
  readonly path: string;
  readonly depth: number;
  nodes: number;
  bytes: number;
}

/** How much there is below. */
export default command({
  name: 'du',
  group: 'read',
  about: 'how many nodes and bytes each subtree holds',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'where to begin; default the current node', optional: true },
    depth: { kind: 'number', short: '-d', about: 'levels that get a line of their own; default 1', placeholder: 'N' },
    human: { kind: 'flag', short: '-h', about: 'bytes as 1.2k, 3.4M in pipes, too' },
    limit: { kind: 'number', long: '--limit', about: 'stop after so many nodes; default none', placeholder: 'N' },
  },
  examples: [
    ['du /app', 'each child, and the sum'],
    ['du -d 0 /', 'only the sum'],
    ['du -h --limit 100000 / | head', 'bytes as 1.2k, of the first hundred thousand nodes'],
  ],
  exits: [10, 14],
  notes: ['Bytes are those of data. The largest come first; beyond 1,000 lines the smallest are left out.'],
  async run({ path: given, depth: levels = 1, human, limit }, context): Promise<Output> {
    if (levels < 0) throw usage('du: -d is how many levels to show');
    if (limit !== undefined && limit < 1) throw usage('du: --limit is at least 1');
    const client = await context.client();
    const root = given ?? context.cwd;
    const denied = new Denied();
    let rows: Sum[] = [];
    let left = 0;
    const above: Sum[] = [];
    const close = (): void => {
      const sum = above.pop() as Sum;
      const parent = above.at(-1);
      if (parent !== undefined) {
        parent.nodes += sum.nodes;
        parent.bytes += sum.bytes;
      }
      if (sum.depth > levels) return;
      rows.push(sum);
      if (rows.length < 2 * MOST_ROWS) return;
      rows.sort(bySize);
      left += rows.length - MOST_ROWS;
      rows = rows.slice(0, MOST_ROWS);
    };
    using progress = context.progress(`measuring ${root}`);
    let seen = 0;
    await withSuggestion(root, context, async () => {
      const walk = { signal: context.signal, inflight: inflightOf(context), skip: skipsOwn(client, root) };
      for await (const node of walkNodes(client, root, walk)) {
        if (seen === limit) {
          context.warn(`stopped after ${plural(seen, 'node')}: there is more, and --limit takes it`);
          break;
        }
        progress.update(++seen);
        if (node.denied) denied.add(node.path);
        while (above.length > node.depth) close();
        above.push({ path: node.path, depth: node.depth, nodes: 1, bytes: node.stat.dataLength });
      }
    });
    while (above.length > 0) close();
    denied.tell(context);
    rows.sort(bySize);
    left += Math.max(0, rows.length - MOST_ROWS);
    rows = rows.slice(0, MOST_ROWS);
    return {
      ...(denied.any && { exit: 14 }),
      type: 'table',
      columns: [
        { name: 'bytes', right: true },
        { name: 'nodes', right: true },
        { name: 'path', isPath: true },
      ],
      rows: rows.map(({ path, nodes, bytes }) => [human ? showBytes(bytes) : String(bytes), String(nodes), path]),
      humanRows: rows.map(({ path, nodes, bytes }) => [showBytes(bytes), showCount(nodes), path]),
      json: rows.map(({ path, nodes, bytes }) => ({ path, nodes, bytes })),
      foot: left > 0 ? [`${plural(left, 'smaller subtree')} not shown`] : [],
    };
  },
});

const bySize = (a: Sum, b: Sum): number =>
  b.bytes - a.bytes || b.nodes - a.nodes || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
