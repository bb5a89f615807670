import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import { countBelow, withSuggestion } from './support.ts';

/** How many nodes there are. */
export default command({
  name: 'count',
  group: 'read',
  about: 'count the children of a node',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'the node; default the current one', optional: true },
    recursive: { kind: 'flag', short: '-R', about: 'all nodes below, at any depth' },
  },
  examples: [
    ['count /app', 'its children'],
    ['count -R /app', 'everything below it'],
    ['count /', 'of the root, /zookeeper among them'],
  ],
  exits: [10],
  notes: ['One request either way: the server counts, nothing is listed.'],
  async run({ path: given, recursive }, context) {
    const client = await context.client();
    const path = given ?? context.cwd;
    const count = await withSuggestion(path, context, async () => {
      if (recursive) return countBelow(client, path, context);
      const stat = await client.exists(path, { signal: context.signal });
      if (stat === undefined) throw new KeeperError('NoNode', path);
      return stat.numChildren;
    });
    return { type: 'value', value: count, text: String(count) };
  },
});
