import { command } from '../shell/command.ts';
import type { DataForm, Output } from '../shell/output.ts';
import { legacyWatch } from './ls.ts';
import { withSuggestion } from './support.ts';

/** The data of nodes. */
export default command({
  name: 'get',
  group: 'read',
  about: 'show the data of a node',
  risk: 'read',
  params: {
    paths: { kind: 'path', about: 'nodes to read', many: true, globs: true, placeholder: 'PATH' },
    stat: { kind: 'flag', short: '-s', about: 'also show the stat' },
    watch: { kind: 'flag', short: '-w', about: 'tell once when the data changes' },
    base64: { kind: 'flag', short: '-b', long: '--base64', about: 'data in base64' },
    hexdump: { kind: 'flag', short: '-x', long: '--hex', about: 'data as a hexdump' },
    raw: { kind: 'flag', long: '--raw', about: 'exactly the bytes, no newline added' },
  },
  examples: [
    ['get /app/config', 'the data'],
    ['get -s -w /app/config', 'data and stat, and a word when it changes'],
    ['get "/app/*"', 'of several nodes'],
  ],
  exits: [10, 14],
  legacy: (args) => legacyWatch(args),
  async run({ paths, stat: showStat, watch, base64, hexdump, raw }, context): Promise<Output> {
    const client = await context.client();
    const form: DataForm = hexdump ? 'hex' : base64 ? 'base64' : raw ? 'raw' : 'text';
    const parts: Output[] = [];
    for (const path of paths) {
      const { data, stat } = await withSuggestion(path, context, () =>
        client.get(path, { signal: context.signal, ...(watch && { watch: context.watched }) }),
      );
      context.versionsRead.set(path, stat.version);
      parts.push({ type: 'node', path, data, stat, showStat, form });
    }
    return parts.length === 1 ? (parts[0] as Output) : { type: 'many', parts };
  },
});
