/** Before a command that changes something is run for many nodes. */
import type { Client, Stat } from '../client/api.ts';
import type { Arg, CommandContext } from '../shell/command.ts';
import { filledFor } from '../shell/placeholders.ts';
import { riskOfWords } from '../shell/risk-within.ts';
import { Tally } from '../shell/survey.ts';
import { plural } from '../shell/units.ts';
import { undoKeeps } from './support.ts';

/** So many are named, and looked at for whether undo keeps them. */
const NAMED = 10;
const FEW = 20;

/**
 * Whether these words change something, so that running them for many nodes is bulk work. Of what waits in a transaction its
 * commit decides.
 */
export const isBulkRun = (words: readonly Arg[], { registry, transaction }: CommandContext): boolean =>
  !transaction.isOpen && riskOfWords(filledFor(words, '/x'), registry) !== 'read';

/** What was found, by its path; without a stat it was not looked at. */
export type Found = AsyncIterable<{ readonly path: string; readonly stat: Stat | undefined }>;

/** Asks, as before any bulk work. `root`: what is typed on a protected profile. @throws Failure (30, 31) */
export async function agreeOnRuns(
  words: readonly Arg[],
  root: string,
  found: () => Found,
  client: Client,
  context: CommandContext,
): Promise<void> {
  const line = words.map(({ text }) => text).join(' ');
  const shown = line.length > 60 ? `${line.slice(0, 60)}...` : line;
  if (!context.asks) {
    await context.confirm({ what: `run ${shown} for what is found at ${root}`, path: root });
    return;
  }
  const tally = new Tally(client.sessionId);
  const few: string[] = [];
  for await (const { path, stat } of found()) {
    if (stat !== undefined) tally.add(stat);
    if (few.length < FEW) few.push(path);
  }
  const { count } = tally;
  if (count === 0) return;
  await context.confirm({
    what: `run ${shown} for ${plural(count, 'node')} at ${root}`,
    path: root,
    details: tally.lines(few.slice(0, NAMED)),
    count,
    keepsUndo: count <= FEW && (await undoKeeps(client, few, context)),
    hasOthersEphemerals: tally.owners > 0,
  });
}
