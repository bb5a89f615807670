import type { Client } from '../client/api.ts';
import { connect } from '../client/connect.ts';
import { folders } from '../config/folders.ts';
import { completeWords } from '../shell/complete.ts';
import { PathSource } from '../shell/path-source.ts';
import { completionPorts } from './completion-ports.ts';
import { globalOptions, parseGlobals } from './globals.ts';
import { profilesOf } from './host.ts';
import { OUTER } from './outer.ts';
import { chooseTarget, isTarget } from './targets.ts';

/** No answer is better than a late one. */
const DEADLINE_MS = 400;

/**
 * `zoosh __complete --shell S -- LINE`: one candidate a line, `text TAB flags TAB note`; flags `n`: no blank after it, `-`: none, since a shell's read takes two TABs for one. Never
 * an error, never a question, never later than 400 ms. Always 0.
 */
export async function runComplete(argv: readonly string[]): Promise<number> {
  const at = argv.indexOf('--');
  const line = at < 0 ? '' : argv.slice(at + 1).join(' ');
  const abort = AbortSignal.timeout(DEADLINE_MS);
  try {
    const found = await Promise.race([
      candidates(line, abort),
      new Promise<string[]>((resolve) => abort.addEventListener('abort', () => resolve([]), { once: true })),
    ]);
    process.stdout.write(found.map((each) => `${each}\n`).join(''));
  } catch {
    // a completion that cannot be made says nothing
  }
  return 0;
}

async function candidates(line: string, signal: AbortSignal): Promise<string[]> {
  const { words, typed } = splitLine(line);
  const rest = words.slice(1); // the program
  const options = await globalOptions();
  let at = 0;
  while (at < rest.length && (rest[at] as string).startsWith('-')) {
    const option = options.find(({ names }) => names.includes(rest[at] as string));
    if (option?.takesValue === true && at + 1 >= rest.length) return wordsOf(option.names, typed);
    at += option?.takesValue === true ? 2 : 1;
  }
  const globalsPart = rest.slice(0, at);
  const said = isTarget(rest[at] ?? '') ? rest[at++] : undefined;
  const command = rest.slice(at);
  if (command.length === 0 && typed.startsWith('-'))
    return shown(
      options.flatMap(({ names, about }) => names.map((text) => ({ text, note: about }))),
      typed,
    );
  const { globals } = await parseGlobals(globalsPart);
  const { profiles, settings } = profilesOf(globals, folders());
  if (command.length === 0) {
    if (typed.startsWith('@'))
      return shown(
        profiles.list().map(({ name }) => ({ text: `@${name}` })),
        typed,
      );
    const own = await completeWords([], typed, completionPorts(source(undefined)));
    return [
      ...shown(
        OUTER.map(({ name, about }) => ({ text: name, note: about })),
        typed,
      ),
      ...shown(own, ''),
    ];
  }
  const outer = OUTER.find(({ name }) => name === command[0]);
  if (outer !== undefined) {
    return shown(
      [...outer.words, ...outer.options].map((text) => ({ text })),
      typed,
    );
  }
  let client: Promise<Client> | undefined;
  const isLive = process.env.ZOOSH_COMPLETE_LIVE !== '0';
  const session = (): Promise<Client> | undefined => {
    if (!isLive) return undefined;
    client ??= (() => {
      const { server, options: how } = chooseTarget(said, {
        globals,
        profiles,
        configFile: folders().configFile,
        env: process.env,
      });
      return connect(server, { ...how, connectTimeoutMs: DEADLINE_MS, signal });
    })();
    return client;
  };
  try {
    return shown(await completeWords(command, typed, completionPorts(source(session))), '');
  } finally {
    void (client as Promise<Client> | undefined)?.then(
      (open) => open.close(),
      () => {},
    );
  }

  function source(get: (() => Promise<Client> | undefined) | undefined) {
    const paths = new PathSource(get ?? (() => undefined), () => performance.now());
    return { cwd: '/', paths, profiles, settings, client: undefined, variables: [] };
  }
}

const wordsOf = (names: readonly string[], typed: string): string[] => {
  if (names.includes('--output'))
    return shown(
      ['human', 'plain', 'json', 'ndjson'].map((text) => ({ text })),
      typed,
    );
  if (names.includes('--color'))
    return shown(
      ['auto', 'always', 'never'].map((text) => ({ text })),
      typed,
    );
  return names.some((name) => name.startsWith('--tls-')) ? [':files'] : [];
};

interface Shown {
  readonly text: string;
  readonly note?: string | undefined;
  readonly open?: boolean;
}
const shown = (all: readonly Shown[], typed: string): string[] =>
  all
    .filter(({ text }) => text.startsWith(typed))
    .map(({ text, note = '', open }) => `${text}\t${open === true ? 'n' : '-'}\t${note}`);

/** A line as the operating system's shell reads it: words without their quotes, and the last one as far as it is typed. */
export function splitLine(line: string): { words: string[]; typed: string } {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const unit = line[at] as string;
    if (quote !== '') {
      if (unit === quote) quote = '';
      else word += unit;
    } else if (unit === "'" || unit === '"') {
      quote = unit;
      word ??= '';
    } else if (unit === '\\' && at + 1 < line.length) word = (word ?? '') + line[++at];
    else if (/\s/.test(unit)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + unit;
  }
  return { words, typed: word ?? '' };
}
