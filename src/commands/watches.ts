import type { WatchInfo } from '../client/api.ts';
import { command } from '../shell/command.ts';

/** What this session waits for. */
export default command({
  name: 'watches',
  group: 'watch',
  about: 'list the watches of this session',
  risk: 'read',
  params: {},
  examples: [['watches', 'number, path, kind and events of each; unwatch takes the number']],
  notes: ['Of the events those count that events still knows.'],
  async run(_values, context) {
    const client = await context.client();
    const all = client.watches();
    const events = context.events.list();
    const told = ({ path, kind }: WatchInfo): number => {
      const prefix = path === '/' ? '/' : `${path}/`;
      const isBelow = (each: string): boolean => kind === 'persistentRecursive' && each.startsWith(prefix);
      return events.filter(({ event }) => event.path === path || isBelow(event.path)).length;
    };
    const rows = all.map((watch, at) => ({ number: at + 1, path: watch.path, kind: watch.kind, events: told(watch) }));
    return {
      type: 'table',
      columns: [{ name: '#', right: true }, { name: 'path' }, { name: 'kind' }, { name: 'events', right: true }],
      rows: rows.map(({ number, path, kind, events: count }) => [String(number), path, kind, String(count)]),
      json: rows,
    };
  },
});
