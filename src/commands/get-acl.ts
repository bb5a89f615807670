import { command } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';
import { withSuggestion } from './support.ts';

/** Who may do what. */
export default command({
  name: 'getAcl',
  group: 'acl',
  about: 'show who may do what with a node',
  risk: 'read',
  params: {
    paths: { kind: 'path', about: 'the nodes', many: true, globs: true, placeholder: 'PATH' },
    stat: { kind: 'flag', short: '-s', about: 'also show the stat' },
  },
  examples: [['getAcl /app', 'in a form that setAcl takes']],
  exits: [10, 14],
  async run({ paths, stat: showStat }, context): Promise<Output> {
    const client = await context.client();
    const parts: Output[] = [];
    for (const path of paths) {
      const { acl, stat } = await withSuggestion(path, context, () => client.getAcl(path, { signal: context.signal }));
      parts.push({ type: 'acl', path, acl, ...(showStat && { stat }), aversion: stat.aversion });
    }
    return parts.length === 1 ? (parts[0] as Output) : { type: 'many', parts };
  },
});
