import { command } from '../shell/command.ts';
import type { Output } from '../shell/output.ts';

/** Yes or no. */
export default command({
  name: 'exists',
  group: 'read',
  about: 'tell whether a node exists',
  risk: 'read',
  transaction: 'harmless',
  params: {
    path: { kind: 'path', about: 'the node' },
    watch: { kind: 'flag', short: '-w', about: 'report once when that changes' },
    quiet: { kind: 'flag', short: '-q', about: 'say nothing; the exit code answers' },
  },
  examples: [
    ['exists /app', 'yes or no'],
    ['exists -q /app && get /app', 'reads it only when it is there'],
    ['exists -w /app', 'and a word when it comes, goes or changes'],
  ],
  exits: [1],
  async run({ path, watch, quiet }, context): Promise<Output | undefined> {
    const client = await context.client();
    const stat = await client.exists(path, { signal: context.signal, ...(watch && { watch: context.watched }) });
    if (stat !== undefined) context.versionsRead.set(path, stat.version);
    const exit = stat === undefined ? 1 : 0;
    if (quiet) return { type: 'many', parts: [], exit };
    return { type: 'value', value: stat !== undefined, text: stat === undefined ? 'no' : 'yes', exit };
  },
});
