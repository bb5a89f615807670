/** A drawing of more nodes than one keeps in memory: each line is shown as soon as it is known. */
import { nameOf } from '../base/path.ts';
import type { Client } from '../client/api.ts';
import type { CommandContext } from '../shell/command.ts';
import type { Branch, Output } from '../shell/output.ts';
import { walkNodes } from '../shell/walk.ts';
import { countBelow, Denied, inflightOf, Streamed, withSuggestion } from './support.ts';

export interface Drawing {
  readonly path: string;
  readonly levels: number | undefined;
  readonly sizes: boolean;
  readonly limit: number;
  readonly skip: (path: string) => boolean;
}

/** A node along the way, and how many of its children there were when it was looked at and how many were drawn. */
interface Above {
  readonly path: string;
  readonly count: number;
  drawn: number;
  /** What stands before the lines of its children: of each level whether its node is the last. */
  readonly lasts: string;
}

/**
 * Draws what is below a node while it is walked along. A sibling that was listed and is gone when its turn comes leaves a line
 * that leads to it.
 */
export async function drawRows(client: Client, drawing: Drawing, context: CommandContext): Promise<Output> {
  const { path, levels, sizes, limit, skip } = drawing;
  const { signal } = context;
  const denied = new Denied();
  let previous: Branch | undefined;
  let isTruncated = false;
  let shown = 0;
  let total: number | undefined;
  const rows = new Streamed<Branch>(context, (branches, part) => {
    const before = previous;
    previous = branches.at(-1) ?? previous;
    const end = { shown, truncated: isTruncated, ...(total !== undefined && { total }) };
    return { type: 'branches', branches, previous: before, sizes, ...end, ...(part !== undefined && { part }) };
  });
  const above: Above[] = [];
  using progress = context.progress(`drawing ${path}`);
  await withSuggestion(path, context, async () => {
    const walk = { signal, inflight: inflightOf(context), depth: levels, skip, lasts: true };
    for await (const node of walkNodes(client, path, walk)) {
      if (shown >= limit) {
        isTruncated = true;
        break;
      }
      const { path: at, depth, stat, hidden, isLast = true } = node;
      if (node.denied && depth !== levels) denied.add(at);
      progress.update(++shown);
      above.length = depth;
      const parent = above.at(-1);
      if (parent !== undefined) parent.drawn++;
      const lasts = parent?.lasts ?? '';
      const own = at === '/' && skip('/zookeeper') ? 1 : 0; // /zookeeper is there and not shown
      await rows.add({
        depth,
        name: depth === 0 ? path : nameOf(at),
        path: at,
        stat: sizes && hidden !== true ? stat : undefined,
        isLast,
        lasts,
      });
      const count = node.denied || depth === levels ? 0 : stat.numChildren - own;
      above.push({ path: at, count, drawn: 0, lasts: depth === 0 ? '' : `${lasts}${isLast ? '1' : '0'}` });
    }
  });
  if (isTruncated) {
    for (const [depth, { path: at, count, drawn, lasts }] of [...above.entries()].reverse())
      if (count > drawn)
        await rows.add({ depth: depth + 1, name: '', path: at, isLast: true, lasts, more: count - drawn });
    // with -L less may be wanted than there is
    if (levels === undefined) {
      const all = 1 + (await countBelow(client, path, context).catch(() => shown - 1));
      if (all > shown) total = all;
    }
  }
  denied.tell(context);
  return { ...(denied.any && { exit: 14 }), ...rows.end() };
}
