import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';

const TRIES = 5;

/** Moves a node's time of change. */
export default command({
  name: 'touch',
  group: 'write',
  about: 'create a node, or write its data again as it is',
  risk: 'write',
  transaction: 'expanded',
  params: { path: { kind: 'newPath', about: 'the node' } },
  examples: [
    ['touch /app/reload', 'whoever watches it is told'],
    ['touch /app/new', 'an empty node, if there is none'],
    ['touch /app/a && stat /app/a', 'with the time it has now'],
  ],
  exits: [10, 11, 12, 14, 16],
  async run({ path }, context): Promise<Output> {
    const client = await context.client();
    const { signal } = context;
    for (let tries = 1; ; tries++)
      try {
        const { data, stat } = await client.get(path, { signal });
        const now = await client.set(path, data, stat.version, { signal });
        return { type: 'written', path, stat: now, bytes: data?.length ?? 0 };
      } catch (error) {
        const code = error instanceof KeeperError ? error.code : undefined;
        if (code === 'BadVersion' && tries < TRIES) continue; // changed meanwhile: look again
        if (code !== 'NoNode') throw error;
        try {
          const { stat } = await client.create(path, null, { signal });
          return { type: 'created', path, created: true, stat };
        } catch (late) {
          // made meanwhile by somebody else
          if (!(late instanceof KeeperError && late.code === 'NodeExists') || tries >= TRIES) throw late;
        }
      }
  },
});
