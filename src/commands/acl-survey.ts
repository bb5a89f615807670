/** What a new ACL for a whole subtree takes the place of. */
import type { Acl, Client } from '../client/api.ts';
import { showAcl } from '../shell/acl-text.ts';
import type { CommandContext } from '../shell/command.ts';
import { sameAcl } from '../shell/node-record.ts';
import { skipsOwn } from '../shell/own-nodes.ts';
import { quoteWord } from '../shell/paths.ts';
import { plural, showCount } from '../shell/units.ts';
import { walkNodes } from '../shell/walk.ts';
import { countBelow, inflightOf, withSuggestion } from './support.ts';

export interface AclSurvey {
  /** Nodes whose ACL becomes another; where nobody is asked, all there are. */
  readonly changes: number;
  /** Lines of the plan: each ACL that goes, of how many nodes it is, and one of them. */
  readonly lines: readonly string[];
}

/** So many ACLs are shown, those of the most nodes first. */
const SHOWN = 8;
const HIDDEN = 'an ACL that may not be read';

/** @throws KeeperError NoNode for the node itself */
export async function surveyAcls(
  client: Client,
  path: string,
  acl: readonly Acl[],
  context: CommandContext,
): Promise<AclSurvey> {
  if (!context.asks)
    return { changes: (await withSuggestion(path, context, () => countBelow(client, path, context))) + 1, lines: [] };
  const { signal } = context;
  const found = new Map<string, { count: number; readonly example: string }>();
  let [count, changes] = [0, 0];
  using progress = context.progress(`looking at the ACLs under ${path}`);
  const options = { signal, inflight: inflightOf(context), acl: true, skip: skipsOwn(client, path) };
  await withSuggestion(path, context, async () => {
    for await (const node of walkNodes(client, path, options)) {
      progress.update(++count);
      if (sameAcl(node.acl, acl)) continue;
      changes++;
      const text = node.acl.length === 0 ? HIDDEN : showAcl(node.acl);
      const known = found.get(text);
      if (known === undefined) found.set(text, { count: 1, example: node.path });
      else known.count++;
    }
  });
  const olds = [...found].sort(([, a], [, b]) => b.count - a.count);
  return {
    changes,
    lines: [
      `${plural(count, 'node')} at and below ${quoteWord(path)}, of which ${showCount(changes)} ${changes === 1 ? 'changes' : 'change'}`,
      ...olds
        .slice(0, SHOWN)
        .map(([text, { count: of, example }]) => `- ${text}  ${plural(of, 'node')}, as ${quoteWord(example)}`),
      ...(olds.length > SHOWN ? [`- and ${plural(olds.length - SHOWN, 'other ACL')}`] : []),
      `+ ${showAcl(acl)}`,
    ],
  };
}
