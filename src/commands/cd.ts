import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { resolvePath } from '../shell/paths.ts';
import { withSuggestion } from './support.ts';

/** Changes the current path. */
export default command({
  name: 'cd',
  group: 'read',
  about: 'go to a node, so that paths can be relative to it',
  risk: 'read',
  params: {
    path: {
      kind: 'path',
      about: 'where to; - is where you were, nothing is the root',
      optional: true,
      keepsText: true,
    },
  },
  examples: [
    ['cd /app', 'go there'],
    ['cd ..', 'one up'],
    ['cd -', 'back'],
  ],
  exits: [10],
  async run({ path: typed }, context) {
    if (typed === '') throw usage('cd: PATH is empty', 'cd alone goes to the root');
    const path = typed === '-' ? context.previous : resolvePath(context.cwd, typed ?? '/');
    await withSuggestion(path, context, async () => {
      const client = await context.client();
      if (!(await client.exists(path, { signal: context.signal }))) throw new KeeperError('NoNode', path);
    });
    context.previous = context.cwd;
    context.cwd = path;
    return undefined;
  },
});
