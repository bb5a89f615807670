import { KeeperError } from '../base/errors.ts';
import { command } from '../shell/command.ts';
import { checkSize } from '../shell/data.ts';
import { usage } from '../shell/failure.ts';
import { jsonSteps } from '../shell/json-at.ts';
import { textOf } from '../shell/node-json.ts';
import type { Output } from '../shell/output.ts';
import { DATA_OPTIONS, dataSaid, sizeOptions } from './data-options.ts';
import { asJson, withValue } from './json-value.ts';
import { keptTheirs, settleRace } from './settle-race.ts';
import { versionOf, withSuggestion } from './support.ts';

const TRIES = 5;

/** Replaces data. */
export default command({
  name: 'set',
  group: 'write',
  about: 'replace the data of a node',
  risk: 'write',
  transaction: 'operation',
  params: {
    path: { kind: 'path', about: 'the node' },
    data: { kind: 'data', about: 'the new data: text, @FILE, @- for standard input; "" is empty', optional: true },
    stat: { kind: 'flag', short: '-s', about: 'show the stat afterwards' },
    version: {
      kind: 'text',
      short: '-v',
      about: 'only if this is the current version; = is the one last read here',
      placeholder: 'VERSION',
    },
    ...DATA_OPTIONS,
    append: { kind: 'flag', long: '--append', about: 'add to the data there is' },
    at: {
      kind: 'text',
      long: '--at',
      about: 'replace one value inside JSON: .level, .ports[0]; what is not JSON is text',
      placeholder: '.KEY',
    },
  },
  examples: [
    ['set /app/config {"level": "warn"}', 'new data'],
    ['set -v 3 /app/config x', 'only if nobody changed it since version 3'],
    ['set --at .level /app/config warn', 'one value of a JSON document, the rest untouched'],
    ['set /app/logo @logo.png', 'from a file'],
  ],
  exits: [6, 10, 12, 14, 17, 19],
  notes: [
    `With --at what reads as JSON is stored as such, also from quotes of the shell: true is a boolean. The text true is '"true"'.`,
    'With --at the exit code is 10, too, when the data is not JSON or has no such place.',
    'At a prompt -v = asks whose data counts when somebody else was quicker; elsewhere that is 12.',
  ],
  async run(values, context): Promise<Output> {
    const { path, append } = values;
    const at = values.at === undefined ? undefined : jsonSteps(values.at);
    if (append && at !== undefined) throw usage('set: --append and --at exclude each other');
    const data = dataSaid('set', path, values, context);
    if (data === undefined) throw usage('set: DATA is missing', '"" is empty data, --null is none');
    const version = versionOf(values.version, path, context, 'set: the version');
    const client = await context.client();
    const { signal } = context;
    const merges = append || at !== undefined;
    const merged = (before: Buffer | null): Buffer => {
      if (at === undefined) return Buffer.concat([before ?? Buffer.alloc(0), data ?? Buffer.alloc(0)]);
      const text = data === null ? 'null' : textOf(data);
      if (text === undefined) throw usage('set: --at takes a text, not bytes');
      return withValue(path, before, at, asJson(text));
    };
    /** The version was that of the last read here, and somebody was quicker. */
    const ask = async (mine: Uint8Array | null): Promise<Output> => {
      for (;;) {
        const theirs = await client.get(path, { signal });
        const version = theirs.stat.version;
        if ((await settleRace({ path, theirs: { data: theirs.data, version }, mine }, [], context)) === 'theirs')
          return keptTheirs(path);
        try {
          const next = merges ? merged(theirs.data) : mine;
          const stat = await client.set(path, next, version, { ...sizeOptions(values), signal });
          context.versionsRead.set(path, stat.version);
          return { type: 'written', path, stat, bytes: next?.length ?? 0, showStat: values.stat };
        } catch (error) {
          if (!(error instanceof KeeperError) || error.code !== 'BadVersion') throw error; // and once more
        }
      }
    };
    const write = async (): Promise<Output> => {
      for (let tries = 1; ; tries++) {
        const before = merges ? await client.get(path, { signal }) : undefined;
        const next = before === undefined ? data : merged(before.data);
        if (!values.forceSize) checkSize(path, next, { canForce: true });
        try {
          const expected = version === -1 && before !== undefined ? before.stat.version : version;
          const stat = await client.set(path, next, expected, { ...sizeOptions(values), signal });
          context.versionsRead.set(path, stat.version);
          return { type: 'written', path, stat, bytes: next?.length ?? 0, showStat: values.stat };
        } catch (error) {
          if (!(error instanceof KeeperError) || error.code !== 'BadVersion') throw error;
          if (values.version === '=' && context.asks) return ask(next);
          if (!merges || version !== -1 || tries >= TRIES) throw error;
        }
      }
    };
    return withSuggestion(path, context, write);
  },
});
