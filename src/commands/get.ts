import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { jsonSteps } from '../shell/json-at.ts';
import type { DataForm, Output } from '../shell/output.ts';
import { jsonValue } from './json-value.ts';
import { legacyWatch } from './ls.ts';
import { inTurn, withSuggestion } from './support.ts';

/** The data of nodes. */
export default command({
  name: 'get',
  group: 'read',
  about: 'show the data of a node',
  risk: 'read',
  params: {
    paths: { kind: 'path', about: 'nodes to read', many: true, globs: true, placeholder: 'PATH' },
    stat: { kind: 'flag', short: '-s', about: 'also show the stat' },
    watch: { kind: 'flag', short: '-w', about: 'report once when the data changes or the node is deleted' },
    base64: { kind: 'flag', short: '-b', long: '--base64', about: 'data in base64' },
    hexdump: { kind: 'flag', short: '-x', long: '--hex', about: 'data as a hexdump' },
    raw: {
      kind: 'flag',
      long: '--raw',
      about: 'exactly the bytes, no newline added; a terminal is shown control characters as \\u001b',
    },
    at: { kind: 'text', long: '--at', about: 'one value inside JSON: .level, .ports[0]', placeholder: '.KEY' },
    noPretty: { kind: 'flag', long: '--no-pretty', about: 'JSON as it is stored, not spread over lines' },
    headers: { kind: 'flag', short: '-m', about: 'with the path above the data, as for several nodes' },
  },
  examples: [
    ['get /app/config', 'the data'],
    ['get -s -w /app/config', 'data and stat, and a word when it changes'],
    ['get /app/*', 'of several nodes'],
    ['get --at .ports[0] /app/config', 'one value of a JSON document'],
  ],
  exits: [10, 14],
  legacy: (args) => legacyWatch(args),
  async run(values, context): Promise<Output> {
    const { paths, stat: showStat, watch, base64, hexdump, raw, noPretty, headers } = values;
    const at = values.at === undefined ? undefined : jsonSteps(values.at);
    if (at !== undefined && (base64 || hexdump || raw)) throw usage('get: --at shows a value, not bytes');
    const client = await context.client();
    const form: DataForm = hexdump ? 'hex' : base64 ? 'base64' : raw ? 'raw' : 'text';
    const answer = await inTurn(paths, context, true, async (path) => {
      const { data, stat } = await withSuggestion(path, context, () =>
        client.get(path, { signal: context.signal, ...(watch && { watch: context.watched }) }),
      );
      context.versionsRead.set(path, stat.version);
      return at === undefined
        ? { type: 'node', path, data, stat, showStat, form, ...(noPretty && { noPretty }) }
        : jsonValue(path, data, at);
    });
    return headers && answer.type !== 'many' ? { type: 'many', parts: [answer] } : answer;
  },
});
