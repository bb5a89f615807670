import { command } from '../shell/command.ts';
import { withSuggestion } from './support.ts';

/** How many nodes are below. */
export default command({
  name: 'getAllChildrenNumber',
  group: 'read',
  about: 'count all nodes below a node, at any depth',
  risk: 'read',
  params: { path: { kind: 'path', about: 'the node; default the current one', optional: true } },
  examples: [
    ['getAllChildrenNumber /app', 'a number'],
    ['getAllChildrenNumber /', 'of the whole tree'],
    ['getAllChildrenNumber /app && ls /app', 'first how many'],
  ],
  exits: [10],
  async run({ path = undefined }, context) {
    const client = await context.client();
    const at = path ?? context.cwd;
    const count = await withSuggestion(at, context, () => client.getAllChildrenNumber(at, { signal: context.signal }));
    return { type: 'value', value: count, text: String(count) };
  },
});
