/** `find -delete`. */
import type { Client } from '../client/api.ts';
import { batchesOf } from '../shell/batches.ts';
import type { CommandContext } from '../shell/command.ts';
import { refused } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { isOwn, type View, viewOf } from '../shell/own-nodes.ts';
import { stoppedAfter } from '../shell/part-done.ts';
import { type KeptFor, SelectiveDelete } from '../shell/selective-delete.ts';
import { Tally } from '../shell/survey.ts';
import { plural } from '../shell/units.ts';
import type { WalkedNode } from '../shell/walk.ts';
import { refuseProtected } from './deleteall.ts';
import { Streamed, undoKeeps } from './support.ts';

/** A walk, and which of its nodes pass. */
export type Search = () => AsyncIterable<{ readonly node: WalkedNode; readonly passes: boolean }>;

const WHY: Readonly<Record<KeptFor, { readonly exit: number; readonly text: string }>> = {
  NotEmpty: { exit: 13, text: 'it has children that stay' },
  NoAuth: { exit: 14, text: 'not permitted' },
  BadVersion: { exit: 12, text: 'it changed meanwhile' },
};
const NAMED = 5;
/** So few are deleted without a question, where undo keeps them. */
const FEW = 20;

/**
 * Deletes what passes, children before their parents, as one change that undo takes back. What cannot go stays and is told.
 * Where somebody is asked all is looked at twice: a question needs its number. @throws Failure (30, 31)
 */
export async function deleteFound(search: Search, root: string, context: CommandContext): Promise<Output> {
  const view = viewOf(context);
  if (isOwn(view, root))
    throw refused(`what is below ${root} cannot be deleted: the ensemble needs it`, 'delquota removes quotas', root);
  const client = await context.client();
  await agree(view, search, root, client, context);
  const shown: Streamed<string> = new Streamed<string>(
    context,
    (paths, part): Output => ({
      type: 'deleted',
      isFound: true,
      paths,
      count: part === 'last' ? shown.count : paths.length,
      ...(part !== undefined && { part }),
    }),
  );
  let [exit, stayed] = [0, 0];
  const job = new SelectiveDelete(client, {
    signal: context.signal,
    batches: batchesOf(context),
    async deleted(paths) {
      for (const path of paths) {
        context.versionsRead.delete(path);
        context.session.forgetEphemeral(path);
        if (!context.isDry) await shown.add(path); // the plan shows them, once
      }
    },
    kept(path, why) {
      if (++stayed <= NAMED) context.warn(`${path} stays: ${WHY[why].text}`);
      exit = Math.max(exit, WHY[why].exit);
    },
  });
  try {
    for await (const { node, passes } of search()) {
      if (passes) refuseProtected(view, node.path);
      await job.node(node.path, node.depth, passes);
    }
    await job.end();
  } catch (error) {
    await job.settle();
    throw stoppedAfter(error, shown.count === 0 ? undefined : `${plural(shown.count, 'node')} deleted`, context);
  }
  if (stayed > NAMED) context.warn(`... and ${plural(stayed - NAMED, 'other')} stay`);
  return { ...shown.end(), exit };
}

async function agree(view: View, search: Search, root: string, client: Client, context: CommandContext): Promise<void> {
  if (!context.asks) {
    await context.confirm({ what: `delete what find finds under ${root}`, path: root });
    return;
  }
  const tally = new Tally(client.sessionId);
  const first: string[] = [];
  for await (const { node, passes } of search()) {
    if (!passes) continue;
    refuseProtected(view, node.path);
    tally.add(node.stat);
    if (first.length < FEW) first.push(node.path);
  }
  const { count } = tally;
  if (count === 0) return;
  await context.confirm({
    what: `delete ${plural(count, 'node')}`,
    path: root,
    details: tally.lines(first.slice(0, 10)),
    count,
    keepsUndo: count <= FEW && (await undoKeeps(client, first, context)),
    hasOthersEphemerals: tally.owners > 0,
  });
}
