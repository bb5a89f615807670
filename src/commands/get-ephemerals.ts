import { command } from '../shell/command.ts';

/** What this session owns. */
export default command({
  name: 'getEphemerals',
  group: 'read',
  about: 'list the ephemeral nodes of this session',
  risk: 'read',
  params: { prefix: { kind: 'path', about: 'only paths that begin so; default /', optional: true } },
  examples: [
    ['getEphemerals', 'all of them'],
    ['getEphemerals /app/workers', 'only those whose path begins so'],
    ['getEphemerals | wc -l', 'how many there are'],
  ],
  async run({ prefix }, context) {
    const client = await context.client();
    const names = await client.getEphemerals(prefix ?? '/', { signal: context.signal });
    return { type: 'listing', path: prefix ?? '/', names, isPaths: true, onePerLine: true };
  },
});
