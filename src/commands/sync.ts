import { command } from '../shell/command.ts';

/** Waits for the server to catch up. */
export default command({
  name: 'sync',
  group: 'read',
  about: 'wait until the connected server has caught up with the leader',
  risk: 'read',
  params: { path: { kind: 'path', about: 'need not exist; default the current one', optional: true } },
  examples: [
    ['sync', 'what follows sees every write acknowledged before'],
    ['sync /app', 'the same; a path is taken, as in zkCli, and changes nothing'],
    ['sync && get /app/config', 'nothing older than now'],
  ],
  async run({ path }, context) {
    const client = await context.client();
    await client.sync(path ?? context.cwd, { signal: context.signal });
    return { type: 'done', text: 'synced', json: { synced: true } };
  },
});
