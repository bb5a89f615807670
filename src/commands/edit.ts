import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeeperError } from '../base/errors.ts';
import { nameOf } from '../base/path.ts';
import { type CommandContext, command } from '../shell/command.ts';
import { checkSize, isBeyondDefault } from '../shell/data.ts';
import { Failure, usage } from '../shell/failure.ts';
import { isJson, type JsonSteps, jsonSteps } from '../shell/json-at.ts';
import { compactJson, prettyJson } from '../shell/json-text.ts';
import { textOf } from '../shell/node-json.ts';
import { sameData } from '../shell/node-record.ts';
import type { Output } from '../shell/output.ts';
import { quoteWord } from '../shell/paths.ts';
import { valueText, withValue } from './json-value.ts';
import { keptTheirs, settleRace } from './settle-race.ts';
import { withSuggestion } from './support.ts';

/** The data of a node in the user's editor. */
export default command({
  name: 'edit',
  group: 'write',
  about: 'change the data of a node in your editor',
  risk: 'write',
  params: {
    path: { kind: 'path', about: 'the node' },
    at: { kind: 'text', long: '--at', about: 'only one value inside JSON: .level, .ports[0]', placeholder: '.KEY' },
    noPretty: { kind: 'flag', long: '--no-pretty', about: 'JSON as it is stored, not spread over lines' },
  },
  examples: [
    ['edit /app/config', 'in $VISUAL, else $EDITOR, else vi'],
    ['edit --at .level /app/config', 'one value inside JSON'],
    ['edit --no-pretty /app/config', 'as it is kept, without line ends for the eye'],
  ],
  exits: [10, 12, 14, 31, 126, 127],
  notes: [
    'JSON that is stored without blanks is spread over lines for editing, and stored without blanks again.',
    'Nothing is written when nothing changed, or when somebody else changed it meanwhile; then it asks. What was not written is kept in a file.',
  ],
  async run({ path, at: where, noPretty }, context): Promise<Output> {
    const at = where === undefined ? undefined : jsonSteps(where);
    const editor = context.editor();
    const client = await context.client();
    const { signal } = context;
    let now = await withSuggestion(path, context, () => client.get(path, { signal }));
    if (now.data !== null && textOf(now.data) === undefined)
      throw usage(
        `edit: the data of ${path} is not text`,
        `get --raw ${path} > FILE and set ${path} @FILE handle bytes`,
      );
    const draft = draftOf(path, now.data, at, noPretty);
    const folder = mkdtempSync(join(tmpdir(), 'zoosh-edit-'));
    const file = join(folder, fileNameOf(path, draft.isJson));
    let { text } = draft;
    let isKept = false;
    const keep = (): void => {
      isKept = text !== draft.text;
      const again = at === undefined ? `; set ${quoteWord(path)} @${quoteWord(file)} writes it` : '';
      if (isKept) context.warn(`what you wrote is kept in ${file}${again}`);
    };
    try {
      for (;;) {
        text = await edited(file, text, editor, context);
        const data = draft.stored(text, now.data);
        if (sameData(data, now.data ?? Buffer.alloc(0)))
          return { type: 'done', text: `${quoteWord(path)} is unchanged`, json: { path, changed: false } };
        // a server that holds so much was set to take it
        if (!isBeyondDefault(now.data)) checkSize(path, data);
        try {
          const stat = await client.set(path, data, now.stat.version, { signal });
          context.versionsRead.set(path, stat.version);
          return { type: 'written', path, stat, bytes: data.length };
        } catch (error) {
          if (!(error instanceof KeeperError) || error.code !== 'BadVersion') throw error;
          const theirs = await client.get(path, { signal });
          if (!context.asks)
            throw new Failure(12, 'BadVersion', `somebody else changed it meanwhile: ${path}`, { path, cause: error });
          const race = { path, theirs: { data: theirs.data, version: theirs.stat.version }, mine: data, base: now };
          const answer = await settleRace(race, [{ value: 'edit', about: 'edit mine again' }], context);
          if (answer === 'theirs') {
            keep();
            return keptTheirs(path);
          }
          now = theirs;
          if (answer === 'mine') {
            const mine = draft.stored(text, theirs.data);
            const stat = await client.set(path, mine, theirs.stat.version, { signal });
            return { type: 'written', path, stat, bytes: mine.length };
          }
        }
      }
    } catch (error) {
      keep();
      throw error;
    } finally {
      if (!isKept) rmSync(folder, { recursive: true, force: true });
    }
  },
});

interface Draft {
  /** What the editor shows. */
  readonly text: string;
  readonly isJson: boolean;
  /** What is to be stored when `text` comes back and the node holds `data`. @throws Failure (2) */
  stored(text: string, data: Buffer | null): Buffer;
}

/** The whole data, or one value of it. @throws Failure (10) */
function draftOf(path: string, data: Buffer | null, at: JsonSteps | undefined, noPretty: boolean): Draft {
  const written = at === undefined ? (textOf(data ?? Buffer.alloc(0)) ?? '') : valueText(path, data, at);
  const pretty = noPretty ? undefined : prettyJson(written);
  const compact = (text: string): string => (pretty === undefined ? undefined : compactJson(text)) ?? text;
  if (at === undefined)
    return { text: pretty ?? written, isJson: pretty !== undefined, stored: (text) => Buffer.from(compact(text)) };
  // a text is edited as such, without its quotes
  if (written.startsWith('"'))
    return {
      text: JSON.parse(written) as string,
      isJson: false,
      stored: (text, before) => withValue(path, before, at, JSON.stringify(text)),
    };
  return {
    text: pretty ?? written,
    isJson: true,
    stored(text, before) {
      if (!isJson(text)) throw usage(`edit: what you made of the value is not JSON; ${path} is unchanged`);
      return withValue(path, before, at, compact(text));
    },
  };
}

/** So that editors know what they have before them. */
const fileNameOf = (path: string, isJson: boolean): string => {
  const name = nameOf(path).replace(/[^\w.-]/g, '_') || 'root';
  return isJson && !name.endsWith('.json') ? `${name}.json` : name;
};

/** The text as the user left it. An editor ends a file with a newline: one that was not there is taken off. */
async function edited(file: string, text: string, editor: string, context: CommandContext): Promise<string> {
  writeFileSync(file, text.endsWith('\n') || text === '' ? text : `${text}\n`, { mode: 0o600 });
  const status = await context.os(`${editor} '${file.replace(/'/g, "'\\''")}'`);
  if (status === 126 || status === 127)
    throw new Failure(status, 'EditorFailed', `${editor} ${status === 127 ? 'is not there' : 'cannot be executed'}`, {
      hint: 'VISUAL or EDITOR in the environment names another editor',
    });
  if (status !== 0) throw new Failure(31, 'EditorFailed', `${editor} ended with ${status}: nothing was written`);
  const after = readFileSync(file, 'utf8');
  return text.endsWith('\n') ? after : after.replace(/\r?\n$/, '');
}
