import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import type { Output } from '../shell/output.ts';
import { DATA_OPTIONS, dataSaid, sizeOptions } from './data-options.ts';
import { createWithParents } from './support.ts';

/** Makes sure a node holds some data. */
export default command({
  name: 'put',
  group: 'write',
  about: 'set the data of a node, creating it and its parents if need be',
  risk: 'write',
  transaction: 'expanded',
  params: {
    path: { kind: 'newPath', about: 'the node' },
    data: { kind: 'data', about: 'its data: text, @FILE, @- for standard input', optional: true },
    ...DATA_OPTIONS,
  },
  examples: [
    ['put /app/config/level info', 'create or set, whichever it takes'],
    ['put /app/config @config.json', 'the bytes of a file'],
    ['put /app/note --text "-5 @home"', 'a text as it is, whatever it begins with'],
  ],
  exits: [6, 14, 17, 19],
  async run(values, context): Promise<Output> {
    const { path } = values;
    const data = dataSaid('put', path, values, context);
    if (data === undefined) throw usage('put: DATA is missing', '"" is empty data, --null is none');
    const client = await context.client();
    const options = { ...sizeOptions(values), signal: context.signal };
    for (let tries = 0; ; tries++)
      try {
        const stat = await client.set(path, data, -1, options);
        context.versionsRead.set(path, stat.version);
        return { type: 'written', path, stat, bytes: data?.length ?? 0 };
      } catch (error) {
        if (!(error instanceof KeeperError) || error.code !== 'NoNode') throw error;
        try {
          const { stat } = await createWithParents(path, data, options, context);
          return { type: 'created', path, created: true, stat };
        } catch (second) {
          // somebody created it between the two requests: it can be set now
          if (!(second instanceof KeeperError) || second.code !== 'NodeExists' || tries >= 3) throw second;
        }
      }
  },
});
