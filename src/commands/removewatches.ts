import type { WatchKind } from '../client/api.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { quoteWord } from '../shell/paths.ts';

/** Ends watches. */
export default command({
  name: 'removewatches',
  group: 'watch',
  about: 'stop the watches of this session on a node',
  risk: 'read',
  params: {
    path: { kind: 'watchedPath', about: 'the node' },
    children: { kind: 'flag', short: '-c', about: 'those on children' },
    data: { kind: 'flag', short: '-d', about: 'those on data' },
    persistent: { kind: 'flag', short: '-p', about: 'persistent ones' },
    recursive: { kind: 'flag', short: '-r', about: 'persistent recursive ones' },
    any: { kind: 'flag', short: '-a', about: 'all of them (default)' },
    local: { kind: 'flag', short: '-l', about: 'also when no server can be asked' },
  },
  examples: [
    ['removewatches /app', 'nothing is reported any more'],
    ['removewatches -d /app', 'only those of its data'],
    ['removewatches -r -l /app', 'the recursive one, also when no server answers'],
  ],
  exits: [25],
  async run({ path, children, data, persistent, recursive, any, local }, context) {
    const chosen: WatchKind[] = [
      ...(children ? ['children' as const] : []),
      ...(data ? ['data' as const] : []),
      ...(persistent ? ['persistent' as const] : []),
      ...(recursive ? ['persistentRecursive' as const] : []),
      ...(any ? ['any' as const] : []),
    ];
    if (chosen.length > 1) throw usage('removewatches: one of -c -d -p -r -a');
    const kind = chosen[0] ?? 'any';
    const client = await context.client();
    await client.removeWatches(path, kind, { local, signal: context.signal });
    context.session.forgetWatches(path, kind);
    return { type: 'done', text: `no longer watching ${quoteWord(path)}`, json: { path, kind } };
  },
});
