import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';
import { legacyWatch } from './ls.ts';
import { inTurn, withSuggestion } from './support.ts';

/** Everything kept about a node besides its data. */
export default command({
  name: 'stat',
  group: 'read',
  about: 'show versions, times, sizes and kind of a node',
  risk: 'read',
  params: {
    paths: { kind: 'path', about: 'nodes to look at', many: true, globs: true, placeholder: 'PATH' },
    watch: { kind: 'flag', short: '-w', about: 'report once when the node is created, changed or deleted' },
  },
  examples: [
    ['stat /app', 'all of it'],
    ['stat -w /app', 'and a word when it changes'],
    ['stat /app/workers/*', 'of all that match'],
  ],
  exits: [10, 14],
  legacy: (args) => legacyWatch(args),
  async run({ paths, watch }, context): Promise<Output> {
    const client = await context.client();
    return inTurn(paths, context, true, async (path) => {
      const stat = await withSuggestion(path, context, async () => {
        const found = await client.exists(path, { signal: context.signal, ...(watch && { watch: context.watched }) });
        if (found === undefined) throw new KeeperError('NoNode', path);
        return found;
      });
      context.versionsRead.set(path, stat.version);
      return { type: 'stat', path, stat };
    });
  },
});
