import { command } from '../shell/command.ts';
import { showAge } from '../shell/units.ts';

/** What this session waits for. */
export default command({
  name: 'watches',
  group: 'watch',
  about: 'list the watches of this session',
  risk: 'read',
  params: {},
  examples: [
    ['watches', 'number, path, kind, age and events of each; unwatch takes the number'],
    ['watches | wc -l', 'how many there are'],
    ['watches && unwatch 1', 'the first one ends'],
  ],
  notes: ['A number stays with its watch. One that reports once is gone when it has.'],
  async run(_values, context) {
    const all = await context.session.watches();
    const now = Date.now();
    const rows = all.map(({ since, ...each }) => ({ ...each, since: new Date(since).toISOString() }));
    return {
      type: 'table',
      columns: [
        { name: 'id', right: true },
        { name: 'path', isPath: true },
        { name: 'kind' },
        { name: 'since', drop: 1 },
        { name: 'events', right: true },
      ],
      rows: rows.map(({ id, path, kind, since, events }) => [String(id), path, kind, since, String(events)]),
      humanRows: all.map(({ id, path, kind, since, events }) => [
        String(id),
        path,
        kind,
        showAge(since, now),
        String(events),
      ]),
      json: rows,
    };
  },
});
