import { KeeperError } from '../base/errors.ts';
import { parentOf } from '../base/path.ts';
import { command } from '../shell/command.ts';
import { Failure } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { createWithParents, inTurn } from './support.ts';

/** Nodes without data. */
export default command({
  name: 'mkdir',
  group: 'write',
  about: 'create nodes without data',
  risk: 'write',
  transaction: 'expanded',
  params: {
    paths: { kind: 'newPath', about: 'the new nodes', many: true, placeholder: 'PATH' },
    parents: { kind: 'flag', short: '-p', about: 'missing parents too; no error for what exists' },
  },
  examples: [
    ['mkdir /app', 'one'],
    ['mkdir -p /app/a/b /app/c', 'two, with their parents'],
    ['mkdir -p /app && ls /app', 'whether it was there or not'],
  ],
  exits: [10, 11, 14],
  async run({ paths, parents }, context): Promise<Output> {
    const client = await context.client();
    return inTurn(paths, context, false, async (path) => {
      if (!parents) {
        const { stat } = await client.create(path, null, { signal: context.signal }).catch((error: unknown) => {
          if (error instanceof KeeperError && error.code === 'NodeExists')
            throw new Failure(11, error.code, error.message, {
              path,
              hint: 'mkdir -p leaves what is there',
              cause: error,
            });
          if (error instanceof KeeperError && error.code === 'NoNode')
            throw new Failure(10, error.code, `the parent does not exist: ${parentOf(path)}`, {
              path,
              hint: 'mkdir -p makes missing parents',
              cause: error,
            });
          throw error;
        });
        return { type: 'created', path, created: true, stat };
      }
      try {
        const { stat } = await createWithParents(path, null, {}, context);
        return { type: 'created', path, created: true, stat };
      } catch (error) {
        if (!(error instanceof KeeperError) || error.code !== 'NodeExists') throw error;
        return { type: 'created', path, created: false };
      }
    });
  },
});
