import { command } from '../shell/command.ts';

/** A watch that stays. */
export default command({
  name: 'addWatch',
  group: 'watch',
  about: 'report every change of a node, or of all below it, until told to stop',
  risk: 'read',
  params: {
    path: { kind: 'path', about: 'the node; need not exist' },
    mode: {
      kind: 'enum',
      short: '-m',
      about: 'PERSISTENT: the node and its children; PERSISTENT_RECURSIVE (default): all below',
      values: ['PERSISTENT', 'PERSISTENT_RECURSIVE'],
    },
  },
  examples: [
    ['addWatch /app', 'everything at and below /app'],
    ['addWatch -m PERSISTENT /app', 'the node and its children'],
    ['addWatch -m PERSISTENT_RECURSIVE /app && watches', 'and its number, which unwatch takes'],
  ],
  async run({ path, mode = 'PERSISTENT_RECURSIVE' }, context) {
    const recursive = mode === 'PERSISTENT_RECURSIVE';
    const id = await context.session.addWatch(path, recursive);
    const text = `watching ${path}${recursive ? ' and below' : ''} (watch ${id})`;
    return { type: 'done', text, json: { path, mode, id } };
  },
});
