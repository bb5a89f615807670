import { command } from '../shell/command.ts';

/** What this session waits for. */
export default command({
  name: 'watches',
  group: 'watch',
  about: 'list the watches of this session',
  risk: 'read',
  params: {},
  examples: [['watches', 'path and kind of each']],
  async run(_values, context) {
    const client = await context.client();
    const all = client.watches();
    return {
      type: 'table',
      columns: [{ name: 'path' }, { name: 'kind' }],
      rows: all.map(({ path, kind }) => [path, kind]),
      json: all,
    };
  },
});
