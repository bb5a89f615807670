import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { plural, showBytes, showCount } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { Denied, inflightOf, withSuggestion } from './support.ts';

interface Row {
  readonly path: string;
  readonly value: number;
}

/** The largest there are. */
export default command({
  name: 'top-nodes',
  group: 'read',
  about: 'the nodes with the most data, children or nodes below',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'where to look; default the current node', optional: true },
    by: {
      kind: 'enum',
      long: '--by',
      about: 'size: bytes of data (default); children: how many; subtree: nodes below',
      values: ['size', 'children', 'subtree'],
      placeholder: 'WHAT',
    },
    number: { kind: 'number', short: '-n', about: 'so many; default 10', placeholder: 'N' },
    limit: { kind: 'number', long: '--limit', about: 'stop after so many nodes; default none', placeholder: 'N' },
  },
  examples: [
    ['top-nodes /', 'the largest data'],
    ['top-nodes / --by children -n 20', 'the widest nodes'],
    ['top-nodes /app --by subtree --limit 1000000', 'where the most nodes are, of a million'],
  ],
  exits: [10, 14],
  async run({ path: given, by = 'size', number = 10, limit }, context): Promise<Output> {
    if (number < 1 || number > 10_000) throw usage('top-nodes: -n is from 1 to 10000');
    if (limit !== undefined && limit < 1) throw usage('top-nodes: --limit is at least 1');
    const client = await context.client();
    const root = given ?? context.cwd;
    const denied = new Denied();
    let top: Row[] = [];
    const take = (row: Row): void => {
      top.push(row);
      if (top.length < 2 * number + 100) return;
      top.sort(largest);
      top = top.slice(0, number);
    };
    const above: { path: string; below: number }[] = [];
    const close = (): void => {
      const { path, below } = above.pop() as { path: string; below: number };
      const parent = above.at(-1);
      if (parent !== undefined) parent.below += below + 1;
      take({ path, value: below });
    };
    using progress = context.progress(`searching ${root}`);
    let seen = 0;
    await withSuggestion(root, context, async () => {
      const walk = { signal: context.signal, inflight: inflightOf(context), skip: skipsOwn(client, root) };
      for await (const { path, depth, stat, denied: isDenied } of walkNodes(client, root, walk)) {
        if (seen === limit) {
          context.warn(`stopped after ${plural(seen, 'node')}: there is more, and --limit takes it`);
          break;
        }
        progress.update(++seen);
        if (isDenied) denied.add(path);
        if (by === 'subtree') {
          while (above.length > depth) close();
          above.push({ path, below: 0 });
        } else take({ path, value: by === 'size' ? stat.dataLength : stat.numChildren });
      }
    });
    while (above.length > 0) close();
    denied.tell(context);
    const rows = top
      .sort(largest)
      .slice(0, number)
      .filter(({ value }) => value > 0);
    const name = { size: 'bytes', children: 'children', subtree: 'nodes below' }[by] ?? by;
    return {
      ...(denied.any && { exit: 14 }),
      type: 'table',
      columns: [
        { name, right: true },
        { name: 'path', isPath: true },
      ],
      rows: rows.map(({ path, value }) => [String(value), path]),
      humanRows: rows.map(({ path, value }) => [by === 'size' ? showBytes(value) : showCount(value), path]),
      json: rows.map(({ path, value }) => ({ path, [by]: value })),
    };
  },
});

const largest = (a: Row, b: Row): number => b.value - a.value || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
